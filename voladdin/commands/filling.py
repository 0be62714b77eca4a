"""Fill missing: imputed vols in the holes of a grid, each with its uncertainty as a note."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..cells import is_missing, render, shown
from ..errors import InputError
from ..home import version
from ..imputation.filling import Imputation, impute
from ..imputation.suspects import suspects
from . import ledger
from .ledger import Place, Record
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME = "fill"
FILL, FONT = [221, 235, 247], [31, 78, 121]
_SHOWN = 5


def fill_missing(book: xw.Book) -> str:
    """Writes imputed vols into the holes of the grid; what it did, in words.

    A hole is a blank cell, a mark of a missing quote ("n/a", "-") or an error value; a formula, other text, 0
    and negative numbers are left alone. Holes filled before, and not changed since, are filled anew.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        earlier = _still_filled(book, changes.records)
        target = find(book, earlier)
        holes, left = _holes(target, earlier)
        if not holes:
            return _words(f"no hole to fill in {target.name}, {target.axes}", left)
        _refuse_merged(target, holes)
        answer = impute(target.grid.surface)
        cells = render(target.grid, answer.filled)
        form = common_format(target)
        for tenor, strike in holes:
            row, column = target.offsets(tenor, strike)
            _write(
                changes, target.place(tenor, strike), cells[row][column], form, _note(answer, tenor, strike)
            )
        told = {said.split()[0] for said in left}
        notes = [warning for warning in target.warnings if told.isdisjoint(warning.split())]
        notes += _doubts(target, answer)
    done = f"filled {_number(len(holes), 'hole')} of {target.name}, {target.axes} ({answer.model})"
    return _words(_words(done, left), notes, "note")


def _still_filled(book: xw.Book, records: list[Record]) -> set[Place]:
    """Cells of the active sheet that hold what Fill wrote there."""
    active = book.sheets.active.name
    found = [r for r in records if r.command == NAME and r.place.sheet == active and "value" in r.ours]
    return {r.place for r in found if ledger.same(ledger.get(r.place.cells(book), "value"), r.ours["value"])}


def _holes(target: Target, earlier: set[Place]) -> tuple[list[tuple[int, int]], list[str]]:
    """Cells to fill, and in words those missing ones that are left alone."""
    holes, left = [], []
    for tenor, strike in np.argwhere(~target.grid.surface.observed).tolist():
        row, column = target.offsets(tenor, strike)
        cell, formula = target.grid.raw[row][column], target.formulas[row][column]
        place = target.place(tenor, strike)
        if isinstance(formula, str) and formula.startswith("="):
            left.append(f"{place.address} holds a formula")
        elif place in earlier or is_missing(cell):
            holes.append((tenor, strike))
        else:
            left.append(f"{place.address} holds {shown(cell)}")
    return holes, left


def _refuse_merged(target: Target, holes: list[tuple[int, int]]) -> None:
    if target.cells.merge_cells is False:
        return
    for tenor, strike in holes:
        row, column = target.offsets(tenor, strike)
        if target.cells(row + 1, column + 1).merge_cells:
            raise InputError(f"{target.place(tenor, strike)} is part of merged cells; expected single cells")


def common_format(target: Target) -> str:
    """The number format most quotes have."""
    quoted = np.argwhere(target.grid.surface.observed).tolist()
    places = [target.offsets(tenor, strike) for tenor, strike in quoted[: 4 * _SHOWN]]
    formats = [target.cells(row + 1, column + 1).number_format for row, column in places]
    return str(Counter(formats).most_common(1)[0][0])


def _write(changes: Transaction, place: Place, value: object, form: str, note: str) -> None:
    cell = place.cells(changes.book)
    look: dict[str, object] = {"fill": FILL, "font": FONT}
    if cell.number_format == "General" != form:
        look["format"] = form
    mine = [r.ours.get("note") for r in changes.records if r.place == place and r.command == NAME]
    if cell.note is None or cell.note.text in mine:
        look["note"] = note
    changes.write(place, value=[value], **look)


def _note(answer: Imputation, tenor: int, strike: int) -> str:
    """Such as "±12 bp, 90% band 8.10% to 8.40%, voladdin fx 0.1.0"."""
    at = tenor, strike
    low, high = answer.low[at], answer.high[at]
    return (
        f"±{1e4 * answer.std[at]:.3g} bp, 90% band {low:.2%} to {high:.2%}, "
        f"voladdin {answer.model.split(' (')[0]} {version()}"
    )


def _doubts(target: Target, answer: Imputation) -> list[str]:
    """Quotes that the others make improbable, or that can be arbitraged, by their addresses."""
    unit = 100 if target.grid.percent else 1
    found = [
        f"{target.place(s.row, s.column).address} is {unit * s.quote:.4g}, and the other quotes imply "
        f"{unit * s.implied:.4g} ± {unit * s.std:.2g}"
        for s in suspects(target.grid.surface, answer, most=_SHOWN)
    ]
    disputed = [target.place(*cell).address for cell in np.argwhere(answer.disputed).tolist()]
    if disputed:
        found.append(f"{', '.join(disputed)} can be arbitraged against more plausible quotes")
    return found


def _words(done: str, said: list[str], what: str = "left alone") -> str:
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return f"{done}; {what}: {', '.join(said[:_SHOWN])}{more}" if said else done


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
