"""Explain: what the cell at the cursor is, how sure, and which quotes it follows; or why it is an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..arbitrage.trades import cell_label
from ..errors import InputError
from ..imputation.filling import impute
from ..imputation.influence import influences
from ..journal import said_by
from . import ledger
from .filling import still_filled
from .ledger import CellRun, formulas_of
from .selection import Target, find, grid_at

if TYPE_CHECKING:
    import xlwings as xw

_SHOWN = 3  # quotes
_CALL = re.compile(r"VOLIMPUTE\(\s*((?:'(?:[^']|'')+'|[\w.]+)[!.])?\$?([A-Z]+\$?\d+:\$?[A-Z]+\$?\d+)", re.I)


def explain(book: xw.Book) -> str:
    """What the cell at the cursor is, in words; nothing changes. Raises VoladdinError."""
    cell = _cursor(book)
    place = CellRun(cell.sheet.name, cell.row, cell.column)
    formula = str(formulas_of(cell)[0][0] or "")
    entry = said_by(book.name, str(place))
    if entry is not None and entry.error is not None and formula.startswith("="):
        return f"{place.address} is an error of {entry.function}: {entry.error} ({entry.error.reference})"
    called = _CALL.search(formula)
    if called:
        return _of_a_formula(book, place, called)
    target = find(book, still_filled(book, ledger.load(book)))
    return f"{place.address}, {_explained(target, _node(target, place))}"


def _cursor(book: xw.Book) -> xw.Range:
    selection = book.selection
    if selection is None or "," in selection.address:
        raise InputError("no single cell is selected; expected the cursor in a vol of a grid")
    return selection[0, 0] if len(selection) > 1 else selection


def _node(target: Target, place: CellRun) -> tuple[int, int]:
    """The tenor and strike of a cell. Raises InputError where it holds no vol of the grid."""
    for tenor, strike in np.ndindex(target.grid.surface.shape):
        if place in target.places(tenor, strike):
            return tenor, strike
    raise InputError(f"{place.address} is no vol of {target.name}; expected the cursor in one of its vols")


def _of_a_formula(book: xw.Book, place: CellRun, called: re.Match[str]) -> str:
    """A cell of VOLIMPUTE's result: that of the grid which the formula reads."""
    sheet = (called[1] or f"{place.sheet}!")[:-1].strip("$'").replace("''", "'")
    target = grid_at(book.sheets[sheet].range(called[2].replace("$", "")))
    top, left = _corner(book, place)
    row, column = place.row - top, place.column - left
    source = target.place_of(row, column)
    return f"{place.address}, the answer for {source}, {_explained(target, _node(target, source))}"


def _corner(book: xw.Book, place: CellRun) -> tuple[int, int]:
    """The first cell of the array formula that a cell is part of: up and left while the formula is one."""
    sheet = book.sheets[place.sheet]

    def formula(row: int, column: int) -> str:
        return str(formulas_of(sheet.range((row, column)))[0][0] or "") if row and column else ""

    top, left, text = place.row, place.column, formula(place.row, place.column)
    while formula(top - 1, left) == text:
        top -= 1
    while formula(top, left - 1) == text:
        left -= 1
    return top, left


def _explained(target: Target, node: tuple[int, int]) -> str:
    surface, unit = target.grid.surface, target.grid.unit
    answer, label = impute(surface), cell_label(surface, *node)
    if surface.observed[node]:
        said = f"{label}: a quote, {unit * surface.vols[node]:.4g}"
        z = answer.zscore[node]
        said += f", {abs(z):.2g} standard deviations from what the others imply" if np.isfinite(z) else ""
        said += "; it can be arbitraged against more plausible quotes" if answer.disputed[node] else ""
    else:
        low, high = (unit * side[node] for side in (answer.low, answer.high))
        said = f"{label}: a fill, {unit * answer.filled[node]:.4g}, 90% band {low:.4g} to {high:.4g}"
        said += ", moved to add no arbitrage" if answer.moved[node] else ""
    if surface.observed.sum() - surface.observed[node] < 1:
        return said
    return f"{said}; {_followed(target, node)} ({answer.model})"


def _followed(target: Target, node: tuple[int, int]) -> str:
    """The quotes that weigh most, by their gains."""
    surface = target.grid.surface
    weights = [
        f"{target.places(i.row, i.column)[0].address} {cell_label(surface, i.row, i.column)} {i.gain:+.2f}"
        for i in influences(surface, *node)[:_SHOWN]
    ]
    what = "the others' weights in it" if surface.observed[node] else "weights of the quotes"
    return f"{what}: {', '.join(weights)}"
