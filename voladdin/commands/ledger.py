"""What the commands put into a book, remembered in the book itself, so that Clear can take it back.

A hidden sheet holds one row a run of cells: a formula that refers to them, so that it follows when rows are
inserted or a sheet is renamed, and what was written there beside what was there before. Taking back restores
an attribute only where it still is what the command wrote: what the user changed since stays.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..cells import address

if TYPE_CHECKING:
    import xlwings as xw

SHEET = "_voladdin"
TITLE = "What voladdin's commands put into this book; the command Clear takes it back."
WIDEST = 200  # cells a row of the ledger describes; Excel refuses texts above 8,192 characters in places
_CALC_NAMES = "ORG.VOLADDIN.CALC.FUNCTIONS."  # before a function's own, in Calc's formulas
_CALC_SHEET = re.compile(r"\$?('(?:[^']|'')+'|\w+)\.(?=\$?[A-Z]+\$?[0-9])")
_REFERENCE = re.compile(r"=ROWS\('?(.+?)'?!\$([A-Z]+)\$([0-9]+)(?::\$([A-Z]+)\$([0-9]+))?\)")


@dataclass(frozen=True)
class CellRun:
    """A run of cells in one row; row and column count from 1."""

    sheet: str
    row: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.sheet}!{self.address}"

    @property
    def address(self) -> str:
        """Of the first cell, such as B3."""
        return address(self.row - 1, self.column - 1)

    @property
    def reference(self) -> str:
        """A formula that refers to the cells."""
        first, last = (
            re.sub(r"([A-Z]+)", r"$\1$", address(self.row - 1, column - 1))
            for column in (self.column, self.column + self.width - 1)
        )
        return f"=ROWS({quoted(self.sheet)}!{first}:{last})"

    @classmethod
    def read(cls, formula: str) -> CellRun | None:
        """The cells a formula of `reference` refers to now; None where they are gone."""
        found = _REFERENCE.fullmatch(formula)
        if found is None or (found[5] or found[3]) != found[3]:
            return None
        first, last = (_column(letters) for letters in (found[2], found[4] or found[2]))
        return cls(found[1].replace(2 * chr(39), chr(39)), int(found[3]), first, last - first + 1)

    def cells(self, book: xw.Book) -> xw.Range:
        last = self.row, self.column + self.width - 1
        return book.sheets[self.sheet].range((self.row, self.column), last)


@dataclass
class Record:
    """What one command wrote at one place: `ours` by attribute, and what was there `before`."""

    place: CellRun
    command: str
    ours: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


def quoted(sheet: str) -> str:
    """Its name as formulas and links have it."""
    return "'" + sheet.replace("'", "''") + "'"


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def has(book: xw.Book, name: str) -> bool:
    """Whether the book has a sheet of this name; xlwings' `in` does not find names in Excel."""
    return name.lower() in (sheet.name.lower() for sheet in book.sheets)


def load(book: xw.Book) -> list[Record]:
    """The records of a book, in the order they were made; those whose cells are gone are left out."""
    if not has(book, SHEET):
        return []
    sheet = book.sheets[SHEET]
    last = sheet.used_range.row + sheet.used_range.shape[0] - 1
    if last < 2:
        return []
    rows = sheet.range((2, 1), (last, 2)).formula
    return [record for row in rows if (record := _record(*row)) is not None]


def _record(reference: str, text: str) -> Record | None:
    place = CellRun.read(reference)
    try:
        found = json.loads(text)
        record = Record(place, found["command"], found["ours"], found["before"])  # type: ignore[arg-type]
        return record if place is not None and place.width == found["width"] else None
    except (ValueError, KeyError, TypeError):
        return None  # the user's, or damaged


def save(book: xw.Book, records: list[Record]) -> None:
    """Writes the records in place of the old ones, on a hidden sheet that is made where it is absent."""
    if not has(book, SHEET):
        active = book.sheets.active
        book.sheets.add(SHEET, after=book.sheets[-1])
        activate(active)
        book.sheets[SHEET].visible = False
    sheet = book.sheets[SHEET]
    last = sheet.used_range.row + sheet.used_range.shape[0] - 1
    sheet.range((1, 1)).value = TITLE
    if records:
        sheet.range((2, 1), (len(records) + 1, 1)).formula = [[record.place.reference] for record in records]
        sheet.range((2, 2), (len(records) + 1, 2)).value = [[_text(record)] for record in records]
    if last > len(records) + 1:
        sheet.range((len(records) + 2, 1), (last, 2)).value = None


