"""Fill missing: imputed vols in the holes of a grid, each with its uncertainty as a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..cells import render
from ..home import VERSION
from ..imputation.filling import Imputation, impute
from ..imputation.suspects import suspects
from . import ledger
from .filling_matrix import fill_matrix, matrix_at
from .filling_quotes import fill_quotes
from .holes import SHOWN, counted, formats_beside, in_words, refuse_merged, why_left_alone, write_hole
from .ledger import CellRun, Record
from .selection import Target, grid_at, selected
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME = "fill"


def fill_missing(book: xw.Book) -> str:
    """Writes imputed vols into the holes of the grid; what it did, in words.

    A hole is a blank cell, a mark of a missing quote ("n/a", "-") or an error value; a formula, other text, 0
    and negative numbers are left alone. Holes filled before, and not changed since, are filled anew.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        earlier = still_filled(book, changes.records)
        selection = selected(book)
        matrix = matrix_at(selection, earlier)
        if matrix is not None:
            return fill_matrix(changes, NAME, selection, matrix, earlier)
        target = grid_at(selection, earlier)
        if target.quotes is not None:
            return fill_quotes(changes, NAME, target, target.quotes, earlier)
        holes, left = _holes(target, earlier)
        if not holes:
            return in_words(f"no hole to fill in {target.name}, {target.axes}", left)
        refuse_merged(target, [target.offsets(*hole) for hole in holes])
        answer = impute(target.grid.surface)
        cells = render(target.grid, answer.filled)
        for (tenor, strike), form in zip(holes, formats_beside(target, holes), strict=True):
            row, column = target.offsets(tenor, strike)
            place, note = target.place(tenor, strike), _note(target, answer, tenor, strike)
            write_hole(changes, NAME, place, cells[row][column], form, note)
        told = {said.split()[0] for said in left}
        notes = [warning for warning in target.warnings if told.isdisjoint(warning.split())]
        notes += _doubts(target, answer)
    done = f"filled {counted(len(holes), 'hole')} of {target.name}, {target.axes} ({answer.model})"
    return in_words(in_words(done, left), notes, "note")


def still_filled(book: xw.Book, records: list[Record]) -> set[CellRun]:
    """Cells of the active sheet that hold what Fill wrote there."""
    active = book.sheets.active.name
    found = [r for r in records if r.command == NAME and r.place.sheet == active and "value" in r.ours]
    return {r.place for r in found if ledger.same(ledger.get(r.place.cells(book), "value"), r.ours["value"])}


def _holes(target: Target, earlier: set[CellRun]) -> tuple[list[tuple[int, int]], list[str]]:
    """Cells to fill, and in words those missing ones that are left alone."""
    holes, left = [], []
    for tenor, strike in np.argwhere(~target.grid.surface.observed).tolist():
        row, column = target.offsets(tenor, strike)
        why = why_left_alone(target, target.grid.raw[row][column], (row, column), earlier)
        if why:
            left.append(why)
        else:
            holes.append((tenor, strike))
    return holes, left


def _note(target: Target, answer: Imputation, tenor: int, strike: int) -> str:
    """Such as "±12 bp, 90% band 8.10% to 8.40%, voladdin fx 0.1.0"."""
    at = tenor, strike
    low, high = answer.low[at], answer.high[at]
    band = f"{low:.2%} to {high:.2%}"
    if target.grid.normal is not None:
        band = f"{1e4 * low:.3g} to {1e4 * high:.3g} bp"
    return (
        f"±{1e4 * answer.std[at]:.3g} bp, 90% band {band}, voladdin {answer.model.split(' (')[0]} {VERSION}"
    )


def _doubts(target: Target, answer: Imputation) -> list[str]:
    """Quotes that the others make improbable, or that can be arbitraged, by their addresses."""
    unit = target.grid.unit
    found = [
        f"{target.place(s.row, s.column).address} is {unit * s.quote:.4g}, and the other quotes imply "
        f"{unit * s.implied:.4g} ± {unit * s.std:.2g}"
        for s in suspects(target.grid.surface, answer.zscore, most=SHOWN)
    ]
    quotes = answer.disputed & target.grid.surface.observed
    disputed = [target.place(*cell).address for cell in np.argwhere(quotes).tolist()]
    if disputed:
        found.append(f"{', '.join(disputed)} can be arbitraged against more plausible quotes")
    return found
