"""Densities of codes: joint with what is seen, by the encoder, and the weight of one against the other.

z: [m, B, e] m codes of each of B surfaces; densities [m, B], up to constants that an `elbo` leaves out too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from voladdin.errors import InputError

from .base import Code, Network
from .noise import Noise


def noise_of(network: Network) -> Noise:
    """The noise of a network. Raises InputError where it has none, or no prior of its codes."""
    noise = getattr(network, "noise", None)
    if not isinstance(noise, Noise) or not hasattr(network, "latent"):
        raise InputError(f"network is {type(network).__name__}; expected a VAE, whose codes have a prior")
    return noise


def nodes_of(network: Network, x: Tensor) -> int:
    """How many of the columns of x are nodes: after them a conditional VAE has what is known of the asset."""
    return int(getattr(network, "nodes", x.shape[-1]))


def log_joint(network: Network, x: Tensor, seen: Tensor, z: Tensor, free: Tensor) -> Tensor:
    """log p(seen, z); the units that are not `free` [B, e] are given, and have no prior."""
    nodes = nodes_of(network, x)
    likelihood = noise_of(network).log_density(x[:, :nodes], decoded(network, z), seen[:, :nodes], z)
    return likelihood - 0.5 * torch.where(free, z, 0.0).square().sum(-1)


def decoded(network: Network, z: Tensor) -> Tensor:
    """[m, B, c] mean surfaces."""
    return network.decode(z.flatten(0, 1)).view(*z.shape[:2], -1)


def log_weights(
    network: Network,
    x: Tensor,
    seen: Tensor,
    count: int,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """log p(seen, z) / q(z) of `count` codes drawn from the encoder's q, and these codes."""
    code: Code = network.encode(x, seen)
    z = code.draws(count, generator)
    return log_joint(network, x, seen, z, code.free) - code.log_density(z), z
