"""Codes from the encoder: as they are, or weighted to the posterior."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.base import Network
from ..networks.weights import log_weights
from .codes import Codes


def of_encoder(network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator) -> Codes:
    """The encoder's own word on holes, as Mama (2022), section 6, completes surfaces.

    His methods 1 and 2 are two trainings: `Options.shown`, without and with `whole`.
    """
    return Codes.alike(network.encode(x, seen).draws(count, generator))


def weighted(network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator) -> Codes:
    """Self-normalised importance sampling (Mattei and Frellsen 2019; Gopal 2024, section 6.1)."""
    weights, z = log_weights(network, x, seen, count, generator)
    return Codes(z, weights)
