"""The residual VAEs of Gopal (2024): LayerNorm and SiLU blocks, with trained, latent or full noise."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from .base import DEPTH, LATENT, WIDTH, Vae, residual_mlp
from .noise import Full, Noise, OfLatent, Shared

DROPOUT = 0.1


@dataclass(frozen=True)
class Size:
    """A cell of Gopal's search (7.1.3): hidden size, layers, dropout, embedding."""

    width: int = WIDTH
    depth: int = DEPTH
    dropout: float = DROPOUT
    latent: int = 32


def sized(nodes: int, noise: Noise | None, size: Size) -> Vae:
    """Encoder and decoder of one size. noise: None for one of z, a second head on the decoder's layers."""
    encoder = residual_mlp(2 * nodes, 2 * size.latent, size.width, size.depth, size.dropout)
    decoder = residual_mlp(size.latent, nodes, size.width, size.depth, size.dropout)
    return Vae(encoder, decoder, noise or noise_beside(decoder, nodes, size), size.latent)


def noise_beside(decoder: nn.Sequential, nodes: int, size: Size) -> OfLatent:
    """The Sigma-VAE's noise: a second head on the decoder's layers (B.1, W12,1 and W12,2)."""
    return OfLatent(nodes, size.latent, nn.Sequential(*[*decoder][:-1], nn.Linear(size.width, nodes)))


def sigma(nodes: int) -> Vae:
    """Residual sigma-VAE."""
    return sized(nodes, Shared(), Size(latent=LATENT))


def sigma_of_latent(nodes: int) -> Vae:
    """Residual Sigma-VAE: the spread of each node depends on z."""
    return sized(nodes, None, Size(latent=LATENT))


def full(nodes: int) -> Vae:
    """Residual VAE with a full noise covariance: what voladdin's history model is."""
    return sized(nodes, Full(nodes), Size(latent=LATENT))
