"""The conditional VAE: encoder and decoder know the asset (one-hot) and its spot (Mama 2022, section 5)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .base import LATENT, Code, Vae, masked, residual_mlp
from .noise import Shared

KNOWN = 2


class Conditional(Vae):
    """x [B, c + k]: c nodes, then k = `KNOWN` numbers always seen: the asset's one-hot, its log spot.

    A code has them after its latent units, without spread: `decode` takes [B, e + k].
    """

    def __init__(self, nodes: int) -> None:
        super().__init__(
            residual_mlp(2 * nodes + KNOWN, 2 * LATENT), residual_mlp(LATENT + KNOWN, nodes), Shared(), LATENT
        )
        self.nodes, self.known = nodes, KNOWN

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        known = x[:, self.nodes :]
        entry = torch.cat([masked(x[:, : self.nodes], seen[:, : self.nodes]), known], -1)
        mean, spread = self.encoder(entry).chunk(2, -1)
        spread = F.softplus(spread) + 1e-4
        return Code(torch.cat([mean, known], -1), torch.cat([spread, torch.zeros_like(known)], -1))

    def terms(self, x: Tensor, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encode(x, seen)
        z, of = code.draw(), slice(None, self.latent)
        likelihood = self.noise.log_density(x[:, : self.nodes], self.decode(z), asked[:, : self.nodes], z)
        return likelihood, Code(code.mean[:, of], code.spread[:, of]).divergence

    def sample(self, count: int) -> Tensor:
        """Surfaces of the first asset at a log spot of 0."""
        known = F.one_hot(torch.zeros(count, dtype=torch.long), self.known)
        z = torch.cat([torch.randn(count, self.latent), known], -1)
        return self.noise.draw(self.decode(z), z)
