"""Filled cells that add no static arbitrage: each is put between the bounds its neighbours leave it.

Nodes (tenor, K/F, call price) on convex, decreasing functions that increase with tenor leave one more node an
interval of prices, never empty (Gopal 2024, Theorem 7.1): at most the lower hull of all nodes of its own and
later tenors; at least every line through a node of its own or an earlier tenor with that node's slope bound.
Cells are added one by one, the surest first, each moved into its interval where it is outside: so the quotes
stay, the cells that the posterior knows well stay with them, and those it knows least give way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from .black import implied_total_vol
from .projection import project
from .slopes import BoolArray, arbitrage_free, nodes
from .surface import MAX_VOL, FloatArray, Surface

_SLACK = 8e-11  # below `check`'s tolerance: quotes at its very edge leave room too
_ROUNDING = 1e-12
_MIN_VOL = 1e-6
_FIRST_STEP = 0.01  # of a walk along a delta, doubled each time


@dataclass(frozen=True)
class Guarded:
    """vols: [B, T, K], quotes as given. violating: [B], the quotes alone can be arbitraged.

    failed: [B], some cell has no admissible vol of 1e-6 to 10 and keeps the model's.
    """

    vols: FloatArray
    violating: BoolArray
    failed: BoolArray


def guard(axes: Surface, filled: FloatArray, observed: BoolArray, doubt: FloatArray) -> Guarded:
    """Full surfaces [B, T, K] with the cells that are not `observed` moved where they add arbitrage.

    doubt: [B, T, K], the order in which cells give way: std of filled cells, |z-score| of quotes.

    Where the quotes alone pass `check`, the result does. Where they do not, it does with the quotes replaced
    by their own repair, which adds them in the order of their doubt; the quotes themselves are returned.
    """
    vols = filled.copy()
    violating, failed = np.zeros((2, len(filled)), dtype=np.bool_)
    bad = np.flatnonzero(~arbitrage_free(axes, filled))
    if len(bad):
        violating[bad] = ~arbitrage_free(axes, np.where(observed, filled, np.nan)[bad])
    for b in bad:
        vols[b], failed[b] = _guarded(axes, filled[b], observed[b], doubt[b], bool(violating[b]))
    return Guarded(vols, violating, failed)


def _guarded(
    axes: Surface, filled: FloatArray, observed: BoolArray, doubt: FloatArray, violating: bool
) -> tuple[FloatArray, bool]:
    order = np.argsort(np.abs(doubt).ravel(), kind="stable")
    quoted = observed.ravel()[order]
    start = filled
    if violating:
        curves = _Curves(axes, filled)
        for cell in order[quoted]:
            if curves.admit(cell):
                curves.add(cell)
        start = np.where(observed, curves.vols.reshape(filled.shape), filled)
    near = project(axes, start, ~observed, doubt / filled)
    if near is not None and arbitrage_free(axes, near[None])[0]:
        return np.where(observed, filled, near), False
    curves, failed = _Curves(axes, start), False
    for cell in order[quoted]:
        curves.add(cell)
    for cell in order[~quoted]:
        if curves.admit(cell):
            curves.add(cell)
        else:
            failed = True
    return np.where(observed, filled, curves.vols.reshape(filled.shape)), failed


class _Curves:
    """The nodes so far, and what they leave to the next. Arrays are over the cells [N], N = T K, row by row.

    rise, fall: the largest slope to lower strikes and the least to higher ones, at the same or later tenors.
    """

    def __init__(self, axes: Surface, vols: FloatArray) -> None:
        moneyness, calls = nodes(axes, vols[None])
        self.moneyness, self.vols = moneyness[0], vols.ravel().copy()
        self.strikes, self.calls = np.exp(moneyness[0]), calls[0]
        self.root = np.repeat(np.sqrt(axes.tenors), axes.shape[1])
        self.rows = np.repeat(np.arange(len(axes.tenors)), axes.shape[1])
        self.deltas = None if axes.deltas is None else np.tile(axes.deltas, len(axes.tenors))
        self.known = np.zeros(len(self.rows), dtype=np.bool_)
        self.rise, self.fall = np.full((2, len(self.rows)), -1.0)

    def admit(self, cell: int) -> bool:
        """Moves the cell along its own strike or delta into its interval; whether it could."""
        call = float(self.calls[cell])
        if not np.isfinite(call):
            return True
        low, high = self._bounds(cell, float(self.strikes[cell]))
        if low - _ROUNDING <= call <= high + _ROUNDING:
            return True
        if self.deltas is None:
            found = self._at_strike(cell, min(max(call, low), high))
        else:
            found = self._along_delta(cell, float(self.deltas[cell]), down=call > high)
        if found is None:
            return False
        self.vols[cell], self.strikes[cell], self.calls[cell] = found
        return True

    def add(self, cell: int) -> None:
        """The cell, as it is now, is a node from here on; slopes are loosened by the slack in price."""
        call, strike, row = self.calls[cell], self.strikes[cell], self.rows[cell]
        if not np.isfinite(call):
            return
        run = strike - self.strikes
        with np.errstate(divide="ignore", invalid="ignore"):
            slope, slack = (call - self.calls) / run, _SLACK / np.abs(run)
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
        time_value = max(call - max(1.0 - strike, 0.0), _SLACK)
        vol = float(implied_total_vol(time_value, m)) / float(self.root[cell])
        return (vol, strike, call) if _MIN_VOL <= vol <= MAX_VOL else None

    def _along_delta(self, cell: int, delta: float, down: bool) -> tuple[float, float, float] | None:
        """The same at its own delta, whose strike moves with the vol: the next vol inside."""
        root, normal = float(self.root[cell]), float(ndtri(delta))

        def point(vol: float) -> tuple[float, float]:
            total = vol * root
            strike = float(np.exp(min(total * (total / 2 - normal), 700.0)))
            return strike, delta - strike * float(ndtr(normal - total))

        def above(vol: float) -> float:
            strike, call = point(vol)
            return call - self._bounds(cell, strike)[int(down)]

        sign, step, start = (-1.0 if down else 1.0), _FIRST_STEP, float(self.vols[cell])
        while _MIN_VOL <= (end := start * (1.0 + sign * min(step, 0.5))) <= MAX_VOL:
            if (above(end) <= 0) == down:
                vol = float(brentq(above, *sorted((start, end)), xtol=1e-13, rtol=1e-13))
                return vol, *point(vol)
            start, step = end, 2 * step
        return None
