"""VOLINTERP: the vol anywhere on a grid."""

from __future__ import annotations

from typing import Any

from .. import conventions
from ..cells import Cell, Cells, Grid, read_date, shown
from ..errors import InputError, LabelError
from ..imputation.interpolation import interpolate
from ..surface import Surface
from .arguments import (
    FORWARDS,
    MODEL,
    STRIKES,
    SURFACE,
    TENORS,
    UNITS,
    model_name,
    parsed,
    require_quote,
    units_name,
)
from .signature import Argument, Function


def _volinterp(
    surface: Cells,
    tenor: Cell,
    strike: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
) -> Cells:
    grid = parsed("surface", surface, tenors, strikes, units_name(units), forwards)
    require_quote(grid)
    years = _tenor(tenor, grid)
    kind, value = _strike(strike, grid.surface)
    if kind == "strike" and grid.surface.forwards is None:
        raise InputError(
            f"strike is {strike!r}, and the surface has no forwards; expected the argument forwards"
        )
    vol = interpolate(grid.surface, years, value, kind=kind, model=model_name(model))
    return [[vol * 100 if grid.percent else vol]]


def _tenor(tenor: Cell, grid: Grid) -> float:
    if read_date(tenor) is not None and grid.valuation is None:
        raise LabelError(
            f"tenor is {shown(tenor)}, a date; expected the valuation date in the corner cell of the surface"
        )
    return conventions.parse_tenor(tenor, grid.valuation)  # type: ignore[arg-type]


def _strike(strike: Cell, surface: Surface) -> tuple[Any, float]:
    """A number is of the surface's own kind; text is a label such as 25P, K=1.085 or m=-0.1."""
    if isinstance(strike, float | int) and not isinstance(strike, bool) and surface.deltas is None:
        return ("moneyness" if surface.moneyness is not None else "strike"), float(strike)
    found = conventions.parse_strike(strike)
    if found is None:
        raise InputError(f"strike is {strike!r}; expected a label such as 25P, ATM, 0.25, K=1.085 or m=-0.1")
    return found


VOLINTERP = Function(
    "VOLINTERP",
    "The implied vol at any tenor and strike of a grid, which may have holes.",
    (
        SURFACE,
        Argument("tenor", "a tenor such as 4M, years, or a date where the corner is one", "value", False),
        Argument(
            "strike", "25P, ATM, 10C, K=1.085, m=-0.1; a number is of the grid's own kind", "value", False
        ),
        TENORS,
        STRIKES,
        MODEL,
        UNITS,
        FORWARDS,
    ),
    '=VOLINTERP(A1:F9, "4M", "25P")',
    _volinterp,
)
