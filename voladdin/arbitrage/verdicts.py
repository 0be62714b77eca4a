"""Verdicts of `check` for many surfaces at once, without the trades."""

from __future__ import annotations

import numpy as np
import scipy

from .._typing import BoolArray, FloatArray, IntArray
from ..surface import MAX_LOG_STRIKE, MAX_VOL
from .conditions import neighbours
from .hulls import arbitrage_trades
from .nodes import AtStrikes, Axes, Rectangle, at_own_strikes
from .tolerances import EDGE, TOLERANCE

_PAIRS = 2**18  # of prices at a time
_FEW = 128  # quotes: the hulls of more are as quick as all their pairs
_SURFACES = 50  # of 28 x 28 at a time: they stay in the cache


def arbitrage_free(axes: Axes, vols: FloatArray, tolerance: float = TOLERANCE) -> BoolArray:
    """Whether each surface passes `check` with this tolerance: [B] for vols [B, T, K] on the axes of `axes`.

    vols: decimals, NaN where missing; a surface without any passes, one with a vol of 0 or less, or above
    `MAX_VOL`, does not.

    Neighbours decide where all tenors share their strikes and none is missing, the trades of `check`
    elsewhere, and where a gain is near the tolerance.
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
    if len(left):
        free[left] = _by_trades(axes, vols[left], tolerance)
    return free


def _by_trades(axes: Axes, vols: FloatArray, tolerance: float) -> BoolArray:
    """[B] for vols above 0, some of each surface there."""
    nodes, flat = at_own_strikes(axes, vols), vols.reshape(len(vols), -1)
    with np.errstate(all="ignore"):
        strikes, calls = _roughly(nodes, flat)
    free = _plainly_free(nodes.rows, strikes, calls, tolerance - EDGE)
    for b in np.flatnonzero(~free):
        one = AtStrikes(nodes.rows, nodes.m[b], nodes.root)
        free[b] = _without_trade(one, flat[b], strikes[b], calls[b], tolerance)
    return free


def _without_trade(
    nodes: AtStrikes, vols: FloatArray, strikes: FloatArray, calls: FloatArray, tolerance: float
) -> bool:
    """Of one surface's vols [N]; strikes and calls [N] to 1e-15, which decide but at the edge."""
    here = np.isfinite(nodes.m)
    if np.isfinite(calls[here]).all():
        gain = _first_gain(nodes.rows[here], strikes[here], calls[here], tolerance - EDGE)
        if abs(gain - tolerance) > EDGE:
            return gain <= tolerance
    strikes, calls = nodes.at(vols)
    return _first_gain(nodes.rows[here], strikes[here], calls[here], tolerance) <= tolerance


def _first_gain(rows: IntArray, strikes: FloatArray, calls: FloatArray, tolerance: float) -> float:
    """Of the first trade that is found to lock in more than that, 0 where there is none."""
    return next((trade.size for trade in arbitrage_trades(rows, strikes, calls, calls, tolerance)), 0.0)


def _plainly_free(rows: IntArray, strikes: FloatArray, calls: FloatArray, tolerance: float) -> BoolArray:
    """[B] where each price is a corner of the hull of own and later ones: none is steeper to the left of it
    than to the right; strikes, calls: [B, N], NaN where missing. False says nothing.
    """
    found, n = np.zeros(len(calls), dtype=np.bool_), calls.shape[1]
    if n > _FEW:
        return found
    later, size = rows >= rows[:, None], _PAIRS // n**2
    with np.errstate(all="ignore"):
        for first in range(0, len(calls), size):
            part = slice(first, first + size)
            found[part] = _corners(later, strikes[part], calls[part], tolerance)
    return found


def _roughly(nodes: AtStrikes, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Strikes and calls [B, N], to 1e-15."""
    total = vols * nodes.root
    with np.errstate(over="ignore"):  # a vol of 1e-308 is one
        strikes, d1 = np.exp(nodes.m), 0.5 * total - nodes.m / total
    calls = scipy.special.ndtr(d1) - strikes * scipy.special.ndtr(d1 - total)
    return strikes, calls


def _corners(later: BoolArray, k: FloatArray, c: FloatArray, tolerance: float) -> BoolArray:
    """[B] for strikes and calls [B, N]; later: [N, N]."""
    run = k[:, :, None] - k[:, None]
    slope = (c[:, :, None] - c[:, None]) / run
    steepest = np.fmax.reduce(slope, axis=2, where=later & (run >= 0), initial=-np.inf)
    flattest = np.fmin.reduce(slope, axis=2, where=later & (run < 0), initial=0.0)
    above = (np.fmax(steepest, (c - 1.0) / k) > flattest) | (np.maximum(1.0 - k, 0.0) - c > tolerance)
    return np.asarray(~above.any(axis=1))


def _shared_moneyness(axes: Axes) -> FloatArray | None:
    """[K] increasing, where all tenors have the same and each product of two K/F is a float."""
    m = axes.moneyness
    if m is None or m.ndim > 1 or (np.diff(m) <= 0).any() or np.abs(m).max() > MAX_LOG_STRIKE / 2:
        return None
    return m


def largest_gain(vols: FloatArray, tenors: FloatArray, log_moneyness: FloatArray) -> FloatArray:
    """[B] the largest gain of a trade between neighbours, in forward-normalised price; none where 0 or less.

    Where all tenors share their strikes K/F, there is no arbitrage if and only if no call is worth more than
    the mix of its neighbours (the call of strike 0, worth 1, among them), than the next lower strike's, than
    the next tenor's, or less than its intrinsic value.

    vols: [B, T, K] above 0. tenors: [T] years, log_moneyness: [K] ln(K/F), both increasing.
    """
    axes, every = Rectangle(tenors, log_moneyness), vols.reshape(len(vols), len(tenors) * len(log_moneyness))
    nodes = at_own_strikes(axes, np.ones(axes.shape))
    conditions = neighbours(nodes.rows, nodes.strikes)
    worst = np.empty(len(vols))
    for start in range(0, len(vols), _SURFACES):
        part = slice(start, start + _SURFACES)
        strikes, calls = _roughly(nodes, every[part])
        gains = [conditions.gain(calls), np.diff(calls.reshape(-1, *axes.shape)), 1.0 - strikes - calls]
        worst[part] = np.max([gain.reshape(len(calls), -1).max(1, initial=-np.inf) for gain in gains], axis=0)
    return worst


def _most_neighbours(strikes: FloatArray, tenors: int) -> float:
    """How many gains of neighbours can add up: the longest mean walk along the strikes, and the tenors."""
    steps = np.diff(np.concatenate([[0.0], strikes]))
    least = (steps[1:] * steps[:-1]).min(initial=1.0)
    with np.errstate(over="ignore", divide="ignore"):  # strikes as good as equal: no neighbour is sure
        walk = strikes[-1] ** 2 / (4 * least)
    return float(walk + len(strikes) + tenors)
