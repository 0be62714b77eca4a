r"""Calls and cells as lines of text, for hosts whose language has no JSON: VBA, a few lines of C.

A call is the function's name, a line of its caller (book, cell, the reference of each argument), then each
argument: a line "rows, columns" and its rows; "0, 0" is omitted, and "x, why" one that the host refuses. An
answer is "rows, columns" and the rows, then a line a message. Tabs divide fields, line feeds lines.

A cell is a letter and its value, nothing where blank: n a number, or some whose sum it is (a host may write
no more than 15 digits); b 1 or 0; d a date, by its serial number of the 1900 system; e an error value; t a
text, in which \b is a backslash, \t a tab, \n a line feed and \r a carriage return.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..cells import ERROR_CELLS, Cell, Cells
from ..errors import InputError, VoladdinError
from ..journal import NOBODY, Caller, recorded, warned_at
from ..labels.dates import date_of_serial, serial_of_date
from .references import explained
from .registry import FUNCTIONS, evaluate

MOST_CELLS = 100_000  # of one argument
_ESCAPES = (("\\", "\\b"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_DIGITS = 15
_TINY = 1e-300  # a rest below is none: Basic overflows near the smallest numbers
_LATEST = 2_958_466  # serial number of a date after 9999


@dataclass(frozen=True)
class Call:
    """A function's name, its arguments and where it is called from. refused: why a host cannot pass them."""

    name: str
    arguments: list[Cell | Cells] = field(default_factory=list)
    caller: Caller = NOBODY
    refused: str = ""


def answer(text: str) -> str:
    """What a worksheet function answers to a call; an error is its one cell and its message.

    Raises InputError where the text is no call.
    """
    call = read_call(text)
    try:
        cells = _evaluated(call)
    except VoladdinError as error:
        return write_answer([[error.cell_error]], [f"{_placed(str(error), call)} ({error.reference})"])
    return write_answer(cells, [_placed(warning, call) for warning in warned_at(call.caller)])


def _placed(message: str, call: Call) -> str:
    """With addresses on the sheet, where these are known."""
    function = FUNCTIONS.get(call.name.upper())
    names = [argument.name for argument in function.arguments] if function else []
    return explained(message, names, call.caller.arguments)


def _evaluated(call: Call) -> Cells:
    if call.refused:
        with recorded(call.name, call.caller):
            raise InputError(call.refused)
    return evaluate(call.name, call.arguments, call.caller)


def write_call(call: Call) -> str:
    """A call as text."""
    where = call.caller.book, call.caller.cell, *call.caller.arguments
    lines = [call.name, "\t".join(map(escaped, where))]
    for argument in call.arguments:
        rows = argument if isinstance(argument, list) else [[argument]]
        lines += ["0\t0"] if argument is None else _lines(rows)
    if call.refused:
        lines.append(f"x\t{escaped(call.refused)}")
    return "\n".join(lines)


def read_call(text: str) -> Call:
    """A call of such text. Raises InputError, naming the line."""
    lines = _Lines(text)
    name, where = lines.next("a function's name"), lines.next("book, cell and references")
    book, cell, *places = (*map(plain, where.split("\t")), "")
    arguments: list[Cell | Cells] = []
    refused = ""
    while lines.left:
        rows, columns = lines.fields("rows and columns", 2)
        if rows == "x":
            refused = refused or plain(columns)
        else:
            arguments.append(_block(lines, rows, columns) or None)
    return Call(name, arguments, Caller(book, cell, tuple(places[: len(arguments)])), refused)


def write_answer(cells: Cells, said: tuple[str, ...] | list[str] = ()) -> str:
    """Cells and messages as text."""
    return "\n".join([*_lines(cells), *map(escaped, said)])


def read_answer(text: str) -> tuple[Cells, list[str]]:
    """The cells and messages of such text. Raises InputError, naming the line."""
    lines = _Lines(text)
    cells = _block(lines, *lines.fields("rows and columns", 2))
    return cells, [plain(line) for line in lines]


