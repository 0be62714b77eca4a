"""Fill missing on an ATM matrix of swaptions: expiry by swap tenor, no strikes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from ..cells import AtmMatrix, find_matrix
from ..errors import VoladdinError
from ..home import VERSION
from ..imputation.atm_matrix import MatrixAnswer, improbable, impute_matrix
from .holes import counted, in_words, refuse_merged, why_left_alone, write_hole
from .ledger import CellRun, formulas_of
from .selection import Region, on_sheet, values_of
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

_NAMED = 3  # improbable quotes in a note


def matrix_at(selection: xw.Range, blank: Collection[CellRun]) -> AtmMatrix | None:
    """The ATM matrix of a range, if it is one; blank: cells to read as blank. Raises InputError."""
    try:
        return find_matrix(values_of(selection, blank))
    except VoladdinError as error:
        raise type(error)(on_sheet(str(error), selection)) from None


def fill_matrix(
    changes: Transaction, command: str, selection: xw.Range, matrix: AtmMatrix, earlier: Collection[CellRun]
) -> str:
    """Writes imputed vols into the holes of the matrix; what it did, in words.

    Raises VoladdinError as `fill_missing`.
    """
    region = Region(selection, formulas_of(selection))
    holes, left = _holes(region, matrix, earlier)
    if not holes:
        return in_words(f"no hole to fill in {region.name}, an ATM matrix", left)
    refuse_merged(region, list(holes))
    answer = impute_matrix(matrix.vols, matrix.expiries, matrix.tenors)
    cells = matrix.render(answer.mean)
    for (row, column), at in holes.items():
        there = _nearest(matrix, at)
        form = str(region.cells(there[0] + 1, there[1] + 1).number_format)
        place, note = region.place_of(row, column), _note(answer, at)
        write_hole(changes, command, place, cells[row][column], form, note)
    done = f"filled {counted(len(holes), 'hole')} of {region.name}, an ATM matrix (universal)"
    told = {said.split()[0] for said in left}
    far = improbable(matrix.vols, matrix.expiries, matrix.tenors, _NAMED)
    suspected = [f"{matrix.name(quote.row, quote.column)} {quote.said()}" for quote in far]
    notes = [on_sheet(warning, selection) for warning in (*matrix.warnings, *suspected)]
    notes = [note for note in notes if told.isdisjoint(note.split())]
    return in_words(in_words(done, left), notes, "note")


def _holes(
    region: Region, matrix: AtmMatrix, earlier: Collection[CellRun]
) -> tuple[dict[tuple[int, int], tuple[int, int]], list[str]]:
    """Row and column of each cell to fill with its expiry and tenor, and in words those left alone."""
    holes: dict[tuple[int, int], tuple[int, int]] = {}
    left: list[str] = []
    for expiry, tenor in np.argwhere(np.isnan(matrix.vols)).tolist():
        at = matrix.rows[expiry], matrix.columns[tenor]
        why = why_left_alone(region, matrix.raw[at[0]][at[1]], at, earlier)
        if why:
            left.append(why)
        else:
            holes[at] = expiry, tenor
    return holes, left


def _nearest(matrix: AtmMatrix, at: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the quote nearest to an expiry and tenor."""
    quoted = np.argwhere(np.isfinite(matrix.vols))
    expiry, tenor = quoted[np.abs(quoted - at).sum(axis=1).argmin()].tolist()
    return matrix.rows[expiry], matrix.columns[tenor]


def _note(answer: MatrixAnswer, at: tuple[int, int]) -> str:
    """Such as "±0.03 of the vol, 90% band 0.195 to 0.208, voladdin …"; the band in the matrix's own unit."""
    relative = answer.std[at] / answer.mean[at]
    band = f"{answer.low[at]:.4g} to {answer.high[at]:.4g}"
    return f"±{relative:.2g} of the vol, 90% band {band}, voladdin universal {VERSION}"
