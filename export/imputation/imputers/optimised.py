"""The code that decodes nearest to the quotes."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.base import Network
from ..networks.weights import nodes_of
from .codes import Codes
from .newton import lowest


def nearest(network: Network, x: Tensor, seen: Tensor, _count: int, _generator: torch.Generator) -> Codes:
    """One code a surface: the least square error on the quotes (Bergeron et al. 2022, section 4.2).

    A point, so that what is drawn scatters by the noise alone. By Newton's method from the encoder's mean;
    where quotes are fewer than units, a solution near that.
    """
    nodes, code = nodes_of(network, x), network.encode(x, seen)

    def cost(z: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        gap = network.decode(z[None])[0] - x[:nodes]
        return 0.5 * torch.where(seen[:nodes], gap, 0.0).square().sum()

    return Codes.alike(lowest(cost, code.mean, x, seen, code.free)[None])
