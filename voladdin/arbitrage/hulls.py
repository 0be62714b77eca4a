"""The most a call may be worth, given the calls that can be bought: lower convex hulls of prices.

Convex, decreasing price functions through the quotes that increase with tenor exist if and only if every
price lies on the lower hull of (0, 1) and the prices of its own and all later tenors, continued flat to the
right (Davis and Hobson 2007; Gopal 2024, Theorem 7.1). The height above the hull is what a trade locks in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FORWARD = -1  # the call of strike 0, which is worth one forward at every tenor
_NO_WEIGHT = 1e-12

Point = tuple[float, float, int]  # strike, price, node
Legs = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Excess:
    """A call sold for `size` more than the calls that cover it cost.

    kind: "bounds", "call spread", "butterfly", "calendar" or "calendar butterfly".
    legs: (node, number of calls) bought; node FORWARD is the forward. Without legs the call at `node` is
    bought for less than its intrinsic value.
    """

    kind: str
    node: int
    size: float
    legs: Legs


def excesses(
    tenors: Sequence[int],
    strikes: Sequence[float],
    bids: Sequence[float],
    asks: Sequence[float],
    tolerance: float,
) -> list[Excess]:
    """All trades that lock in more than `tolerance`, by node; empty if and only if there is no arbitrage.

    tenors: [N] ranks, in any order. strikes: [N] K/F above 0, finite. bids, asks: [N] forward-normalised call
    prices, NaN where one cannot sell or buy.

    At each node up to three: within its tenor; against the same strike later; and against several strikes
    and tenors, where that locks in more than the two simple ones.
    """
    found: list[Excess] = []
    hull: list[Point] = [(0.0, 1.0, FORWARD)]
    later: dict[str, Point] = {}
    keys = [f"{strike:.11e}" for strike in strikes]  # equal where strikes differ by rounding only
    for nodes in _latest_first(tenors):
        points = [(strikes[i], asks[i], i) for i in nodes if asks[i] == asks[i]]
        own = lower_hull(sorted(points))
        hull = lower_hull(sorted(hull[1:] + points))
        own_strikes, hull_strikes = [p[0] for p in own], [p[0] for p in hull]
        for i in nodes:
            strike, least = strikes[i], bids[i] - tolerance
            simple = 0.0
            if max(1.0 - strike, 0.0) - asks[i] > tolerance:
                found.append(Excess("bounds", i, max(1.0 - strike, 0.0) - asks[i], ()))
            value, legs = _cover(own, own_strikes, strike)
            if value < least:
                simple = bids[i] - value
                found.append(Excess(_kind(legs, False), i, simple, legs))
            same = later.get(keys[i])
            if same is not None and same[1] < least:
                simple = max(simple, bids[i] - same[1])
                found.append(Excess("calendar", i, bids[i] - same[1], ((same[2], 1.0),)))
            value, legs = _cover(hull, hull_strikes, strike)
            if value < least - simple:
                found.append(Excess(_kind(legs, True), i, bids[i] - value, legs))
        for point in points:
            key = keys[point[2]]
            if key not in later or point[1] < later[key][1]:
                later[key] = point
    return found


def _latest_first(tenors: Sequence[int]) -> Iterator[list[int]]:
    nodes: dict[int, list[int]] = {}
    for i, tenor in enumerate(tenors):
        nodes.setdefault(tenor, []).append(i)
    for tenor in sorted(nodes, reverse=True):
        yield nodes[tenor]


def lower_hull(points: list[Point]) -> list[Point]:
    """Lower convex hull of points sorted by strike, from (0, 1) down to the lowest price."""
    hull: list[Point] = [(0.0, 1.0, FORWARD)]
    for point in points:
        if point[1] >= hull[-1][1]:
            continue
        while len(hull) > 1 and not _convex(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _convex(left: Point, middle: Point, right: Point) -> bool:
    rise, run = middle[1] - left[1], middle[0] - left[0]
    return rise * (right[0] - middle[0]) < (right[1] - middle[1]) * run


def _cover(hull: list[Point], strikes: list[float], strike: float) -> tuple[float, Legs]:
    """Price and legs of the cheapest calls that are worth at least the call at `strike`."""
    place = bisect_right(strikes, strike) - 1
    left = hull[place]
    if place + 1 == len(hull):
        return left[1], ((left[2], 1.0),)
    right = hull[place + 1]
    weight = (strike - left[0]) / (right[0] - left[0])
    value = left[1] + weight * (right[1] - left[1])
    legs = ((left[2], 1.0 - weight), (right[2], weight))
    return value, tuple(leg for leg in legs if leg[1] > _NO_WEIGHT)


def _kind(legs: Legs, across: bool) -> str:
    if len(legs) == 2:
        return "calendar butterfly" if across else "butterfly"
    if legs[0][0] == FORWARD:
        return "bounds"
    return "calendar" if across else "call spread"
