"""What every network is asked: a latent code of the quotes, a surface of a code, a bound, and draws.

x: [B, c] standardised log-vols of c nodes, read only where `seen` [B, c]; z: [B, e].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from voladdin.errors import InputError

from ..network import Block
from .noise import Noise

LATENT, WIDTH, DEPTH = 8, 64, 2


@dataclass(frozen=True)
class Code:
    """A diagonal Gaussian over z: mean and spread [B, e]."""

    mean: Tensor
    spread: Tensor

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """[B, e], by reparametrisation (Kingma-Welling 2014, section 2.4)."""
        return self.draws(1, generator)[0]

    def draws(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """[count, B, e]."""
        return self.mean + self.spread * torch.randn(count, *self.mean.shape, generator=generator)

    @property
    def free(self) -> Tensor:
        """[B, e] the units that have a spread: the others are given, as a label or a feature is."""
        return self.spread > 0.0

    def log_density(self, z: Tensor) -> Tensor:
        """[..., B] of the free units of z [..., B, e], up to -ln 2 pi / 2 each."""
        spread = torch.where(self.free, self.spread, 1.0)
        density = -0.5 * ((z - self.mean) / spread) ** 2 - spread.log()
        return torch.where(self.free, density, 0.0).sum(-1)

    @property
    def divergence(self) -> Tensor:
        """[B, e] Kullback-Leibler divergence from N(0, 1) of each unit."""
        return 0.5 * (self.mean**2 + self.spread**2 - 1.0) - self.spread.log()


class Network(nn.Module, ABC):
    """A generative model of surfaces with holes."""

    @abstractmethod
    def encode(self, x: Tensor, seen: Tensor) -> Code:
        """What the quotes say of z."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """[B, c] the mean surface of z."""

    def terms(self, x: Tensor, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """[B] log density of the `asked` nodes at a draw of the code of the seen ones, [B, e] its divergence.

        Raises InputError for a network whose code has none.
        """
        raise InputError(f"network is {type(self).__name__}, whose code has no divergence; expected a VAE")

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        """[B] what training raises: a bound on the log density of the seen nodes, up to -ln 2 pi / 2 each."""
        likelihood, divergence = self.terms(x, seen, seen)
        return likelihood - divergence.sum(-1)

    @abstractmethod
    def sample(self, count: int) -> Tensor:
        """[count, c] surfaces, sampled twice: z, then the noise about its mean."""

    def reconstruct(self, x: Tensor, seen: Tensor) -> Tensor:
        """[B, c] the mean surface of the code's mean."""
        return self.decode(self.encode(x, seen).mean)


class Vae(Network):
    """z ~ N(0, I), x | z ~ N(mu(z), R): encoder and decoder by layers, R by `noise`.

    The masked bound reads the seen nodes only (Gopal 2024, section 6.1): the others are integrated out.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, noise: Noise, latent: int = LATENT) -> None:
        super().__init__()
        self.encoder, self.decoder, self.noise, self.latent = encoder, decoder, noise, latent

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        mean, spread = self.encoder(masked(x, seen)).chunk(2, -1)
        return Code(mean, F.softplus(spread) + 1e-4)

    def decode(self, z: Tensor) -> Tensor:
        mean: Tensor = self.decoder(z)
        return mean

    def terms(self, x: Tensor, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encode(x, seen)
        z = code.draw()
        return self.noise.log_density(x, self.decode(z), asked, z), code.divergence

    def sample(self, count: int) -> Tensor:
        z = torch.randn(count, self.latent)
        return self.noise.draw(self.decode(z), z)


def masked(x: Tensor, seen: Tensor) -> Tensor:
    """[B, 2 c]: the seen values, 0 elsewhere, and which these are."""
    return torch.cat([torch.where(seen, x, 0.0), seen.to(x.dtype)], -1)


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with SiLU between (the MLP of Bergeron et al. 2022)."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def residual_mlp(
    entry: int, out: int, width: int = WIDTH, depth: int = DEPTH, dropout: float = 0.0
) -> nn.Sequential:
    """Pre-norm residual blocks between two linear layers (Gopal 2024, appendix B.1)."""
    blocks = [Block(width, dropout) for _ in range(depth)]
    return nn.Sequential(nn.Linear(entry, width), *blocks, nn.Linear(width, out))
