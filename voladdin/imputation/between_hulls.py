"""Filled cells of a large surface between the quotes' tangents and the hull of all prices: cost N log N.

Each quote lies on the lower hull of the prices of its own and later tenors. Its tangent, of a slope between
those of the hull on both sides (the filled surface's own where it lies between), lies below every price
function of its own and later tenors. So filled cells are first raised to the tangents of all quotes of
earlier tenors and their own, which leaves the quotes on the hull; then they are lowered to the hull. What
results is convex, decreasing and increasing with tenor (Gopal 2024, Theorem 7.1): it passes `check`
wherever the quotes do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from .._typing import BoolArray, FloatArray, IntArray
from ..arbitrage.hulls import FORWARD, arbitrage_trades
from ..arbitrage.nodes import AtDeltas, at_own_strikes
from ..arbitrage.tolerances import LEAST_VOL, TOLERANCE
from ..black import implied_total_vol
from ..surface import MAX_VOL, Surface

_STEPS = 60  # bisections


@dataclass(frozen=True)
class Hull:
    """A convex, decreasing, piecewise linear price function from (0, 1): strikes, prices [V]."""

    strikes: FloatArray
    prices: FloatArray

    def at(self, strikes: FloatArray) -> FloatArray:
        """Prices; flat beyond the last strike."""
        return np.interp(strikes, self.strikes, self.prices)

    def slopes(self, strikes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Slopes to the left and to the right of each strike."""
        slope = np.append(np.diff(self.prices) / np.diff(self.strikes), 0.0)
        left = np.searchsorted(self.strikes, strikes, side="left") - 1
        right = np.searchsorted(self.strikes, strikes, side="right") - 1
        return slope[np.maximum(left, 0)], slope[right]

    def joined(self, strikes: FloatArray, prices: FloatArray) -> Hull:
        """The hull with these points too."""
        x, y = np.append(self.strikes, strikes), np.append(self.prices, prices)
        order = np.lexsort((y, x))
        kept = lower_hull(x[order], y[order])
        kept = kept[: int(np.argmin(y[order][kept])) + 1]
        return Hull(x[order][kept], y[order][kept])


def lower_hull(x: FloatArray, y: FloatArray) -> IntArray:
    """Indices of the lower convex hull of points sorted by x, then y (Andrew 1979)."""
    xs, ys = x.tolist(), y.tolist()
    kept: list[int] = []
    for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
        if kept and xs[kept[-1]] == a:
            continue
        while len(kept) > 1:
            j, k = kept[-2], kept[-1]
            if (ys[k] - ys[j]) * (a - xs[k]) < (b - ys[k]) * (xs[k] - xs[j]):
                break
            kept.pop()
        kept.append(i)
    return np.array(kept, dtype=np.intp)


_WHOLE = Hull(np.zeros(1), np.ones(1))


def between(axes: Surface, vols: FloatArray, movable: BoolArray) -> FloatArray:
    """[T, K] vols of which only the `movable` moved; NaN is left out. The others must have no arbitrage."""
    nodes = at_own_strikes(axes, vols)
    strikes, calls = (a.reshape(vols.shape) for a in nodes.at(vols.ravel()))
    moneyness, known = nodes.m.reshape(vols.shape), np.isfinite(calls)
    held, free = known & ~movable, known & movable
    raised = _raised(strikes, calls, held, free)
    hulls, found = _hulls(strikes, raised, known), vols.copy()
    for row, hull in enumerate(hulls):
        cells = np.flatnonzero(free[row])
        if not len(cells):
            continue
        root = np.sqrt(axes.tenors[row])
        moved = np.abs(hull.at(strikes[row, cells]) - calls[row, cells]) > 1e-13
        cells = cells[moved]
        if axes.deltas is not None:
            found[row, cells] = _along_deltas(hull, axes.deltas[cells], vols[row, cells], float(root))
        else:
            price = np.maximum(
                hull.at(strikes[row, cells]) - np.maximum(1.0 - strikes[row, cells], 0.0), 1e-15
            )
            found[row, cells] = implied_total_vol(price, moneyness[row, cells]) / root
    return np.clip(found, LEAST_VOL, MAX_VOL)


