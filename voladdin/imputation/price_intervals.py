"""Ordered convex price functions through the nodes so far, and the prices they leave to one more node.

Nodes (tenor, K/F, call price) on convex, decreasing functions that increase with tenor leave one more node an
interval of prices, never empty (Gopal 2024, Theorem 7.1): at most the lower hull of all nodes of its own and
later tenors; at least every line through a node of its own or an earlier tenor with that node's slope bound.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..arbitrage.nodes import along_deltas, at_own_strikes
from ..arbitrage.tolerances import IN_INTERVAL, LEAST_VOL, QUOTE_SLACK
from ..black import implied_total_vol
from ..surface import MAX_VOL, Surface

_FIRST_STEP = 0.01  # of a walk along a delta, doubled each time


class Curves:
    """The nodes so far, and what they leave to the next. Arrays are over the cells [N], N = T K, row by row.

    rise, fall: the largest slope to lower strikes and the least to higher ones, at the same or later tenors.
    """

    def __init__(self, axes: Surface, vols: FloatArray) -> None:
        nodes = at_own_strikes(axes, vols)
        self.rows, self.root, self.moneyness = nodes.rows, nodes.root, nodes.m
        self.vols = vols.ravel().copy()
        self.strikes, self.calls = nodes.strikes.copy(), nodes.at(self.vols)[1]
        self.along = None if axes.deltas is None else along_deltas(axes.deltas, nodes)
        self.known = np.zeros(len(self.rows), dtype=np.bool_)
        self.rise, self.fall = np.full((2, len(self.rows)), -1.0)

    def admits(self, cell: int) -> bool:
        """Whether the cell is in its interval."""
        low, high = self._bounds(cell, float(self.strikes[cell]))
        return bool(low - IN_INTERVAL <= self.calls[cell] <= high + IN_INTERVAL)

    def admit(self, cell: int) -> bool:
        """Moves the cell along its own strike or delta into its interval; whether it could."""
        call = float(self.calls[cell])
        if not np.isfinite(call) or self.admits(cell):
            return True
        if self.along is not None:
            return self._take(cell, self._to_bound(cell, upper=self._above(cell, float(self.vols[cell])) > 0))
        low, high = self._bounds(cell, float(self.strikes[cell]))
        return self._take(cell, self._at_strike(cell, min(max(call, low), high)))

    def add(self, cell: int) -> None:
        """The cell, as it is now, is a node from here on; slopes are loosened by the slack in price."""
        call, strike, row = self.calls[cell], self.strikes[cell], self.rows[cell]
        if not np.isfinite(call):
            return
        run = strike - self.strikes
        with np.errstate(divide="ignore", invalid="ignore"):
            slope, slack = (call - self.calls) / run, QUOTE_SLACK / np.abs(run)
            least, most = slope - slack, slope + slack
        left, right = self.known & (run > 0), self.known & (run < 0)
        later, earlier = self.rows >= row, self.rows <= row
        self.rise[cell] = max((call - 1.0) / strike, least[left & later].max(initial=-1.0))
        self.fall[cell] = most[right & later].min(initial=0.0)
        seen = left & earlier
        self.fall[seen] = np.minimum(self.fall[seen], most[seen])
        seen = right & earlier
        self.rise[seen] = np.maximum(self.rise[seen], least[seen])
        self.known[cell] = True

    def onto_hull(self, cell: int) -> bool:
        """Moves the cell along its own delta from its vol onto the hull of all nodes; whether it could."""
        return self._take(cell, self._to_bound(cell, upper=True))

    def _take(self, cell: int, found: tuple[float, float, float] | None) -> bool:
        if found is not None:
            self.vols[cell], self.strikes[cell], self.calls[cell] = found
        return found is not None

    def _bounds(self, cell: int, strike: float) -> tuple[float, float]:
        """Least and largest price at `strike` and the cell's tenor. The least is the largest where rounding,
        or quotes at the very edge, leave nothing between: a node on the hull harms no other."""
        run, row = strike - self.strikes, self.rows[cell]
        earlier, later = self.known & (self.rows <= row), self.known & (self.rows >= row)
        least = self.calls + np.where(run > 0, self.rise, self.fall) * run
        low = max(1.0 - strike, 0.0, least[earlier].max(initial=0.0))
        left, right = later & (run >= 0), later & (run < 0)
        calls, runs = np.append(self.calls[left], 1.0)[:, None], np.append(run[left], strike)[:, None]
        chords = calls + (self.calls[right] - calls) * (runs / (runs - run[right]))
        high = min(float(calls.min()), float(chords.min(initial=1.0)))
        return min(float(low), high), high

    def _at_strike(self, cell: int, call: float) -> tuple[float, float, float] | None:
        """Vol, strike and price of the cell at its own strike."""
        strike, m = float(self.strikes[cell]), float(self.moneyness[cell])
        time_value = max(call - max(1.0 - strike, 0.0), QUOTE_SLACK)
        vol = float(implied_total_vol(time_value, m)) / float(self.root[cell])
        return (vol, strike, call) if LEAST_VOL <= vol <= MAX_VOL else None

    def _to_bound(self, cell: int, *, upper: bool) -> tuple[float, float, float] | None:
        """The same of the next point along its own delta whose price is at that bound of its strike."""
        from scipy.optimize import brentq  # not at import, which is to be light

        def above(vol: float) -> float:
            return self._above(cell, vol, upper=upper)

        start, step = float(self.vols[cell]), _FIRST_STEP
        down = upper and self._above(cell, start) > 0
        sign = -1.0 if down else 1.0
        while LEAST_VOL <= (end := start * (1.0 + sign * min(step, 0.5))) <= MAX_VOL:
            if (above(end) <= 0) == down:
                vol = float(brentq(above, *sorted((start, end)), xtol=1e-13, rtol=1e-13))
                return vol, *self._point(cell, vol)
            start, step = end, 2 * step
        return None

    def _above(self, cell: int, vol: float, *, upper: bool = True) -> float:
        """How far the price of the cell at this vol is above the largest at its strike, or the least."""
        strike, call = self._point(cell, vol)
        return call - self._bounds(cell, strike)[int(upper)]

    def _point(self, cell: int, vol: float) -> tuple[float, float]:
        """Strike and price of the cell, at its own delta."""
        assert self.along is not None
        strike, call = self.along.only(np.array([cell])).at(np.array([vol]))
        return float(strike[0]), float(call[0])
