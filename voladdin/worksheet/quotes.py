"""VOLQUOTES: ATM, risk reversals and butterflies to a headed delta grid, and a surface back to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..cells import Cell, Cells, Grid, UnitEvidence, find_quotes, read_date, read_units
from ..conventions import is_listed, quotes_from_surface
from ..conventions.quotes_back import standard_columns
from ..errors import InputError
from ..imputation.interpolation import interpolate_many
from .arguments import UNITS, WARNINGS, AxisArguments, read_grid, units_name, warn
from .lines import line_of, quotes_by_tenor, rates_of, years_of
from .quote_tables import Said, as_cells, grid_of, read_table
from .quoting import CONVENTION, DEFAULT_PAIR, conventions, own_convention
from .signature import Argument, Function, choice, number, text
from .smile_quotes import SmileQuotes, drop_impossible, is_percent, say_unused

BACK = "quotes"
OUTPUTS = ("vol", "strike", BACK)
BUTTERFLIES = ("broker", "smile")
_DIGITS = 12  # after the point: a quote comes back as it was written
_COLUMNS = {"ATM": "atm", "25RR": "rr25", "25BF": "bf25", "10RR": "rr10", "10BF": "bf10"}


@dataclass(frozen=True)
class _QuoteArguments:
    """The arguments of a call but its quotes."""

    tenors: Cells | None
    pair: Cell
    butterfly: Cell
    spot: Cell
    domestic: Cells | None
    foreign: Cells | None
    output: str
    units: Cell
    convention: tuple[Cell, ...]

    @property
    def pair_name(self) -> str | None:
        return text("pair", self.pair, "") or None

    @property
    def rates(self) -> dict[str, Cells]:
        given = {"domestic_rates": self.domestic, "foreign_rates": self.foreign}
        return {name: cells for name, cells in given.items() if cells is not None}

    @property
    def spot_rate(self) -> float | None:
        return number("spot", self.spot, 1.0) if self.spot else None

    def butterflies(self) -> str:
        return choice("butterfly", self.butterfly, BUTTERFLIES)

    def said(self) -> Said:
        """For a table of quotes, or a surface."""
        return Said(
            units=units_name(self.units),
            pair=self.pair_name,
            butterfly=None if self.butterfly is None else self.butterflies(),
            own=own_convention(*self.convention),
            spot=self.spot_rate,
            domestic=self.domestic,
            foreign=self.foreign,
        )


def _volquotes(
    atm: Cells,
    rr25: Cells | None,
    bf25: Cells | None,
    rr10: Cells | None,
    bf10: Cells | None,
    tenors: Cells | None,
    pair: Cell,
    butterfly: Cell,
    spot: Cell,
    domestic: Cells | None,
    foreign: Cells | None,
    output: Cell,
    units: Cell,
    *convention: Cell,
) -> Cells:
    back = _word(rr25) == BACK
    if back and bf25 is not None:
        pair = bf25[0][0] if pair is None else pair
    wanted = BACK if back else choice("output", output, OUTPUTS)
    call = _QuoteArguments(tenors, pair, butterfly, spot, domestic, foreign, wanted, units, convention)
    if wanted == BACK:
        return _back(atm, call)
    if rr25 is None and bf25 is None:
        return _of_table(atm, call)
    given = {"atm": atm, "rr25": rr25, "bf25": bf25, "rr10": rr10, "bf10": bf10}
    return _of_columns({name: cells for name, cells in given.items() if cells is not None}, call)


def _word(cells: Cells | None) -> str:
    cell = cells[0][0] if cells is not None and len(cells) == len(cells[0]) == 1 else None
    return cell.strip().lower() if isinstance(cell, str) else ""


def _of_table(cells: Cells, call: _QuoteArguments) -> Cells:
    table = find_quotes(cells)
    if table is None:
        raise InputError(
            "rr25 and bf25 are missing, and atm is no table with headings such as ATM, 25RR, 25BF; expected "
            'either, or a surface with "quotes" behind it'
        )
    said = call.said()
    quotes = read_table(table, said, WARNINGS.get())
    return as_cells(table, quotes, _values(quotes, call), said)


def _values(quotes: SmileQuotes, call: _QuoteArguments) -> FloatArray:
    surface = quotes.surface(WARNINGS.get())
    return quotes.strikes(surface) if call.output == "strike" else quotes.vols(surface)


def _of_columns(given: dict[str, Cells], call: _QuoteArguments) -> Cells:
    """Smile vols at forward deltas, tenors down (across, where ATM lies in a row), in the quotes' unit.

    Each column has one quote a tenor; blank is missing, and 0 is a quote, except for ATM. What cannot be told
    from the quotes stays blank, for VOLIMPUTE to fill; so does a tenor whose quotes no smile has.
    """
    quotes = _read_columns(given, call)
    values = _values(quotes, call)
    grid: Cells = [[call.pair_name or "", *quotes.headers]]
    for label, line in zip(quotes.labels, values.tolist(), strict=True):
        grid.append([label.cell, *_blanked(line)])
    is_row = len(given["atm"]) == 1 and len(given["atm"][0]) > 1
    return [list(line) for line in zip(*grid, strict=True)] if is_row else grid


def _read_columns(given: dict[str, Cells], call: _QuoteArguments) -> SmileQuotes:
    lacking = next((name for name in ("rr25", "bf25") if name not in given), None)
    if lacking or call.tenors is None:
        expected = "25-delta quotes too" if lacking else "one tenor a quote, such as 1W, 1M, 1Y"
        raise InputError(f"VOLQUOTES: {lacking or 'tenors'} is missing; expected {expected}")
    if call.foreign is None:
        warn("foreign: not given, so spot deltas were read as forward deltas")
    warnings, labels = WARNINGS.get(), line_of("tenors", call.tenors)
    years, count = years_of(labels), len(labels)
    columns = {name: quotes_by_tenor(name, cells, count, warnings) for name, cells in given.items()}
    drop_impossible(columns["atm"], labels, warnings)
    say_unused(columns, labels, warnings)
    pair = call.pair_name
    rules = conventions(pair, years, call.butterflies(), own_convention(*call.convention))
    evidence = UnitEvidence(pair=pair if pair and is_listed(pair) else None)
    percent = is_percent(columns, years, read_units(units_name(call.units)), evidence, warnings)
    known: dict[str, Any] = {name: rates_of(name, cells, count) for name, cells in call.rates.items()}
    return SmileQuotes(labels, years, columns, percent, rules, known | {"spot": call.spot_rate})


def _blanked(line: list[float]) -> list[Cell]:
    return ["" if np.isnan(value) else value for value in line]


def _back(cells: Cells, call: _QuoteArguments) -> Cells:
    """ATM, risk reversals and butterflies of a surface, a row a tenor, in its unit."""
    table = find_quotes(cells)
    axes = AxisArguments(call.tenors, None, call.units)
    grid = read_grid(cells, axes) if table is None else grid_of(table, call.said())
    surface, pair = grid.surface, call.pair_name or grid.words.pair
    if pair is None:
        warn(f"no currency pair: quotes by the conventions of {DEFAULT_PAIR}")
    if call.foreign is None:
        warn("foreign: not given, so spot deltas are forward deltas")
    rules = conventions(pair, surface.tenors, call.butterflies(), own_convention(*call.convention))
    count = len(surface.tenors)
    known: dict[str, Any] = {name: rates_of(name, line, count) for name, line in call.rates.items()}
    vol = None if standard_columns(surface) else _vol_of(grid)
    found = quotes_from_surface(surface, pair=rules, spot=call.spot_rate, vol=vol, **known)
    return _quote_rows(grid, pair, found)


def _vol_of(grid: Grid) -> Any:
    """The surface as a function of log-moneyness [T, N], through its vols."""
    surface = grid.surface

    def vol(m: FloatArray) -> FloatArray:
        known = np.isfinite(m)
        years = np.repeat(surface.tenors, m.shape[1])
        vols = interpolate_many(surface, years, np.where(known, m, 0.0).ravel(), kind="moneyness")
        return np.where(known, vols.reshape(m.shape), np.nan)

    return vol


def _quote_rows(grid: Grid, pair: str | None, found: dict[str, FloatArray]) -> Cells:
    scale = grid.unit
    quoted = {head: name for head, name in _COLUMNS.items() if np.isfinite(found[name]).any()}
    labels = [_tenor_cell(grid, row) for row in range(len(grid.surface.tenors))]
    dated = any(read_date(label) is not None for label in labels)
    rows: Cells = [[grid.valuation if dated else pair or "", *quoted]]
    for row, label in enumerate(labels):
        rows.append(
            [label, *_blanked([round(float(found[name][row]) * scale, _DIGITS) for name in quoted.values()])]
        )
    return [list(line) for line in zip(*rows, strict=True)] if grid.transposed else rows


def _tenor_cell(grid: Grid, row: int) -> Cell:
    """The tenor's own header, or its years."""
    top, left = grid.corner
    if grid.transposed and grid.row_header:
        return grid.raw[top][grid.columns[row]]
    if not grid.transposed and grid.column_header:
        return grid.raw[grid.rows[row]][left]
    return float(grid.surface.tenors[row])


