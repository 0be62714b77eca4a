"""Addresses, references and colours, as Calc and as xlwings write them."""

from __future__ import annotations

import re
from typing import Any

from voladdin.cells import address

from .document import Area

_A1 = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]+)")
# A range of another sheet: $'A sheet'.$B$2:$F$2 in Calc, 'A sheet'!$B$2:$F$2 in Excel.
_CALC_RANGE = re.compile(r"=ROWS\(\$?('(?:[^']|'')+'|[^'.()]+)\.(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")
_EXCEL_RANGE = re.compile(r"=ROWS\(('(?:[^']|'')+'|[^'!()]+)!(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")


def excel_formula(formula: str) -> str:
    """`=ROWS(...)` of a range of another sheet as Excel writes it; any other formula as it is."""
    return _CALC_RANGE.sub(r"=ROWS(\1!\2)", formula)


def calc_formula(formula: str) -> str:
    """The opposite of `excel_formula`."""
    return _EXCEL_RANGE.sub(r"=ROWS($\1.\2)", formula)


def rgb(number: int | None) -> tuple[int, int, int] | None:
    """0xRRGGBB as xlwings gives colours."""
    return None if number is None else (number >> 16 & 255, number >> 8 & 255, number & 255)


def colour_number(colour: Any) -> int | None:
    """An xlwings colour, (r, g, b), "#rrggbb" or None, as 0xRRGGBB."""
    if colour is None:
        return None
    if isinstance(colour, str):
        return int(colour.lstrip("#"), 16)
    red, green, blue = colour
    return int(red) << 16 | int(green) << 8 | int(blue)


def corners(given: str | tuple[int, ...]) -> Area:
    """Of a (row, column[, rows, columns]) or an address."""
    if isinstance(given, tuple):
        row, column, *shape = given
        rows, columns = shape or (1, 1)
        return row, column, row + rows - 1, column + columns - 1
    found = [_A1.fullmatch(part) for part in given.split(":")]
    (top, left), (bottom, right) = (_cell(match) for match in (found[0], found[-1]))
    return top, left, bottom, right


def a1(area: Area) -> str:
    """Such as $B$2:$F$9."""
    first, last = (
        re.sub(r"([A-Z]+)", r"$\1$", address(row - 1, column - 1)) for row, column in (area[:2], area[2:])
    )
    return first if area[:2] == area[2:] else f"{first}:{last}"


def _cell(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        raise ValueError("expected an address such as A1 or $A$1:$F$9")
    column = 0
    for letter in match[1].upper():
        column = 26 * column + ord(letter) - 64
    return int(match[2]), column
