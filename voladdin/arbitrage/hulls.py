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
from itertools import compress
from typing import Literal

import numpy as np

from .._typing import FloatArray, IntArray
from ..surface import MAX_VOL
from .nodes import AtDeltas, AtStrikes, Nodes
from .tolerances import EDGE, LEAST_LEG, LEAST_TIME_VALUE, LEAST_VOL, ON_HULL

FORWARD = -1  # the call of strike 0, which is worth one forward at every tenor

Point = tuple[float, float, int]  # strike, price, node
Legs = tuple[tuple[int, float], ...]
FORWARD_POINT: Point = (0.0, 1.0, FORWARD)
_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Trade:
    """A call sold for `size` more than the calls that cover it cost.

    kind: "bounds", "call spread", "butterfly", "calendar" or "calendar butterfly".
    legs: (node, number of calls) bought; node FORWARD is the forward. Without legs the call at `node` is
    bought for less than its intrinsic value.
    """

    kind: str
    node: int
    size: float
    legs: Legs


class Hull:
    """The lower hull of calls: convex, decreasing, linear from (0, 1) on, flat beyond the last.

    LEAST: what a call is worth at least, and 0, once its strike is taken off. SAME: what the rounding of
    strikes that are one moves a price by, at most.
    """

    LEAST, SAME = 1.0, EDGE

    def __init__(self, calls: list[Point]) -> None:
        self._points = lower_hull(sorted(calls))
        self._places = [point[0] for point in self._points]

    @property
    def calls(self) -> list[Point]:
        """Those on it, by strike."""
        return self._points[1:]

    @staticmethod
    def same(strike: float) -> Hashable:
        """What is equal of strikes that differ by rounding only."""
        return f"{strike:.13e}"

    def value(self, strike: float) -> float:
        """Of the cheapest calls that are worth at least the call at `strike`."""
        (_, left, _), (_, right, _), weight = self._around(strike)
        return left + weight * (right - left)

    def values(self, strikes: FloatArray) -> FloatArray:
        """The same of many strikes [n]."""
        return np.interp(strikes, self._places, [price for _, price, _ in self._points])

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
        strikes, prices = np.array([point[:2] for point in self._points]).T
        return strikes, prices, np.append(np.diff(prices) / np.diff(strikes), 0.0)


def latest_first(tenors: IntArray) -> Iterator[list[int]]:
    """The nodes of each tenor [N], in order."""
    order = np.argsort(tenors, kind="stable")
    starts = np.flatnonzero(np.diff(tenors[order], prepend=-1)).tolist()
    nodes = order.tolist()
    for start, stop in zip(reversed(starts), [len(nodes), *reversed(starts)], strict=False):
        yield nodes[start:stop]


def lower_hull(points: list[Point], start: Point = FORWARD_POINT) -> list[Point]:
    """Lower convex hull of points sorted by strike, from the start, (0, 1), down to the lowest price."""
    hull = [start]
    for point in points:
        if point[1] >= hull[-1][1]:
            continue
        while len(hull) > 1:
            (left, high, _), (middle, low, _) = hull[-2], hull[-1]
            if (low - high) * (point[0] - middle) < (point[1] - low) * (middle - left):
                break
            hull.pop()
        hull.append(point)
    return hull


