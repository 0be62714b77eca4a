"""What every imputer gives: weighted codes of what is seen, from which all else follows.

x: [B, c] standardised log-vols, read only where `seen` [B, c].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..networks.base import Network


@dataclass(frozen=True, eq=False)
class Codes:
    """z [m, B, e], m codes of each surface, and their log weights [m, B] up to a constant a surface."""

    z: Tensor
    log_weights: Tensor

    @classmethod
    def alike(cls, z: Tensor) -> Codes:
        """Codes of one weight."""
        return cls(z, torch.zeros(z.shape[:2]))

    @property
    def shares(self) -> Tensor:
        """[m, B] weights that sum to 1."""
        return torch.softmax(self.log_weights, 0)

    @property
    def effective(self) -> Tensor:
        """[B] how many independent codes the weighted ones are worth (Kong 1992)."""
        return 1.0 / self.shares.square().sum(0)


Draw = Callable[[Network, Tensor, Tensor, int, torch.Generator], Codes]


@dataclass(frozen=True)
class Imputer:
    """draw(network, x, seen, count, generator); refits: with the encoder refitted on what is to be filled."""

    draw: Draw
    refits: bool = False
