"""A listed chain, bid and ask by strike, to a surface on strikes and one on deltas."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import NormalDist

from openpyxl import Workbook

from .charts import draw
from .style import heat, remark, result, table, title_sheet

VALUATION, SPOT, RATE = date(2026, 1, 5), 4200.0, 0.03
EXPIRIES, STRIKES = (32, 88, 179, 354), tuple(range(3600, 4801, 150))  # days; strikes
ROWS = len(EXPIRIES) * len(STRIKES) * 2
_LAST = 5 + ROWS


def build() -> Workbook:
    """One sheet: the chain at the left, what VOLGRID makes of it at the right."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Chain"
    title_sheet(
        sheet, "Listed chain to surface", "Invented: Black prices of a skewed smile, ticks of 0.05, 1% wide."
    )
    table(sheet, "A5", "Options", [("expiry", "strike", "type", "bid", "ask"), *_options()], "#,##0.00", 3)
    for row in range(6, _LAST + 1):
        sheet.cell(row, 1).number_format = "yyyy-mm-dd"
    sheet.column_dimensions["A"].width = 13
    sheet["H3"], sheet["I3"] = "Valuation", VALUATION
    sheet["I3"].number_format = "yyyy-mm-dd"
    chain = f"A5:E{_LAST}"
    result(sheet, "H6:R10", "Vols by strike", f'=VOLGRID({chain},"grid",I3)')
    result(sheet, "H14:N18", "Forwards by put-call parity", f'=VOLGRID({chain},"forwards",I3)', "#,##0.0000")
    deltas = f'=VOLGRID({chain},"deltas",I3,,,,,P14:P17,H21:L21)'
    table(sheet, "H21", "Deltas asked for", [("10P", "25P", "ATM", "25C", "10C")])
    table(sheet, "P13", "Tenors asked for", [("tenor",), ("1M",), ("3M",), ("6M",), ("1Y",)])
    result(sheet, "H24:N28", "The surface on deltas", deltas)
    for row in range(15, 19):
        sheet.cell(row, 13).number_format = sheet.cell(row, 14).number_format = "0"
    for across in range(9, 19):
        sheet.cell(6, across).number_format = "General"
    for row in (*range(7, 11), *range(25, 29)):
        sheet.cell(row, 9).number_format = "#,##0.0"
    for column in "IJKLMNOPQR":
        sheet.column_dimensions[column].width = 13
    expiries = {f"{days} days": f"J{row}:R{row}" for row, days in enumerate(EXPIRIES, start=7)}
    draw(sheet, "H31", "Smiles by strike", "J6:R6", expiries, "0%", 15, 0.1)
    wings = {"25P": "K25:K28", "ATM": "L25:L28", "25C": "M25:M28"}
    draw(sheet, "N31", "Term structure on deltas", "H25:H28", wings, least=0.1)
    heat(sheet, "J7:R10", "J25:N28")
    remark(sheet, "A5", "Any order of rows and columns is read; headings say what each is.")
    sheet.freeze_panes = "A6"
    return book


def _options() -> list[list[object]]:
    return [
        [VALUATION + timedelta(days), strike, kind, *_market(days / 365, strike, kind)]
        for days in EXPIRIES
        for strike in STRIKES
        for kind in ("C", "P")
    ]


def _market(years: float, strike: float, kind: str) -> tuple[float, float]:
    """Bid and ask around Black's price, rounded away from it to the tick."""
    forward, cdf = SPOT * exp(0.01 * years), NormalDist().cdf
    k = log(strike / forward)
    width = (0.18 - 0.25 * k / (1 + years) + 0.4 * k * k) * sqrt(years)
    up = -k / width + width / 2
    call = exp(-RATE * years) * (forward * cdf(up) - strike * cdf(up - width))
    price = call if kind == "C" else call - exp(-RATE * years) * (forward - strike)
    bid, ask = int(0.995 * price / 0.05) * 0.05, (int(1.005 * price / 0.05) + 1) * 0.05
    return round(bid, 2), round(ask, 2)