def arbitrage_trades(
    tenors: IntArray,
    strikes: FloatArray,
    bids: FloatArray,
    asks: FloatArray,
    tolerance: float,
    hull: type[Hull] = Hull,
) -> list[Trade]:
    """All trades that lock in more than `tolerance`, by node; empty if and only if there is no arbitrage.

    tenors: [N] ranks, in any order. strikes: [N] K/F above 0, finite. bids, asks: [N] forward-normalised call
    prices, NaN where one cannot sell or buy. hull: another kind than `Hull`, and strikes and prices as it
    takes them.

    At each node up to three: within its tenor; against the same strike later; and against several strikes
    and tenors, where that locks in more than the two simple ones.
    """
    found: list[Trade] = []
    place, bid, ask = strikes.tolist(), bids.tolist(), asks.tolist()
    keys = [hull.same(strike) for strike in place]
    cheap = np.maximum(hull.LEAST - strikes, 0.0) - asks > tolerance
    all_later = hull([])
    later: dict[Hashable, Point] = {}
    for nodes in latest_first(tenors):
        points = [(place[i], ask[i], i) for i in nodes if ask[i] == ask[i]]
        all_later = hull(all_later.calls + points)
        above = bids[nodes] - all_later.values(strikes[nodes]) > tolerance - hull.SAME
        doubtful = list(compress(nodes, above | cheap[nodes]))
        own = hull(points) if doubtful else all_later
        for i in doubtful:
            found += _trades_at(i, place[i], bid[i], ask[i], tolerance, own, later.get(keys[i]), all_later)
        for point in points:
            key = keys[point[2]]
            if key not in later or point[1] < later[key][1]:
                later[key] = point
    return found


def _trades_at(
    node: int,
    strike: float,
    bid: float,
    ask: float,
    tolerance: float,
    own: Hull,
    same: Point | None,
    all_later: Hull,
) -> Iterator[Trade]:
    """Those that sell one call, or buy it. same: the cheapest call of its strike at a later tenor."""
    intrinsic, least, simple = max(own.LEAST - strike, 0.0), bid - tolerance, 0.0
    if intrinsic - ask > tolerance:
        yield Trade("bounds", node, intrinsic - ask, ())
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


@dataclass(frozen=True)
class Hulls:
    """One price function for each tenor, ordered in tenor. ranks: [N] each node's place in them."""

    ranks: IntArray
    functions: list[Hull]

    def at(self, strikes: FloatArray, ranks: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
        """[R] each tenor's function at strikes [R], and its slope there; for all nodes, or `ranks` [R]."""
        ranks = self.ranks if ranks is None else ranks
        value, slope = np.empty_like(strikes), np.empty_like(strikes)
        for rank in np.unique(ranks).tolist():
            here = ranks == rank
            value[here], slope[here] = self.functions[rank].at(strikes[here])
        return value, slope


def hulls(rows: IntArray, strikes: FloatArray, prices: FloatArray) -> Hulls:
    """Lower hulls of each tenor's and all later prices [N]; NaN is none."""
    place, price = strikes.tolist(), prices.tolist()
    functions = [Hull([])]
    for nodes in latest_first(rows):
        own = [(place[i], price[i], i) for i in nodes if price[i] == price[i]]
        functions.append(Hull(functions[-1].calls + own))
    return Hulls(np.unique(rows, return_inverse=True)[1], functions[:0:-1])


def onto(hull: Hulls, nodes: Nodes, ranks: IntArray, vols: FloatArray) -> FloatArray:
    """[R] vols of points on the hull, at their strikes or, from `vols`, along their deltas."""
    if isinstance(nodes, AtStrikes):
        value = hull.at(nodes.strikes, ranks)[0] - nodes.intrinsic
        return nodes.implied(np.maximum(value, LEAST_TIME_VALUE))
    return _along(hull, nodes, ranks, vols)


def _along(hull: Hulls, nodes: AtDeltas, ranks: IntArray, vols: FloatArray) -> FloatArray:
    """Newton, or bisection where that stalls."""
    low, high = np.full_like(vols, LEAST_VOL), np.full_like(vols, MAX_VOL)
    last, every = np.full(len(vols), np.inf), np.arange(len(vols))
    for _ in range(_NEWTON_STEPS):
        strikes, calls = nodes.at(vols)
        value, slope = hull.at(strikes, ranks)
        gap = calls - value
        if (np.abs(gap) <= ON_HULL).all():
            break
        low, high = np.where(gap <= 0, vols, low), np.where(gap > 0, vols, high)
        step = vols - gap / np.maximum(nodes.rate(vols, slope, every), 1e-300)
        usable = (step > low) & (step < high) & (np.abs(gap) < 0.5 * last)
        vols, last = np.where(usable, step, 0.5 * (low + high)), np.abs(gap)
    return vols
