"""A repair that needs no solver: points on ordered lower hulls never have arbitrage."""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..hulls import FORWARD, Hulls, arbitrage_trades, hulls
from ..prices import Quotes
from ..tolerances import ROUNDING

_PLACINGS = 5


def beneath(rows: IntArray, strikes: FloatArray, calls: FloatArray, free: BoolArray, slack: float) -> Hulls:
    """Lower hulls of each tenor's and all later prices, on which the fixed quotes lie.

    Free quotes so low that a fixed one would be above the hull by more than `slack` are left out. Fixed
    quotes are taken to have no arbitrage among themselves.
    """
    return hulls(rows, strikes, _usable(rows, strikes, calls, free, slack))


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
        hull = beneath(quotes.rows, quotes.strikes, calls, free, slack).at(quotes.strikes)[0]
        moved = np.where((np.abs(hull - calls) > ROUNDING) & free, np.minimum(hull, quotes.most), calls)
        short = free & (hull > quotes.most + ROUNDING)
        if (moved == calls).all() or not short.any():
            break
        calls = moved
    return np.where(free & (np.abs(moved - quotes.calls) > ROUNDING), moved, quotes.calls)
