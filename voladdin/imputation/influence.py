"""Which quotes weigh most in a vol: the gain of the answer, how far it follows each quote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import InputError
from ..surface import Surface
from .filling import impute_batch

MOST = 60  # quotes that are asked for their weight, those nearest first
_BUMP = 1e-4  # of ln vol, either way: beyond the rounding of an answer, below any bend of it


@dataclass(frozen=True)
class Influence:
    """A quote at (row, column), and by how much a vol moves with it: d ln vol / d ln quote."""

    row: int
    column: int
    gain: float


def influences(
    surface: Surface, row: int, column: int, *, model: str | Path = "fx", most: int = MOST
) -> list[Influence]:
    """Of a missing vol, or of what the others say of a quote: the quotes by their gain, the largest first.

    The conditional mean of ln vol is linear in the quotes where a Gaussian answers, and these are its gains;
    where models are mixed they are those of the mixture at this surface. most: quotes asked, those nearest.

    Raises InputError where nothing else is quoted.
    """
    vols = surface.vols.copy()
    vols[row, column] = np.nan
    asked = _nearest(surface, np.argwhere(np.isfinite(vols)), row, column)[:most]
    if not len(asked):
        raise InputError("nothing else is quoted; expected a quote that this vol could follow from")
    batch = np.repeat(vols[None], 2 * len(asked), axis=0)
    for number, (i, j) in enumerate(asked.tolist()):
        batch[2 * number : 2 * number + 2, i, j] *= np.exp([_BUMP, -_BUMP])
    m = surface.log_moneyness
    answer = impute_batch(
        batch, surface.tenors, deltas=surface.deltas, moneyness=m, model=model, arbitrage_free=False
    )
    moved = np.log(answer.mean[:, row, column])
    gains: FloatArray = (moved[::2] - moved[1::2]) / (2 * _BUMP)
    order = np.argsort(-np.abs(gains))
    return [Influence(int(asked[k, 0]), int(asked[k, 1]), float(gains[k])) for k in order.tolist()]


def _nearest(surface: Surface, places: IntArray, row: int, column: int) -> IntArray:
    """[n, 2] in the order of their distance, a tenor's doubling as far as a strike's step."""
    tenors = np.log2(surface.tenors)
    away = np.hypot(tenors[places[:, 0]] - tenors[row], places[:, 1] - column)
    return np.asarray(places[np.argsort(away, kind="stable")])
