"""Verdicts of `check` for many surfaces at once, without the trades."""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..surface import MAX_VOL
from . import neighbours
from .check import check
from .nodes import Axes, at_own_strikes
from .tolerances import TOLERANCE

_BLOCK = 200_000  # pairs of nodes at a time: the working set stays in the cache
_MAX_NODES = 400  # beyond, the hulls of `check` are faster than all pairs


def arbitrage_free(axes: Axes, vols: FloatArray, tolerance: float = TOLERANCE) -> BoolArray:
    """Whether each surface passes `check` with this tolerance: [B] for vols [B, T, K] on the axes of `axes`.

    vols: decimals, NaN where missing; a surface without any passes, one with a vol of 0 or less, or above
    `MAX_VOL`, does not.

    Neighbours decide where all tenors share their strikes and none is missing, but for gains near the
    tolerance; slopes between all pairs decide on other small grids; the hulls of `check` decide the rest.
    """
    with np.errstate(invalid="ignore"):
        free = np.asarray(~((vols <= 0) | (vols > MAX_VOL)).any(axis=(1, 2)))
    left = np.flatnonzero(free & np.isfinite(vols).any(axis=(1, 2)))
    if len(left) and neighbours.shared(axes):
        full = left[np.isfinite(vols[left]).all(axis=(1, 2))]
        near = neighbours.verdicts(axes, vols[full], tolerance)
        free[full[near == neighbours.BROKEN]] = False
        left = np.setdiff1d(left, full[near != neighbours.OPEN])
    if not len(left):
        return free
    if vols[0].size <= _MAX_NODES:
        free[left] = _by_slopes(axes, vols[left], tolerance)
    else:
        free[left] = [check(axes.replace(v), tolerance=tolerance).ok for v in vols[left]]
    return free


def _by_slopes(axes: Axes, vols: FloatArray, tolerance: float) -> BoolArray:
    """[B]: Theorem 7.1 (Gopal 2024) at every pair of nodes.

    At every node (K, t) with price c, the largest slope from lower strikes at the same or later tenors is at
    most the least slope to higher ones, or 0; (0, 1) is a node of every tenor. The slopes are those of c less
    the tolerance, so that what counts is the size of the trade.
    """
    nodes = at_own_strikes(axes, vols)
    strikes, calls = nodes.at(vols.reshape(len(vols), -1))
    later = nodes.rows >= nodes.rows[:, None]
    size = max(_BLOCK // later.size, 1)
    parts = [
        _consistent(later, strikes[first : first + size], calls[first : first + size], tolerance)
        for first in range(0, len(calls), size)
    ]
    return np.concatenate(parts)


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
