"""What a desk sees of a surface: noisy mids on a tick, bid and ask, stale expiries, holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from voladdin._typing import BoolArray, FloatArray

_TICKS = np.array([0.0, 1e-5, 1e-4, 5e-4])


@dataclass(frozen=True, eq=False)
class QuotedVols:
    """mid, bid, ask [n, T, K], NaN where nobody quotes; bid and ask are NaN on surfaces quoted as mids."""

    mid: FloatArray
    bid: FloatArray
    ask: FloatArray


def quote(rng: np.random.Generator, vols: FloatArray, deltas: FloatArray, listed: BoolArray) -> QuotedVols:
    """Quotes of true vols [n, T, K]: half of the surfaces clean, the others with noise of 2 bp to 2% of vol.

    Noise is of each expiry's level, skew and curvature, and of each cell; it and the spread grow in the
    wings. One surface in seven has an expiry that was not updated: its level is a few per cent off.
    """
    count, expiries, _ = vols.shape
    wing = np.clip(ndtri(np.clip(deltas, 1e-6, 1 - 1e-6)), -4.0, 4.0)
    wide = 1.0 + 0.35 * wing**2
    size = np.exp(rng.uniform(np.log(2e-4), np.log(2e-2), (count, 1, 1)))
    noisy = rng.random((count, 1, 1)) < 0.5
    parts = rng.standard_normal((3, count, expiries, 1))
    joint = 0.5 * parts[0] + 0.2 * parts[1] * wing + 0.1 * parts[2] * wing**2
    errors = np.where(noisy, size * (joint + 0.7 * wide * rng.standard_normal(vols.shape)), 0.0)
    stale = (rng.random((count, 1, 1)) < 1 / 7) & (
        np.arange(expiries)[:, None] == rng.integers(expiries, size=(count, 1, 1))
    )
    errors += stale * 0.03 * rng.standard_normal((count, 1, 1))
    tick = np.minimum(rng.choice(_TICKS, (count, 1, 1)), 0.02 * vols.min(axis=(1, 2), keepdims=True))
    mid = vols * np.exp(np.clip(errors, -0.5, 0.5))
    mid = np.where(tick > 0, np.round(mid / np.where(tick > 0, tick, 1.0)) * tick, mid)
    missing = rng.random(vols.shape) < np.where(rng.random((count, 1, 1)) < 0.3, 0.15, 0.0)
    mid = np.where(listed & ~missing & (mid > 0), mid, np.nan)
    sided = noisy & (rng.random((count, 1, 1)) < 0.7)
    half = np.where(sided, mid * size * wide * np.exp(0.3 * rng.standard_normal(vols.shape)), np.nan)
    half = np.minimum(np.maximum(half, 0.5 * tick), 0.5 * mid)
    return QuotedVols(mid, mid - half, mid + half)
