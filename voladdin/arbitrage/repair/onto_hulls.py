"""A repair that needs no solver: points on ordered lower hulls never have arbitrage."""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...surface import MAX_VOL
from ..hulls import FORWARD, arbitrage_trades, hulls, onto
from ..nodes import Nodes
from ..tolerances import ROUNDING

_PLACINGS = 5


def _usable(
    rows: IntArray, strikes: FloatArray, calls: FloatArray, free: BoolArray, slack: float
) -> FloatArray:
    """[N] the prices, NaN for free ones so low that a fixed one is above the hull by more than `slack`.

    Fixed quotes are taken to have no arbitrage among themselves.
    """
    asks = calls.copy()
    sold = np.where(free, np.nan, calls)
    while not free.all():
        found = arbitrage_trades(rows, strikes, sold, asks, slack)
        out = [i for e in found for i, _ in e.legs if i != FORWARD and free[i]]
        if not out:
            break
        asks[out] = np.nan
    return asks


def placed(nodes: Nodes, vols: FloatArray, free: BoolArray, slack: float = ROUNDING) -> FloatArray:
    """[N] vols whose points lie on ordered lower hulls of the points at `vols`; those on them stay.

    At given strikes a price comes down to the hull; along its delta each point rises through its tenor's
    hull as its vol grows, so that its place on it is unique. Where a fixed quote lifts the hull out of a
    point's reach, the point stays at the largest vol, and the others go on to the hulls with it.
    """
    for _ in range(_PLACINGS):
        strikes, calls = nodes.at(vols)
        hull = hulls(nodes.rows, strikes, _usable(nodes.rows, strikes, calls, free, slack))
        off = np.flatnonzero(free & (np.abs(hull.at(strikes, nodes.rows)[0] - calls) > ROUNDING))
        moved = vols.copy()
        moved[off] = onto(hull, nodes.only(off), vols[off])
        short = (moved > vols) & (moved > MAX_VOL * (1 - 1e-9))
        vols = moved
        if not short.any():
            break
    return vols
