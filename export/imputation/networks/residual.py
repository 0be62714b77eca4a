"""The residual VAEs of Gopal (2024): LayerNorm and SiLU blocks, with trained, latent or full noise."""

from __future__ import annotations

from .base import LATENT, Vae, residual
from .noise import Full, Noise, OfLatent, Shared

DROPOUT = 0.1


def _of(nodes: int, noise: Noise) -> Vae:
    encoder = residual(2 * nodes, 2 * LATENT, dropout=DROPOUT)
    return Vae(encoder, residual(LATENT, nodes, dropout=DROPOUT), noise)


def sigma(nodes: int) -> Vae:
    """Residual sigma-VAE."""
    return _of(nodes, Shared())


def sigma_of_latent(nodes: int) -> Vae:
    """Residual Sigma-VAE: the spread of each node depends on z."""
    return _of(nodes, OfLatent(nodes, LATENT))


def full(nodes: int) -> Vae:
    """Residual VAE with a full noise covariance: what voladdin's history model is."""
    return _of(nodes, Full(nodes))
