"""The importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2016): a bound from K draws."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import LATENT, Network, Vae, residual_mlp
from .noise import OfLatent
from .weights import log_weights

DRAWS = 8


class ImportanceWeighted(Vae):
    """The Sigma-VAE trained on log mean exp of `DRAWS` log weights (Gopal's Sigma-IWAE)."""

    def __init__(self, nodes: int) -> None:
        encoder, decoder = residual_mlp(2 * nodes, 2 * LATENT), residual_mlp(LATENT, nodes)
        super().__init__(encoder, decoder, OfLatent(nodes, LATENT))

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        return weighted_bound(self, x, seen, DRAWS)


def weighted_bound(model: Network, x: Tensor, seen: Tensor, draws: int) -> Tensor:
    """[B] the bound of any VAE from `draws` codes; it rises to the log density with them."""
    weights, _ = log_weights(model, x, seen, draws)
    return torch.logsumexp(weights, 0) - math.log(draws)
