"""Insert formula: a function, its arguments chosen by mouse, as an array of its size beside the grid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..cells import Cell, Cells, address, read_number, shown
from ..errors import InputError
from ..worksheet.registry import FUNCTIONS, Argument, Function, evaluate
from .ledger import CellRun, contents
from .questions import Prompt, ask, ask_range, cells_named, reference
from .repairing import LAST_COLUMN, LAST_ROW
from .selection import selected, values_of
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME = "insert"
_LEFT_OUT = "VOLINFO"  # speaks of cells, not of grids
_NAMES = tuple(name for name in FUNCTIONS if name != _LEFT_OUT)
_FOUR = ("level", "skew", "curv", "term")  # asked although each may be left blank
_LONGEST = 255  # characters of Excel's array formulas, as entered by a program
_WORDS = 250  # characters of a question in Excel


class _Given(NamedTuple):
    """An argument as it is now, and the cells that it is of; None where it is typed, or left out."""

    value: Cell | Cells
    cells: xw.Range | None = None

    def text(self, sheet: str) -> str:
        """In a formula on a sheet."""
        if self.cells is not None:
            return reference(self.cells, sheet)
        if isinstance(self.value, bool):
            return str(self.value).upper()
        return "" if self.value is None else json.dumps(self.value, ensure_ascii=False)


_OMITTED = _Given(None)


def insert(book: xw.Book) -> str:
    """Asks for a function, its arguments and where the result goes, and writes the formula; in words.

    The result's size is found by computing it once. Raises VoladdinError, and then the book is as it was:
    where the function refuses its arguments, or a cell of the result's is not blank.
    """
    function = FUNCTIONS[ask(book, Prompt("text", "Which function?", _NAMES[0], _NAMES))]
    asked = [argument for argument in function.arguments if not argument.optional or argument.name in _FOUR]
    given = {argument.name: _asked(book, function, argument) for argument in asked}
    given |= _others(book, function, given)
    every = [given.get(argument.name, _OMITTED) for argument in function.arguments]
    found = evaluate(function.name, [one.value for one in every])
    size = len(found), len(found[0])
    words = f"The first cell of the result, {size[0]} x {size[1]} cells"
    place = ask_range(book, words, _beside(given.values(), book.sheets.active.name))
    corner = CellRun(place.sheet.name, place.row, place.column)
    formula = f"={function.name}({', '.join(one.text(corner.sheet) for one in every).rstrip(', ')})"
    if len(formula) > _LONGEST:
        raise InputError(f"{formula} has {len(formula)} characters; expected {_LONGEST}, as Excel's arrays")
    with Transaction(book, NAME) as changes:
        _require_blank(book, corner, size)
        changes.enter_array(corner, size, formula)
    return f"wrote {formula} to {corner}, {size[0]} x {size[1]} cells"


def _asked(book: xw.Book, function: Function, argument: Argument) -> _Given:
    """A range by mouse, the first one's default the grid at the cursor; a value typed, or a cell's."""
    words = f"{function.name}: {argument.name}, {argument.help}"[:_WORDS]
    if argument.kind != "range":
        return _typed(book, ask(book, Prompt("text", words)))
    first = argument is function.arguments[0] and argument.name not in _FOUR
    return _of(ask_range(book, words, _grid_at_cursor(book) if first else ""))


def _grid_at_cursor(book: xw.Book) -> str:
    try:
        return str(selected(book).address)
    except InputError:
        return ""


def _of(cells: xw.Range) -> _Given:
    return _Given(values_of(cells, ()), cells)


def _typed(book: xw.Book, text: str) -> _Given:
    """A cell or range of this book, a number, TRUE, FALSE, or text, which may stand in quotes."""
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        return _Given(text[1:-1])
    cells = cells_named(book, text)
    if cells is not None:
        return _of(cells)
    number = read_number(text)
    if text.upper() in ("TRUE", "FALSE"):
        return _Given(text.upper() == "TRUE")
    return _Given((text or None) if number is None or number.percent else number.value)


def _others(book: xw.Book, function: Function, given: dict[str, _Given]) -> dict[str, _Given]:
    """What else is named: output=std; prior=H1:M9. Raises InputError for a name that is no argument."""
    names = [argument.name for argument in function.arguments if argument.name not in given]
    if not names:
        return {}
    words = f"Others, such as {names[0]}=...; blank for none: {', '.join(names)}"[:_WORDS]
    found = {}
    for part in filter(str.strip, ask(book, Prompt("text", words)).split(";")):
        name, equals, text = (word.strip() for word in part.partition("="))
        if not equals or name.lower() not in names:
            raise InputError(f"{part.strip()!r} names no argument; expected one of {', '.join(names)}")
        found[name.lower()] = _typed(book, text)
    return found


def _beside(given: Iterable[_Given], active: str) -> str:
    """The cell one column behind the widest of the ranges on the sheet."""
    there = [one.cells for one in given if one.cells is not None and one.cells.sheet.name == active]
    if not there:
        return ""
    first = min(there, key=lambda cells: int(cells.row))
    column = max(cells.column + cells.shape[1] for cells in there) + 1
    return address(first.row - 1, column - 1) if column <= LAST_COLUMN else ""


def _require_blank(book: xw.Book, corner: CellRun, size: tuple[int, int]) -> None:
    """Raises InputError naming a cell of the result's that is not, or where it leaves the sheet."""
    last = corner.row + size[0] - 1, corner.column + size[1] - 1
    if last[0] > LAST_ROW or last[1] > LAST_COLUMN:
        raise InputError(f"{size[0]} x {size[1]} cells from {corner} leave the sheet")
    table = contents(book.sheets[corner.sheet].range((corner.row, corner.column), last))
    for i, row in enumerate(table):
        for j, cell in enumerate(row):
            if cell not in (None, ""):
                place = CellRun(corner.sheet, corner.row + i, corner.column + j)
                raise InputError(f"{place} holds {shown(cell)}; expected {size[0]} x {size[1]} blank cells")
