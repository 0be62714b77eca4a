"""The most a call may be worth where the underlying is any real number: hulls without a call of strike 0.

With k = K - F, call prices that are convex in k, fall with a slope of at least -1, are worth at least -k, and
increase with tenor exist if and only if every price lies on the lower hull of its own and all later tenors'
prices, continued to the left with slope -1 (a call and the difference in cash cover a call of a lower strike)
and flat to the right: Davis and Hobson (2007) with the martingale S - F in place of S / F.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from .._typing import FloatArray
from ..surface import LARGEST
from .hulls import Hull, Point, lower_hull

_DIGITS = 11  # of k: strikes that differ in later ones differ by rounding only


class NormalHull(Hull):
    """The lower hull of calls [(K - F, price, node)]: of slope -1 before the first, flat beyond the last."""

    SAME = 10.0**-_DIGITS

    def __init__(self, calls: list[Point]) -> None:
        self._points = _steep_enough(sorted(calls))
        self._places = [point[0] for point in self._points]

    @property
    def calls(self) -> list[Point]:
        """Those on it, by strike."""
        return self._points

    @staticmethod
    def intrinsic(strikes: FloatArray) -> FloatArray:
        """The least each call is worth."""
        return np.maximum(-strikes, 0.0)

    @staticmethod
    def same(strike: float) -> Hashable:
        """What is equal of strikes that differ by rounding only."""
        return round(strike, _DIGITS)

    def _around(self, strike: float) -> tuple[Point, Point, float]:
        """Before the first call that one and cash; nothing covers where there is none."""
        if self._points and strike >= self._places[0]:
            return super()._around(strike)
        place, price, node = self._points[0] if self._points else (strike, LARGEST, 0)
        cover = (strike, price + place - strike, node)
        return cover, cover, 0.0


def _steep_enough(points: list[Point]) -> list[Point]:
    """Lower hull of points sorted by strike, of slopes from -1 to 0."""
    if not points:
        return []
    least = min(price + strike for strike, price, _ in points)
    first = max(i for i, point in enumerate(points) if point[0] + point[1] <= least)
    return lower_hull(points[first + 1 :], points[first])
