"""VOLIMPUTE and VOLINTERP of an ATM matrix of swaptions: expiry by swap tenor, no strikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import AtmMatrix, Cell, Cells, find_matrix, is_missing, shown
from ..errors import InputError
from ..imputation.atm_matrix import improbable, impute_matrix
from ..labels import parse_tenor
from .arguments import AxisArguments, valuation_of, warn

FIELDS = {"fill": "mean", "mean": "mean", "std": "std", "low": "low", "high": "high", "zscore": "zscore"}
_SAID = "an ATM matrix, expiries down and swap tenors across: no strikes, so nothing is said of arbitrage"
_SAME = 1e-9
_NAMED = 3  # quotes in a warning


def matrix_in(cells: Cells, axes: AxisArguments, *others: Any) -> AtmMatrix | None:
    """The matrix that the surface is, with its warnings; None where it is another grid.

    others: arguments that a matrix does not take. Raises InputError where one is given.
    """
    if axes.tenors is not None or axes.strikes is not None:
        return None
    try:
        matrix = find_matrix(cells, valuation_of(axes.valuation))
    except InputError as error:
        raise type(error)(f"surface: {error}") from None
    if matrix is None:
        return None
    if any(other is not None for other in (axes.forwards, axes.spot, *others)):
        raise InputError(
            "surface: an ATM matrix takes no prior, forwards, bid or ask; expected none of these"
        )
    for warning in (_SAID, *matrix.warnings):
        warn(f"surface: {warning}")
    return matrix


def imputed_matrix(matrix: AtmMatrix, wanted: str, coverage: float) -> Cells:
    """Its cells with what VOLIMPUTE is asked for. Raises InputError for an output that a matrix has not."""
    if wanted not in FIELDS:
        raise InputError(f"output is {wanted!r}; expected one of {', '.join(FIELDS)} of an ATM matrix")
    answer = impute_matrix(matrix.vols, matrix.expiries, matrix.tenors, coverage=coverage)
    for suspect in improbable(matrix.vols, matrix.expiries, matrix.tenors, _NAMED):
        warn(f"surface: {matrix.name(suspect.row, suspect.column)} {suspect.said()}")
    return matrix.render(getattr(answer, FIELDS[wanted]))


def interpolated_matrix(matrix: AtmMatrix, expiry: Cells, tenor: Cells) -> Cells:
    """The vol at each expiry and swap tenor: both of one shape, one of each, or a column by a row."""
    shape = tuple(max(len(a), len(b)) for a, b in ((expiry, tenor), (expiry[0], tenor[0])))
    for cells, name in ((expiry, "tenor"), (tenor, "strike")):
        if len(cells) not in (1, shape[0]) or len(cells[0]) not in (1, shape[1]):
            raise InputError(
                f"{name} has {len(cells)} x {len(cells[0])} cells; expected one, or {shape[0]} x {shape[1]}"
            )
    return [
        [_at(matrix, _pick(expiry, i, j), _pick(tenor, i, j)) for j in range(shape[1])]
        for i in range(shape[0])
    ]


def _pick(cells: Cells, i: int, j: int) -> Cell:
    return cells[min(i, len(cells) - 1)][min(j, len(cells[0]) - 1)]


def _at(matrix: AtmMatrix, expiry: Cell, tenor: Cell) -> Cell:
    """The answer with one more expiry and tenor, which are asked."""
    if is_missing(expiry) and is_missing(tenor):
        return ""
    years = [_years(cell, name) for cell, name in ((expiry, "tenor"), (tenor, "strike"))]
    rows, row = _with(matrix.expiries, years[0])
    columns, column = _with(matrix.tenors, years[1])
    vols = np.full((len(rows), len(columns)), np.nan)
    places = np.searchsorted(rows, matrix.expiries), np.searchsorted(columns, matrix.tenors)
    vols[np.ix_(*places)] = matrix.vols
    return float(impute_matrix(vols, rows, columns).mean[row, column])


def _years(cell: Cell, name: str) -> float:
    if not isinstance(cell, str):
        raise InputError(f"{name} is {shown(cell)}; expected a tenor such as 5Y, as in the ATM matrix")
    return parse_tenor(cell)


def _with(axis: Any, value: float) -> tuple[Any, int]:
    """The axis with one more value, unless it has it, and the value's place."""
    same = np.flatnonzero(np.abs(axis / value - 1) < _SAME)
    if len(same):
        return axis, int(same[0])
    place = int(np.searchsorted(axis, value))
    return np.insert(axis, place, value), place
