"""The deterministic autoencoder: a code without spread, the square error, draws from fitted codes."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import LATENT, WIDTH, Code, Network, masked, mlp


class Autoencoder(Network):
    """z = f(x), x = g(z). Its `elbo` is minus half the square error: no bound, it has no density."""

    codes: Tensor

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.encoder = mlp([2 * nodes, WIDTH, LATENT])
        self.decoder = mlp([LATENT, WIDTH, nodes])
        self.register_buffer("codes", torch.zeros(1, LATENT))

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        mean = self.encoder(masked(x, seen))
        return Code(mean, torch.ones_like(mean))

    def decode(self, z: Tensor) -> Tensor:
        mean: Tensor = self.decoder(z)
        return mean

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        code = self.encode(x, seen).mean
        if self.training:
            self.codes = code.detach()
        return -0.5 * torch.where(seen, x - self.decode(code), 0.0).square().sum(-1)

    def sample(self, count: int) -> Tensor:
        """Surfaces of codes like those of the last batch: their mean and spread, unit by unit."""
        spread = self.codes.std(0, correction=0)
        return self.decode(self.codes.mean(0) + spread * torch.randn(count, self.codes.shape[1]))
