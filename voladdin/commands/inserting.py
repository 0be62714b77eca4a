"""Insert formula: a function, its arguments chosen by mouse, as an array of its size beside the grid."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from ..cells import Cell, Cells, address, read_number, shown
from ..errors import InputError, VoladdinError
from ..worksheet.references import explained
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
_LONGEST_FORMULA = 255  # characters of Excel's array formulas, as entered by a program
_LONGEST_QUESTION = 250  # characters, in Excel
_ALIKE = 3.0  # medians within this factor are of one unit


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
        if isinstance(self.value, str):  # a backslash is itself in a formula, a quote is doubled
            return '"' + self.value.replace('"', '""') + '"'
        return "" if self.value is None else repr(self.value)


_NONE = "none"
_WORDED = ("tenors", "strikes", "rr25")  # ranges that a word may stand for: typed where optional
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
    found = _evaluated(function, every)
    size = len(found), len(found[0])
    words = f"The first cell of the result, {size[0]} x {size[1]} cells"
    place = ask_range(book, words, _offered(book, every, size))
    corner = CellRun(place.sheet.name, place.row, place.column)
    formula = f"={function.name}({', '.join(one.text(corner.sheet) for one in every).rstrip(', ')})"
    if len(formula) > _LONGEST_FORMULA:
        raise InputError(
            f"{formula} has {len(formula)} characters; expected {_LONGEST_FORMULA}, as Excel's arrays"
        )
    with Transaction(book, NAME) as changes:
        _require_room(book, corner, size, every)
        changes.enter_array(corner, size, formula)
        form = _form(every, found)
        for row in range(corner.row + 1, corner.row + size[0] if form else 0):
            changes.write(CellRun(corner.sheet, row, corner.column + 1, size[1] - 1), format=form)
    return f"wrote {formula} to {corner}, {size[0]} x {size[1]} cells"


def _asked(book: xw.Book, function: Function, argument: Argument) -> _Given:
    """A range by mouse, the first one's default the grid at the cursor; a word chosen; a value typed."""
    words = f"{function.name}: {argument.name}, {argument.help}"[:_LONGEST_QUESTION]
    if argument.choices:
        return _Given(ask(book, Prompt("text", words, argument.choices[0], argument.choices)))
    if argument.kind != "range" or (argument.optional and argument.name in _WORDED):
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
        return _Given(text[1:-1].replace('""', '"'))
    cells = cells_named(book, text)
    if cells is not None:
        return _of(cells)
    number = read_number(text)
    if text.upper() in ("TRUE", "FALSE"):
        return _Given(text.upper() == "TRUE")
    return _Given((text or None) if number is None or number.percent else number.value)


def _others(book: xw.Book, function: Function, given: dict[str, _Given]) -> dict[str, _Given]:
    """What else is chosen, one argument after the other until none is."""
    left = {argument.name: argument for argument in function.arguments if argument.name not in given}
    found: dict[str, _Given] = {}
    while left:
        name = ask(book, Prompt("text", "Which other argument?", _NONE, (_NONE, *left)))
        if name == _NONE:
            break
        found[name] = _asked(book, function, left.pop(name))
    return found


def _evaluated(function: Function, every: list[_Given]) -> Cells:
    """The result. Raises VoladdinError, which names cells as on the sheet."""
    try:
        return evaluate(function.name, [one.value for one in every])
    except VoladdinError as error:
        references = ["" if one.cells is None else one.cells.address for one in every]
        names = [argument.name for argument in function.arguments]
        raise type(error)(explained(str(error), names, references)) from None


def _offered(book: xw.Book, every: list[_Given], size: tuple[int, int]) -> str:
    """Where there is room: beside the first of the ranges on the sheet, below it, beyond all that is used."""
    active = book.sheets.active
    there = [one.cells for one in every if one.cells is not None and one.cells.sheet.name == active.name]
    if not there:
        return ""
    cells = there[0]
    used = active.used_range
    beside = (cells.row, cells.column + cells.shape[1] + 1)
    below = (cells.row + cells.shape[0] + 1, cells.column)
    for row, column in (beside, below):
        if not _in_the_way(book, CellRun(active.name, row, column), size):
            return address(row - 1, column - 1)
    beyond = used.column + used.shape[1]
    return address(cells.row - 1, beyond) if beyond < LAST_COLUMN else ""


def _require_room(book: xw.Book, corner: CellRun, size: tuple[int, int], every: list[_Given]) -> None:
    """Raises InputError where the result would cover what is there, or what it is computed from."""
    why = _in_the_way(book, corner, size)
    if why:
        raise InputError(why)
    for one in every:
        if one.cells is not None and _overlap(one.cells, corner, size):
            covered = one.cells.address.replace("$", "")
            raise InputError(f"{size[0]} x {size[1]} cells from {corner} cover {covered}, which they read")


def _in_the_way(book: xw.Book, corner: CellRun, size: tuple[int, int]) -> str:
    """The cell of the result's that is not blank, or that the result leaves the sheet; else blank."""
    last = corner.row + size[0] - 1, corner.column + size[1] - 1
    if last[0] > LAST_ROW or last[1] > LAST_COLUMN:
        return f"{size[0]} x {size[1]} cells from {corner} leave the sheet"
    table = contents(book.sheets[corner.sheet].range((corner.row, corner.column), last))
    for i, row in enumerate(table):
        for j, cell in enumerate(row):
            if cell not in (None, ""):
                place = CellRun(corner.sheet, corner.row + i, corner.column + j)
                return f"{place} holds {shown(cell)}; expected {size[0]} x {size[1]} blank cells"
    return ""


def _overlap(cells: xw.Range, corner: CellRun, size: tuple[int, int]) -> bool:
    """Whether the block from `corner` has a cell of the range's."""
    (rows, columns), down, across = cells.shape, corner.row - cells.row, corner.column - cells.column
    return cells.sheet.name == corner.sheet and -size[0] < down < rows and -size[1] < across < columns


def _form(every: list[_Given], found: Cells) -> str | None:
    """The number format of a grid of the result's size, where their numbers are of one unit."""
    for one in every:
        if one.cells is not None and one.cells.shape == (len(found), len(found[0])) and len(found) > 1:
            before, after = _middle(one.value), _middle(found)
            if before and after and 1 / _ALIKE < after / before < _ALIKE:
                form: str | None = one.cells[-1, -1].number_format
                return None if form == "General" else form
    return None


def _middle(rows: Any) -> float:
    """The median of the numbers within the headers; 0 where there is none."""
    numbers = [cell for row in rows[1:] for cell in row[1:] if isinstance(cell, float)]
    return median(numbers) if numbers else 0.0
