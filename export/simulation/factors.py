"""Latent factors in time: Ornstein-Uhlenbeck paths and crises."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray


def ou_path(rng: np.random.Generator, days: int, half_life: float, width: int | None = None) -> FloatArray:
    """Stationary Ornstein-Uhlenbeck path of unit variance, [days] or [days, width]; half_life in days."""
    decay = 0.5 ** (1.0 / half_life)
    path = rng.standard_normal((days, width or 1))
    path[1:] *= np.sqrt(1.0 - decay**2)
    for day in range(1, days):
        path[day] += decay * path[day - 1]
    return path if width else path[:, 0]


def crisis_path(rng: np.random.Generator, days: int) -> FloatArray:
    """Shot noise [days]: spikes of exponential size (mean 0.5) about once in 40 days, half gone after 8."""
    decay = 0.5 ** (1.0 / 8.0)
    path = rng.exponential(0.5, days) * (rng.random(days) < 1.0 / 40.0)
    for day in range(1, days):
        path[day] += decay * path[day - 1]
    return path


def mix(common: FloatArray, own: FloatArray, correlation: float) -> FloatArray:
    """A factor whose paths correlate by `correlation`**2 between pairs."""
    return np.asarray(correlation * common + np.sqrt(1.0 - correlation**2) * own)


def common_factors(rng: np.random.Generator, days: int) -> dict[str, FloatArray]:
    """What all pairs share: short-term level, long-term level, skew, crises; each [days]."""
    return {
        "short": ou_path(rng, days, 60),
        "long": ou_path(rng, days, 300),
        "skew": ou_path(rng, days, 80),
        "crisis": crisis_path(rng, days),
    }
