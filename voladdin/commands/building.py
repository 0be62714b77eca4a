"""Build surface: a list of listed options becomes a surface on a new sheet, with its report."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ..cells import Cells, OptionRows, parse_options
from ..errors import InputError, VoladdinError
from ..imputation.listed import Listed
from ..labels import parse_tenor
from ..options import EXERCISES, Chain, implied
from ..worksheet.chain_tables import days_label, forward_table, quality, remarks, report
from ..worksheet.grid import STANDARD_DELTAS, STANDARD_TENORS
from .ledger import CellRun, plain
from .selection import on_sheet, selected
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME, SHEET = "build", "voladdin surface"
MOST_CELLS = 2_000_000  # of a list: 50,000 rows of 40 columns
_VOL, _STD = "0.00%", "0.000%"
_NOTES = 3


def build(book: xw.Book) -> str:
    """Writes the surface of the list selected, or around the cursor, onto a sheet; what it did, in words.

    The sheet holds vols on standard tenors and deltas, their standard deviations, forwards and discount
    factors, how far the surface is from the quotes, and what was left out and why. Expiry dates count from
    the list's own valuation date, else from today.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        cells = selected(book, MOST_CELLS)
        rows: Cells = [[plain(v) for v in row] for row in cells.options(ndim=2, err_to_str=True).value]
        try:
            read = parse_options(rows, name="range", today=date.today())
            chain = _implied(read)
        except VoladdinError as error:
            raise type(error)(on_sheet(str(error), cells)) from None
        sheet = changes.sheet(SHEET)
        source = f"{cells.sheet.name}!{cells.address.replace('$', '')}"
        _write(changes, sheet, source, read, Listed(chain))
        changes.show(sheet)
        notes = [on_sheet(remark.removeprefix("options: "), cells) for remark in remarks(read, chain)]
    used = sum(not reason for reason in chain.dropped)
    done = (
        f"built the surface of {source}: {used} of {len(chain.dropped)} options, {len(chain.tenors)} expiries"
    )
    return "; ".join([f"{done}; see the sheet {sheet}", *notes[:_NOTES]])


def _implied(read: OptionRows) -> Chain:
    style = EXERCISES[bool(read.american)]
    if style == "american" and read.rate is None:
        raise InputError(
            "the options are American, and early exercise depends on the rate; expected a column headed rate"
        )
    return implied(
        read.options, forwards=read.forwards, rate=read.rate, underlying=read.underlying, exercise=style
    )


def _tenors(chain: Chain) -> tuple[list[str], list[float]]:
    """The standard tenors within the listed expiries; these themselves where fewer than two are."""
    standard = [(name, parse_tenor(name)) for name in STANDARD_TENORS]
    inside = [(name, t) for name, t in standard if chain.tenors[0] <= t <= chain.tenors[-1]]
    if len(inside) < 2:
        inside = [(days_label(t), t) for t in chain.tenors.tolist()]
    return [name for name, _ in inside], [t for _, t in inside]


def _write(changes: Transaction, sheet: str, source: str, read: OptionRows, listed: Listed) -> None:
    """Titled blocks below each other."""
    names, years = _tenors(listed.chain)
    deltas = np.linspace(0.9, 0.1, len(STANDARD_DELTAS))
    row = _block(
        changes,
        sheet,
        1,
        f"Surface of {source}",
        _grid(listed, names, listed.vols(np.array(years), deltas), years),
        _VOL,
    )
    std = _grid(listed, names, listed.std(np.array(years), deltas), years)
    row = _block(changes, sheet, row, "Standard deviations", std, _STD)
    row = _block(changes, sheet, row, "Forwards and discount factors", forward_table(listed.chain))
    row = _block(changes, sheet, row, "Quality: the surface and its quotes", quality(read, listed))
    _block(changes, sheet, row, "What was left out or assumed", report(read, listed.chain))


def _grid(listed: Listed, names: list[str], values: np.ndarray, years: list[float]) -> Cells:
    chain = listed.chain
    forwards = np.exp(np.interp(years, chain.tenors, np.log(chain.forwards))).tolist()
    rows: Cells = [["", "F", *STANDARD_DELTAS]]
    return rows + [
        [name, f, *map(float, line)] for name, f, line in zip(names, forwards, values, strict=True)
    ]


def _block(
    changes: Transaction, sheet: str, row: int, title: str, rows: Cells, form: str | None = None
) -> int:
    """Writes a title and its rows; the row of the next block. form: of the vols behind tenor and forward."""
    changes.write(CellRun(sheet, row, 1), value=[title])
    width = max(map(len, rows))
    changes.write_rows(sheet, row + 1, 1, [[*line, *[""] * (width - len(line))] for line in rows])
    for i in range(1, len(rows) if form else 0):
        changes.write(CellRun(sheet, row + 1 + i, 3, width - 2), format=form)
    return row + len(rows) + 2
