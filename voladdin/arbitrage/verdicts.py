"""Verdicts of `check` for many surfaces at once, without the trades: Theorem 7.1 by slopes."""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..black import call_price, moneyness_from_delta
from ..surface import Surface
from .check import MAX_LOG_STRIKE, TOLERANCE, check

_BLOCK = 200_000  # pairs of nodes at a time: the working set stays in the cache
_MAX_NODES = 400  # beyond, the hulls of `check` are faster than all pairs


def arbitrage_free(axes: Surface, vols: FloatArray, tolerance: float = TOLERANCE) -> BoolArray:
    """Whether each surface passes `check` with this tolerance: [B] for vols [B, T, K] on the axes of `axes`.

    vols: decimals, NaN where missing; a surface without any passes.

    At every node (K, t) with price c, the largest slope from lower strikes at the same or later tenors is at
    most the least slope to higher ones, or 0 (Gopal 2024, Theorem 7.1); (0, 1) is a node of every tenor. The
    slopes are those of c - `tolerance`, so that what counts is the size of the trade.
    """
    if not len(vols):
        return np.ones(0, dtype=np.bool_)
    moneyness, calls = nodes(axes, vols)
    if calls.shape[1] > _MAX_NODES:
        return np.array(
            [not np.isfinite(v).any() or check(axes.replace(v), tolerance=tolerance).ok for v in vols]
        )
    strikes = np.exp(moneyness)
    rows = np.repeat(np.arange(len(axes.tenors)), axes.shape[1])
    later = rows >= rows[:, None]
    size = max(_BLOCK // later.size, 1)
    parts = [
        _consistent(later, strikes[first : first + size], calls[first : first + size], tolerance)
        for first in range(0, len(calls), size)
    ]
    return np.concatenate(parts)


def nodes(axes: Surface, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log-moneyness and forward-normalised call prices [B, T * K] of vols [B, T, K]; NaN where none is."""
    total = (vols * np.sqrt(axes.tenors)[:, None]).reshape(len(vols), -1)
    if axes.deltas is not None:
        moneyness = moneyness_from_delta(np.tile(axes.deltas, len(axes.tenors)), total)
    else:
        given = axes.log_moneyness
        assert given is not None
        moneyness = np.where(np.isnan(total), np.nan, given.ravel())
    with np.errstate(invalid="ignore"):
        moneyness = np.where(np.abs(moneyness) <= MAX_LOG_STRIKE, moneyness, np.nan)
    return moneyness, call_price(moneyness, total)


def _consistent(later: BoolArray, strikes: FloatArray, calls: FloatArray, tolerance: float) -> BoolArray:
    """[B] verdicts of nodes [B, N]; later [N, N]: whether node j is of the same or a later tenor than i."""
    sold = calls - tolerance
    run = strikes[:, :, None] - strikes[:, None, :]
    rise = sold[:, :, None] - calls[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = rise / run
        left = np.where((run > 0) & later, slope, -np.inf).max(2)
        right = np.where((run < 0) & later, slope, np.inf).min(2)
        bad = np.maximum(left, (sold - 1.0) / strikes) > np.minimum(right, 0.0)
        bad |= np.maximum(1.0 - strikes, 0.0) - calls > tolerance
        same = ((run == 0) & later & (rise > 0)).any(2)
    return np.asarray(~(bad | same).any(1))
