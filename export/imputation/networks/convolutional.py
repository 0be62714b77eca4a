"""Convolutional encoders; decoders of the whole grid or of a point at a time (Mama 2022, table 2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import LATENT, WIDTH, Vae, mlp
from .noise import Shared

CHANNELS = 16


class GridEncoder(nn.Module):
    """Two convolutions over [values, seen] of T x K nodes, then the code's mean and spread."""

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(
            nn.Conv2d(2, CHANNELS, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(CHANNELS * math.prod(shape), 2 * LATENT),
        )

    def forward(self, entry: Tensor) -> Tensor:
        out: Tensor = self.layers(entry.view(len(entry), 2, *self.shape))
        return out


class PointwiseDecoder(nn.Module):
    """One network asked at every point (row, column) in [-1, 1]² with z: it answers between nodes too."""

    points: Tensor

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        axes = [torch.linspace(-1.0, 1.0, size) for size in shape]
        self.register_buffer("points", torch.cartesian_prod(*axes))
        self.net = mlp([LATENT + 2, WIDTH, WIDTH, 1])

    def at(self, z: Tensor, points: Tensor) -> Tensor:
        """[B, n] at points [n, 2]."""
        whole = torch.cat([z[:, None].expand(-1, len(points), -1), points[None].expand(len(z), -1, -1)], -1)
        out: Tensor = self.net(whole)[..., 0]
        return out

    def forward(self, z: Tensor) -> Tensor:
        return self.at(z, self.points)


def grid_shape(nodes: int) -> tuple[int, int]:
    """Rows and columns: the most nearly square factors."""
    rows = next(size for size in range(math.isqrt(nodes), 0, -1) if nodes % size == 0)
    return nodes // rows, rows


def pointwise(nodes: int) -> Vae:
    """The hybrid of Mama (2022): convolutional encoder, pointwise decoder."""
    shape = grid_shape(nodes)
    return Vae(GridEncoder(shape), PointwiseDecoder(shape), Shared())


def whole_grid(nodes: int) -> Vae:
    """The same encoder with a decoder of all nodes at once."""
    return Vae(GridEncoder(grid_shape(nodes)), mlp([LATENT, WIDTH, WIDTH, nodes]), Shared())
