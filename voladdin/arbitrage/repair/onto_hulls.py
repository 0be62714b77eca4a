"""A repair that needs no solver: points on ordered lower hulls never have arbitrage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..hulls import FORWARD, Point, arbitrage_trades, lower_hull
from ..prices import Quotes
from ..tolerances import ROUNDING

_PLACINGS = 5


@dataclass(frozen=True)
class Hulls:
    """One convex, decreasing price function for each tenor, ordered in tenor.

    ranks: [N] each quote's row in corners, prices and slopes to the right of corners, all [tenors, most].
    """

    ranks: IntArray
    corners: FloatArray
    prices: FloatArray
    slopes: FloatArray

    def at(self, strikes: FloatArray, ranks: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """[R] each tenor's function at strikes [R], and its slope there; for all quotes, or `ranks` [R]."""
        ranks = self.ranks if ranks is None else ranks
        corners = self.corners[ranks]
        place = (corners <= strikes[:, None]).sum(axis=1) - 1
        slope = self.slopes[ranks, place]
        return self.prices[ranks, place] + slope * (strikes - self.corners[ranks, place]), slope


def hulls(rows: IntArray, strikes: FloatArray, calls: FloatArray, free: BoolArray, slack: float) -> Hulls:
    """Lower hulls of each tenor's and all later prices, on which the fixed quotes lie.

    Free quotes so low that a fixed one would be above the hull by more than `slack` are left out. Fixed
    quotes are taken to have no arbitrage among themselves.
    """
    asks = _usable(rows, strikes, calls, free, slack)
    points: dict[int, list[Point]] = {rank: [] for rank in rows.tolist()}
    for i in np.flatnonzero(np.isfinite(asks)).tolist():
        points[int(rows[i])].append((float(strikes[i]), float(asks[i]), i))
    ranks, hull = sorted(points), [(0.0, 1.0, FORWARD)]
    functions = []
    for rank in reversed(ranks):
        hull = lower_hull(sorted(hull[1:] + points[rank]))
        functions.append(hull)
    most = max(len(hull) for hull in functions)
    corners, prices, slopes = np.full((3, len(ranks), most), np.inf)
    for row, hull in enumerate(reversed(functions)):
        x, y = np.array([p[0] for p in hull]), np.array([p[1] for p in hull])
        corners[row, : len(x)], prices[row, : len(x)] = x, y
        slopes[row, : len(x)] = np.append((y[1:] - y[:-1]) / (x[1:] - x[:-1]), 0.0)
    return Hulls(np.searchsorted(ranks, rows), corners, prices, slopes)


def _usable(
    rows: IntArray, strikes: FloatArray, calls: FloatArray, free: BoolArray, slack: float
) -> FloatArray:
    """[N] the prices, NaN for free ones that undercut the fixed."""
    asks = calls.copy()
    sold = np.where(free, np.nan, calls)
    while not free.all():
        found = arbitrage_trades(rows, strikes, sold, asks, slack)
        out = [i for e in found for i, _ in e.legs if i != FORWARD and free[i]]
        if not out:
            break
        asks[out] = np.nan
    return asks


def lower(quotes: Quotes, free: BoolArray, slack: float) -> FloatArray:
    """[N] call prices on the hulls at the strikes given; what is there already stays.

    Where a fixed quote lifts the hull beyond the price of the largest vol, a call stays at that, and the
    others go on to the hulls with it.
    """
    calls = np.maximum(quotes.calls, quotes.intrinsic)
    for _ in range(_PLACINGS):
        hull = hulls(quotes.rows, quotes.strikes, calls, free, slack).at(quotes.strikes)[0]
        moved = np.where((np.abs(hull - calls) > ROUNDING) & free, np.minimum(hull, quotes.most), calls)
        short = free & (hull > quotes.most + ROUNDING)
        if (moved == calls).all() or not short.any():
            break
        calls = moved
    return np.where(free & (np.abs(moved - quotes.calls) > ROUNDING), moved, quotes.calls)
