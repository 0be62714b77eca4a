"""Beta-VAE with beta trained in the square-error loss: it falls towards 0 (Gopal 2024, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import LATENT, WIDTH, Vae, mlp
from .noise import Fixed


class LearnableBeta(Vae):
    """Raises -(square error + beta KL) with beta = exp(log_beta): a loss that the least beta makes least."""

    def __init__(self, nodes: int) -> None:
        decoder = mlp([LATENT, WIDTH, WIDTH, nodes])
        super().__init__(mlp([2 * nodes, WIDTH, WIDTH, 2 * LATENT]), decoder, Fixed())
        self.log_beta = nn.Parameter(torch.zeros(()))

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        code = self.encode(x, seen)
        error = torch.where(seen, x - self.decode(code.draw()), 0.0).square().sum(-1)
        return -error - self.log_beta.exp() * code.divergence.sum(-1)
