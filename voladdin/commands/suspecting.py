"""Suspects: colours the quotes that the others make improbable, with what these imply beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..imputation.filling import impute
from ..imputation.suspects import Suspect, suspects
from .ledger import CellRun, Record
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME, SHEET = "suspects", "voladdin suspects"
COLOURED_FROM = 4.0  # |z-score|
FILL = [255, 192, 0]
_HEADERS = ["quote", "vol", "the others imply", "one std", "z-score"]


def find_suspects(book: xw.Book) -> str:
    """Colours the quotes beyond 4 standard deviations of what the others imply; what it found, in words.

    Each has that value in a note, where it had none, and in a row on a sheet. What an earlier call left in
    this grid is taken back.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        target = find(book)
        surface = target.grid.surface
        found = [s for s in suspects(surface, impute(surface).zscore) if abs(s.zscore) > COLOURED_FROM]
        changes.take_back(_earlier(changes.records, target))
        if not found:
            changes.take_back([r for r in changes.records if r.command == NAME and r.place.sheet == SHEET])
            quotes = int(surface.observed.sum())
            return f"no suspect among the {quotes} quotes of {target.name}, {target.axes}"
        report = changes.sheet(SHEET)
        rows: list[list[Any]] = [list(_HEADERS), *(_row(target, suspect) for suspect in found)]
        changes.write_rows(report, 1, 1, rows)
        for number, suspect in enumerate(found, 2):
            _mark(changes, target, suspect, CellRun(report, number, 1))
    return f"{_said(target, found)}; see the sheet {report}"


def _mark(changes: Transaction, target: Target, suspect: Suspect, link: CellRun) -> None:
    for place in target.places(suspect.row, suspect.column):
        noted = place.cells(changes.book).note is not None
        note = {} if noted else {"note": f"the others imply {_implied(target, suspect)}"}
        changes.write(place, fill=FILL, **note)
    first = target.places(suspect.row, suspect.column)[0]
    changes.link(link, first, first.address)


def _earlier(records: list[Record], target: Target) -> list[Record]:
    return [r for r in records if r.command == NAME and "fill" in r.ours and target.holds(r.place)]


def _row(target: Target, suspect: Suspect) -> list[Any]:
    unit = target.grid.unit
    vols = [unit * vol for vol in (suspect.quote, suspect.implied, suspect.std)]
    return ["", *vols, suspect.zscore]


def _implied(target: Target, suspect: Suspect) -> str:
    """Such as "7.6 ± 0.18 (z-score 11)"."""
    unit = target.grid.unit
    return f"{unit * suspect.implied:.4g} ± {unit * suspect.std:.2g} (z-score {suspect.zscore:.3g})"


def _said(target: Target, found: list[Suspect]) -> str:
    count = "1 suspect" if len(found) == 1 else f"{len(found)} suspects"
    first, unit = found[0], target.grid.unit
    where = target.places(first.row, first.column)[0].address
    quote = f"{where} is {unit * first.quote:.4g}"
    return f"{count} in {target.name}: {quote}, and the other quotes imply {_implied(target, first)}"
