"""A table of ATM, risk reversals and butterflies under headings, read as a grid of vols at forward deltas."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..cells import (
    Cell,
    Cells,
    Grid,
    Label,
    MarketCells,
    QuoteColumn,
    QuoteTable,
    UnitEvidence,
    parse,
    read_date,
    read_number,
    read_units,
    tenor_axis,
)
from ..conventions import Convention, is_listed
from ..errors import InputError, LabelError, UnitsError
from .lines import numbers_in, rates_of
from .quoting import DEFAULT_PAIR, conventions, own_convention
from .smile_quotes import SmileQuotes, drop_impossible, is_percent, say_unused

_SIDED = re.compile(r"(.*\d.*?)\s*(p|c|puts?|calls?)\.?|(p|c|puts?|calls?)\s+(.*\d.*)", re.IGNORECASE)
_AS_VOLS_ABOVE = 0.5  # of ATM: a strangle's vol, not its excess


@dataclass(frozen=True)
class Said:
    """What arguments say beside a table of quotes, None where nothing.

    butterfly: "broker" or "smile". own: of `quoting.own_convention`. domestic, foreign: cells.
    """

    units: str | None = None
    valuation: date | None = None
    pair: str | None = None
    butterfly: str | None = None
    own: dict[str, Any] | None = None
    spot: float | None = None
    domestic: Cells | None = None
    foreign: Cells | None = None
    forwards: Cells | None = None


def read_table(table: QuoteTable, said: Said, warnings: list[str]) -> SmileQuotes:
    """The quotes of a table; what was read as missing or assumed is added to the warnings.

    Raises InputError, LabelError (tenors, pair, headings) or UnitsError naming the cell.
    """
    warnings.extend(table.notes)
    years = tenor_axis(table.tenors, _valuation(table, said), table.words.tenor_unit, warnings)
    columns = _columns(table, len(years), warnings)
    drop_impossible(columns["atm"], table.tenors, warnings)
    say_unused(columns, table.tenors, warnings)
    pair = said.pair or table.words.pair
    own = said.own or own_convention(None, None, None)
    rules = conventions(pair, years, _butterfly(table, said, warnings), own)
    evidence = UnitEvidence(table.words.vol_unit, pair if pair and is_listed(pair) else None)
    _less_atm(table, columns, warnings)
    percent = is_percent(columns, years, read_units(said.units), evidence, warnings)
    rates = {"domestic_rates": said.domestic, "foreign_rates": said.foreign}
    known = {name: rates_of(name, cells, len(years)) for name, cells in rates.items() if cells is not None}
    _say_assumed(table, said, rules, warnings)
    return SmileQuotes(table.tenors, years, columns, percent, rules, known | {"spot": said.spot})


def _say_assumed(table: QuoteTable, said: Said, rules: tuple[Convention, ...], warnings: list[str]) -> None:
    if said.pair and table.words.pair not in (None, said.pair.upper()):
        warnings.append(f"the table says {table.words.pair}, the argument pair {said.pair}, which is used")
    if said.pair is None and table.words.pair is None:
        warnings.append(
            f"no currency pair in the corner or a title: quotes read by the conventions of {DEFAULT_PAIR}"
        )
    if said.foreign is None and any(rule.delta == "spot" for rule in rules):
        warnings.append("foreign: not given, so spot deltas were read as forward deltas")


def grid_of(table: QuoteTable, said: Said) -> Grid:
    """The grid of vols at forward deltas, with the tenors where the table has them, in the quotes' unit.

    Raises as `read_table`; InfeasibleError where no tenor has a smile.
    """
    warnings: list[str] = []
    quotes = read_table(table, said, warnings)
    cells = as_cells(table, quotes, quotes.vols(quotes.surface(warnings)), said)
    grid = parse(
        cells,
        units="percent" if quotes.percent else "decimal",
        valuation=_valuation(table, said),
        market=MarketCells(said.forwards, said.spot, said.domestic, said.foreign),
    )
    return replace(grid, warnings=[*warnings, *grid.warnings])


def as_cells(table: QuoteTable, quotes: SmileQuotes, values: FloatArray, said: Said) -> Cells:
    """Values [T, K] under the deltas and beside the table's tenors; the corner holds valuation or pair."""
    pair, valuation = said.pair or table.words.pair, _valuation(table, said)
    dated = any(read_date(label.cell) is not None for label in table.tenors)
    corner: Cell = valuation if dated else pair or table.corner.cell or ""
    rows: Cells = [[corner, *quotes.headers]]
    for label, line in zip(table.tenors, values.tolist(), strict=True):
        rows.append([_tenor(table, label), *("" if np.isnan(v) else v for v in line)])
    return [list(line) for line in zip(*rows, strict=True)] if table.transposed else rows


