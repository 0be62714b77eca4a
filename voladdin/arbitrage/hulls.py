"""The most a call may be worth, given the calls that can be bought: lower convex hulls of prices.

Convex, decreasing price functions through the quotes that increase with tenor exist if and only if every
price lies on the lower hull of (0, 1) and the prices of its own and all later tenors, continued flat to the
right (Davis and Hobson 2007; Gopal 2024, Theorem 7.1). The height above the hull is what a trade locks in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from .._typing import FloatArray, IntArray
from ..surface import MAX_VOL
from .nodes import AtDeltas, Nodes
from .tolerances import EDGE, LEAST_LEG, LEAST_TIME_VALUE, LEAST_VOL, ON_HULL

FORWARD = -1  # the call of strike 0, which is worth one forward at every tenor

Point = tuple[float, float, int]  # strike, price, node
Legs = tuple[tuple[int, float], ...]
FORWARD_POINT: Point = (0.0, 1.0, FORWARD)
_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Trade:
    """A call sold for `size` more than the calls that cover it cost. kind: as of `trades.Violation`.

    legs: (node, number of calls) bought; node FORWARD is the forward. Without legs the call at `node` is
    bought for less than its intrinsic value.
    """

    kind: str
    node: int
    size: float
    legs: Legs


class Hull:
    """The lower hull of calls: convex, decreasing, linear from (0, 1) on, flat beyond the last.

    SAME: what the rounding of strikes that are one moves a price by, at most, in 1 + strike.
    """

    SAME = EDGE

    def __init__(self, calls: list[Point]) -> None:
        self._points = lower_hull(sorted(calls))
        self._places = [point[0] for point in self._points]

    @property
    def calls(self) -> list[Point]:
        """Those on it, by strike."""
        return self._points[1:]

    @staticmethod
    def intrinsic(strikes: FloatArray) -> FloatArray:
        """The least each call is worth."""
        return np.maximum(1.0 - strikes, 0.0)

    @staticmethod
    def same(strike: float) -> Hashable:
        """What is equal of strikes that differ by rounding only."""
        return f"{strike:.13e}"

    def value(self, strike: float) -> float:
        """Of the cheapest calls that are worth at least the call at `strike`."""
        (_, left, _), (_, right, _), weight = self._around(strike)
        return left + weight * (right - left)

    def legs(self, strike: float) -> Legs:
        """These calls."""
        (_, _, left), (_, _, right), weight = self._around(strike)
        return tuple(leg for leg in ((left, 1.0 - weight), (right, weight)) if leg[1] > LEAST_LEG)

    def _around(self, strike: float) -> tuple[Point, Point, float]:
        """The points on either side, and how much of the right one is in the mix; none beyond the last."""
        place = bisect_right(self._places, strike)
        left = self._points[place - 1]
        if place == len(self._points):
            return left, left, 0.0
        right = self._points[place]
        return left, right, (strike - left[0]) / (right[0] - left[0])

    def at(
        self, strikes: FloatArray, *, side: Literal["left", "right"] = "right"
    ) -> tuple[FloatArray, FloatArray]:
        """Prices, and slopes to that side of the strikes, which are above 0."""
        knots, prices, slopes = self._line
        place = np.searchsorted(knots, strikes, side=side) - 1
        return prices[place] + slopes[place] * (strikes - knots[place]), slopes[place]

    @cached_property
    def _line(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Strikes, prices and slopes to the right."""
        strikes, prices = np.array(self._places), np.array([point[1] for point in self._points])
        return strikes, prices, np.append(np.diff(prices) / np.diff(strikes), 0.0)


def _latest_first(
    rows: IntArray, strikes: FloatArray, prices: FloatArray
) -> Iterator[tuple[int, list[int], list[Point]]]:
    """Each tenor's row, its nodes, and the points of those that have a price."""
    points = list(zip(strikes.tolist(), prices.tolist(), range(len(rows)), strict=True))
    order = np.argsort(rows, kind="stable")
    every: list[int] = order.tolist()
    stop = len(every)
    for start in reversed(np.flatnonzero(np.diff(rows[order], prepend=-1)).tolist()):
        nodes, stop = every[start:stop], start
        yield int(rows[nodes[0]]), nodes, [points[i] for i in nodes if points[i][1] == points[i][1]]


def lower_hull(points: list[Point], start: Point = FORWARD_POINT) -> list[Point]:
    """Lower convex hull of points sorted by strike, from the start, (0, 1), down to the lowest price."""
    hull, (middle, low, _) = [start], start
    for point in points:
        strike, price, _ = point
        if price >= low:
            continue
        while len(hull) > 1:
            left, high, _ = hull[-2]
            if (low - high) * (strike - middle) < (price - low) * (middle - left):
                break
            hull.pop()
            middle, low = left, high
        hull.append(point)
        middle, low = strike, price
    return hull


