"""How the workbooks look: titles, headers, cells to type in, results; and their reproducible bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet


def _font(size: int = 11, **style: object) -> Font:
    return Font(name="Calibri", size=size, **style)


_INPUT = _font(color="1F3FBF")
_INPUT_FILL = PatternFill("solid", fgColor="FFF9E3")
_HEADER = _font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="2F4B6E")
SECTION = _font(bold=True, color="2F4B6E")
_NOTE = _font(italic=True, color="707070")
_TITLE = _font(16, bold=True, color="2F4B6E")
_FIXED_DATE = (2026, 1, 1, 0, 0, 0)


def title_sheet(sheet: Worksheet, title: str, note: str) -> None:
    sheet["A1"], sheet["A1"].font = title, _TITLE
    sheet["A2"], sheet["A2"].font = note, _NOTE
    sheet.sheet_view.showGridLines = False
    for column in "ABCDEFHIJKLMOPQRST":
        sheet.column_dimensions[column].width = 10
    for column in "GN":
        sheet.column_dimensions[column].width = 3


def result(sheet: Worksheet, reference: str, title: str, formula: str, number_format: str = "0.00%") -> None:
    """A section title above `reference`, which an array formula fills."""
    cells = sheet[reference]
    first = cells[0][0]
    heading = sheet.cell(first.row - 1, first.column, title)
    heading.font = SECTION
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            cell.number_format = number_format
            if i == 0 or j == 0:
                header(cell)
    first.value = ArrayFormula(reference, formula)


def table(
    sheet: Worksheet,
    at: str,
    title: str,
    rows: Sequence[Sequence[object]],
    number_format: str = "0.00%",
    labels: int = 1,
) -> None:
    """A titled, headed grid of what is typed (blue) or a formula; None is a blank cell; `labels` columns."""
    first = sheet[at]
    sheet.cell(first.row - 1, first.column, title).font = SECTION
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            cell = sheet.cell(first.row + i, first.column + j, value)
            if i == 0 or j < labels:
                header(cell)
            else:
                cell.number_format = number_format
                if not str(value).startswith("="):
                    typed(cell)


def one_page_wide(sheet: Worksheet) -> None:
    """Prints on landscape pages, as many down as it takes."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def heat(sheet: Worksheet, *references: str) -> None:
    """Colours from the lowest to the highest number of each range."""
    for reference in references:
        scale = ColorScaleRule("min", None, "E3EEF9", "percentile", 50, "FFFFFF", "max", None, "F4B183")
        sheet.conditional_formatting.add(reference, scale)


def remark(sheet: Worksheet, cell: str, text: str) -> None:
    """A note on a cell."""
    sheet[cell].comment = Comment(text, "voladdin", height=90, width=260)


def header(cell: object) -> None:
    cell.font, cell.fill, cell.alignment = _HEADER, _HEADER_FILL, Alignment(horizontal="center")  # type: ignore[attr-defined]


def typed(cell: object) -> None:
    cell.font, cell.fill, cell.alignment = _INPUT, _INPUT_FILL, Alignment(horizontal="right")  # type: ignore[attr-defined]


def reproducible(book: Workbook) -> bytes:
    """The saved book with fixed dates, so that building again changes nothing."""
    saved, fixed = io.BytesIO(), io.BytesIO()
    book.save(saved)
    stamp = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*_FIXED_DATE).encode()
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", stamp, data)
            new.writestr(zipfile.ZipInfo(name, _FIXED_DATE), data, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
