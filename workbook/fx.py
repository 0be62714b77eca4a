"""An FX desk's book: Clark's published EURUSD quotes as yesterday, today's with holes, filled."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from .build import CLARK, CLARK_HEADERS, CLARK_MARKET, CLARK_SOURCE, DELTAS
from .charts import banded, draw
from .style import heat, remark, result, table, title_sheet

TODAY, YESTERDAY, FILLED = "A5:F11", "A15:F21", "H5:M11"
LOW, HIGH = "A25:F31", "H25:M31"
_: None = None
QUOTES = (  # decimals, invented around Clark's
    ("1M", _, _, 0.2140, 0.2195, _),
    ("2M", _, 0.2180, 0.2135, _, _),
    ("3M", 0.2480, _, 0.2105, _, 0.2330),
    ("6M", _, _, _, 0.1995, _),
    ("1Y", _, 0.1970, 0.1845, _, _),
    ("2Y", _, _, 0.1780, _, _),
)


def build() -> Workbook:
    """Two sheets: today's surface and the published quotes of the close before."""
    book = Workbook()
    _surface(book.active)
    _published(book.create_sheet("Clark quotes"))
    return book


def _surface(sheet: Worksheet) -> None:
    sheet.title = "Surface"
    title_sheet(
        sheet, "EURUSD: today's holes filled", f"Yesterday: {CLARK_SOURCE}. Today's quotes: invented."
    )
    table(sheet, "A5", "Today", [("", *DELTAS), *QUOTES])
    result(sheet, FILLED, "Filled, yesterday as prior", f"=VOLIMPUTE({TODAY},,{YESTERDAY})")
    result(sheet, "O5:T11", "One standard deviation", f'=VOLIMPUTE({TODAY},"std",{YESTERDAY})')
    table(sheet, "A15", "Yesterday, by VOLQUOTES", _close())
    result(sheet, "H15:M21", "Filled without yesterday", f"=VOLIMPUTE({TODAY})")
    table(sheet, "O15", "Since yesterday", _moves(), "+0.00%;-0.00%;0.00%")
    result(sheet, LOW, "90% band, low", f'=VOLIMPUTE({TODAY},"low",{YESTERDAY})')
    result(sheet, HIGH, "90% band, high", f'=VOLIMPUTE({TODAY},"high",{YESTERDAY})')
    _charts(sheet)
    heat(sheet, "I6:M11", "P6:T11", "B16:F21", "I16:M21", "P16:T21")
    remark(sheet, "A5", "Blank cells are holes: type a quote, and the rest moves with it.")
    sheet.freeze_panes = "B4"


def _charts(sheet: Worksheet) -> None:
    """ATM by tenor, and two smiles: today's quotes and fills, their band, yesterday."""
    term = banded("D6:D11", "K6:K11", "D26:D31", "K26:K31")
    draw(sheet, "A34", "ATM by tenor", "A6:A11", {"Yesterday": "D16:D21"} | term, least=0.16)
    for at, tenor, down in (("H34", "3M", 2), ("O34", "1Y", 4)):
        rows = [f"{{}}{top + down}:{{}}{top + down}" for top in (6, 6, 26, 26, 16)]
        ends = (("B", "F"), ("I", "M"), ("B", "F"), ("I", "M"), ("B", "F"))
        *smile, before = (row.format(*end) for row, end in zip(rows, ends, strict=True))
        draw(sheet, at, f"{tenor} smile", "B5:F5", {"Yesterday": before} | banded(*smile), least=0.16)


def _close() -> list[list[str]]:
    rows = [["", *DELTAS]]
    rows += [
        [tenor, *(f"='Clark quotes'!{column}{row}/100" for column in "IJKLM")]
        for row, (tenor, *_rest) in enumerate(CLARK, start=6)
    ]
    return rows


def _moves() -> list[list[str]]:
    rows = [["", *DELTAS]]
    for i, (tenor, *_rest) in enumerate(CLARK):
        pairs = zip("IJKLM", "BCDEF", strict=True)
        rows.append([tenor, *(f"={new}{6 + i}-{old}{16 + i}" for new, old in pairs)])
    return rows


def _published(sheet: Worksheet) -> None:
    title_sheet(sheet, "EURUSD as published", f"Percent points; market strangles. Source: {CLARK_SOURCE}.")
    table(sheet, "A5", "Quotes", [CLARK_HEADERS, *CLARK], "0.000")
    table(sheet, "A14", "Market", [("", "value"), *CLARK_MARKET], "0.0000")
    market = 'A6:A11,"EURUSD","broker",B15,B16,B17'
    columns = "B6:B11,C6:C11,D6:D11,E6:E11,F6:F11"
    result(sheet, "H5:M11", "Vols at forward deltas", f"=VOLQUOTES({columns},{market})", "0.00")
    heat(sheet, "I6:M11")
    sheet.freeze_panes = "B6"
