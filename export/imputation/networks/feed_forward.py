"""The feed-forward VAEs of Bergeron et al. (2022): fixed, trained and node-wise noise."""

from __future__ import annotations

from .base import LATENT, WIDTH, Vae, mlp
from .noise import Fixed, Noise, OfNode, Shared


def _of(nodes: int, noise: Noise) -> Vae:
    encoder = mlp([2 * nodes, WIDTH, WIDTH, 2 * LATENT])
    return Vae(encoder, mlp([LATENT, WIDTH, WIDTH, nodes]), noise)


def beta(nodes: int, value: float = 1.0) -> Vae:
    """Beta-VAE: the square error plus beta times the divergence is its bound times -2 sigma²."""
    return _of(nodes, Fixed(value))


def sigma(nodes: int) -> Vae:
    """Sigma-VAE: one standard deviation for all nodes, trained."""
    return _of(nodes, Shared())


def sigma_of_node(nodes: int) -> Vae:
    """Vector sigma-VAE: one for each node."""
    return _of(nodes, OfNode(nodes))
