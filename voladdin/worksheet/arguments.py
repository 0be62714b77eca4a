"""What the functions that take a grid share: their arguments, and how a grid is read, with its warnings."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..cells import Cell, Cells, Grid, address, parse
from ..errors import InputError, UnitsError
from ..surface import Surface
from .alignment import on_axes_of
from .signature import DEFAULT_MODEL, Argument, text

TENORS = Argument(
    "tenors", "tenors of the grid's rows where it has no headers: 1W, 1M, 1Y, or years", "range"
)
STRIKES = Argument(
    "strikes", "strikes of the grid's columns where it has none: 25P, ATM, K=1.085, m=-0.1", "range"
)
MODEL = Argument("model", 'model bundle, "fx" unless told; VOLINFO("models") lists them', "value")
UNITS = Argument("units", '"decimal" or "percent" where the grid cannot tell', "value")
FORWARDS = Argument("forwards", "one forward a tenor; needed where strikes are K=…", "range")
AXES = (TENORS, STRIKES, UNITS, FORWARDS)
SIZE = Argument("tolerance", "size in forwards that a trade must exceed to count; 1e-10 unless told", "value")
SURFACE = Argument(
    "surface",
    "a grid of implied vols, tenors by strikes, with or without headers; holes blank",
    "range",
    False,
)

WARNINGS: ContextVar[list[str]] = ContextVar("warnings")  # of the call that runs


def warn(warning: str) -> None:
    """Adds a warning to those of the call, for VOLINFO("error")."""
    WARNINGS.get().append(warning)


def parsed(argument: str, cells: Cells, *axes: Any) -> Grid:
    """`cells` as a Grid; errors and warnings name the argument."""
    try:
        grid = parse(cells, *axes)
    except InputError as error:
        raise type(error)(f"{argument}: {error}") from None
    WARNINGS.get().extend(f"{argument}: {warning}" for warning in grid.warnings)
    return grid


def model_name(value: Cell) -> str:
    return text("model", value, DEFAULT_MODEL)


def units_name(value: Cell) -> str | None:
    return text("units", value, "") or None


def companion(grid: Grid, cells: Cells, axes: tuple[Any, ...], name: str = "prior") -> Surface:
    """Another grid by its own headers where it has them, else by the surface's arguments."""
    named = axes[:2] != (None, None) and not _has_headers(cells, axes)
    return on_axes_of(grid, parsed(name, cells, *(axes if named else (None, None, *axes[2:]))), name)


def bid_and_ask(
    grid: Grid, bid: Cells | None, ask: Cells | None, axes: tuple[Any, ...]
) -> tuple[FloatArray | None, FloatArray | None]:
    """[T, K] vols of either argument. Raises InputError, also naming where they cross."""
    low, high = (
        None if side is None else companion(grid, side, axes, name).vols
        for name, side in (("bid", bid), ("ask", ask))
    )
    if low is not None and high is not None and (low > high).any():
        tenor, strike = map(int, np.argwhere(low > high)[0])
        unit = 100 if grid.percent else 1
        raise InputError(
            f"bid is {unit * low[tenor, strike]:.6g} for {cell_address(grid, tenor, strike)} of the surface, "
            f"above the ask {unit * high[tenor, strike]:.6g}; expected a bid of at most the ask"
        )
    return low, high


def cell_address(grid: Grid, tenor: int, strike: int) -> str:
    """Of a quote, counted from the range's upper left cell."""
    down, across = (strike, tenor) if grid.transposed else (tenor, strike)
    return address(grid.rows[down], grid.columns[across])


def _has_headers(cells: Cells, axes: tuple[Any, ...]) -> bool:
    try:
        own = parse(cells, None, None, *axes[2:])
    except UnitsError:
        return True
    except InputError:
        return False
    return own.row_header and own.column_header


def require_quote(grid: Grid, otherwise: str = ", or a prior") -> None:
    if not grid.surface.observed.any():
        raise InputError(f"surface: {grid.body} hold no vol; expected at least one{otherwise}")
