"""VOLINTERP: the vol anywhere on a grid."""

from __future__ import annotations

from typing import Any

from ..cells import Cell, Cells, strike_asked, tenor_asked
from ..errors import InputError
from ..imputation.interpolation import interpolate
from .arguments import (
    FORWARDS,
    MARKET,
    MODEL,
    STRIKES,
    SURFACE,
    TENORS,
    UNITS,
    Axes,
    model_name,
    read_grid,
    warn,
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
    *market: Any,
) -> Cells:
    grid = read_grid(surface, Axes(tenors, strikes, units, forwards, *market))
    years, asked = tenor_asked(tenor, grid), strike_asked(strike, grid)
    if asked.kind == "strike" and grid.surface.forwards is None:
        raise InputError(
            f"strike is {strike!r}, and the surface has no forwards; expected the argument forwards"
        )
    if asked.note:
        warn(asked.note)
    vol = interpolate(grid.surface, years, asked.value, kind=asked.kind, model=model_name(model))
    return [[vol * 100 if grid.percent else vol]]


VOLINTERP = Function(
    "VOLINTERP",
    "The implied vol at any tenor and strike of a grid, which may have holes.",
    (
        SURFACE,
        Argument(
            "tenor", "a tenor such as 4M, years, or a date where the corner is one", "value", optional=False
        ),
        Argument(
            "strike",
            "25P, ATM, 10C, K=1.085, m=-0.1; a number is of the grid's own kind, a strike beside forwards",
            "value",
            optional=False,
        ),
        TENORS,
        STRIKES,
        MODEL,
        UNITS,
        FORWARDS,
        *MARKET,
    ),
    '=VOLINTERP(A1:F9, "4M", "25P")',
    _volinterp,
)