def arbitrage_trades(
    tenors: IntArray,
    strikes: FloatArray,
    bids: FloatArray,
    asks: FloatArray,
    tolerance: float,
    hull: type[Hull] = Hull,
) -> Iterator[Trade]:
    """All trades that lock in more than `tolerance`; none if and only if there is no arbitrage.

    tenors: [N] ranks, in any order. strikes: [N] K/F above 0, finite. bids, asks: [N] forward-normalised call
    prices, NaN where one cannot sell or buy. hull: another kind than `Hull`, and strikes and prices as it
    takes them.

    At each node up to three: within its tenor; against the same strike later; and against several strikes
    and tenors, where that locks in more than the two simple ones.
    """
    place, bid, too_low = strikes.tolist(), bids.tolist(), hull.intrinsic(strikes) - asks
    sold = bids - tolerance + hull.SAME * (1.0 + np.abs(strikes))  # no trade where the hull is not below
    least = np.where(too_low > tolerance, np.inf, sold).tolist()
    all_later = hull([])
    cheapest: dict[Hashable, Point] = {}  # of each strike
    later: list[Point] = []  # that are not among them yet
    earliest = min(tenors[~np.isnan(least)].tolist(), default=np.inf)  # rank of a call that can be sold
    for row, nodes, points in _latest_first(tenors, strikes, asks):
        if row < earliest:
            return
        all_later = hull(all_later.calls + points)
        on = {point[2]: point[1] for point in all_later.calls}
        costs = (on[i] if i in on else all_later.value(place[i]) for i in nodes)
        doubtful = [i for i, cost in zip(nodes, costs, strict=True) if cost < least[i]]
        if doubtful:
            for point in later:
                key = hull.same(point[0])
                if key not in cheapest or point[1] < cheapest[key][1]:
                    cheapest[key] = point
            later, own = [], hull(points)
        for i in doubtful:
            if too_low[i] > tolerance:
                yield Trade("bounds", i, float(too_low[i]), ())
            same = cheapest.get(hull.same(place[i]))
            yield from _sold(i, place[i], bid[i], tolerance, own, same, all_later)
        later += points


def _sold(
    node: int, strike: float, bid: float, tolerance: float, own: Hull, same: Point | None, all_later: Hull
) -> Iterator[Trade]:
    """Those that sell one call. same: the cheapest call of its strike at a later tenor."""
    least, simple = bid - tolerance, 0.0
    if (value := own.value(strike)) < least:
        simple, legs = bid - value, own.legs(strike)
        yield Trade(_kind(legs, across=False), node, simple, legs)
    if same is not None and same[1] < least:
        simple = max(simple, bid - same[1])
        yield Trade("calendar", node, bid - same[1], ((same[2], 1.0),))
    if (value := all_later.value(strike)) < least - simple:
        legs = all_later.legs(strike)
        yield Trade(_kind(legs, across=True), node, bid - value, legs)


def _kind(legs: Legs, *, across: bool) -> str:
    if len(legs) == 2:
        return "calendar butterfly" if across else "butterfly"
    if legs[0][0] == FORWARD:
        return "bounds"
    return "calendar" if across else "call spread"


class Hulls(dict[int, Hull]):
    """The price function of each tenor's row, from the first on; they are ordered in tenor."""

    def at(self, strikes: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """[R] the function of each of `rows` [R] at its strike, and the slope there."""
        value, slope = np.empty_like(strikes), np.empty_like(strikes)
        for row in np.unique(rows).tolist():
            here = rows == row
            value[here], slope[here] = self[row].at(strikes[here])
        return value, slope


def hulls(rows: IntArray, strikes: FloatArray, prices: FloatArray) -> Hulls:
    """Lower hulls of each tenor's and all later prices [N]; NaN is none."""
    found, latest = Hulls(), Hull([])
    for row, _, own in _latest_first(rows, strikes, prices):
        found[row] = latest = Hull(latest.calls + own)
    return Hulls(reversed(found.items()))


def onto(hull: Hulls, nodes: Nodes, vols: FloatArray) -> FloatArray:
    """[R] vols of points on the hull, at their strikes or, from `vols`, along their deltas."""
    if isinstance(nodes, AtDeltas):
        return _along(hull, nodes, vols)
    value = hull.at(nodes.strikes, nodes.rows)[0] - nodes.intrinsic
    return nodes.implied(np.maximum(value, LEAST_TIME_VALUE))


def _along(hull: Hulls, nodes: AtDeltas, vols: FloatArray) -> FloatArray:
    """Newton, or bisection where that stalls."""
    low, high = np.full_like(vols, LEAST_VOL), np.full_like(vols, MAX_VOL)
    last, every = np.full(len(vols), np.inf), np.arange(len(vols))
    for _ in range(_NEWTON_STEPS):
        strikes, calls = nodes.at(vols)
        value, slope = hull.at(strikes, nodes.rows)
        gap = calls - value
        if (np.abs(gap) <= ON_HULL).all():
            break
        low, high = np.where(gap <= 0, vols, low), np.where(gap > 0, vols, high)
        step = vols - gap / np.maximum(nodes.rate(vols, slope, every), 1e-300)
        usable = (step > low) & (step < high) & (np.abs(gap) < 0.5 * last)
        vols, last = np.where(usable, step, 0.5 * (low + high)), np.abs(gap)
    return vols
