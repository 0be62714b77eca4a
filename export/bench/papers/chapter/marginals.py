"""What a surface is like in four numbers, read off its log-vols."""

from __future__ import annotations

import numpy as np
from scipy.stats import wasserstein_distance

from voladdin._typing import FloatArray

FACTORS = ("level", "skew", "wings", "term")


def factors(logs: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """[N, 4] mean, ends of the smile apart, ends less middle, last less first tenor, of log-vols."""
    grid = logs.reshape(-1, *shape)
    middle = shape[1] // 2
    skew = (grid[:, :, -1] - grid[:, :, 0]).mean(1)
    wings = (0.5 * (grid[:, :, -1] + grid[:, :, 0]) - grid[:, :, middle]).mean(1)
    return np.column_stack([grid.mean((1, 2)), skew, wings, grid[:, -1].mean(1) - grid[:, 0].mean(1)])


def marginal_distances(drawn: FloatArray, truth: FloatArray) -> list[float]:
    """Wasserstein-1 distance of each factor of samples [n, 4] and [m, 4], in the truth's deviations."""
    pairs = zip(drawn.T, truth.T, strict=True)
    return [float(wasserstein_distance(ours, theirs) / theirs.std()) for ours, theirs in pairs]
