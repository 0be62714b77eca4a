"""Hierarchies of latents: ladder VAE (Sonderby et al. 2016), and as in NVAE (Vahdat and Kautz 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..network import Block
from .base import WIDTH, Code, Network, masked
from .noise import Shared

LEVELS, UNITS = 3, 4


class Ladder(Network):
    """z = (z_1 … z_L), top first: each level's prior is a function of those above.

    The way up gives each level's evidence, the way down its prior; the code combines both by their
    precisions. A code's units are the deviations from the prior, which are N(0, 1) beforehand.
    """

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.lift, self.top = nn.Linear(2 * nodes, WIDTH), nn.Parameter(torch.zeros(WIDTH))
        self.up = nn.ModuleList(Block(WIDTH) for _ in range(LEVELS))
        self.evidence = nn.ModuleList(nn.Linear(WIDTH, 2 * UNITS) for _ in range(LEVELS))
        self.prior = nn.ModuleList(nn.Linear(WIDTH, 2 * UNITS) for _ in range(LEVELS))
        self.entry = nn.ModuleList(nn.Linear(UNITS, WIDTH) for _ in range(LEVELS))
        self.down = nn.ModuleList(Block(WIDTH) for _ in range(LEVELS))
        self.out, self.noise = nn.Linear(WIDTH, nodes), Shared()
        self.latent = LEVELS * UNITS

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        """The code of the means, level by level."""
        means, spreads, _, _ = self._descend(self._ascend(x, seen), len(x), draw=False)
        return Code(means, spreads)

    def decode(self, z: Tensor) -> Tensor:
        h = self.top.expand(len(z), -1)
        for level, units in enumerate(z.split(UNITS, -1)):
            mean, spread = _moments(self.prior[level](h))
            h = self._step(level, h, mean + spread * units)
        out: Tensor = self.out(h)
        return out

    def terms(self, x: Tensor, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        means, spreads, z, h = self._descend(self._ascend(x, seen), len(x), draw=True)
        likelihood = self.noise.log_density(x, self.out(h), asked, z)
        return likelihood, Code(means, spreads).divergence

    def sample(self, count: int) -> Tensor:
        z = torch.randn(count, self.latent)
        return self.noise.draw(self.decode(z), z)

    def _ascend(self, x: Tensor, seen: Tensor) -> list[Tensor]:
        """What the quotes say of each level, top first."""
        h, found = self.lift(masked(x, seen)), []
        for block, head in zip(self.up, self.evidence, strict=True):
            h = block(h)
            found.append(head(h))
        return found[::-1]

    def _descend(
        self, evidence: list[Tensor], count: int, *, draw: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean and spread of the units given the quotes, units, and the last hidden layer."""
        h, codes, units = self.top.expand(count, -1), [], []
        for level, told in enumerate(evidence):
            mean, spread = _moments(self.prior[level](h))
            code = self._combined(mean, spread, *_moments(told))
            codes.append(code)
            units.append(code.draw() if draw else code.mean)
            h = self._step(level, h, mean + spread * units[-1])
        means, spreads = (
            torch.cat([getattr(code, name) for code in codes], -1) for name in ("mean", "spread")
        )
        return means, spreads, torch.cat(units, -1), h

    def _combined(self, mean: Tensor, spread: Tensor, told: Tensor, doubt: Tensor) -> Code:
        """Prior and evidence by their precisions, in units of the prior."""
        weight = spread**2 / (spread**2 + doubt**2)
        return Code(weight * (told - mean) / spread, doubt / torch.sqrt(spread**2 + doubt**2))

    def _step(self, level: int, h: Tensor, z: Tensor) -> Tensor:
        out: Tensor = self.down[level](h + self.entry[level](z))
        return out


class ResidualHierarchy(Ladder):
    """The same with the posterior as a residual of the prior (NVAE): the quotes say how far it moves."""

    def _combined(self, mean: Tensor, spread: Tensor, told: Tensor, doubt: Tensor) -> Code:  # noqa: ARG002
        return Code(told, doubt)


def _moments(numbers: Tensor) -> tuple[Tensor, Tensor]:
    mean, spread = numbers.chunk(2, -1)
    return mean, F.softplus(spread) + 1e-3
