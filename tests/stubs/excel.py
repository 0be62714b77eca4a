"""Excel's object model over a document in memory, as far as xlwings' Windows engine asks for it here.

What Excel does differently from Calc is done as in Excel: colours are BGR numbers, a single cell gives itself
and not rows, the font is black rather than automatic, an apostrophe marks a text, cell errors are numbers.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from tests.stubs import calc
from tests.stubs.excel_charts import FormatConditions, Shapes
from tests.stubs.win32 import ERRORS, ComError
from voladdin.hosts.documents.document import Area, Document, SheetData
from voladdin.hosts.documents.notation import a1, calc_formula, excel_formula
from voladdin.worksheet import wire

NO_COLOUR = -4142  # xlColorIndexNone


def swapped(number: int) -> int:
    """RGB as BGR, and back."""
    return (number & 255) << 16 | number & 0xFF00 | number >> 16


def _one_cell(formula: str) -> str:
    """What .Value and .Formula make of a formula that would spill."""
    return re.sub(r"^=([A-Z]+[0-9]+:)", r"=@\1", formula)


def _entered(cell: Any) -> Any:
    return calc_formula(cell.removeprefix("'")) if isinstance(cell, str) else cell


class Workbook:
    FullName = ""
    refused_names: frozenset[str] = frozenset()
    filtered = False

    def __init__(self, document: Document) -> None:
        self.document = document
        self.Name = document.name
        self.Application = Application()
        self.ProtectStructure = document.protected
        self.MultiUserEditing = False
        self.Worksheets = Worksheets(self)
        self.select(document.selection[0])

    def select(self, area: Area) -> None:
        self.Application.Selection = Range(self.ActiveSheet, area)

    @property
    def ActiveSheet(self) -> Worksheet:
        return self.Worksheets(self.document.active)


class Application:
    Hwnd, DisplayAlerts, Selection = 1, True, None

    def Run(self, macro: str, *given: Any) -> Any:
        """The add-in's VBA that writes notes, and that looks at cells one by one."""
        addin, _, name = macro.partition("!")
        assert addin == "'voladdin.xlam'"
        return {"VoladdinNotes": self._write_notes, "VoladdinSeen": self._seen}[name](*given)

    def _seen(self, cells: Any, what: str) -> str:
        top, left, bottom, right = cells.area
        each = [cells.Worksheet.Cells(i, j) for i in range(top, bottom + 1) for j in range(left, right + 1)]
        if what == "note":
            return "\n".join(wire.escaped(cell.Comment.Text()) if cell.Comment else "" for cell in each)
        if what == "format":
            return "\n".join(wire.escaped(cell.NumberFormat) for cell in each)
        if what == "font":
            return "\n".join(str(cell.Font.Color) for cell in each)
        unfilled = (cell.Interior.ColorIndex == NO_COLOUR for cell in each)
        return "\n".join(
            "" if no else str(cell.Interior.Color) for no, cell in zip(unfilled, each, strict=True)
        )

    def _write_notes(self, sheet: Worksheet, places: str, texts: str) -> None:
        for place, text in zip(places.split("\n"), texts.split("\n"), strict=True):
            cell = sheet.Range(place)
            cell.ClearComments()
            cell.AddComment(wire.plain(text))


class Picture:
    """What has no address."""


class Worksheets:
    def __init__(self, book: Workbook) -> None:
        self.Parent = book

    @property
    def Count(self) -> int:
        return len(self.Parent.document.sheets)

    def __call__(self, key: Any) -> Worksheet:
        sheets = self.Parent.document.sheets
        if isinstance(key, str):
            found = [sheet for sheet in sheets if sheet.name.lower() == key.lower()]
            if not found:
                raise ComError(f"no sheet {key}")
            return Worksheet(self.Parent, found[0])
        return Worksheet(self.Parent, sheets[key - 1])

    def __iter__(self) -> Any:
        return iter([Worksheet(self.Parent, sheet) for sheet in self.Parent.document.sheets])

    def Add(self, Before: Worksheet) -> Worksheet:
        if self.Parent.ProtectStructure:
            raise ComError("Add fails")
        name = f"Sheet{self.Count + 1}"
        sheet = self.Parent.document.add(name, Before.Index - 1)
        self.Parent.document.active = name
        return Worksheet(self.Parent, sheet)


