"""The networks of the literature, one file and one line each: NETWORKS[name](nodes) gives a `Network`."""

from __future__ import annotations

from collections.abc import Callable

from . import convolutional, feed_forward, residual
from .autoencoder import Autoencoder
from .base import Code, Network, Vae
from .conditional import Conditional
from .controllable import Controllable
from .importance_weighted import ImportanceWeighted
from .ladder import Ladder, ResidualHierarchy
from .learnable_beta import LearnableBeta
from .linear import LinearVae
from .quantised import Quantised, QuantisedTwice

NETWORKS: dict[str, Callable[[int], Network]] = {
    "autoencoder": Autoencoder,
    "linear VAE": LinearVae,
    "beta-VAE": feed_forward.beta,
    "learnable beta-VAE": LearnableBeta,
    "sigma-VAE": feed_forward.sigma,
    "vector sigma-VAE": feed_forward.sigma_of_node,
    "residual sigma-VAE": residual.sigma,
    "residual Sigma-VAE": residual.sigma_of_latent,
    "Sigma-IWAE": ImportanceWeighted,
    "full-covariance VAE": residual.full,
    "conditional VAE": Conditional,
    "pointwise VAE": convolutional.pointwise,
    "convolutional VAE": convolutional.whole_grid,
    "controllable VAE, 1 feature": lambda nodes: Controllable(nodes, 1),
    "controllable VAE, 3 features": Controllable,
    "controllable VAE, 4 features": lambda nodes: Controllable(nodes, 4),
    "VQ-VAE": Quantised,
    "VQ-VAE-2": QuantisedTwice,
    "ladder VAE": Ladder,
    "residual hierarchy": ResidualHierarchy,
}

__all__ = ["NETWORKS", "Code", "Network", "Vae"]
