"""VOLSHIFT: the user's own surface, its features moved by exactly so much."""

from __future__ import annotations

from typing import Any

from ..cells import Cell, Cells, render
from ..errors import UnitsError
from ..feature_map import NAMES
from ..generation.shifting import LARGEST_LEVEL, shifted
from .arguments import AXES, MARKET, SURFACE, Axes, read_grid, warn
from .signature import Argument, Function, number


def _volshift(
    surface: Cells,
    dlevel: Cell,
    dskew: Cell,
    dcurv: Cell,
    dterm: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    *market: Any,
) -> Cells:
    grid = read_grid(surface, Axes(tenors, strikes, units, forwards, *market))
    values = zip(NAMES, (dlevel, dskew, dcurv, dterm), strict=True)
    changes = [number(f"d{name}", value, 0.0) for name, value in values]
    if grid.percent:
        changes = _decimals(changes)
    result, further = shifted(grid.surface, *changes)
    if further:
        warn(f"surface: cells moved by up to {further:.3g} bp more to be free of arbitrage, features kept")
    return render(grid, result.vols)


def _decimals(changes: list[float]) -> list[float]:
    """Of percent points. Raises UnitsError."""
    if abs(changes[0]) >= 100 * LARGEST_LEVEL:
        raise UnitsError(f"dlevel is {changes[0]:g} percent points; expected a number such as 1")
    return [change / 100 for change in changes]


def _change(name: str, help_: str) -> Argument:
    return Argument(name, f"{help_}; in percent points where the grid is in them", "value")


VOLSHIFT = Function(
    "VOLSHIFT",
    "A grid of implied vols with its features moved by exactly so much, and the rest of its shape as it was.",
    (
        SURFACE,
        _change("dlevel", "change of the vol at the money, short end: 0.01 is one vol point"),
        _change("dskew", "change of its slope in ln(K/F)"),
        _change("dcurv", "change of its second derivative in ln(K/F)"),
        _change("dterm", "change of its slope a year"),
        *AXES,
        *MARKET,
    ),
    "=VOLSHIFT(A1:F9, 0.01, -0.05)",
    _volshift,
)