def activate(sheet: xw.Sheet) -> None:
    """Makes a sheet the active one of its book; xlwings' own method wants the book's app to be in front."""
    sheet.impl.activate()


def _text(record: Record) -> str:
    fields = {"command": record.command, "width": record.place.width}
    return json.dumps({**fields, "ours": record.ours, "before": record.before}, separators=(",", ":"))


def get(cells: xw.Range, attribute: str) -> Any:
    """An attribute: "value" a list (formulas as text with =), "fill" and "font" [r, g, b] or None, "format" a
    text or None where cells differ, "note" a text or None."""
    if attribute == "value":
        return contents(cells)[0]
    if attribute == "format":
        return cells.number_format
    if attribute == "note":
        return None if cells.note is None else cells.note.text
    colour = cells.color if attribute == "fill" else cells.font.color
    return None if colour is None else list(colour)


def put(cells: xw.Range, attribute: str, value: Any) -> None:
    """Writes an attribute as `get` gives it."""
    if attribute == "value":
        _put_values(cells, value)
    elif attribute == "format":
        if value is not None:
            cells.number_format = value
    elif attribute == "note":
        _put_note(cells, value)
    else:
        colour: Any = None if value is None else tuple(value)
        if attribute == "fill":
            cells.color = colour
        else:
            cells.font.color = colour


def _put_values(cells: xw.Range, values: list[Any]) -> None:
    """Values, and formulas as text with =, that spill as they did: Excel gives `.value` an @."""
    formulas = [i for i, value in enumerate(values) if isinstance(value, str) and value.startswith("=")]
    if not formulas or not _spills(cells):
        cells.value = [values]
        return
    for i, value in enumerate(values):
        if i in formulas:
            cells[0, i].formula2 = value
        else:
            cells[0, i].value = value


def enter_array(cells: xw.Range, formula: str) -> None:
    """Makes the cells one array formula."""
    cells.formula_array = formula


def _spills(cells: xw.Range) -> bool:
    """Whether the host has formulas that spill: Excel of 2021 and 365."""
    try:
        cells[0, 0].formula2  # noqa: B018
    except Exception:  # of COM, or absent from the engine
        return False
    return True


def _put_note(cell: xw.Range, text: str | None) -> None:
    if cell.note is not None:
        cell.note.delete()
    if text:
        cell.add_note(text)


def contents(cells: xw.Range) -> list[list[Any]]:
    """Rows of values, blank cells as None, and a formula as its text with =."""
    values = cells.options(ndim=2, err_to_str=True).value
    formulas = formulas_of(cells)
    return [
        [
            formula if isinstance(formula, str) and formula.startswith("=") else value
            for value, formula in zip(*rows, strict=True)
        ]
        for rows in zip(values, formulas, strict=True)
    ]


def formulas_of(cells: xw.Range) -> list[list[Any]]:
    """Rows of formulas: xlwings gives one cell as itself."""
    found = cells.formula2 if _spills(cells) else cells.formula
    if cells.shape == (1, 1):
        return [[found]] if not isinstance(found, (list, tuple)) else [list(found[0])]
    return [list(row) for row in found]


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def as_written(attribute: str, now: Any, ours: Any) -> bool:
    """Whether a cell's attribute is still what was written, as far as a saved workbook keeps it."""
    if attribute == "format" and isinstance(now, str) and isinstance(ours, str):
        return _bare_format(now) == _bare_format(ours)
    if attribute == "value" and isinstance(now, list) and isinstance(ours, list):
        return same(list(map(_bare_formula, now)), list(map(_bare_formula, ours)))
    return same(now, ours)


def _bare_formula(value: Any) -> Any:
    """A formula without what sets the same one apart in Excel and in Calc; other values as they are."""
    if not isinstance(value, str) or not value.startswith("="):
        return value
    text = _CALC_SHEET.sub(r"\1!", value.removeprefix("=").removeprefix(_CALC_NAMES))
    return re.sub(r"[$' ]", "", text).replace(";", ",")


def _bare_format(form: str) -> str:
    """A number format without what a program adds or drops as it saves: quotes, spaces, \\, implied [>0]."""
    sections = re.sub(r'[\\" ]', "", form).upper().split(";")
    if len(sections) > 2:
        implied = ("[>0]", "[<0]", "")
        sections[:3] = [section.removeprefix(mark) for section, mark in zip(sections, implied, strict=False)]
    return ";".join(sections)


def same(one: Any, other: Any) -> bool:
    """Equal, numbers to the 15 digits that a saved workbook keeps."""
    one, other = plain(one), plain(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-300)
    return bool((one or None) == (other or None))
