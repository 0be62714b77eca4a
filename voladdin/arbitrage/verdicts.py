"""Verdicts of `check` for many surfaces at once, without the trades."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .._typing import BoolArray, FloatArray
from ..surface import MAX_VOL
from .check import check
from .nodes import Axes, at_own_strikes
from .tolerances import EDGE, MAX_LOG_STRIKE, TOLERANCE

_BLOCK = 200_000  # pairs of nodes at a time: the working set stays in the cache
_SURFACES = 50  # of 28 x 28 at a time: they stay in the cache
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
    m = _shared_moneyness(axes)
    if len(left) and m is not None:
        full = left[np.isfinite(vols[left]).all(axis=(1, 2))]
        worst = largest_gain(vols[full], axes.tenors, m)
        free[full[~(worst <= tolerance + EDGE)]] = False
        sure = worst <= tolerance / _most_neighbours(np.exp(m), len(axes.tenors)) - EDGE
        left = np.setdiff1d(left, full[sure | ~(worst <= tolerance + EDGE)])
    if not len(left):
        return free
    if vols[0].size <= _MAX_NODES:
        free[left] = _by_slopes(axes, vols[left], tolerance)
    else:
        free[left] = _by_check(axes, vols[left], tolerance)
    return free


def _shared_moneyness(axes: Axes) -> FloatArray | None:
    """[K] increasing, where all tenors have the same and each K/F is a float."""
    m = axes.moneyness
    if m is None or m.ndim > 1 or (np.diff(m) <= 0).any() or np.abs(m).max() > MAX_LOG_STRIKE:
        return None
    return m


def _by_check(axes: Axes, vols: FloatArray, tolerance: float) -> list[bool]:
    return [check(axes.replace(v), tolerance=tolerance).ok for v in vols]


def _by_slopes(axes: Axes, vols: FloatArray, tolerance: float) -> BoolArray:
    """[B]: `check` decides where the largest trade is as good as the tolerance."""
    free = _all_consistent(axes, vols, tolerance - EDGE)
    unsure = np.flatnonzero(~free)
    if len(unsure):
        unsure = unsure[_all_consistent(axes, vols[unsure], tolerance + EDGE)]
        free[unsure] = _by_check(axes, vols[unsure], tolerance)
    return free


def _all_consistent(axes: Axes, vols: FloatArray, tolerance: float) -> BoolArray:
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


def largest_gain(vols: FloatArray, tenors: FloatArray, log_moneyness: FloatArray) -> FloatArray:
    """[B] the largest gain of a trade between neighbours, in forward-normalised price; none where 0 or less.

    Where all tenors share their strikes K/F, there is no arbitrage if and only if no call is worth more than
    the mix of its neighbours (the call of strike 0, worth 1, among them), than the next lower strike's, than
    the next tenor's, or less than its intrinsic value.

    vols: [B, T, K] above 0. tenors: [T] years, log_moneyness: [K] ln(K/F), both increasing.
    """
    strikes = np.exp(log_moneyness)
    worst = np.empty(len(vols))
    for start in range(0, len(vols), _SURFACES):
        part = slice(start, start + _SURFACES)
        worst[part] = _gain(_calls(vols[part], tenors, log_moneyness), strikes)
    return worst


def _calls(vols: FloatArray, tenors: FloatArray, m: FloatArray) -> FloatArray:
    """[B, T, K] forward-normalised call prices; their error of about 1e-16 is all that matters here."""
    total = vols * np.sqrt(tenors)[:, None]
    d1 = -m / total + 0.5 * total
    return np.asarray(ndtr(d1) - np.exp(m) * ndtr(d1 - total))


def _gain(calls: FloatArray, strikes: FloatArray) -> FloatArray:
    """[B] the largest gain between neighbours."""
    k = np.concatenate([[0.0], strikes])
    forward = np.ones((*calls.shape[:2], 1))
    c = np.concatenate([forward, calls], axis=2)
    right = (k[1:-1] - k[:-2]) / (k[2:] - k[:-2])
    chord = (1 - right) * c[:, :, :-2] + right * c[:, :, 2:]
    gains = [
        c[:, :, 1:-1] - chord,
        c[:, :, 1:] - c[:, :, :-1],
        c[:, :-1, 1:] - c[:, 1:, 1:],
        1 - strikes - calls,
    ]
    return np.asarray(np.max([gain.max(axis=(1, 2), initial=-np.inf) for gain in gains], axis=0))


def _most_neighbours(strikes: FloatArray, tenors: int) -> float:
    """How many gains of neighbours can add up: the longest mean walk along the strikes, and the tenors."""
    steps = np.diff(np.concatenate([[0.0], strikes]))
    least = (steps[1:] * steps[:-1]).min(initial=1.0)
    with np.errstate(over="ignore", divide="ignore"):  # strikes as good as equal: no neighbour is sure
        walk = strikes[-1] ** 2 / (4 * least)
    return float(walk + len(strikes) + tenors)
