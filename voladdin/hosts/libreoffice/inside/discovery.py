"""The calls of a function that a document's formulas are, by their text: of a book that was just opened.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_discovery.py`. The text is read
and not the value, so that nothing is calculated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Place: TypeAlias = tuple[int, int, int, int, int]

MOST_RANGES, MOST_CELLS = 3_000, 100_000  # with formulas, of a sheet
FORMULA = 16  # of com.sun.star.sheet.CellFlags
_CELL = r"\$?([A-Z]{1,3})\$?([0-9]+)"
_REFERENCE = re.compile(rf"(?:\$?('(?:[^']|'')+'|[^'.;()\"]+)\.)?{_CELL}(?::{_CELL})?")
_ARGUMENT = re.compile(r"""\s*((?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^"';(){}])*)\s*(;|$)""")


def discovered(sheets: Any, name: str, count: int) -> Iterator[list[tuple[Any, Place | None]]]:
    """The `count` arguments, each with its place, of calls with a range and then numbers and texts."""
    names = {sheet.upper(): index for index, sheet in enumerate(sheets.getElementNames())}
    for index in range(len(names)):
        for text in _formulas(sheets.getByIndex(index), f"{name}("):
            found = _call(text, name, index, names)
            if found is not None and len(found) <= count:
                yield found + [(None, None)] * (count - len(found))


def _formulas(sheet: Any, word: str) -> Iterator[str]:
    """The formulas of a sheet with this word, each text once."""
    full = sheet.queryContentCells(FORMULA).getRangeAddresses()
    cells = sum((a.EndRow - a.StartRow + 1) * (a.EndColumn - a.StartColumn + 1) for a in full)
    if len(full) > MOST_RANGES or cells > MOST_CELLS:
        return
    seen = set()
    for area in full:
        corners = area.StartColumn, area.StartRow, area.EndColumn, area.EndRow
        for row in sheet.getCellRangeByPosition(*corners).getFormulaArray():
            for text in row:
                if text not in seen and word in text:
                    seen.add(text)
                    yield text


def _call(text: str, name: str, sheet: int, names: dict[str, int]) -> list[tuple[Any, Place | None]] | None:
    """None where the formula is more than this call, or an argument more than a value."""
    whole = re.fullmatch(rf"\{{?=(?:[A-Z]+\.)*{name}\((.*)\)\}}?", text, re.IGNORECASE)
    given = None if whole is None else _split(whole[1])
    place = None if given is None else _place(given[0], sheet, names)
    if given is None or place is None:
        return None
    values = [_value(one) for one in given[1:]]
    return None if NotImplemented in values else [(None, place), *((value, None) for value in values)]


def _split(text: str) -> list[str] | None:
    """Of a call without another call in it."""
    found, end = [], -1
    while end < len(text):
        part = _ARGUMENT.match(text, end + 1)
        if part is None:
            return None
        found.append(part[1].strip())
        end = part.start(2)
    return found


def _place(text: str, sheet: int, names: dict[str, int]) -> Place | None:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    other, left, top, right, bottom = found.groups()
    if other is not None:
        sheet = names.get(other.strip("'").replace("''", "'").upper(), -1)
    corners = _column(left), int(top) - 1, _column(right or left), int(bottom or top) - 1
    return None if sheet < 0 else (sheet, *corners)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


def _value(text: str) -> Any:
    """A number, a text or nothing as Calc passes it; NotImplemented for anything else."""
    if not text:
        return None
    if text[0] == text[-1] == '"' and len(text) > 1:
        return text[1:-1].replace('""', '"')
    try:
        return float(text)
    except ValueError:
        return NotImplemented
