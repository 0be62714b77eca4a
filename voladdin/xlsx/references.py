"""The names of a workbook: sheets, ranges, defined names, tables; and the cells behind them."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, NamedTuple

from ..cells import Cell
from ..errors import InputError
from .formula import Node, Reference, UnsupportedError, parse_formula
from .layout import Position
from .sheet import area

_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)", re.DOTALL)
_RANGE = re.compile(
    r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?|"
    r"\$?([A-Z]{1,3}):\$?([A-Z]{1,3})|\$?(\d{1,7}):\$?(\d{1,7})",
    re.IGNORECASE,
)
_TABLE = re.compile(r"([^\[\]]+)(?:\[(#All|#Data|)\])?", re.IGNORECASE)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384


class Box(NamedTuple):
    """A rectangle of cells, from 1, ends included."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, position: Position) -> Box:
        return cls(position[1], position[0], position[1], position[0])

    @property
    def rows(self) -> range:
        return range(self.top, self.bottom + 1)

    @property
    def columns(self) -> range:
        return range(self.left, self.right + 1)

    @property
    def size(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def open_ended(self) -> bool:
        """A:F or 1:9."""
        return len(self.rows) == MAX_ROW or len(self.columns) == MAX_COLUMN

    def positions(self) -> list[Position]:
        return [(row, column) for row in self.rows for column in self.columns]

    def holds(self, row: int, column: int) -> bool:
        return row in self.rows and column in self.columns

    def meets(self, other: Box) -> bool:
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )


ALL = Box(1, 1, MAX_COLUMN, MAX_ROW)


@dataclass(frozen=True)
class Place:
    """A range of one sheet."""

    sheet: str
    box: Box

    def __str__(self) -> str:
        return f"{self.sheet}!{area(*self.box)}"


class Names:
    """A workbook as openpyxl reads it: what each name stands for, and the stored values."""

    def __init__(self, data: bytes) -> None:
        from openpyxl import load_workbook

        self._formulas = load_workbook(io.BytesIO(data))
        self._values = load_workbook(io.BytesIO(data), data_only=True)
        self._sheets = {sheet.title.casefold(): sheet.title for sheet in self._formulas.worksheets}
        self.parts = {k: v for k, v in _parts(data).items() if k.casefold() in self._sheets}

    def formulas(self) -> Iterator[tuple[str, Position, str, Box | None]]:
        """Every formula: sheet, position, text with "=", and the range of an array formula."""
        for sheet in self._formulas.worksheets:
            for position, cell in sorted(sheet._cells.items()):  # iter_rows would make every blank cell
                text, box = _formula(cell.value)
                if cell.data_type == "f" and text:
                    yield sheet.title, position, text, box

    def array_at(self, sheet: str, position: Position) -> Box | None:
        return _formula(self._formulas[sheet].cell(*position).value)[1]

    def values(self, sheet: str, box: Box) -> Iterator[list[tuple[Cell, bool]]]:
        """Rows of (stored value, whether it is a formula's); dates are serial numbers."""
        limits = {"min_row": box.top, "max_row": box.bottom, "min_col": box.left, "max_col": box.right}
        stored = self._values[sheet].iter_rows(**limits, values_only=True)
        for row, values in zip(self._formulas[sheet].iter_rows(**limits), stored, strict=True):
            yield [
                (self._cell(value), cell.data_type == "f") for cell, value in zip(row, values, strict=True)
            ]

    def used(self, place: Place) -> Box:
        """An open-ended range down to the sheet's last used row and column."""
        sheet, box = self._formulas[place.sheet], place.box
        right, bottom = min(box.right, sheet.max_column), min(box.bottom, sheet.max_row)
        return Box(box.left, box.top, max(box.left, right), max(box.top, bottom))

    def merged(self, sheet: str, box: Box) -> str:
        """The first merged range that meets `box`, or ""."""
        ranges = self._formulas[sheet].merged_cells.ranges
        return next((str(r.coord) for r in ranges if box.meets(Box(*r.bounds))), "")

    def resolve(self, text: str, sheet: str, depth: int = 0) -> Place | Node:
        """What a reference stands for, seen from `sheet`: a range, or a defined name's constant.

        Raises InputError where it is unknown; UnsupportedError where it is in another book or of a kind that
        only a spreadsheet program knows.
        """
        found = _SHEET.fullmatch(text)
        if found:
            sheet, text = self._sheet((found[1] or found[2] or "").replace("''", "'")), found[3]
        box = _box(text)
        if box:
            return Place(sheet, box)
        name = self._defined(text, sheet)
        if name is None:
            return self._table(text)
        if depth > 20:
            raise InputError(f"name {text!r} refers to itself")
        node = parse_formula("=" + name.lstrip("="))
        return self.resolve(node.text, sheet, depth + 1) if isinstance(node, Reference) else node

    def _sheet(self, name: str) -> str:
        if "[" in name or (":" in name and name.casefold() not in self._sheets):
            raise UnsupportedError(
                f"sheet {name!r} needs a spreadsheet program; expected one sheet of this book"
            )
        if name.casefold() not in self._sheets:
            known = ", ".join(self._sheets.values())
            raise InputError(f"sheet {name!r} is not in the workbook; expected one of {known}")
        return str(self._sheets[name.casefold()])

    def _defined(self, name: str, sheet: str) -> str | None:
        for names in (self._formulas[sheet].defined_names, self._formulas.defined_names):
            for key, value in names.items():
                if key.casefold() == name.casefold():
                    return str(value.attr_text or "")
        return None

    def _table(self, text: str) -> Place:
        found = _TABLE.fullmatch(text)
        for sheet in self._formulas.worksheets:
            for table in sheet.tables.values():
                if found and table.displayName.casefold() == found[1].casefold():
                    box = _box(table.ref) or Box(1, 1, 1, 1)
                    if (found[2] or "").lower() == "#all":
                        return Place(sheet.title, box)
                    top, bottom = (
                        box.top + (table.headerRowCount or 0),
                        box.bottom - (table.totalsRowCount or 0),
                    )
                    return Place(sheet.title, box._replace(top=top, bottom=bottom))
        if "[" in text or "#" in text:
            raise UnsupportedError(
                f"reference {text!r} needs a spreadsheet program; expected a range or a name"
            )
        raise InputError(
            f"name {text!r} is not in the workbook; expected a range such as A1:F9 or a defined name"
        )

    def _cell(self, value: Any) -> Cell:
        from openpyxl.utils.datetime import to_excel

        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, date | time | timedelta):
            return float(to_excel(value, self._formulas.epoch))
        return float(value) if isinstance(value, int | float) else str(value)


