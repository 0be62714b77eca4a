"""The networks of Mama (2022), table 2: a pointwise decoder, a feed-forward or a convolutional encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from export.imputation.networks.base import Code

FILTERS, WIDTH = (8, 32, 64), 64
FEED_FORWARD, HYBRID = "feed-forward", "hybrid"


def _layers(sizes: Sequence[int]) -> list[nn.Module]:
    """Linear layers with ReLU between."""
    found: list[nn.Module] = []
    for before, after in pairwise(sizes):
        found += [nn.Linear(before, after), nn.ReLU()]
    return found[:-1]


def _kernel(size: int) -> int:
    """3 + half the input, section 4.3.2, which halves it; never so much that nothing is left."""
    return min(3 + math.ceil(size / 2), size + 2)


def _convolutions(shape: tuple[int, int], out: int) -> list[nn.Module]:
    found: list[nn.Module] = [nn.Unflatten(1, (1, *shape))]
    channels = 1
    for filters in FILTERS:
        kernel = _kernel(shape[0]), _kernel(shape[1])
        shape = shape[0] + 3 - kernel[0], shape[1] + 3 - kernel[1]
        found += [nn.Conv2d(channels, filters, kernel, padding=1), nn.ReLU()]
        channels = filters
    return [*found, nn.Flatten(), nn.Linear(channels * math.prod(shape), out)]


class SurfaceVae(nn.Module):
    """vols [B, T K] -> code -> vol at any point (ln tenor, delta), label and code in, softplus out.

    points: [T K, 2] of the grid. centre, unit: of all training vols, the third standardisation of 5.2.5.
    """

    points: Tensor
    centre: Tensor
    unit: Tensor

    def __init__(
        self, kind: str, shape: tuple[int, int], points: Tensor, latent: int, labels: int = 0
    ) -> None:
        super().__init__()
        nodes, self.latent, self.labels = math.prod(shape), latent, labels
        plain = _layers([nodes, WIDTH, WIDTH, 2 * latent])
        self.encoder = nn.Sequential(*(plain if kind == FEED_FORWARD else _convolutions(shape, 2 * latent)))
        self.decoder = nn.Sequential(*_layers([latent + labels + 2, WIDTH, WIDTH, 1]), nn.Softplus())
        self.register_buffer("points", points)
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("unit", torch.ones(()))

    def encode(self, vols: Tensor, seen: Tensor | None = None) -> Code:
        entry = (vols - self.centre) / self.unit
        mean, log_spread = self.encoder(entry if seen is None else torch.where(seen, entry, 0.0)).chunk(2, -1)
        return Code(mean, log_spread.clamp(-10, 10).exp())

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """[B, T K] vols at the points of the grid."""
        code = z if label is None else torch.cat([z, label], -1)
        each = code[:, None].expand(-1, len(self.points), -1), self.points.expand(len(z), -1, -1)
        out: Tensor = self.decoder(torch.cat(each, -1))[..., 0] * self.unit
        return out
