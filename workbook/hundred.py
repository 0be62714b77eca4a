"""A book of 100 surfaces with holes, each filled on its own sheet, and an index over them."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.styles import PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from .build import DELTAS, TENORS, YESTERDAY
from .charts import draw
from .style import SECTION, heat, remark, result, table, title_sheet

COUNT = 100


def build() -> Workbook:
    """The index first; each name links to its sheet."""
    book = Workbook()
    index = book.active
    index.title = "Index"
    title_sheet(index, f"{COUNT} surfaces", "Invented quotes, holes in each; click a name for its sheet.")
    names = [f"S{number:03d}" for number in range(1, COUNT + 1)]
    rows = [[name, *(f"={name}!K{row}" for row in (7, 8, 11)), f"={name}!A16"] for name in names]
    table(index, "A5", "At the money", [("Surface", "1M", "2M", "1Y", "Holes"), *rows])
    for row, name in enumerate(names, start=6):
        link = index.cell(row, 1)
        link.hyperlink = Hyperlink(link.coordinate, location=f"{name}!A1")
        link.font, link.fill = SECTION, PatternFill()
        index.cell(row, 5).number_format = "0"
        _surface(book.create_sheet(name), row - 6)
    ends = {
        name: f"{column}6:{column}{5 + COUNT}" for name, column in (("1M", "B"), ("2M", "C"), ("1Y", "D"))
    }
    draw(index, "G5", "At the money by surface", f"A6:A{5 + COUNT}", ends, width=20, least=0.06)
    heat(index, f"B6:D{5 + COUNT}")
    remark(index, "A5", "ATM vols after the holes are filled.")
    index.freeze_panes = "B6"
    return book


def _surface(sheet: Worksheet, number: int) -> None:
    title_sheet(sheet, f"Surface {sheet.title}", "Invented; blank cells are filled beside.")
    table(sheet, "A5", "Quotes", [("", *DELTAS), *_quotes(number)])
    result(sheet, "H5:M13", "Filled", "=VOLIMPUTE(A5:F13)")
    sheet["A15"], sheet["A16"] = "Holes", "=COUNTBLANK(B6:F13)"
    draw(sheet, "A19", "ATM by tenor", "A6:A13", {"Filled": "K6:K13", "Quotes": "D6:D13"}, least=0.05)
    draw(sheet, "H19", "1Y smile", "B5:F5", {"Filled": "I11:M11", "Quotes": "B11:F11"}, least=0.05)
    heat(sheet, "B6:F13", "I6:M13")
    sheet.freeze_panes = "B6"


def _quotes(number: int) -> list[list[object]]:
    """The demo's close at another level, with a pattern of holes of the number's own."""
    level = 1 + number / 100
    return [
        [
            tenor,
            *(
                None if (3 * i + j + number) % 4 == 0 else round(vol * level / 100, 4)
                for j, vol in enumerate(row)
            ),
        ]
        for i, (tenor, row) in enumerate(zip(TENORS, YESTERDAY, strict=True))
    ]