def _formula(value: Any) -> tuple[str, Box | None]:
    """Text and, for an array formula, the range of a cell's formula."""
    if isinstance(value, str):
        return value, None
    text, ref = getattr(value, "text", None), getattr(value, "ref", None)
    return (str(text), _box(ref)) if text and ref else ("", None)


def _box(text: str) -> Box | None:
    from openpyxl.utils.cell import column_index_from_string as index

    found = _RANGE.fullmatch(text)
    if not found:
        return None
    first, row, last, end, left, right, top, bottom = found.groups()
    if left:
        columns, rows = (index(left), index(right)), (1, MAX_ROW)
    elif top:
        columns, rows = (1, MAX_COLUMN), (int(top), int(bottom))
    else:
        columns, rows = (index(first), index(last or first)), (int(row), int(end or row))
    if max(columns) > MAX_COLUMN or max(rows) > MAX_ROW or min(rows) < 1:
        return None
    return Box(min(columns), min(rows), max(columns), max(rows))


def _parts(data: bytes) -> dict[str, str]:
    """Sheet names to the zip's parts."""
    from defusedxml.ElementTree import fromstring

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        root = fromstring(archive.read("_rels/.rels"))
        book = next(r.get("Target") for r in root if r.get("Type", "").endswith("/officeDocument")).lstrip(
            "/"
        )
        folder, file = posixpath.split(book)
        links = fromstring(archive.read(posixpath.join(folder, "_rels", file + ".rels")))
        targets = {r.get("Id"): posixpath.join("/" + folder, r.get("Target")) for r in links}
        sheets = [
            e for e in fromstring(archive.read(book)).iter() if e.tag in (_MAIN + "sheet", _STRICT + "sheet")
        ]
    ids = {s.get("name"): next(v for k, v in s.attrib.items() if k.endswith("}id")) for s in sheets}
    return {name: posixpath.normpath(targets[i]).lstrip("/") for name, i in ids.items()}
