"""Rates and commodities: a swaption ATM matrix and a smile in bp of normal vol, and contract months."""

from __future__ import annotations

from datetime import date

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from .charts import banded, draw
from .style import heat, remark, result, table, title_sheet

MATRIX, SMILE, MONTHS = "A5:F9", "A14:G17", "A5:F9"
_: None = None
SWAPTIONS = (  # bp of normal vol, invented
    ("ATM", "1Y", "2Y", "5Y", "10Y", "30Y"),
    ("1M", 60.0, 65.0, 70.0, 72.0, 70.0),
    ("1Y", 85.0, _, 84.0, 80.0, 74.0),
    ("5Y", 86.0, 84.0, _, 76.0, 66.0),
    ("10Y", 78.0, 76.0, 73.0, _, 60.0),
)
CAPLETS = (  # bp of normal vol at strikes in percent points beside the forward, invented
    ("bp", "F", 2, 2.5, 3, 3.5, 4),
    ("1Y", 3.1, 90, 85, 82, 81, 84),
    ("2Y", 3.2, _, 86, 83, _, 84),
    ("5Y", 3.4, 92, _, 84, 83, _),
)
GAS = (  # decimals, invented
    (date(2026, 1, 5), "10P", "25P", "ATM", "25C", "10C"),
    ("Mar-26", 0.470, 0.460, 0.465, 0.490, 0.530),
    ("Jun-26", _, 0.420, 0.425, 0.445, _),
    ("Sep-26", _, _, 0.405, _, _),
    ("Dec-26", 0.385, _, 0.380, _, 0.430),
)


def build() -> Workbook:
    """A sheet of rates and one of a commodity."""
    book = Workbook()
    _rates(book.active)
    _commodity(book.create_sheet("Commodity"))
    return book


def _rates(sheet: Worksheet) -> None:
    sheet.title = "Rates"
    title_sheet(
        sheet, "Normal vols in basis points", "Invented quotes. Matrix: expiries down, swap tenors across."
    )
    table(sheet, "A5", "Swaption ATM matrix, bp", SWAPTIONS, "0.0")
    result(sheet, "H5:M9", "Filled", f"=VOLIMPUTE({MATRIX})", "0.0")
    result(sheet, "O5:T9", "One standard deviation", f'=VOLIMPUTE({MATRIX},"std")', "0.0")
    table(sheet, "A14", "Smile by strike, percent points; forward in F", CAPLETS, "0.0")
    result(sheet, "I14:O17", "Filled", f"=VOLIMPUTE({SMILE})", "0.0")
    result(sheet, "A21:G24", "90% band, low", f'=VOLIMPUTE({SMILE},"low")', "0.0")
    result(sheet, "I21:O24", "90% band, high", f'=VOLIMPUTE({SMILE},"high")', "0.0")
    expiries = {f"{row[0]} expiry": f"I{6 + i}:M{6 + i}" for i, row in enumerate(SWAPTIONS[1:])}
    draw(sheet, "A27", "Matrix by swap tenor, bp", "I5:M5", expiries, "0", least=50)
    smile = banded("C16:G16", "K16:O16", "C23:G23", "K23:O23")
    draw(sheet, "I27", "2Y smile by strike, bp", "C14:G14", smile, "0", least=75)
    sheet["Q14"], sheet["S14"] = "Free of arbitrage?", f"=VOLCHECK({SMILE})"
    sheet["S14"].number_format = '"TRUE";;"FALSE"'
    for row in (*sheet["B15:B17"], *sheet["J15:J17"], *sheet["B22:B24"], *sheet["J22:J24"]):
        row[0].number_format = "0.00"
    for column in "GN":
        sheet.column_dimensions[column].width = 8
    heat(sheet, "B6:F9", "I6:M9", "P6:T9", "C15:G17", "K15:O17")
    remark(sheet, "A14", 'The word "bp" says that these are normal (Bachelier) vols.')
    sheet.freeze_panes = "B4"


def _commodity(sheet: Worksheet) -> None:
    title_sheet(sheet, "Contract months", "Invented quotes; the corner is the valuation date.")
    table(sheet, "A5", "Quotes", GAS)
    result(sheet, "H5:M9", "Filled", f"=VOLIMPUTE({MONTHS})")
    result(sheet, "O5:T9", "One standard deviation", f'=VOLIMPUTE({MONTHS},"std")')
    result(sheet, "A13:F17", "90% band, low", f'=VOLIMPUTE({MONTHS},"low")')
    result(sheet, "H13:M17", "90% band, high", f'=VOLIMPUTE({MONTHS},"high")')
    term = banded("D6:D9", "K6:K9", "D14:D17", "K14:K17")
    draw(sheet, "A20", "ATM by contract month", "A6:A9", term, least=0.3)
    smile = banded("B7:F7", "I7:M7", "B15:F15", "I15:M15")
    draw(sheet, "H20", "Jun-26 smile", "B5:F5", smile, least=0.35)
    for cell in ("A5", "H5", "O5", "A13", "H13"):
        sheet[cell].number_format = "yyyy-mm-dd"
    for column in "AHO":
        sheet.column_dimensions[column].width = 13
    heat(sheet, "B6:F9", "I6:M9", "P6:T9")
    remark(
        sheet, "A6", "A contract month counts to its rule's day, which VOLINFO names; a date says otherwise."
    )
    sheet.freeze_panes = "B6"
