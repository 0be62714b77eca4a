"""Single quotes that the others make improbable, of small surfaces: they tell nothing of other cells.

A fat finger is foretold far off by the quotes about it, and its own error is all that it says: the surface is
answered again without it. It stays in the answer as it was typed, with the z-score that the others give it.
Large surfaces leave it out of the conditioning (`processes/any_market.py`).
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..surface import Surface
from .history.posterior import Posterior, log_density
from .model import Imputer
from .processes.evidence import FARTHEST_HEARD, MOST_UNHEARD
from .processes.small_grid import MOST
from .weighing import QuotesAlone, Shares, answers

_SUSPECT = 3.0  # deviations of a quote that is looked at again
_FINGER = 0.04  # of log vol that it is off at least
_Of = TypeVar("_Of", Posterior, Shares)


def answers_beside_fingers(
    loaded: Imputer,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: QuotesAlone | None = None,
) -> tuple[Posterior, Shares]:
    """As `weighing.answers`, in which single quotes that the others make improbable tell of no other cell.

    One answer without them stands where they are then improbable, and no other quote is.
    """
    found, shares = answers(loaded, axes, cells, prior, age, alone)
    if axes.vols.size > MOST:
        return found, shares
    odd = _suspect(found.zscore, cells)
    some = np.flatnonzero(odd.any(1))
    if not len(some):
        return found, shares
    odd, quotes = odd[some], cells.reshape(len(cells), -1)[some]
    rest = np.where(odd, np.nan, quotes).reshape(-1, *cells.shape[1:])
    without, theirs = answers(loaded, axes, rest, None if prior is None else prior[some], age)
    off = np.where(odd, np.abs(quotes - without.mean), np.inf).min(1) > _FINGER
    others = np.nan_to_num(np.abs(without.zscore)).max(1) < FARTHEST_HEARD
    without = _with_quotes(without, quotes, odd)
    better = off & others & (np.where(odd, np.abs(without.zscore), np.inf).min(1) > FARTHEST_HEARD)
    return _put(found, some[better], without, better), _put(shares, some[better], theirs, better)


def _suspect(zscore: FloatArray, cells: FloatArray) -> BoolArray:
    """[B, n] the quotes that are farthest from what the others say, one in twenty, where that is far and they
    stand out from those beside them, which costs less to see; cells: [B, T, K].
    """
    found = np.abs(zscore) > _SUSPECT
    if not found.any():
        return np.asarray(found)
    rank = np.argsort(np.argsort(-np.nan_to_num(np.abs(zscore)), axis=1), axis=1)
    most = (MOST_UNHEARD * np.isfinite(zscore).sum(1)).astype(int)
    found &= rank < most[:, None]
    for surface, cell in np.argwhere(found).tolist():
        row, column = divmod(cell, cells.shape[2])
        lines = ((cells[surface, row], column), (cells[surface, :, column], row))
        found[surface, cell] = min(_apart(*line) for line in lines) > _FINGER
    return np.asarray(found)


def _apart(line: FloatArray, place: int) -> float:
    """How far a quote of a row or column is from a line between its neighbours."""
    known = np.flatnonzero(np.isfinite(line))
    known = known[known != place]
    return float(np.abs(line[place] - np.interp(place, known, line[known]))) if len(known) else np.inf


def _with_quotes(found: Posterior, quotes: FloatArray, odd: BoolArray) -> Posterior:
    """An answer without the odd ones of quotes [B, n], which it foretells, with them."""
    std = np.where(odd, found.std, 1.0)
    zscore = (np.where(odd, quotes, 0.0) - found.mean) / std
    parts = {"mean": quotes, "std": np.zeros_like(std), "zscore": zscore, "density": log_density(zscore, std)}
    return replace(found, **{name: np.where(odd, part, getattr(found, name)) for name, part in parts.items()})


def _put(whole: _Of, places: IntArray, others: _Of, chosen: BoolArray) -> _Of:
    """With some surfaces' numbers in the place of its own."""
    parts = {part.name: getattr(whole, part.name).copy() for part in fields(whole)}
    for name, array in parts.items():
        array[places] = getattr(others, name)[chosen]
    return type(whole)(**parts)
