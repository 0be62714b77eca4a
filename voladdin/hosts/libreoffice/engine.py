"""An xlwings engine for LibreOffice Calc: the commands, written against `xlwings.Book`, run unchanged.

It works on a `Document`: cells that Calc's menu sent, and edits that the menu makes. Only what the commands
use is there; anything else raises NotImplementedError, as xlwings' base classes do. Nothing of xlwings.pro.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import xlwings as xw
from xlwings import base_classes

from voladdin.cells import address

from .document import Area, Document, Missing, SheetData

NAME = "libreoffice"
_ERRORS = frozenset({"#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#REF!", "#NAME?", "#NULL!"})
_A1 = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]+)")
# A range of another sheet: $'A sheet'.$B$2:$F$2 in Calc, 'A sheet'!$B$2:$F$2 in Excel.
_CALC_RANGE = re.compile(r"=ROWS\(\$?('(?:[^']|'')+'|[^'.()]+)\.(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")
_EXCEL_RANGE = re.compile(r"=ROWS\(('(?:[^']|'')+'|[^'!()]+)!(\$[A-Z]+\$[0-9]+(?::\$[A-Z]+\$[0-9]+)?)\)")


def run(name: str, book: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs a command: {"label", "message", "edits"}, or {"need": {"sheet", "area"}}, cells to send as well.

    book, blocks: as `Document` takes them. Raises VoladdinError where the command does.
    """
    from voladdin.commands import COMMANDS, execute

    document = Document(book, blocks)
    try:
        message = execute(name, book_of(document))
    except Missing as missing:
        return {"need": {"sheet": missing.sheet, "area": list(document.ample(missing))}}
    return {"label": COMMANDS[name].label, "message": message, "edits": document.plan()}


def book_of(document: Document) -> xw.Book:
    """The document as an xlwings Book, whose changes are the document's edits."""
    if NAME not in xw.engines.engines_by_name:
        xw.engines.add(xw.main.Engine(impl=Engine()))
    return xw.Book(impl=Book(App(document), document))


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


class Engine:
    """What xlwings asks of an engine; documents come with requests, so no app is running by itself."""

    name = NAME
    type = "desktop"

    @property
    def apps(self) -> Apps:
        return Apps()

    @staticmethod
    def clean_value_data(
        data: Any, datetime_builder: Any, empty_as: Any, number_builder: Any, err_to_str: bool
    ) -> list[list[Any]]:
        def clean(value: Any) -> Any:
            if value is None or value == "":
                return empty_as
            if isinstance(value, str) and value in _ERRORS:
                return value if err_to_str else None
            plain = isinstance(value, float) and number_builder is not None
            return number_builder(value) if plain else value

        return [[clean(value) for value in row] for row in data]

    @staticmethod
    def prepare_xl_data_element(value: Any, options: Any) -> Any:
        if value is None or (isinstance(value, float) and value != value):
            return ""
        if isinstance(value, str):
            return value.removeprefix("'")  # the mark of a text, which Excel does not show
        return value if isinstance(value, bool) else float(value)


class Apps(base_classes.Apps):
    def keys(self) -> list[int]:
        return []

    def __iter__(self) -> Iterator[App]:
        return iter(())

    def __len__(self) -> int:
        return 0


class App(base_classes.App):
    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def engine(self) -> Engine:
        return Engine()

    @property
    def api(self) -> Document:
        return self.document

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def selection(self) -> Range | None:
        if not self.document.selection:
            return None
        sheet = Sheet(Book(self, self.document), self.document.sheet(self.document.active))
        return Range(sheet, self.document.selection[0], self.document.selection)


class Book(base_classes.Book):
    def __init__(self, app: App, document: Document) -> None:
        self._app, self.document = app, document

    @property
    def app(self) -> App:
        return self._app

    @property
    def api(self) -> Document:
        return self.document

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def sheets(self) -> Sheets:
        return Sheets(self)


class Sheets(base_classes.Sheets):
    def __init__(self, book: Book) -> None:
        self.book = book

    @property
    def active(self) -> Sheet:
        return self(self.book.document.active)

    def __call__(self, key: int | str) -> Sheet:
        sheets = self.book.document.sheets
        return Sheet(self.book, sheets[key - 1] if isinstance(key, int) else self.book.document.sheet(key))

    def __contains__(self, name: str) -> bool:
        return any(sheet.name.lower() == name.lower() for sheet in self.book.document.sheets)

    def __len__(self) -> int:
        return len(self.book.document.sheets)

    def __iter__(self) -> Iterator[Sheet]:
        return (Sheet(self.book, sheet) for sheet in list(self.book.document.sheets))

    def add(self, before: Sheet | None = None, after: Sheet | None = None, name: str | None = None) -> Sheet:
        neighbour = before or after or self.active
        position = neighbour.index - (neighbour is not after)
        assert name is not None
        return Sheet(self.book, self.book.document.add(name, position))


class Sheet(base_classes.Sheet):
    def __init__(self, book: Book, data: SheetData) -> None:
        self._book, self.data = book, data

    @property
    def book(self) -> Book:
        return self._book

    @property
    def api(self) -> SheetData:
        return self.data

    @property
    def name(self) -> str:
        return self.data.name

    @name.setter
    def name(self, value: str) -> None:
        raise NotImplementedError

    @property
    def index(self) -> int:
        return 1 + self.book.document.sheets.index(self.data)

    def range(self, arg1: Any, arg2: Any = None) -> Range:
        top, left, bottom, right = _corners(arg1)
        if arg2 is not None:
            _, _, bottom, right = _corners(arg2)
        return Range(self, (top, left, bottom, right))

    @property
    def used_range(self) -> Range:
        return Range(self, self.data.used)

    @property
    def visible(self) -> bool:
        return self.data.visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self.book.document.show(self.name, value)

    def activate(self) -> None:
        self.book.document.do("activate", self.name)

    def autofit(self, axis: str | None = None) -> None:
        self.book.document.do("autofit", self.name)

    def delete(self) -> None:
        self.book.document.remove(self.name)


def _corners(given: Any) -> Area:
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
        return self.get_address(True, True, False)

    def get_address(self, row_absolute: bool, column_absolute: bool, external: bool) -> str:
        return ",".join(_address(area) for area in self._areas)

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


def _address(area: Area) -> str:
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
