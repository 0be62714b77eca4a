"""Whose words the features are in: the paper's level, skew, curv, term, or the market's atm, rr, bf, term."""

from __future__ import annotations

from ..cells import Cell, Cells, Grid, read_date, shown
from ..errors import InputError
from ..generation.market_words import WORDS, market_features, tenor_place
from ..labels import tenor_label
from .signature import Argument

CHOICES = ("paper", "market")
NOT_IDENTIFIED = "#N/A"
WORDING = Argument(
    "words",
    '"market" where the four are ATM, 25-delta risk reversal and butterfly, and the slope of ATM a year, at '
    'the tenor; "paper" unless told',
    "value",
    choices=CHOICES,
)
TENOR = Argument("tenor", "of the market's words, such as 1M; the grid's nearest to 1M unless told", "value")


def tenor_named(value: Cell) -> str | float | None:
    """A tenor of an argument, None where it was omitted. Raises InputError."""
    if value is None or value == 0:
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool) and read_date(value) is None:
        return value.strip() if isinstance(value, str) else float(value)
    raise InputError(f"tenor is {shown(value)}; expected a tenor such as 1M, or a number of years")


def market_rows(grid: Grid, tenor: Cell) -> Cells:
    """The four words at one tenor, or under their names a row a tenor of the grid; in its unit."""
    found = market_features(grid.surface).values * (100 if grid.percent else 1)
    rows: Cells = [[_cell(value) for value in row] for row in found.tolist()]
    named = tenor_named(tenor)
    if named is not None:
        return [rows[tenor_place(grid.surface.tenors, named)]]
    labels = [tenor_label(years) for years in grid.surface.tenors.tolist()]
    return [["tenor", *WORDS], *([label, *row] for label, row in zip(labels, rows, strict=True))]


def _cell(value: float) -> Cell:
    return value if value == value else NOT_IDENTIFIED
