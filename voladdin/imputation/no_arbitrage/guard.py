"""Filled cells that add no static arbitrage to the quotes.

They move to the nearest surface in the posterior's own measure (`nearest.py`). Grids of more than `LARGE`
cells go straight between the quotes' tangents and the hull of all prices (`between_hulls.py`), whose cost
does not grow with the square of the cells.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...arbitrage.tolerances import FITS
from ...arbitrage.verdicts import arbitrage_free
from ...surface import Surface
from . import between_hulls
from .nearest import nearest

LARGE = 240
_FAR = 1.0  # std of a filled cell


@dataclass(frozen=True)
class Guarded:
    """vols: [B, T, K], quotes as given.

    disputed: [B, T, K], quotes that can be arbitraged against more plausible ones, and filled cells that
    only a move beyond their std would rid of arbitrage beside such quotes.
    failed: [B], some filled cell has no admissible vol of 1e-6 to 10 and keeps the model's.
    """

    vols: FloatArray
    disputed: BoolArray
    failed: BoolArray

    def of(self, surfaces: slice) -> Guarded:
        """Some of them."""
        return Guarded(self.vols[surfaces], self.disputed[surfaces], self.failed[surfaces])


def guard(axes: Surface, filled: FloatArray, observed: BoolArray, doubt: FloatArray) -> Guarded:
    """Full surfaces [B, T, K] with the cells that are not `observed` moved where they add arbitrage.

    doubt: [B, T, K], std of filled cells, |z-score| of quotes: what gives way first.

    Where the quotes alone pass `check`, the result does. Where they do not, it does without what is disputed:
    quotes that do not fit to the less doubtful ones, and filled cells that the others would move beyond their
    std. All quotes, and those cells, are returned as they are.
    """
    vols, disputed, failed = filled.copy(), np.zeros_like(observed), np.zeros(len(filled), dtype=np.bool_)
    bad = np.flatnonzero(~arbitrage_free(axes, filled))
    if not len(bad):
        return Guarded(vols, disputed, failed)
    contradictory = bad[~arbitrage_free(axes, np.where(observed, filled, np.nan)[bad])]
    known: dict[bytes, BoolArray] = {}  # joint draws have the same quotes
    for b in contradictory:
        quotes = np.where(observed[b], [filled[b], doubt[b]], np.nan).tobytes()
        if quotes not in known:
            known[quotes] = _disputed(axes, filled[b], observed[b], doubt[b])
        disputed[b] = known[quotes]
    beside = arbitrage_free(axes, np.where(disputed, np.nan, filled)[contradictory])
    for b in np.setdiff1d(bad, contradictory[beside]):
        kept = np.where(disputed[b], np.nan, filled[b])
        if kept.size > LARGE:
            moved = between_hulls.between(axes, kept, ~observed[b])
        else:
            moved = nearest(axes, kept, ~observed[b], doubt[b] / kept)
        failed[b] = not arbitrage_free(axes, moved[None])[0]
        if b in contradictory:
            disputed[b] |= ~observed[b] & (np.abs(moved - filled[b]) > _FAR * doubt[b])
        vols[b] = np.where(observed[b] | disputed[b], filled[b], moved)
    return Guarded(vols, disputed, failed)


def _disputed(axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray) -> BoolArray:
    """[T, K]: the quotes that do not fit to the less doubtful ones, taken one by one."""
    if vols.size > LARGE:
        return between_hulls.disputed(axes, np.where(observed, vols, np.nan), np.abs(doubt))
    order = np.argsort(np.abs(doubt), axis=None, kind="stable")
    order, kept = order[observed.ravel()[order]], np.full(vols.shape, np.nan)

    def clash(count: int) -> int:
        """Whether the next quotes, so many of them, have arbitrage beside those kept."""
        tried = kept.copy()
        tried.flat[order[:count]] = vols.flat[order[:count]]
        return int(not arbitrage_free(axes, tried[None], FITS)[0])

    while len(order):
        fit = bisect_left(range(1, len(order) + 1), 1, key=clash)
        kept.flat[order[:fit]] = vols.flat[order[:fit]]
        order = order[fit + 1 :]
    return np.asarray(observed & np.isnan(kept) & np.isfinite(vols))
