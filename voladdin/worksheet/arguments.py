"""What the functions that take a grid share: their arguments, and how a grid is read, with its warnings."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from .. import bundles
from ..cells import Cell, Cells, Grid, MarketCells, address, find_quotes, parse, read_date, shown
from ..errors import InputError
from ..journal import NOBODY, Later, Whence
from .quote_tables import Said, grid_of
from .signature import DEFAULT_MODEL, Argument, number, text

TENORS = Argument(
    "tenors",
    'tenors of the grid\'s rows where it has no headers: 1W, 1M, 1Y; or what its numbers are, such as "days"',
    "range",
)
STRIKES = Argument(
    "strikes",
    'strikes of the grid\'s columns where it has none: 25P, ATM, K=1.085; or what its numbers are: "delta", '
    '"strike"',
    "range",
)
MODEL = Argument("model", 'model bundle, "fx" unless told; VOLINFO("models") lists them', "value")
UNITS = Argument(
    "units", '"decimal" or "percent" where the grid cannot tell; "bp" of normal (Bachelier) vols', "value"
)
FORWARDS = Argument("forwards", "one forward a tenor; needed where strikes are K=…", "range")
AXES = (TENORS, STRIKES, UNITS, FORWARDS)
MARKET = (
    Argument("valuation", "date or moment that expiry dates count from; the corner's unless told", "value"),
    Argument("spot", "spot rate; with domestic and foreign, in place of forwards", "value"),
    Argument("domestic", "domestic rate, continuous decimal, one or one a tenor", "range", zero=True),
    Argument("foreign", "foreign rate or yield, continuous decimal, one or one a tenor", "range", zero=True),
)
SIZE = Argument("tolerance", "size in forwards that a trade must exceed to count; 1e-10 unless told", "value")
SURFACE = Argument(
    "surface",
    "a grid of implied vols, tenors by strikes, with or without headers; holes blank",
    "range",
    optional=False,
)

WARNINGS: ContextVar[list[str]] = ContextVar("warnings")  # of the call that runs
LATER: ContextVar[list[Later]] = ContextVar("later")  # and those that are found once somebody reads them
CALLER: ContextVar[Whence] = ContextVar("caller", default=NOBODY)  # and where it is


def warn(warning: str) -> None:
    """Adds a warning to those of the call, for VOLINFO("error")."""
    WARNINGS.get().append(warning)


def warn_later(find: Later) -> None:
    """Adds one warning or more that cost something, found once somebody reads them."""
    LATER.get().append(functools.cache(find))


class AxisArguments(NamedTuple):
    """The arguments that tell how a grid is read, as they came."""

    tenors: Cells | None = None
    strikes: Cells | None = None
    units: Cell = None
    forwards: Cells | None = None
    valuation: Cell = None
    spot: Cell = None
    domestic: Cells | None = None
    foreign: Cells | None = None


def read_grid(
    cells: Cells,
    axes: AxisArguments,
    *,
    name: str = "surface",
    like: Grid | None = None,
    quoted: str | None = "",
) -> Grid:
    """`cells` as a Grid; errors and warnings name the argument.

    like: the grid whose market it is. quoted: what else than a quote would do; None where none is needed.
    """
    try:
        grid = parsed(cells, axes, like)
    except InputError as error:
        raise type(error)(f"{name}: {error}") from None
    if quoted is not None and not grid.surface.observed.any():
        raise InputError(f"{name}: {grid.body} hold no vol; expected at least one{quoted}")
    WARNINGS.get().extend(f"{name}: {warning}" for warning in grid.warnings)
    return grid


def parsed(cells: Cells, axes: AxisArguments, like: Grid | None) -> Grid:
    """The same, errors and warnings as they are, of cells without a vol too."""
    if like is not None:
        return _parsed(cells, axes, like)
    return _parsed_lately(_RangeAsked(repr((cells, axes)), cells, axes))


@dataclass(frozen=True)
class _RangeAsked:
    """exact: all cells as they are, which tells 1 from 1.0 and TRUE."""

    exact: str
    cells: Cells = field(compare=False)
    axes: AxisArguments = field(compare=False)


@functools.lru_cache(maxsize=32)
def _parsed_lately(asked: _RangeAsked) -> Grid:
    """Kept, as several formulas of a sheet read the same range."""
    return _parsed(asked.cells, asked.axes, None)


def _parsed(cells: Cells, axes: AxisArguments, like: Grid | None) -> Grid:
    valuation = valuation_of(axes.valuation)
    spot = number("spot", axes.spot, 1.0) if axes.spot else None
    units, market = units_name(axes.units), MarketCells(axes.forwards, spot, axes.domestic, axes.foreign)
    quotes = None if axes.tenors or axes.strikes else find_quotes(cells)
    if quotes is not None:
        said = Said(units, valuation, spot=spot, domestic=axes.domestic, foreign=axes.foreign)
        return grid_of(quotes, replace(said, forwards=axes.forwards))
    return parse(cells, axes.tenors, axes.strikes, units, valuation=valuation, market=market, like=like)


def valuation_of(cell: Cell) -> date | None:
    """The date or moment of the argument; 0 is how Calc passes a blank cell. Raises InputError."""
    valuation = read_date(cell) if cell else None
    if cell and valuation is None:
        raise InputError(f"valuation is {shown(cell)}; expected a date such as 2026-03-20")
    return valuation


def model_name(value: Any, default: str = DEFAULT_MODEL) -> str | Path:
    """The name of a bundle, or its folder where a caller in Python gives a Path.

    Raises BundleError for text that is a path: a workbook, which is anyone's, must not make us touch one.
    """
    if isinstance(value, Path):
        return value
    name = text("model", value, default)
    if set(name) & set("/\\"):
        raise bundles.not_installed(name)
    return name


def units_name(value: Cell) -> str | None:
    return text("units", value, "") or None


def cell_address(grid: Grid, tenor: int, strike: int) -> str:
    """Of a quote, counted from the range's upper left cell."""
    down, across = (strike, tenor) if grid.transposed else (tenor, strike)
    return address(grid.rows[down], grid.columns[across])
