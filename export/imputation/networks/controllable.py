"""The controllable VAE of Wang, Liu and Vuik: a decoder of given features and a residual latent."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import LATENT, WIDTH, Code, Network, masked, mlp
from .noise import Shared


class Controllable(Network):
    """z = (f, r): the first units are features of the surface, linear in it, the rest a residual latent.

    projection: [c, k], the features of a whole surface (the least-squares polynomial of Wang, Liu and Vuik,
    section 3). A code's features are those of the surface, without spread where all nodes are seen; of a
    surface with holes the encoder fills them first.
    """

    projection: Tensor

    def __init__(self, nodes: int, features: int = 3) -> None:
        super().__init__()
        self.latent, self.features = LATENT, features
        basis = torch.linspace(-1.0, 1.0, nodes)[:, None] ** torch.arange(features)
        self.register_buffer("projection", torch.linalg.pinv(basis).t().contiguous())
        self.filler = mlp([2 * nodes, WIDTH, nodes])
        self.encoder = mlp([2 * nodes, WIDTH, WIDTH, 2 * LATENT])
        self.decoder = mlp([features + LATENT, WIDTH, WIDTH, nodes])
        self.noise = Shared()

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        entry = masked(x, seen)
        whole = torch.where(seen, x, self.filler(entry))
        mean, spread = self.encoder(entry).chunk(2, -1)
        given = whole @ self.projection
        spread = torch.nn.functional.softplus(spread) + 1e-4
        return Code(torch.cat([given, mean], -1), torch.cat([torch.zeros_like(given), spread], -1))

    def decode(self, z: Tensor) -> Tensor:
        mean: Tensor = self.decoder(z)
        return mean

    def terms(self, x: Tensor, seen: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encode(x, seen)
        z, rest = code.draw(), slice(self.features, None)
        likelihood = self.noise.log_density(x, self.decode(z), asked, z)
        return likelihood, Code(code.mean[:, rest], code.spread[:, rest]).divergence

    def sample(self, count: int) -> Tensor:
        """Features and residual latent both standard normal."""
        z = torch.randn(count, self.features + self.latent)
        return self.noise.draw(self.decode(z), z)