class Worksheet:
    def __init__(self, book: Workbook, data: SheetData) -> None:
        self.Parent, self.data = book, data
        self.Application = book.Application

    @property
    def FilterMode(self) -> bool:
        return bool(self.Parent.filtered)

    @property
    def ProtectContents(self) -> bool:
        return self.data.protected

    @property
    def Comments(self) -> Comments:
        return Comments([Comment(self.Cells(*p)) for p, cell in self.data.cells.items() if cell.get("note")])

    @property
    def Name(self) -> str:
        return self.data.name

    @Name.setter
    def Name(self, name: str) -> None:
        document = self.Parent.document
        if len(name) > 31 or name in self.Parent.refused_names:
            raise ComError(f"the name {name} is refused")
        if document.active == self.data.name:
            document.active = name
        self.data.name = name

    @property
    def Index(self) -> int:
        return 1 + self.Parent.document.sheets.index(self.data)

    @property
    def Visible(self) -> bool:
        return self.data.visible

    @Visible.setter
    def Visible(self, visible: bool) -> None:
        self.Parent.document.show(self.Name, visible)

    @property
    def UsedRange(self) -> Range:
        return Range(self, self.data.used)

    @property
    def Shapes(self) -> Shapes:
        return Shapes(self)

    def Cells(self, row: int, column: int) -> Range:
        return Range(self, (row, column, row, column))

    def Range(self, address: str) -> Range | Union:
        assert len(address) <= 255
        parts = [Range(self, calc.area(part)) for part in address.split(",")]
        return parts[0] if len(parts) == 1 else Union(parts)

    def Activate(self) -> None:
        self.Parent.document.active = self.Name

    def Move(self, Before: Worksheet) -> None:
        sheets = self.Parent.document.sheets
        sheets.remove(self.data)
        sheets.insert(Before.Index - 1, self.data)

    def Delete(self) -> None:
        assert not self.Application.DisplayAlerts
        self.Parent.document.remove(self.Name)


class Union:
    """Several areas: what is set is set in each, and nothing is asked."""

    parts: list[Any]

    def __init__(self, parts: list[Any]) -> None:
        object.__setattr__(self, "parts", parts)

    def __setattr__(self, name: str, value: Any) -> None:
        for part in self.parts:
            setattr(part, name, value)

    @property
    def Interior(self) -> Union:
        return Union([part.Interior for part in self.parts])

    @property
    def Font(self) -> Union:
        return Union([part.Font for part in self.parts])

    def ClearContents(self) -> None:
        for part in self.parts:
            part.ClearContents()

    def ClearComments(self) -> None:
        for part in self.parts:
            part.ClearComments()


