"""Builds the demo workbook: a desk's EURUSD sheet with holes, and Clark's published quotes.

`python -m workbook.build [PATH]` writes it; the same code gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from .style import SECTION, header, reproducible, result, title_sheet, typed

PATH = Path(__file__).with_name("demo.xlsx")
SHEET = "EURUSD"
ARBITRAGE, SCENARIOS = "Arbitrage", "Scenarios"
QUOTES, FILLED, STD = "A5:F13", "H5:M13", "O5:T13"
PRIOR, FILLED_WITH_PRIOR, STD_WITH_PRIOR = "A17:F25", "H17:M25", "O17:T25"
REPAIRED, CHANGE, TRADES = "H5:M13", "O5:T13", "A19:E25"
GENERATED, FEATURES, SHIFTED = "E5:P12", "A11:C16", "E19:J27"

DELTAS = ("10P", "25P", "ATM", "25C", "10C")
TENORS = ("1W", "1M", "2M", "3M", "6M", "1Y", "2Y", "5Y")
_: None = None
TODAY = (  # percent, invented
    (_, 7.85, 7.60, _, _),
    (8.50, 7.90, 7.55, 7.60, _),
    (_, _, 7.55, _, _),
    (8.90, _, 7.60, _, 8.05),
    (_, 8.35, 7.75, 7.70, _),
    (9.75, _, 7.92, _, 8.42),
    (_, _, 8.10, _, _),
    (_, _, _, 8.28, _),
)
YESTERDAY = (  # percent, invented
    (7.90, 7.45, 7.20, 7.30, 7.60),
    (8.20, 7.60, 7.25, 7.30, 7.65),
    (8.45, 7.75, 7.30, 7.35, 7.75),
    (8.70, 7.90, 7.40, 7.40, 7.85),
    (9.15, 8.20, 7.60, 7.55, 8.05),
    (9.60, 8.50, 7.80, 7.70, 8.30),
    (9.95, 8.75, 8.00, 7.90, 8.55),
    (10.30, 9.05, 8.30, 8.20, 8.90),
)
CLARK_SOURCE = "I. Clark, Foreign Exchange Option Pricing (Wiley, 2011), tables 3.3 and 3.4"
CLARK_HEADERS = ("Tenor", "ATM", "25 RR", "25 MS", "10 RR", "10 MS")
CLARK = (  # percent points, market strangles
    ("1M", 21.0, -0.2, 0.65, -1.258, 2.433),
    ("2M", 21.0, -0.25, 0.75, -1.297, 2.83),
    ("3M", 20.75, -0.3, 0.85, -1.332, 3.228),
    ("6M", 19.4, -0.5, 0.9, -1.408, 3.485),
    ("1Y", 18.25, -0.6, 0.95, -1.359, 3.806),
    ("2Y", 17.677, -0.562, 0.85, -1.208, 3.208),
)
CLARK_MARKET = (("Spot", 1.3465), ("USD rate", 0.0294), ("EUR rate", 0.0346))
DAMAGED = (  # percent, invented: one fat finger (3M ATM), one stale row (1Y)
    (7.90, 7.45, 7.20, 7.30, 7.60),
    (8.20, 7.60, 7.25, 7.30, 7.65),
    (8.45, 7.75, 7.30, 7.35, 7.75),
    (8.70, 7.90, 9.40, 7.40, 7.85),
    (9.15, 8.20, 7.60, 7.55, 8.05),
    (6.20, 5.60, 5.20, 5.10, 5.60),
    (9.95, 8.75, 8.00, 7.90, 8.55),
    (10.30, 9.05, 8.30, 8.20, 8.90),
)
SCENARIO = (("Level", 0.22), ("Skew", -0.35), ("Curvature", 0.6), ("Term", 0.03))
SHIFT = (("Level", 0.01), ("Skew", -0.05), ("Curvature", 0.0), ("Term", 0.0))


def build(path: Path = PATH) -> Path:
    """Writes the demo workbook, formulas without values yet."""
    book = Workbook()
    desk = book.active
    desk.title = SHEET
    _desk(desk)
    _clark(book.create_sheet("Clark quotes"))
    _arbitrage(book.create_sheet(ARBITRAGE))
    _scenarios(book.create_sheet(SCENARIOS))
    path.write_bytes(reproducible(book))
    return path


def _desk(sheet: Worksheet) -> None:
    title_sheet(
        sheet,
        "EURUSD implied volatility",
        "Blue: quotes typed in, blank where there is none (invented for this demo). Black: voladdin.",
    )
    _grid(sheet, "A", 4, "Quotes today", TODAY)
    result(sheet, FILLED, "Filled", f"=VOLIMPUTE({QUOTES})")
    result(sheet, STD, "Uncertainty (one standard deviation)", f'=VOLIMPUTE({QUOTES},"std")')
    _grid(sheet, "A", 16, "Yesterday's close", YESTERDAY)
    result(sheet, FILLED_WITH_PRIOR, "Filled, yesterday as prior", f"=VOLIMPUTE({QUOTES},,{PRIOR})")
    result(sheet, STD_WITH_PRIOR, "Uncertainty with the prior", f'=VOLIMPUTE({QUOTES},"std",{PRIOR})')
    _one_vol(sheet)
    sheet["H28"], sheet["H28"].font = "About", SECTION
    sheet["H29"] = ArrayFormula("H29:I31", "=VOLINFO()")
    sheet.freeze_panes = "A4"


def _one_vol(sheet: Worksheet) -> None:
    sheet["A28"], sheet["A28"].font = "One vol anywhere", SECTION
    for column, (name, value) in enumerate((("Tenor", "4M"), ("Strike", "25P")), start=1):
        header(sheet.cell(29, column, name))
        typed(sheet.cell(30, column, value))
    header(sheet.cell(29, 3, "Vol"))
    sheet["C30"] = f"=VOLINTERP({QUOTES},A30,B30)"
    sheet["C30"].number_format = "0.00%"


def _clark(sheet: Worksheet) -> None:
    title_sheet(
        sheet,
        "EURUSD quotes of 2009 to smile vols",
        f"Percent points; market strangles. Source: {CLARK_SOURCE}.",
    )
    for column, name in enumerate(CLARK_HEADERS, start=1):
        header(sheet.cell(5, column, name))
    for row, quotes in enumerate(CLARK, start=6):
        for column, value in enumerate(quotes, start=1):
            typed(sheet.cell(row, column, value))
            sheet.cell(row, column).number_format = "0.000"
    for row, (name, value) in enumerate(CLARK_MARKET, start=13):
        sheet.cell(row, 1, name)
        typed(sheet.cell(row, 2, value))
    market = 'A6:A11,"EURUSD","broker",B13,B14,B15'
    columns = "B6:B11,C6:C11,D6:D11,E6:E11,F6:F11"
    result(sheet, "H5:M11", "Vols at forward deltas", f"=VOLQUOTES({columns},{market})", "0.00")
    result(sheet, "O5:T11", "Strikes there", f'=VOLQUOTES({columns},{market},"strike")', "0.0000")


def _arbitrage(sheet: Worksheet) -> None:
    title_sheet(
        sheet,
        "Static arbitrage: checked, named, repaired",
        "A fat finger at 3M ATM and a stale 1Y row (invented). Repair is the smallest change of vols.",
    )
    _grid(sheet, "A", 4, "Quotes", DAMAGED)
    result(sheet, REPAIRED, "Repaired", f"=VOLREPAIR({QUOTES})")
    result(sheet, CHANGE, "Change, bp of vol", f'=VOLREPAIR({QUOTES},"change")', "0.0")
    sheet["A15"], sheet["A15"].font = "Free of arbitrage?", SECTION
    sheet["C15"] = f"=VOLCHECK({QUOTES})"
    sheet.column_dimensions["A"].width = 18
    sheet["H15"], sheet["H15"].font = "After the repair?", SECTION
    sheet["J15"] = f"=VOLCHECK({REPAIRED})"
    for cell in ("C15", "J15"):
        sheet[cell].number_format = '"TRUE";;"FALSE"'  # Calc has 1 and 0
    result(sheet, TRADES, "Trades that profit, the largest first", f'=VOLCHECK({QUOTES},"report")', "0.00")


def _scenarios(sheet: Worksheet) -> None:
    title_sheet(
        sheet,
        "Four cells to a whole surface",
        "The surface has exactly these features at the money, tenor to 0; equity axes, vols in decimals.",
    )
    for column in "GN":
        sheet.column_dimensions[column].width = 10
    sheet.column_dimensions["A"].width = 20
    _features(sheet, 4, "Wanted", SCENARIO)
    _features(sheet, 18, "Moves of the filled EURUSD surface", SHIFT)
    result(sheet, GENERATED, "Generated", "=VOLGENERATE(B5,B6,B7,B8)")
    result(sheet, FEATURES, "Features of that surface", f'=VOLFEATURES({GENERATED},"report")', "0.0000")
    result(sheet, SHIFTED, "EURUSD as filled, moved", f"=VOLSHIFT({SHEET}!{FILLED},B19,B20,B21,B22)")


def _features(sheet: Worksheet, row: int, title: str, values: tuple[tuple[str, float], ...]) -> None:
    sheet.cell(row, 1, title).font = SECTION
    for down, (name, value) in enumerate(values, start=row + 1):
        sheet.cell(down, 1, name)
        typed(sheet.cell(down, 2, value))


def _grid(
    sheet: Worksheet, column: str, row: int, title: str, percents: tuple[tuple[float | None, ...], ...]
) -> None:
    """A section title, then a headed grid of quotes to type in."""
    sheet[f"{column}{row}"], sheet[f"{column}{row}"].font = title, SECTION
    left = sheet[f"{column}{row}"].column
    for offset, name in enumerate(("", *DELTAS)):
        header(sheet.cell(row + 1, left + offset, name or None))
    for down, (tenor, quotes) in enumerate(zip(TENORS, percents, strict=True), start=row + 2):
        header(sheet.cell(down, left, tenor))
        for offset, quote in enumerate(quotes, start=1):
            cell = sheet.cell(down, left + offset, None if quote is None else round(quote / 100, 6))
            typed(cell)
            cell.number_format = "0.00%"


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else PATH))