def write_cell(cell: Any) -> str:
    """One cell."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, str):
        return f"e{cell}" if cell in ERROR_CELLS else f"t{escaped(cell)}"
    if isinstance(cell, date):
        return f"d{_digits(serial_of_date(cell))}"
    if isinstance(cell, bool):
        return f"b{int(cell)}"
    number = float(cell)
    return f"n{_digits(number)}" if math.isfinite(number) else "e#NUM!"


def _digits(number: float) -> str:
    """15 digits, and what they lack."""
    shown = f"{number:.{_DIGITS}g}"
    lacking = number - float(shown)
    return f"{shown} {lacking:.{_DIGITS}g}" if _TINY < abs(lacking) < math.inf else shown


def read_cell(text: str) -> Cell:
    """One cell. Raises InputError."""
    kind, value = text[:1], text[1:]
    if kind not in _READ:
        raise InputError(
            f"{text[:40]!r}; expected nothing, or one of the letters {', '.join(_READ)} and a value"
        )
    try:
        return _READ[kind](value)
    except (ValueError, OverflowError):
        raise InputError(f"{text[:40]!r}; expected a value of the letter {kind}") from None


def escaped(text: str) -> str:
    """A text on one line without tabs."""
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text


def plain(text: str) -> str:
    """The text of an escaped one."""
    for character, escape in reversed(_ESCAPES):
        text = text.replace(escape, character)
    return text


def _number(text: str) -> float:
    number = math.fsum(map(float, text.split(" ")))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _date(text: str) -> date:
    serial = _number(text)
    if not 0 <= serial < _LATEST:
        raise ValueError(text)
    return date_of_serial(serial)


def _truth(text: str) -> bool:
    return bool(("0", "1").index(text))


def _error(text: str) -> str:
    return text if text in ERROR_CELLS else "#VALUE!"  # of a newer Excel


_READ: dict[str, Callable[[str], Cell]] = {
    "": lambda _: None,
    "n": _number,
    "b": _truth,
    "d": _date,
    "e": _error,
    "t": plain,
}


class _Lines(Iterator[str]):
    """The lines of a text, counted."""

    def __init__(self, text: str) -> None:
        self._lines, self._at = text.split("\n"), 0

    @property
    def left(self) -> bool:
        return self._at < len(self._lines)

    def __next__(self) -> str:
        if not self.left:
            raise StopIteration
        self._at += 1
        return self._lines[self._at - 1]

    def next(self, what: str) -> str:
        if not self.left:
            raise self.error(f"missing; expected {what}", 1)
        return next(self)

    def fields(self, what: str, count: int) -> list[str]:
        found = self.next(what).split("\t")
        if len(found) != count:
            raise self.error(f"{len(found)} fields; expected {what}: {count} of them, divided by tabs")
        return found

    def error(self, said: str, ahead: int = 0) -> InputError:
        return InputError(f"line {self._at + ahead} of the call is {said}")


def _lines(rows: Cells) -> list[str]:
    width = len(rows[0]) if rows else 0
    return [f"{len(rows)}\t{width}", *("\t".join(map(write_cell, row)) for row in rows)]


def _block(lines: _Lines, rows: str, columns: str) -> Cells:
    try:
        height, width = int(rows), int(columns)
    except ValueError:
        raise lines.error(f"{rows[:40]!r}, {columns[:40]!r}; expected rows and columns") from None
    if not (0 <= height * width <= MOST_CELLS and height >= 0):
        raise lines.error(f"{height} x {width} cells; expected at most {MOST_CELLS:,}")
    return [_row(lines, width) for _ in range(height if width else 0)]


def _row(lines: _Lines, width: int) -> list[Cell]:
    fields = lines.fields("cells", width)
    try:
        return [read_cell(text) for text in fields]
    except InputError as error:
        raise lines.error(f"wrong: a cell is {error}") from None