VOLQUOTES = Function(
    "VOLQUOTES",
    "A grid of vols at forward deltas, without premium adjustment, from ATM, risk-reversal and butterfly "
    "quotes of a currency pair; its ATM is the forward delta 0.5, which a premium-adjusted quote is not. Or "
    "the way back: the quotes of a surface.",
    (
        Argument(
            "atm",
            "ATM vols, one a tenor; or a table with headings such as ATM, 25RR, 25BF, 10RR, 10BF; "
            'or a surface, with "quotes" behind it',
            "range",
            optional=False,
        ),
        Argument(
            "rr25",
            '25-delta risk reversals (call minus put); or "quotes": the surface\'s; the pair may follow',
            "range",
        ),
        Argument("bf25", "25-delta butterflies", "range"),
        Argument("rr10", "10-delta risk reversals", "range"),
        Argument("bf10", "10-delta butterflies", "range"),
        Argument("tenors", "one tenor a quote: 1W, 1M, 1Y, or years", "range"),
        Argument(
            "pair",
            "currency pair whose conventions are used, EURUSD unless told; an unknown one needs delta, "
            "premium and at_money",
            "value",
        ),
        Argument(
            "butterfly",
            '"broker" (market strangle) or "smile"; broker unless told',
            "value",
            choices=BUTTERFLIES,
        ),
        Argument("spot", "spot rate; needed for strikes", "value"),
        Argument(
            "domestic",
            "domestic (quote currency) rate, continuous decimal, one or one a tenor",
            "range",
            zero=True,
        ),
        Argument(
            "foreign",
            "foreign (base currency) rate, continuous decimal, one or one a tenor",
            "range",
            zero=True,
        ),
        Argument(
            "output",
            "vol (unless told), strike, which needs spot and both rates, or quotes",
            "value",
            choices=OUTPUTS,
        ),
        UNITS,
        *CONVENTION,
    ),
    '=VOLQUOTES(B2:B9, C2:C9, D2:D9, , , A2:A9, "EURUSD")',
    _volquotes,
)
