"""Filled cells that add no static arbitrage to the quotes.

First the nearest surface in the posterior's own measure is sought, the strikes of a delta grid moving with
its vols (`nearest.py`); then with its strikes held, and the cells read off the hull; where neither is
found, cells are added one by one, the surest first, each moved between the bounds that the others leave it
(`price_intervals.py`). Grids of more than `LARGE` cells go straight between the quotes' tangents and the hull
of all prices (`between_hulls.py`), whose cost does not grow with the square of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.tolerances import LEAST_VOL
from ..arbitrage.verdicts import arbitrage_free
from ..black import call_price
from ..surface import Surface
from . import between_hulls
from .nearest import project
from .price_intervals import Curves

LARGE = 240
_PLAUSIBLE = 1.0  # std of a filled cell


@dataclass(frozen=True)
class Guarded:
    """vols: [B, T, K], quotes as given.

    disputed: [B, T, K], quotes that can be arbitraged against more plausible ones, and filled cells that
    follow quotes which have arbitrage.
    failed: [B], some filled cell has no admissible vol of 1e-6 to 10 and keeps the model's.
    """

    vols: FloatArray
    disputed: BoolArray
    failed: BoolArray


def guard(axes: Surface, filled: FloatArray, observed: BoolArray, doubt: FloatArray) -> Guarded:
    """Full surfaces [B, T, K] with the cells that are not `observed` moved where they add arbitrage.

    doubt: [B, T, K], std of filled cells, |z-score| of quotes: what gives way first.

    Where the quotes alone pass `check`, the result does. Where they do not, it does without the disputed
    quotes, those that do not fit to the less doubtful ones; all quotes are returned as they are.
    """
    vols, disputed, failed = filled.copy(), np.zeros_like(observed), np.zeros(len(filled), dtype=np.bool_)
    bad = np.flatnonzero(~arbitrage_free(axes, filled))
    for b in bad[~arbitrage_free(axes, np.where(observed, filled, np.nan)[bad])]:
        disputed[b] = _disputed(axes, filled[b], observed[b], doubt[b])
    bad = bad[~arbitrage_free(axes, np.where(disputed, np.nan, filled)[bad])]
    for b in bad:
        kept = np.where(disputed[b], np.nan, filled[b])
        moved, failed[b] = _guarded(axes, kept, observed[b] | disputed[b], doubt[b])
        vols[b] = np.where(observed[b] | disputed[b], filled[b], moved)
    return Guarded(vols, disputed, failed)


def _disputed(axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray) -> BoolArray:
    """[T, K]: the quotes that do not fit to the less doubtful ones, those that leave a filled cell none of
    its plausible vols, and filled cells whose plausible vols leave each other none, as between such quotes.
    """
    among = _disputed_by_quotes(axes, vols, observed, doubt)
    reach = np.where(observed, 0.0, np.maximum(_PLAUSIBLE * doubt, LEAST_VOL))
    kept = np.where(among, np.nan, vols)
    return among | between_hulls.disputed(axes, kept, np.abs(doubt), reach)


def _disputed_by_quotes(axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray) -> BoolArray:
    if vols.size > LARGE:
        return between_hulls.disputed(axes, np.where(observed, vols, np.nan), np.abs(doubt))
    curves = Curves(axes, vols)
    for cell in _order(observed, doubt):
        if curves.admits(cell):
            curves.add(cell)
    fits = curves.known | ~np.isfinite(curves.calls)
    return np.asarray(observed & ~fits.reshape(observed.shape))


def _guarded(
    axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray
) -> tuple[FloatArray, bool]:
    """[T, K] vols of which only those not `observed` moved, and whether arbitrage is left."""
    if vols.size > LARGE:
        moved = between_hulls.between(axes, vols, ~observed)
        return moved, not arbitrage_free(axes, moved[None])[0]
    spread, deltas = doubt / vols, axes.deltas is not None
    for strikes_held in (False, True)[: 1 + deltas]:
        near = project(axes, vols, ~observed, spread, strikes_held=strikes_held)
        if near is not None and strikes_held:
            near = _read_off(axes, vols, near)
        if near is not None and arbitrage_free(axes, near[None])[0]:
            return near, False
    return _one_by_one(axes, vols, observed, doubt)


def _read_off(axes: Surface, vols: FloatArray, near: FloatArray) -> FloatArray | None:
    """The cells of a delta grid on the hull of `near` at the strikes of `vols`; None where one misses it."""
    curves = Curves(axes, vols)
    curves.calls = call_price(curves.moneyness, near.ravel() * curves.root)
    for cell in range(vols.size):
        curves.add(cell)
    on_hull = [curves.onto_hull(cell) for cell in np.flatnonzero((near != vols).ravel()).tolist()]
    return curves.vols.reshape(vols.shape) if all(on_hull) else None


def _one_by_one(
    axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray
) -> tuple[FloatArray, bool]:
    curves = Curves(axes, vols)
    for cell in _order(observed, doubt):
        curves.add(cell)
    for cell in _order(~observed, doubt):
        if curves.admit(cell):
            curves.add(cell)
    moved = np.where(observed, vols, curves.vols.reshape(vols.shape))
    return moved, not arbitrage_free(axes, moved[None])[0]


def _order(chosen: BoolArray, doubt: FloatArray) -> list[int]:
    order = np.argsort(np.abs(doubt).ravel(), kind="stable")
    found: list[int] = order[chosen.ravel()[order]].tolist()
    return found
