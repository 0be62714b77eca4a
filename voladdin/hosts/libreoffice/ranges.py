"""Ranges of the xlwings engine for Calc: cells, their looks and notes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xlwings import base_classes

from voladdin.cells import address

from .document import Area

if TYPE_CHECKING:
    from .engine import Sheet

_A1 = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]+)")
# A range of another sheet: $'A sheet'.$B$2:$F$2 in Calc, 'A sheet'!$B$2:$F$2 in Excel.
_CALC_RANGE = re.compile(r"=ROWS\(\$?('(?:[^']|'')+'|[^'.()]+)\.(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")
_EXCEL_RANGE = re.compile(r"=ROWS\(('(?:[^']|'')+'|[^'!()]+)!(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")


def from_calc(formula: str) -> str:
    """`=ROWS(...)` of a range of another sheet as Excel writes it; any other formula as it is."""
    return _CALC_RANGE.sub(r"=ROWS(\1!\2)", formula)


def to_calc(formula: str) -> str:
    """The opposite of `from_calc`."""
    return _EXCEL_RANGE.sub(r"=ROWS($\1.\2)", formula)


def rgb(number: int | None) -> tuple[int, int, int] | None:
    """0xRRGGBB as xlwings gives colours."""
    return None if number is None else (number >> 16 & 255, number >> 8 & 255, number & 255)


def number(colour: Any) -> int | None:
    """An xlwings colour, (r, g, b), "#rrggbb" or None, as 0xRRGGBB."""
    if colour is None:
        return None
    if isinstance(colour, str):
        return int(colour.lstrip("#"), 16)
    red, green, blue = colour
    return int(red) << 16 | int(green) << 8 | int(blue)


def corners(given: Any) -> Area:
    """Of a range, a (row, column[, rows, columns]) or an address."""
    if isinstance(given, Range):
        return given.area
    if isinstance(given, tuple):
        row, column, *shape = given
        rows, columns = shape or (1, 1)
        return row, column, row + rows - 1, column + columns - 1
    found = [_A1.fullmatch(part) for part in given.split(":")]
    (top, left), (bottom, right) = (_cell(match) for match in (found[0], found[-1]))
    return top, left, bottom, right


def _cell(match: re.Match[str] | None) -> tuple[int, int]:
    if match is None:
        raise ValueError("expected an address such as A1 or $A$1:$F$9")
    column = 0
    for letter in match[1].upper():
        column = 26 * column + ord(letter) - 64
    return int(match[2]), column


class Range(base_classes.Range):
    def __init__(self, sheet: Sheet, area: Area, areas: list[Area] | None = None) -> None:
        self._sheet, self.area, self._areas = sheet, area, areas or [area]

    @property
    def sheet(self) -> Sheet:
        return self._sheet

    @property
    def api(self) -> Range:
        return self

    @property
    def coords(self) -> tuple[Any, ...]:
        return (self.sheet.name, self.row, self.column, *self.shape)

    @property
    def row(self) -> int:
        return self.area[0]

    @property
    def column(self) -> int:
        return self.area[1]

    @property
    def shape(self) -> tuple[int, int]:
        top, left, bottom, right = self.area
        return bottom - top + 1, right - left + 1

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    def __call__(self, arg1: int, arg2: int | None = None) -> Range:
        if arg2 is None:
            row, column = divmod(arg1 - 1, self.shape[1])
        else:
            row, column = arg1 - 1, arg2 - 1
        place = self.row + row, self.column + column
        return Range(self.sheet, (*place, *place))

    max_cells_per_read = None
    max_cells_per_write = None

    @property
    def address(self) -> str:
        return self.geta1(True, True, False)

    def geta1(self, row_absolute: bool, column_absolute: bool, external: bool) -> str:
        return ",".join(a1(area) for area in self._areas)

    @property
    def current_region(self) -> Range:
        return Range(self.sheet, self.sheet.book.document.region)

    def _get(self, attribute: str) -> list[list[Any]]:
        return self.sheet.book.document.get(self.sheet.name, self.area, attribute)

    def _common(self, attribute: str) -> Any:
        """The attribute where all cells have the same, else None, as Excel has it."""
        first, *others = (value for row in self._get(attribute) for value in row)
        return first if all(other == first for other in others) else None

    def _set(self, attribute: str, value: Any, change: Callable[[Any], Any] = lambda cell: cell) -> None:
        rows, columns = self.shape
        if not isinstance(value, (list, tuple)):
            value = [[value] * columns] * rows
        cells = [[change(cell) for cell in row] for row in value]
        self.sheet.book.document.set(self.sheet.name, self.area, attribute, cells)

    @property
    def raw_value(self) -> list[list[Any]]:
        return self._get("value")

    @raw_value.setter
    def raw_value(self, value: Any) -> None:
        self._set("value", value)

    @property
    def formula(self) -> Any:
        rows = tuple(tuple(map(from_calc, row)) for row in self._get("formula"))
        return rows if len(self) > 1 else rows[0][0]

    @formula.setter
    def formula(self, value: Any) -> None:
        self._set("formula", value, lambda cell: to_calc(cell) if isinstance(cell, str) else cell)

    @property
    def color(self) -> tuple[int, int, int] | None:
        return rgb(self._common("fill"))

    @color.setter
    def color(self, color_or_rgb: Any) -> None:
        self._set("fill", number(color_or_rgb))

    @property
    def font(self) -> Font:
        return Font(self)

    @property
    def number_format(self) -> str | None:
        found: str | None = self._common("format")
        return found

    @number_format.setter
    def number_format(self, value: str) -> None:
        self._set("format", value)

    @property
    def merge_cells(self) -> bool | None:
        found: bool | None = self._common("merged")
        return found

    @property
    def note(self) -> Note | None:
        return None if self._common("note") is None else Note(self)

    def add_note(self, text: str) -> Note:
        self._set("note", text)
        return Note(self)

    def add_hyperlink(
        self, address: str, text_to_display: str | None = None, screen_tip: str | None = None
    ) -> None:
        self.sheet.book.document.link(self.sheet.name, self.area, address, text_to_display or address)


def a1(area: Area) -> str:
    """Such as $B$2:$F$9."""
    first, last = (
        re.sub(r"([A-Z]+)", r"$\1$", address(row - 1, column - 1)) for row, column in (area[:2], area[2:])
    )
    return first if area[:2] == area[2:] else f"{first}:{last}"


class Font(base_classes.Font):
    def __init__(self, cells: Range) -> None:
        self._range = cells

    @property
    def api(self) -> Range:
        return self._range

    @property
    def color(self) -> tuple[int, int, int] | None:
        return rgb(self._range._common("font"))

    @color.setter
    def color(self, color_or_rgb: Any) -> None:
        self._range._set("font", number(color_or_rgb))


class Note:
    """A cell note."""

    def __init__(self, cell: Range) -> None:
        self._cell = cell

    @property
    def text(self) -> str:
        return str(self._cell._common("note"))

    @text.setter
    def text(self, value: str) -> None:
        self._cell._set("note", value)

    def delete(self) -> None:
        self._cell._set("note", None)
