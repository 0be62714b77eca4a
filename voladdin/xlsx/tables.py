"""Grids in .csv and .xlsx files and on the terminal."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..cells import Cell, Cells, Grid
    from .contents import Contents
    from .references import SheetRange

MAX_RANGE = 1_000_000  # cells


def read_cells(path: str, range_: str | None = None) -> Cells:
    """The cells of a .csv, or by their stored values those of an .xlsx: its first sheet, or a range.

    Raises InputError where the file is neither, empty or cannot be read, or the range is unknown.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".csv", ".xlsx", ".xlsm"):
        raise InputError(f"grid is {path!r}; expected a .csv or .xlsx file")
    try:
        data = Path(path).read_bytes()
        return _csv_cells(_text(data)) if suffix == ".csv" else _xlsx_cells(Path(path).name, data, range_)
    except (OSError, UnicodeError, csv.Error) as error:
        raise InputError(f"grid {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _xlsx_cells(name: str, data: bytes, range_: str | None) -> Cells:
    from .contents import Contents
    from .package import readable

    with readable(name):
        contents = Contents(data)
    return cells_of(contents, range_)[1]


def cells_of(contents: Contents, range_: str | None) -> tuple[SheetRange, Cells]:
    """A range of a workbook, or what is used of its first sheet, with the values. Raises InputError."""
    from .references import ALL, SheetRange

    first = next(iter(contents.sheets))
    place = SheetRange(first, ALL) if range_ is None else contents.names.resolve(range_, first)
    if not isinstance(place, SheetRange):
        raise InputError(f"range is {range_!r}; expected cells such as Sheet1!A1:F9")
    used = contents.used(place) if place.box.open_ended else place
    if used.box.size > MAX_RANGE:
        raise InputError(f"range {used} has {used.box.size:,} cells; at most {MAX_RANGE:,} are read")
    values, formulas = contents.values[used.sheet], contents.formulas[used.sheet]
    lacking = [f.name for at, f in formulas.items() if used.box.holds(at) and f.stored is None]
    if lacking:
        raise InputError(
            f"{lacking[0]} is a formula without a stored value; expected a workbook that voladdin run "
            "or a spreadsheet program has calculated"
        )
    return used, [[values.get((row, column)) for column in used.box.columns] for row in used.box.rows]


def _text(data: bytes) -> str:
    """Of a file that says that it is UTF-16, of UTF-8, or of the code page in which Excel writes a .csv."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _csv_cells(text: str) -> Cells:
    """Rows of one width."""
    lines = text.splitlines()
    delimiter = _delimiter([line for line in lines if line.strip()])
    rows = list(csv.reader(lines, delimiter=delimiter))
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    width = max(map(len, rows), default=0)
    return [[_csv_cell(cell, delimiter) for cell in row] + [None] * (width - len(row)) for row in rows]


def _delimiter(lines: list[str]) -> str:
    """Tabs or semicolons where most lines have them: commas are decimal commas, or of a title, then."""
    return next((mark for mark in "\t;" if 2 * sum(mark in line for line in lines) > len(lines)), ",")


def _csv_cell(cell: str, delimiter: str) -> Cell:
    """A number or text; between semicolons a comma is a decimal comma."""
    try:
        return float(cell.replace(",", ".") if delimiter == ";" and cell.count(",") == 1 else cell)
    except ValueError:
        return cell.strip() or None


def write_cells(path: str, cells: Cells) -> None:
    """Writes cells as .csv or .xlsx. Raises InputError where the file is neither, or cannot be written."""
    suffix = Path(path).suffix.lower()
    try:
        if suffix == ".csv":
            with open(path, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(cells)
        elif suffix == ".xlsx":
            from openpyxl import Workbook

            book = Workbook()
            for row in cells:
                book.worksheets[0].append(row)
            book.save(path)
        else:
            raise InputError(f"output is {path!r}; expected a .csv or .xlsx file")
    except OSError as error:
        raise InputError(f"output {path} cannot be written: {error.strerror}") from None


def format_grid(cells: Cells, *, percent: bool, read: Grid | None = None) -> str:
    """A headed grid for the terminal, holes as dots; percent: its decimals are shown in percent.

    read: says where its vols are; None has them below and right of one row and one column.
    """

    def is_vol(i: int, j: int) -> bool:
        return bool(i and j) if read is None else i in read.rows and j in read.columns

    def shown(cell: Cell, *, vol: bool) -> Cell:
        if isinstance(cell, float):
            return f"{cell * (100 if percent else 1):.2f}" if vol else f"{cell:g}"
        return ("·" if vol else "") if cell in (None, "") else cell

    rows = [[shown(cell, vol=is_vol(i, j)) for j, cell in enumerate(row)] for i, row in enumerate(cells)]
    return format_table(rows, right=True)


def format_table(cells: Cells, *, right: bool = False) -> str:
    """Cells in aligned columns."""
    rows = [["" if cell is None else str(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = [
            text.rjust(width) if right and column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
