"""The scenario desk: four cells, a surface, option prices by Black in plain formulas, a risk ladder."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from .build import SCENARIO
from .charts import draw
from .style import heat, remark, result, table, title_sheet, typed

GENERATED, OPTIONS, LADDER = "E5:P12", "A17:H21", "A26:F31"
MOVES = (-0.02, -0.01, 0.0, 0.01, 0.02)
_POSITIONS = (
    ("1M", 1 / 12, 0.0, 100),
    ("3M", 0.25, -0.1, -200),
    ("6M", 0.5, 0.1, 150),
    ("6M", 0.5, -0.2, 50),
)
_STEP = 11


def build() -> Workbook:
    """The desk, and the surfaces moved that its ladder reads."""
    book = Workbook()
    _desk(book.active)
    _moved(book.create_sheet("Moved"))
    return book


def _desk(sheet: Worksheet) -> None:
    sheet.title = "Desk"
    title_sheet(
        sheet,
        "Scenario desk",
        "Four cells make the surface; options by Black on a forward of 100, undiscounted.",
    )
    table(sheet, "A5", "Scenario", [("Feature", "value"), *SCENARIO], "0.00")
    table(sheet, "A11", "", [("Forward", 100.0)], "0.00")
    typed(sheet["B11"])
    result(sheet, GENERATED, "Generated", "=VOLGENERATE(B6,B7,B8,B9)")
    heads = ("Tenor", "Years", "ln(K/F)", "Contracts", "Strike", "Vol", "Call", "Value")
    table(
        sheet,
        "A17",
        "Options",
        [heads, *(_option(*one, 18 + i) for i, one in enumerate(_POSITIONS))],
        "#,##0.00",
    )
    rows = [_rung(move, 27 + i, i) for i, move in enumerate(MOVES)]
    across = ("Level", *(f"Call {i}" for i in range(1, 5)), "P&L")
    table(sheet, "A26", "Ladder: the level moved", [across, *rows], "#,##0.00")
    for row in range(18, 22):
        sheet.cell(row, 6).number_format = "0.00%"
        sheet.cell(row, 2).number_format = "0.0000"
        sheet.cell(row, 4).number_format = "#,##0"
    for row in range(27, 32):
        sheet.cell(row, 1).number_format = "+0%;-0%;0%"
    for column in "GN":
        sheet.column_dimensions[column].width = 10
    smiles = {"1M": "F6:P6", "4M": "F9:P9", "7M": "F12:P12"}
    draw(sheet, "A34", "Smiles by ln(K/F)", "F5:P5", smiles, "0%", 15.5, 0.1)
    draw(sheet, "I34", "P&L by level", "A27:A31", {"P&L": "F27:F31"}, "#,##0")
    heat(sheet, "F6:P12", "F27:F31")
    remark(sheet, "B6", "Change any of the four: the surface, the prices and the ladder follow.")
    sheet.freeze_panes = "B4"


def _option(tenor: str, years: float, log_strike: float, contracts: int, row: int) -> list[object]:
    vol = f'=VOLINTERP({GENERATED},A{row},"m="&C{row})'
    price = black("$B$11", f"E{row}", f"F{row}", f"B{row}")
    return [tenor, years, log_strike, contracts, f"=$B$11*EXP(C{row})", vol, f"={price}", f"=D{row}*G{row}"]


def _rung(move: float, row: int, number: int) -> list[object]:
    prices = [
        "=" + black("$B$11", f"$E${18 + i}", f"Moved!{'OPQR'[i]}{6 + _STEP * number}", f"$B${18 + i}")
        for i in range(4)
    ]
    pnl = "=" + "+".join(f"$D${18 + i}*({'BCDE'[i]}{row}-$G${18 + i})" for i in range(4))
    return [move, *prices, pnl]


def black(forward: str, strike: str, vol: str, years: str) -> str:
    """The formula of a call's undiscounted price by Black (1976), of cells."""
    width = f"({vol}*SQRT({years}))"
    middle, half = f"LN({forward}/{strike})/{width}", f"{width}/2"
    return f"({forward}*NORMSDIST({middle}+{half})-{strike}*NORMSDIST({middle}-{half}))"


def _moved(sheet: Worksheet) -> None:
    title_sheet(sheet, "The surface with its level moved", "Read by the ladder of the desk.")
    for number, move in enumerate(MOVES):
        top = 5 + _STEP * number
        cells = f"A{top}:L{top + 7}"
        formula = f"=VOLSHIFT(Desk!{GENERATED},Desk!A{27 + number})"
        result(sheet, cells, f"Level moved by {move:+.0%}", formula)
        for i, column in enumerate("OPQR"):
            sheet[f"{column}{top}"] = f"Option {i + 1}"
            strike = f'"m="&Desk!C{18 + i}'
            sheet[f"{column}{top + 1}"] = f"=VOLINTERP({cells},Desk!A{18 + i},{strike})"
            sheet[f"{column}{top + 1}"].number_format = "0.00%"
        heat(sheet, f"B{top + 1}:L{top + 7}")
    sheet.column_dimensions["G"].width = 10
    sheet.freeze_panes = "B4"