def _tenor(table: QuoteTable, label: Label) -> Cell:
    """The cell of a tenor; a number of days such as 30D, so that the corner need not say so."""
    number, unit = read_number(label.cell), table.words.tenor_unit
    if number is None or unit in (None, "years") or read_date(label.cell) is not None:
        return label.cell
    return f"{number.value:g}{str(unit)[0].upper()}"


def _valuation(table: QuoteTable, said: Said) -> date | None:
    return said.valuation or read_date(table.corner.cell)


def _columns(table: QuoteTable, count: int, warnings: list[str]) -> dict[str, FloatArray]:
    """atm, rr25, bf25 and those of 10 delta that have columns, as written."""
    columns = {name: _numbers(name, column, warnings) for name, column in table.columns.items()}
    missing = np.full(count, np.nan)
    return {"atm": columns["atm"], "rr25": missing, "bf25": missing} | columns


def _numbers(name: str, column: QuoteColumn, warnings: list[str]) -> FloatArray:
    """One quote's column: the middle of bid and ask, or the one side there is."""
    sides = {
        side: numbers_in(name, [_signed(label) if name[:2] == "rr" else label for label in line], warnings)
        for side, line in column.sides.items()
    }
    if "mid" in sides:
        found = sides["mid"]
    elif {"bid", "ask"} <= sides.keys():
        found = _middle(column, sides["bid"], sides["ask"], warnings)
    else:
        raise LabelError(f"{column.heading}, of {next(iter(sides))} alone; expected bid and ask, or mid")
    if column.name.sign < 0:
        warnings.append(f"{column.heading}, put less call: read with the other sign")
    return found * column.name.sign


def _middle(column: QuoteColumn, bid: FloatArray, ask: FloatArray, warnings: list[str]) -> FloatArray:
    """The middle of bid and ask; missing where they cross."""
    warnings.append(f"{column.heading}: the middle of bid and ask")
    crossed = bid > ask
    warnings.extend(
        f"{column.sides['bid'][i]}, above the ask {ask[i]:g}: read as missing"
        for i in np.flatnonzero(crossed)
    )
    return np.where(crossed, np.nan, 0.5 * (bid + ask))


def _signed(label: Label) -> Label:
    """0.25 of "0.25C" or "C 0.25", -0.25 of "0.25 puts": the side whose vol is higher."""
    found = _SIDED.fullmatch(label.cell.strip()) if isinstance(label.cell, str) else None
    if found is None:
        return label
    number, side = (found[1], found[2]) if found[1] else (found[4], found[3])
    value = read_number(number)
    if value is None:
        return label
    if value.value < 0:
        raise InputError(f"{label}, a side and a sign; expected one such as 0.25P or -0.25")
    text = f"{value.value!r}{'%' if value.percent else ''}"
    return label._replace(cell=f"-{text}" if side.lower().startswith("p") else text)


def _butterfly(table: QuoteTable, said: Said, warnings: list[str]) -> str:
    if said.butterfly is not None:
        return said.butterfly
    if table.strangle is None and {"bf25", "bf10"} & table.columns.keys():
        warnings.append(
            "butterflies read as a broker's, market strangles; a heading such as 25BF smile says else"
        )
    return table.strangle or "broker"


def _less_atm(table: QuoteTable, columns: dict[str, FloatArray], warnings: list[str]) -> None:
    """Strangles quoted as vols become butterflies: their excess over ATM. Raises UnitsError for others."""
    for name, column in table.columns.items():
        share = columns[name] / columns["atm"]
        as_vols = name[:2] == "bf" and np.isfinite(share).any() and np.nanmedian(share) > _AS_VOLS_ABOVE
        if as_vols and not column.name.as_vol:
            raise UnitsError(
                f"{column.heading}, of about {np.nanmedian(share):.2g} times ATM: a butterfly in another "
                "unit, or the vol of a strangle; expected one such as 0.25, or the heading 25 strangle"
            )
        if as_vols:
            columns[name] = columns[name] - columns["atm"]
            warnings.append(f"{column.heading}: vols of strangles, read as their excess over ATM")
        if name[:2] == "bf":
            _say_flat(column, columns[name], warnings)


def _say_flat(column: QuoteColumn, values: FloatArray, warnings: list[str]) -> None:
    """Butterflies of 0 or less are rare, and often a feed's mark of no quote."""
    first = np.flatnonzero(values <= 0)
    if len(first):
        label = next(iter(column.sides.values()))[int(first[0])]
        warnings.append(f"{label}, a butterfly not above 0: kept; blank is missing")
