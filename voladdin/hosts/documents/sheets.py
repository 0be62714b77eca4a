"""A sheet of the xlwings engine on a document, and its ranges: cells, their looks and notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xlwings import base_classes

from .document import Area, Document, SheetData
from .notation import a1, calc_formula, colour_number, corners, excel_formula, rgb


class DocumentSheet(base_classes.Sheet):
    def __init__(self, book: base_classes.Book, document: Document, data: SheetData) -> None:
        self._book, self.document, self.data = book, document, data

    @property
    def book(self) -> base_classes.Book:
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
        return 1 + self.document.sheets.index(self.data)

    def range(self, arg1: Any, arg2: Any = None) -> Range:
        top, left, bottom, right = _area(arg1)
        if arg2 is not None:
            _, _, bottom, right = _area(arg2)
        return Range(self, (top, left, bottom, right))

    @property
    def used_range(self) -> Range:
        return Range(self, self.data.used)

    @property
    def visible(self) -> bool:
        return self.data.visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self.document.show(self.name, value)

    def activate(self) -> None:
        self.document.do("activate", self.name)

    def autofit(self, axis: str | None = None) -> None:
        self.document.do("autofit", self.name)

    def delete(self) -> None:
        self.document.remove(self.name)

    def draw(self, chart: dict[str, Any]) -> None:
        """A chart, as `edits.apply` takes it."""
        self.document.draw(self.name, "chart", chart)

    def heat(self, area: list[int]) -> None:
        """Colours cells by their size from now on."""
        self.document.draw(self.name, "heat", {"area": area})


class Range(base_classes.Range):
    def __init__(self, sheet: DocumentSheet, area: Area, areas: list[Area] | None = None) -> None:
        self._sheet, self.area, self._areas = sheet, area, areas or [area]

    @property
    def sheet(self) -> DocumentSheet:
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
        return Range(self.sheet, self.sheet.document.region)

    def _get(self, attribute: str) -> list[list[Any]]:
        return self.sheet.document.get(self.sheet.name, self.area, attribute)

    def _common(self, attribute: str) -> Any:
        """The attribute where all cells have the same, else None, as Excel has it."""
        first, *others = (value for row in self._get(attribute) for value in row)
        return first if all(other == first for other in others) else None

    def _set(self, attribute: str, value: Any, change: Callable[[Any], Any] = lambda cell: cell) -> None:
        rows, columns = self.shape
        if not isinstance(value, (list, tuple)):
            value = [[value] * columns] * rows
        cells = [[change(cell) for cell in row] for row in value]
        self.sheet.document.set(self.sheet.name, self.area, attribute, cells)

    @property
    def raw_value(self) -> list[list[Any]]:
        return self._get("value")

    @raw_value.setter
    def raw_value(self, value: Any) -> None:
        self._set("value", value)

    @property
    def formula(self) -> Any:
        rows = tuple(tuple(map(excel_formula, row)) for row in self._get("formula"))
        return rows if len(self) > 1 else rows[0][0]

    @formula.setter
    def formula(self, value: Any) -> None:
        self._set("formula", value, lambda cell: calc_formula(cell) if isinstance(cell, str) else cell)

    @property
    def formula2(self) -> Any:
        """Formulas spill in Excel alone, whose document says so."""
        if not self.sheet.document.spills:
            raise NotImplementedError
        return self.formula

    @formula2.setter
    def formula2(self, value: Any) -> None:
        self.formula = value

    @property
    def formula_array(self) -> Any:
        return self._common("formula")

    @formula_array.setter
    def formula_array(self, value: str) -> None:
        self.sheet.document.enter_array(self.sheet.name, self.area, value)

    @property
    def color(self) -> tuple[int, int, int] | None:
        return rgb(self._common("fill"))

    @color.setter
    def color(self, color_or_rgb: Any) -> None:
        self._set("fill", colour_number(color_or_rgb))

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
        self.sheet.document.link(self.sheet.name, self.area, address, text_to_display or address)


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
        self._range._set("font", colour_number(color_or_rgb))


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


def _area(given: Any) -> Area:
    return given.area if isinstance(given, Range) else corners(given)
