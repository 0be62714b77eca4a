"""The arbitrage clinic: a fat finger found, corrected to what the others imply, and the rest repaired."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill

from .build import DAMAGED, DELTAS, TENORS
from .charts import draw
from .style import SECTION, heat, remark, result, table, title_sheet

QUOTES, ZSCORES, CORRECTED, SUSPECT = "A5:F13", "H5:M13", "A23:F31", "A17:E18"
REPAIRED = "H23:M31"
_RED = PatternFill("solid", bgColor="F8B4B4")


def build() -> Workbook:
    """One sheet, read from left to right and down."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Clinic"
    title_sheet(
        sheet,
        "Arbitrage clinic",
        "Invented: 3M ATM 9.40% for 7.40%, and a stale 1Y row. Find, correct, repair, check.",
    )
    table(sheet, "A5", "1. Quotes", [("", *DELTAS), *_damaged()])
    result(sheet, ZSCORES, "2. How far from the others (z)", f'=VOLIMPUTE({QUOTES},"zscore")', "0.0")
    result(sheet, "O5:T13", "Arbitrage, bp of vol", f'=VOLCHECK({QUOTES},"map")', "0.0")
    result(sheet, SUSPECT, "3. Suspects", f'=VOLIMPUTE({QUOTES},"suspects")')
    sheet["E18"].number_format = "0.0"
    table(sheet, "A23", "4. Corrected", _corrected())
    result(sheet, REPAIRED, "5. Repaired", f"=VOLREPAIR({CORRECTED})")
    result(sheet, "O23:T31", "Change, bp of vol", f'=VOLREPAIR({CORRECTED},"change")', "0.00")
    for row, name, cells in (
        (16, "Quotes", QUOTES),
        (17, "Corrected", CORRECTED),
        (18, "Repaired", REPAIRED),
    ):
        sheet.cell(row, 8, name)
        sheet.cell(row, 10, f"=VOLCHECK({cells})").number_format = '"TRUE";;"FALSE"'
    sheet["H15"], sheet["H15"].font = "Free of arbitrage?", SECTION
    draw(sheet, "A34", "ATM by tenor", "A6:A13", {"Repaired": "K24:K31", "Quotes": "D6:D13"}, least=0.04)
    draw(sheet, "H34", "3M smile", "B5:F5", {"Repaired": "I27:M27", "Quotes": "B9:F9"}, least=0.06)
    draw(sheet, "O34", "1Y smile", "B5:F5", {"Repaired": "I29:M29", "Quotes": "B11:F11"}, least=0.04)
    found = CellIsRule(operator="notBetween", formula=["-10", "10"], fill=_RED)
    sheet.conditional_formatting.add("I6:M13", found)
    heat(sheet, "B24:F31", "I24:M31", "P6:T13")
    remark(sheet, "C17", "What the other quotes imply for the suspect; the corrected grid takes it.")
    sheet.column_dimensions["C"].width = 16
    sheet.freeze_panes = "B4"
    return book


def _damaged() -> list[list[object]]:
    rows = zip(TENORS, DAMAGED, strict=True)
    return [[tenor, *(round(vol / 100, 6) for vol in row)] for tenor, row in rows]


def _corrected() -> list[list[str]]:
    """A quote as it is, or what the others imply where its label is the suspect's."""
    rows = [["", *DELTAS]]
    for i, tenor in enumerate(TENORS, start=6):
        cells = [f'=IF($A$18=$A{i}&" "&{c}$5,$C$18,{c}{i})' for c in "BCDEF"]
        rows.append([tenor, *cells])
    return rows