class Range:
    def __init__(self, sheet: Worksheet, area: Area) -> None:
        self.Worksheet, self.area = sheet, area
        self.Row, self.Column = area[:2]
        rows, columns = area[2] - area[0] + 1, area[3] - area[1] + 1
        self.Rows, self.Columns = SimpleNamespace(Count=rows), SimpleNamespace(Count=columns)
        self._count = rows * columns
        self.Address = a1(area)
        self.Hyperlinks = SimpleNamespace(Add=self._link)

    @property
    def Count(self) -> int:
        if self._count >= 1 << 31:
            raise ComError("Overflow")
        return self._count

    @property
    def FormatConditions(self) -> FormatConditions:
        return FormatConditions(self)

    @property
    def Left(self) -> float:
        return 48.0 * (self.Column - 1)

    @property
    def Top(self) -> float:
        return 15.0 * (self.Row - 1)

    @property
    def Width(self) -> float:
        return 48.0 * self.Columns.Count

    @property
    def Height(self) -> float:
        return 15.0 * self.Rows.Count

    def __call__(self, row: int, column: int) -> Range:
        return self.Worksheet.Cells(self.Row + row - 1, self.Column + column - 1)

    def _get(self, name: str) -> list[list[Any]]:
        return self.Worksheet.Parent.document.get(self.Worksheet.Name, self.area, name)

    def _set(self, name: str, value: Any, change: Any = lambda cell: cell) -> None:
        if not isinstance(value, (list, tuple)):
            value = [[value] * self.Columns.Count] * self.Rows.Count
        rows = [[change(cell) for cell in row] for row in value]
        try:
            self.Worksheet.Parent.document.set(self.Worksheet.Name, self.area, name, rows)
        except PermissionError as error:
            raise ComError(str(error)) from None

    def _common(self, name: str) -> Any:
        first, *others = (cell for row in self._get(name) for cell in row)
        return first if all(other == first for other in others) else None

    def _shape(self, rows: list[list[Any]]) -> Any:
        return rows[0][0] if self._count == 1 else tuple(map(tuple, rows))

    @property
    def Value(self) -> Any:
        rows = [
            [ERRORS.get(cell, cell) if isinstance(cell, str) else cell for cell in row]
            for row in self._get("value")
        ]
        return self._shape(rows)

    @Value.setter
    def Value(self, value: Any) -> None:
        self._set(
            "value", value, lambda cell: _one_cell(cell).removeprefix("'") if isinstance(cell, str) else cell
        )

    @property
    def Value2(self) -> Any:
        return self.Value

    @Value2.setter
    def Value2(self, value: Any) -> None:
        self.Value = value

    @property
    def HasFormula(self) -> bool | None:
        found = {str(cell).startswith("=") for row in self._get("formula") for cell in row}
        return found.pop() if len(found) == 1 else None

    def ClearContents(self) -> None:
        self._set("value", None)

    def ClearComments(self) -> None:
        self._set("note", None)

    @property
    def Formula(self) -> Any:
        return self._shape([[excel_formula(cell) for cell in row] for row in self._get("formula")])

    @Formula.setter
    def Formula(self, value: Any) -> None:
        self._set("formula", value, lambda c: calc_formula(_one_cell(c)) if isinstance(c, str) else c)

    @property
    def Formula2(self) -> Any:
        return self.Formula

    @Formula2.setter
    def Formula2(self, value: Any) -> None:
        self._set(
            "formula",
            value,
            lambda c: calc_formula(c.removeprefix("'")) if isinstance(c, str) else c,
        )

    def _enter_array(self, value: str) -> None:
        self._set("formula", value, calc_formula)

    FormulaArray = property(None, _enter_array)

    @property
    def Interior(self) -> Interior:
        return Interior(self)

    @property
    def Font(self) -> Font:
        return Font(self)

    @property
    def NumberFormat(self) -> Any:
        return self._common("format")

    @NumberFormat.setter
    def NumberFormat(self, value: str) -> None:
        self._set("format", value)

    @property
    def MergeCells(self) -> Any:
        return self._common("merged")

    @property
    def CurrentRegion(self) -> Range:
        top, left, bottom, right = calc.region(self.Worksheet.data.cells, self.area)
        return Range(self.Worksheet, (top, left, bottom, right))

    @property
    def Comment(self) -> Comment | None:
        return None if self._common("note") is None else Comment(self)

    def AddComment(self, text: str) -> Comment:
        assert self.Comment is None
        self._set("note", text)
        return Comment(self)

    def _link(self, Anchor: Range, Address: str) -> Any:
        Anchor.Worksheet.Parent.document.link(Anchor.Worksheet.Name, Anchor.area, Address, Address)
        return Link(Anchor)


class Link:
    _cell: Any

    def __init__(self, cell: Range) -> None:
        object.__setattr__(self, "_cell", cell)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "TextToDisplay":
            self._cell.Value = value


class Comments:
    def __init__(self, found: list[Comment]) -> None:
        self._found, self.Count = found, len(found)

    def __iter__(self) -> Any:
        return iter(self._found)


class Comment:
    def __init__(self, cell: Range) -> None:
        self._cell = self.Parent = cell

    def Text(self) -> Any:
        return self._cell._common("note")

    def Delete(self) -> None:
        self._cell._set("note", None)


class Interior:
    def __init__(self, cells: Range) -> None:
        self._cells = cells

    @property
    def ColorIndex(self) -> int | None:
        found = {cell for row in self._cells._get("fill") for cell in row}
        return None if len(found) > 1 else NO_COLOUR if found == {None} else 1

    @ColorIndex.setter
    def ColorIndex(self, index: int) -> None:
        assert index == NO_COLOUR
        self._cells._set("fill", None)

    @property
    def Color(self) -> int:
        return swapped(self._cells._common("fill") or 0)

    @Color.setter
    def Color(self, colour: int) -> None:
        self._cells._set("fill", swapped(colour))


class Font:
    def __init__(self, cells: Range) -> None:
        self._cells = cells

    @property
    def ColorIndex(self) -> int | None:
        return None if len({cell for row in self._cells._get("font") for cell in row}) > 1 else 1

    @ColorIndex.setter
    def ColorIndex(self, index: int) -> None:
        assert index == -4105
        self._cells._set("font", None)

    @property
    def Color(self) -> int:
        return swapped(self._cells._common("font") or 0)

    @Color.setter
    def Color(self, colour: int) -> None:
        self._cells._set("font", swapped(colour) or None)
