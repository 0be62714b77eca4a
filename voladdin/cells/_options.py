"""A list of options in cells, one a row (or call and put on one row), to `voladdin.options.Options`.

Columns are found by their headings, in any order and in the usual words; what else is there is left alone.
A row that cannot be read is left out, with the cell and what was expected; where none can, that is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import InputError
from ..labels.dates import common_order, date_of_text
from ..options import Options
from ._expiry_clocks import ExpiryClock
from ._option_blocks import is_option, with_expiries, with_strikes
from ._option_columns import OptionColumns
from ._option_headings import PRICES, VOLS, find_headings, heading_row, sides_of
from ._option_symbols import with_symbols
from ._option_units import read_option_vols, refuse_currencies, volumes_headed_vol
from ._tenor_line import expiry_notes
from ._titles import titled_valuation
from ._values import Cell, Cells, Label, is_date, is_missing, read_date, read_number, shown

_CLOCK = ExpiryClock()
_TICKER = re.compile(r"[A-Za-z.^/]{1,6}")
_CARRY = 2e-3  # between the underlyings of two expiries, from which these are no spot
_MOVED = 0.01  # of the underlying between rows, from which it is said


@dataclass(frozen=True, eq=False)
class OptionRows:
    """The N options, where each stands, and what else the list tells.

    rows, expiries: [N] row of the range, zero-based, and the cell of the expiry. unread: (row, what is wrong
    with it) of rows left out. underlying: its price; forwards: by years to expiry; american: the exercise
    style; rate: continuously compounded; each None where the list has no such column. notes: what was read
    otherwise than written.
    """

    options: Options
    rows: IntArray
    expiries: tuple[Cell, ...]
    unread: tuple[tuple[int, str], ...]
    underlying: float | None
    forwards: dict[float, float] | None
    american: bool | None
    rate: float | None
    notes: tuple[str, ...]

    def name(self, i: int) -> str:
        """Such as "call 4200 of 2026-03-20"."""
        side = "call" if self.options.calls[i] else "put"
        return f"{side} {self.options.strikes[i]:g} of {shown(self.expiries[i])}"


def parse_options(
    cells: Cells,
    valuation: date | None = None,
    name: str = "options",
    *,
    clock: ExpiryClock = _CLOCK,
    today: date | None = None,
) -> OptionRows:
    """The options of a range.

    valuation: what expiry dates count from, the list's own column or title unless told; today: where none is.
    clock: how they count.

    Raises InputError naming missing columns with the headings found, two roots, underlyings, currencies,
    contract sizes, exercise styles or valuation dates, or the first bad cell where no row can be read.
    """
    notes: list[str] = []
    columns = _columns(cells, name, notes)
    columns.one("root", "two roots")
    columns.one("currency", "two currencies")
    columns.one("multiplier", "two contract sizes")
    _refuse_tickers(columns)
    refuse_currencies(columns)
    titled = titled_valuation([cell for row in cells[: heading_row(cells)] for cell in row])
    day = valuation or _valuation(columns, titled, today, notes)
    years, strikes = columns.years(day, clock), columns.strikes()
    underlying = _underlying(columns, years, notes)
    notes += expiry_notes(columns.cells_of("expiry") if "expiry" in columns.at else [], day)
    read = [_side(columns, side, years, strikes, notes) for side in (sides_of(columns.at) or [""])]
    american = _american(columns)
    forwards = _forwards(columns, years, notes)
    good = _good(columns)
    options, rows = _joined([part.take(good) for part in read], np.flatnonzero(good))
    column = columns.cells_of(next(name for name in ("expiry", "days", "years") if name in columns.at))
    return OptionRows(
        options,
        np.array(columns.rows)[rows],
        tuple(column[i] for i in rows.tolist()),
        tuple(sorted(columns.bad.items())),
        underlying,
        forwards,
        american,
        _rate(columns),
        tuple(dict.fromkeys(notes)),
    )


def _columns(cells: Cells, name: str, notes: list[str]) -> OptionColumns:
    """The rows that have a strike, below the headings."""
    cells, symbols = with_symbols(cells, heading_row(cells))
    top, at = find_headings(cells, name)
    at = volumes_headed_vol(cells, top, at, notes)
    cells = with_strikes(cells, top, at, notes)
    below = [i for i in range(top + 1, len(cells)) if not is_missing(cells[i][at["strike"]])]
    if not below:
        raise InputError(f"the {name} have headings and no option below; expected one option a row")
    blocks = with_expiries(cells, top, at)
    if blocks is not cells:
        notes.append("rows without an expiry have that of the block above")
    columns = OptionColumns([blocks[i] for i in below], below, at, name, symbols)
    for i in set(range(top + 1, len(cells))) - set(below):
        if "side" in at and is_option(cells[i], at):
            label = Label(cells[i][at["strike"]], i, at["strike"], name)
            columns.bad[i] = f"{label}; expected a strike"
    return columns


def _refuse_tickers(columns: OptionColumns) -> None:
    """Raises InputError where a column of symbols holds two tickers; a symbol an option is another matter."""
    if "symbol" in columns.at:
        known = [cell for cell in columns.cells_of("symbol") if not is_missing(cell)]
        if all(isinstance(cell, str) and _TICKER.fullmatch(cell.strip()) for cell in known):
            columns.one("symbol", "two underlyings")


def _good(columns: OptionColumns) -> BoolArray:
    """[n] the rows that can be read. Raises InputError where none can."""
    good = np.array([i not in columns.bad for i in columns.rows], dtype=np.bool_)
    if not good.any():
        raise InputError(columns.bad[columns.rows[0]])
    return good


def _joined(parts: list[Options], rows: IntArray) -> tuple[Options, IntArray]:
    """The options of all sides, row by row."""
    fields = [name for name, value in vars(parts[0]).items() if isinstance(value, np.ndarray)]
    order = np.argsort(np.tile(rows, len(parts)), kind="stable")
    joined: dict[str, Any] = {
        field: np.concatenate([getattr(part, field) for part in parts])[order] for field in fields
    }
    return Options(**joined, in_vols=parts[0].in_vols), np.tile(rows, len(parts))[order]


def _valuation(
    columns: OptionColumns, titled: date | None, today: date | None, notes: list[str]
) -> date | None:
    """Of the column, else of a title such as "As of 2026-01-05", else today."""
    if "expiry" not in columns.at or {"days", "years"} & set(columns.at):
        return None
    cell = columns.one("valuation", "two valuation dates")
    found = titled if cell is None else _quote_date(columns)
    if found is None and today is not None and any(map(is_date, columns.cells_of("expiry"))):
        notes.append(f"expiries count from today, {today}")
    return found or today


def _quote_date(columns: OptionColumns) -> date:
    """Of its column; one such as 03/04/2026 in the order of the expiries.

    Raises InputError for other cells.
    """
    i, cell = next((i, x) for i, x in enumerate(columns.cells_of("valuation")) if not is_missing(x))
    found = read_date(cell)
    if found is None and isinstance(cell, str):
        order = common_order(x for x in [cell, *columns.cells_of("expiry")] if isinstance(x, str))
        found = date_of_text(cell, order)
    if found is None:
        label = columns.label(i, "valuation")
        raise InputError(f"{label}; expected the valuation date, such as 2026-04-03")
    return found


def _rate(columns: OptionColumns) -> float | None:
    """The median of the column."""
    if "rate" not in columns.at:
        return None
    rates = [
        number.fraction for cell in columns.cells_of("rate") if (number := read_number(cell)) is not None
    ]
    return float(np.median(rates)) if rates else None


def _underlying(columns: OptionColumns, years: FloatArray, notes: list[str]) -> float | None:
    """Its price, None where each expiry has another, as futures do; a column of text names the underlying."""
    if "underlying" not in columns.at:
        return None
    column = [cell for cell in columns.cells_of("underlying") if not is_missing(cell)]
    if not column or all(read_number(cell) is None for cell in column):
        columns.one("underlying", "two underlyings")
        return None
    prices = columns.numbers("underlying", "the underlying's price", positive=True)
    if _by_expiry(prices, years):
        notes.append(
            f"the underlying is {np.nanmin(prices):g} to {np.nanmax(prices):g}, each expiry its own: left "
            "out; expected the heading Future where it is theirs, or one price"
        )
        return None
    return _median(prices, "the underlying", notes)


def _by_expiry(prices: FloatArray, years: FloatArray) -> bool:
    """Whether each expiry has one price, and these differ by more than a spot moves between two requests."""
    known = np.isfinite(prices) & np.isfinite(years)
    each = {t: prices[known & (years == t)] for t in np.unique(years[known]).tolist()}
    one = all(np.ptp(of) <= 1e-9 * of[0] for of in each.values())
    return one and len(each) > 1 and bool(np.ptp(prices[known]) > _CARRY * np.nanmedian(prices))


def _median(prices: FloatArray, what: str, notes: list[str]) -> float:
    """Of prices that should be one; that they are not is said."""
    median, low, high = (float(of(prices)) for of in (np.nanmedian, np.nanmin, np.nanmax))
    if high > median * (1 + _MOVED) or low < median * (1 - _MOVED):
        notes.append(f"{what} is {low:g} to {high:g}; its median {median:g} is used")
    return median


def _american(columns: OptionColumns) -> bool | None:
    cell = columns.one("style", "two exercise styles")
    word = cell.strip().lower() if isinstance(cell, str) else ""
    if cell is not None and word not in ("a", "american", "e", "european"):
        raise InputError(f"exercise style is {shown(cell)}; expected A, American, E or European")
    return None if cell is None else word.startswith("a")


def _forwards(columns: OptionColumns, years: FloatArray, notes: list[str]) -> dict[float, float] | None:
    if "forward" not in columns.at:
        return None
    prices = columns.numbers("forward", "a forward above 0", positive=True)
    known = np.isfinite(prices) & np.isfinite(years)
    found = {
        t: _median(prices[known & (years == t)], f"the forward of {365 * t:.4g} days", notes)
        for t in np.unique(years[known]).tolist()
    }
    return found or None


def _side(
    columns: OptionColumns, side: str, years: FloatArray, strikes: FloatArray, notes: list[str]
) -> Options:
    """The calls ("c") or puts ("p") of a list with both in a row, or all options of another."""
    at = columns.at
    if side:
        calls = np.full(len(years), side == "c")
    else:
        calls = columns.calls() if "side" in at else np.ones(len(years), dtype=np.bool_)

    def heading(kind: str) -> str:
        return kind if kind in at or not side else f"{side} {kind}"

    def column(kind: str) -> FloatArray:
        if heading(kind) not in at:
            return np.full(len(years), np.nan)
        return columns.numbers(heading(kind), "a number of at least 0")

    priced = any(heading(kind) in at for kind in PRICES)
    if not priced:
        bid, ask, mid = read_option_vols(columns, [heading(kind) for kind in VOLS], notes)
        return Options(years, strikes, calls, bid, ask, mid, in_vols=True)
    if any(heading(kind) in at for kind in VOLS):
        notes.append("there are prices and vols; the vols are implied from the prices")
    bid, ask, mid, last = (column(kind) for kind in PRICES)
    stale = np.isnan(mid) & _idle(column("volume"), column("interest"))
    return Options(years, strikes, calls, bid, ask, np.where(np.isnan(mid), last, mid), stale=stale)


def _idle(volume: FloatArray, interest: FloatArray) -> BoolArray:
    """Where nothing was traded today, and that is known."""
    return np.asarray((volume == 0) | (np.isnan(volume) & (interest == 0)))


def option_strikes(strikes: FloatArray) -> list[str]:
    """Headers such as K=1.085, which are read back as these very numbers."""
    return [f"K={np.format_float_positional(strike, trim='-')}" for strike in strikes]
