"""Filled cells of a large surface between the quotes' tangents and the hull of all prices: cost N log N.

Each quote lies on the lower hull of the prices of its own and later tenors. Its tangent, of a slope between
those of the hull on both sides (the filled surface's own where it lies between), lies below every price
function of its own and later tenors. So filled cells are first raised to the tangents of all quotes of
earlier tenors and their own, which leaves the quotes on the hull; then they are lowered to the hull. What
results is convex, decreasing and increasing with tenor (Gopal 2024, Theorem 7.1): it passes `check`
wherever the quotes do.
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...arbitrage.hulls import FORWARD, arbitrage_trades, hulls, lower_hull, onto
from ...arbitrage.nodes import at_own_strikes, nodes_of
from ...arbitrage.tolerances import LEAST_VOL, ROUNDING, TOLERANCE
from ...surface import MAX_VOL, Surface

_STEEP = -0.5  # slope of a price that has none beside it


def between(axes: Surface, vols: FloatArray, movable: BoolArray) -> FloatArray:
    """[T, K] vols of which only the `movable` moved; NaN is left out. The others must have no arbitrage."""
    nodes, found = at_own_strikes(axes, vols), vols.ravel().copy()
    strikes, calls = nodes.at(found)
    free = np.isfinite(calls) & movable.ravel()
    above = hulls(nodes.rows, strikes, _raised(nodes.rows, strikes, calls, free))
    value = above.at(strikes, nodes.rows)[0]
    off = np.flatnonzero(free & (np.abs(value - calls) > ROUNDING))
    if len(off):
        found[off] = np.clip(onto(above, nodes_of(axes, vols).only(off), found[off]), LEAST_VOL, MAX_VOL)
    return found.reshape(vols.shape)


def disputed(axes: Surface, quotes: FloatArray, doubt: FloatArray) -> BoolArray:
    """[T, K]: of every trade that the quotes [T, K] allow the most doubtful one, until none is left."""
    nodes = at_own_strikes(axes, quotes)
    strikes, calls = nodes.at(quotes.ravel())
    doubts, kept = doubt.ravel(), np.flatnonzero(np.isfinite(calls))
    out, bids = np.zeros(quotes.size, dtype=np.bool_), calls
    while len(kept):
        found = arbitrage_trades(nodes.rows[kept], strikes[kept], bids[kept], calls[kept], TOLERANCE)
        trades = [[trade.node, *(leg for leg, _ in trade.legs if leg != FORWARD)] for trade in found]
        if not trades:
            break
        worst = {max(trade, key=lambda i: doubts[kept[i]]) for trade in trades}
        out[kept[list(worst)]] = True
        sold = kept[[trade[0] for trade in trades]]  # no other is: what covers a call gets no cheaper
        bids = np.full_like(calls, np.nan)
        bids[sold], kept = calls[sold], kept[~out[kept]]
    return out.reshape(quotes.shape)


def _raised(rows: IntArray, strikes: FloatArray, calls: FloatArray, free: BoolArray) -> FloatArray:
    """[N] prices, the free ones raised to the tangents of the held ones, and to intrinsic value."""
    below = hulls(rows, strikes, np.where(free, np.nan, calls))
    raised = np.where(free, np.maximum(calls, 1.0 - strikes), calls)
    slopes, heights = np.array([-1.0, 0.0]), np.array([1.0, 0.0])  # intrinsic value
    held, own = np.isfinite(calls) & ~free, _own_slopes(rows, strikes, calls)
    for row, hull in below.items():
        here = rows == row
        quoted = np.flatnonzero(here & held)
        k = strikes[quoted]
        (price, right), left = hull.at(k), hull.at(k, side="left")[1]
        slope = np.minimum(np.maximum(own[quoted], left), np.maximum(left, right))
        slopes, heights = _envelope(np.append(slopes, slope), np.append(heights, price - slope * k))
        turns = (heights[:-1] - heights[1:]) / (slopes[1:] - slopes[:-1])
        cells = np.flatnonzero(here & free)
        best = np.searchsorted(turns, strikes[cells])
        raised[cells] = np.maximum(raised[cells], heights[best] + slopes[best] * strikes[cells])
    return raised


def _envelope(slopes: FloatArray, heights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The lines that are the highest at any strike, by slope: the dual of a lower hull."""
    lines = sorted(zip((-slopes).tolist(), (-heights).tolist(), range(len(slopes)), strict=True))
    kept = [line for _, _, line in lower_hull(lines)[:0:-1]]
    return slopes[kept], heights[kept]


def _own_slopes(rows: IntArray, strikes: FloatArray, calls: FloatArray) -> FloatArray:
    """[N] slope of its row's prices at each strike: the mean of the chords to both sides, or the one."""
    known = np.flatnonzero(np.isfinite(calls))
    order = known[np.lexsort((strikes[known], rows[known]))]
    gap, rise = np.diff(strikes[order]), np.diff(calls[order])
    with np.errstate(divide="ignore", invalid="ignore"):
        chord = np.where(gap > 0, rise / gap, _STEEP)
    chord[np.diff(rows[order]) != 0] = np.nan
    before, after = np.append(np.nan, chord), np.append(chord, np.nan)
    slope = np.full(len(strikes), _STEEP)
    both = 0.5 * (np.where(np.isnan(before), after, before) + np.where(np.isnan(after), before, after))
    slope[order] = np.where(np.isnan(both), _STEEP, both)
    return slope