def disputed(axes: Surface, quotes: FloatArray, doubt: FloatArray) -> BoolArray:
    """[T, K]: of every trade that the quotes [T, K] allow the most doubtful one, until none is left."""
    nodes = at_own_strikes(axes, quotes)
    strikes, calls = nodes.at(quotes.ravel())
    doubts, kept = doubt.ravel(), np.flatnonzero(np.isfinite(calls))
    out = np.zeros(quotes.size, dtype=np.bool_)
    while len(kept):
        found = arbitrage_trades(nodes.rows[kept], strikes[kept], calls[kept], calls[kept], TOLERANCE)
        if not found:
            break
        trades = [[trade.node, *(leg for leg, _ in trade.legs if leg != FORWARD)] for trade in found]
        worst = {max(trade, key=lambda i: doubts[kept[i]]) for trade in trades}
        out[kept[list(worst)]] = True
        kept = kept[~out[kept]]
    return out.reshape(quotes.shape)


def _raised(strikes: FloatArray, calls: FloatArray, held: BoolArray, free: BoolArray) -> FloatArray:
    """Prices with the free ones raised to the tangents of the held ones, and to intrinsic value."""
    lines = _tangents(strikes, calls, held)
    raised = np.where(free, np.maximum(calls, 1.0 - strikes), calls)
    slopes, heights = np.array([-1.0, 0.0]), np.array([1.0, 0.0])  # intrinsic value
    for row, (slope, height) in enumerate(lines):
        slopes, heights = _envelope(np.append(slopes, slope), np.append(heights, height))
        turns = (heights[:-1] - heights[1:]) / (slopes[1:] - slopes[:-1])
        cells = np.flatnonzero(free[row])
        best = np.searchsorted(turns, strikes[row, cells])
        raised[row, cells] = np.maximum(
            raised[row, cells], heights[best] + slopes[best] * strikes[row, cells]
        )
    return raised


def _envelope(slopes: FloatArray, heights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The lines that are anywhere the highest, by slope: the dual of a hull."""
    order = np.lexsort((-heights, slopes))
    kept = order[lower_hull(slopes[order], -heights[order])]
    return slopes[kept], heights[kept]


def _tangents(strikes: FloatArray, calls: FloatArray, held: BoolArray) -> list[tuple[FloatArray, FloatArray]]:
    """Slope and height at strike 0 of the tangent of each held node, by row."""
    hull, lines = _WHOLE, []
    for row in range(len(strikes) - 1, -1, -1):
        at = np.flatnonzero(held[row])
        hull = hull.joined(strikes[row, at], calls[row, at])
        k = strikes[row, at]
        left, right = hull.slopes(k)
        slope = np.clip(_own_slope(strikes[row], calls[row])[at], left, np.maximum(left, right))
        lines.append((slope, hull.at(k) - slope * k))
    return lines[::-1]


def _own_slope(strikes: FloatArray, calls: FloatArray) -> FloatArray:
    """Slope of the row's prices at each of its strikes."""
    known = np.flatnonzero(np.isfinite(calls))
    slope = np.full(len(strikes), -0.5)
    if len(known) > 1:
        order = known[np.argsort(strikes[known])]
        gap = np.diff(strikes[order])
        with np.errstate(divide="ignore", invalid="ignore"):
            chord = np.where(gap > 0, np.diff(calls[order]) / gap, -0.5)
        slope[order] = 0.5 * (np.append(chord[0], chord) + np.append(chord, chord[-1]))
    return slope


def _hulls(strikes: FloatArray, calls: FloatArray, known: BoolArray) -> list[Hull]:
    """The hull of each tenor's own and all later prices."""
    hull, found = _WHOLE, []
    for row in range(len(strikes) - 1, -1, -1):
        at = known[row]
        hull = hull.joined(strikes[row, at], calls[row, at])
        found.append(hull)
    return found[::-1]


def _along_deltas(hull: Hull, deltas: FloatArray, vols: FloatArray, root: float) -> FloatArray:
    """The vols nearest below or above at which calls of these deltas lie on the hull."""
    nodes = AtDeltas(np.zeros(len(deltas), dtype=np.intp), ndtri(deltas), deltas, np.full(len(deltas), root))

    def above(vol: FloatArray) -> FloatArray:
        strike, call = nodes.at(vol)
        return np.asarray(call - hull.at(strike))

    start, down = vols.copy(), above(vols) > 0
    end, step = start.copy(), 0.01
    while True:
        waits = (above(end) > 0) == down
        if not waits.any() or step > 100:
            break
        start = np.where(waits, end, start)
        end = np.where(
            waits, np.clip(end * np.where(down, 1 / (1 + step), 1 + step), LEAST_VOL, MAX_VOL), end
        )
        step *= 2
    for _ in range(_STEPS):
        middle = 0.5 * (start + end)
        waits = (above(middle) > 0) == down
        start, end = np.where(waits, middle, start), np.where(waits, end, middle)
    return np.where(down, end, start)
