"""Filled cells that add no static arbitrage to the quotes.

First the nearest surface in the posterior's own measure is sought, the strikes of a delta grid moving with
its vols (`projection.py`); then with its strikes held, and the cells read off the hull; where neither is
found, cells are added one by one, the surest first, each moved between the bounds that the others leave it
(`curves.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .black import call_price
from .curves import Curves
from .projection import project
from .slopes import BoolArray, arbitrage_free
from .surface import FloatArray, Surface


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

    doubt: [B, T, K], std of filled cells, |z-score| of quotes: what gives way first.

    Where the quotes alone pass `check`, the result does. Where they do not, it does with the quotes replaced
    by their own repair; the quotes themselves are returned.
    """
    vols = filled.copy()
    violating, failed = np.zeros((2, len(filled)), dtype=np.bool_)
    bad = np.flatnonzero(~arbitrage_free(axes, filled))
    if len(bad):
        violating[bad] = ~arbitrage_free(axes, np.where(observed, filled, np.nan)[bad])
    for b in bad[~observed[bad].all((1, 2))]:
        fixed = _repaired(axes, filled[b], observed[b], doubt[b]) if violating[b] else filled[b]
        moved, failed[b] = _guarded(axes, fixed, observed[b], doubt[b])
        vols[b] = np.where(observed[b], filled[b], moved)
    return Guarded(vols, violating, failed)


def _repaired(axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray) -> FloatArray:
    """[T, K]: the quotes without arbitrage among them, the least doubtful held."""
    curves = Curves(axes, vols)
    for cell in _order(observed, doubt):
        if curves.admit(cell):
            curves.add(cell)
    return np.where(observed, curves.vols.reshape(vols.shape), vols)


def _guarded(
    axes: Surface, vols: FloatArray, observed: BoolArray, doubt: FloatArray
) -> tuple[FloatArray, bool]:
    """[T, K] vols of which only those not `observed` moved, and whether arbitrage is left."""
    spread, deltas = doubt / vols, axes.deltas is not None
    for strikes_held in (False, True)[: 1 + deltas]:
        near = project(axes, vols, ~observed, spread, strikes_held)
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
    curves, failed = Curves(axes, vols), False
    for cell in _order(observed, doubt):
        curves.add(cell)
    for cell in _order(~observed, doubt):
        if curves.admit(cell):
            curves.add(cell)
        else:
            failed = True
    return np.where(observed, vols, curves.vols.reshape(vols.shape)), failed


def _order(chosen: BoolArray, doubt: FloatArray) -> list[int]:
    order = np.argsort(np.abs(doubt).ravel(), kind="stable")
    found: list[int] = order[chosen.ravel()[order]].tolist()
    return found
