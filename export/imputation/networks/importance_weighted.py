"""The importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2016): a bound from K draws."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import LATENT, Code, Vae, residual
from .noise import OfLatent

DRAWS = 8


class ImportanceWeighted(Vae):
    """The Sigma-VAE trained on log mean exp of `draws` log weights (Gopal's Sigma-IWAE)."""

    def __init__(self, nodes: int, draws: int = DRAWS) -> None:
        encoder, decoder = residual(2 * nodes, 2 * LATENT), residual(LATENT, nodes)
        super().__init__(encoder, decoder, OfLatent(nodes, LATENT))
        self.draws = draws

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        return weighted_bound(self, x, seen, self.draws)


def weighted_bound(model: Vae, x: Tensor, seen: Tensor, draws: int) -> Tensor:
    """[B] the bound of any VAE from `draws` codes; it rises to the log density with them."""
    code = model.encode(x, seen)
    return torch.logsumexp(
        torch.stack([_log_weight(model, x, seen, code) for _ in range(draws)]), 0
    ) - math.log(draws)


def _log_weight(model: Vae, x: Tensor, seen: Tensor, code: Code) -> Tensor:
    z = code.draw()
    likelihood = model.noise.log_density(x, model.decode(z), seen, z)
    return likelihood - 0.5 * (z**2).sum(-1) - code.log_density(z)
