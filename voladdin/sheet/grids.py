"""What the functions that take a grid share: their arguments, and how a grid is read, with its warnings."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ..cells import Cell, Cells, Grid, parse
from ..errors import InputError, UnitsError
from ..surface import Surface
from .axes import on_axes_of
from .function import DEFAULT_MODEL, Argument, text

TENORS = Argument(
    "tenors", "tenors of the grid's rows where it has no headers: 1W, 1M, 1Y, or years", "range"
)
STRIKES = Argument(
    "strikes", "strikes of the grid's columns where it has none: 25P, ATM, K=1.085, m=-0.1", "range"
)
MODEL = Argument("model", 'model bundle, "fx" unless told; VOLINFO("models") lists them', "value")
UNITS = Argument("units", '"decimal" or "percent" where the grid cannot tell', "value")
FORWARDS = Argument("forwards", "one forward a tenor; needed where strikes are K=…", "range")
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
