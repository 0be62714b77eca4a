"""The most a call may be worth where the underlying is any real number: hulls without a call of strike 0.

With k = K - F, call prices that are convex in k, fall with a slope of at least -1, are worth at least -k, and
increase with tenor exist if and only if every price lies on the lower hull of its own and all later tenors'
prices, continued to the left with slope -1 (a call and the difference in cash cover a call of a lower strike)
and flat to the right: Davis and Hobson (2007) with the martingale S - F in place of S / F.
"""

from __future__ import annotations

from bisect import bisect_right

from .._typing import FloatArray, IntArray
from .hulls import Point, Trade, latest_first, lower_hull
from .tolerances import LEAST_LEG

_SAME = 1e-11  # of the unit of k: strikes that differ by rounding only


def normal_trades(
    tenors: IntArray, k: FloatArray, bids: FloatArray, asks: FloatArray, tolerance: float
) -> list[Trade]:
    """All trades that lock in more than `tolerance`, by node; empty if and only if there is no arbitrage.

    tenors: [N] ranks, in any order. k: [N] K - F. bids, asks: [N] call prices in the same unit, NaN where one
    cannot sell or buy. What a trade locks in counts the cash that its legs leave over.
    """
    found: list[Trade] = []
    place, bid, ask = k.tolist(), bids.tolist(), asks.tolist()
    everything: list[Point] = []
    later: list[Point] = []
    for nodes in latest_first(tenors.tolist()):
        own = sorted((place[i], ask[i], i) for i in nodes if ask[i] == ask[i])
        everything = normal_hull(sorted(everything + own))
        for i in nodes:
            found += _trades_at(i, place[i], bid[i], ask[i], tolerance, (normal_hull(own), later, everything))
        later += own
    return found


def normal_hull(points: list[Point]) -> list[Point]:
    """Lower hull of points sorted by strike, of slopes from -1 to 0."""
    if not points:
        return []
    least = min(price + strike for strike, price, _ in points)
    first = max(i for i, point in enumerate(points) if point[0] + point[1] <= least)
    return lower_hull(points[first + 1 :], points[first])


def _trades_at(
    node: int,
    k: float,
    bid: float,
    ask: float,
    tolerance: float,
    covers: tuple[list[Point], list[Point], list[Point]],
) -> list[Trade]:
    """Up to three that sell the call, against its tenor, its strike later, and all; or buy it."""
    own, later, everything = covers
    found = [Trade("bounds", node, -k - ask, ())] if -k - ask > tolerance else []
    value, legs = _cheapest(own, k)
    if value < bid - tolerance:
        found.append(Trade("butterfly" if len(legs) == 2 else "call spread", node, bid - value, legs))
    near = [point for point in later if abs(point[0] - k) <= _SAME * (1 + abs(k))]
    same = min(near, key=lambda point: point[1], default=None)
    if same is not None and same[1] < bid - tolerance:
        found.append(Trade("calendar", node, bid - same[1], ((same[2], 1.0),)))
    simple = max((trade.size for trade in found if trade.legs), default=0.0)
    value, legs = _cheapest(everything, k)
    if value < bid - tolerance - simple:
        found.append(Trade("calendar butterfly" if len(legs) == 2 else "calendar", node, bid - value, legs))
    return found


def _cheapest(hull: list[Point], k: float) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Price and legs of the cheapest cover of the call at k; infinite where nothing can be bought."""
    if not hull:
        return float("inf"), ()
    place = bisect_right(hull, k, key=lambda point: point[0]) - 1
    if place < 0:
        return hull[0][1] + hull[0][0] - k, ((hull[0][2], 1.0),)
    left = hull[place]
    if place + 1 == len(hull):
        return left[1], ((left[2], 1.0),)
    right = hull[place + 1]
    weight = (k - left[0]) / (right[0] - left[0])
    legs = ((left[2], 1.0 - weight), (right[2], weight))
    return left[1] + weight * (right[1] - left[1]), tuple(leg for leg in legs if leg[1] > LEAST_LEG)
