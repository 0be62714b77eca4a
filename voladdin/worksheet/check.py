"""VOLCHECK's outputs: a verdict, a report or a map, in cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import FloatArray
from ..arbitrage.check import Check, check
from ..arbitrage.tolerances import TOLERANCE
from ..arbitrage.trades import Violation, cell_label
from ..cells import Cell, Cells, Grid, render
from .arguments import AXES, MARKET, SIZE, SURFACE, AxisArguments, read_grid
from .companions import bid_and_ask
from .signature import Argument, Function, choice, number

OUTPUTS = ("ok", "report", "map", "diagnostics")
CLEAN = "no static arbitrage"
_REPORT = ("kind", "cells", "bp of forward", "vol bp", "trade")
_DIAGNOSTICS = ("condition", "cells below 0", "lowest value", "at")


def volcheck(
    grid: Grid, output: str, bid: FloatArray | None, ask: FloatArray | None, tolerance: float
) -> Cells:
    """What `check` says of a grid, as cells.

    output: "ok" is TRUE or FALSE; "report" a row a violation, the largest first, its cells by their labels
    ("6M ATM"), or one line where there is none; "map" the grid with the largest size in vol bp in place of
    each quote; "diagnostics" a row a condition of the papers.

    Raises InputError as `check` does.
    """
    found = check(
        grid.surface,
        tolerance=tolerance,
        bid=bid,
        ask=ask,
    )
    if output == "map":
        return render(grid, found.map, scale=False)
    if output == "report":
        if found.ok:
            return [[CLEAN]]
        return [list(_REPORT), *(_row(grid, violation) for violation in found.violations)]
    return _diagnostics(grid, found) if output == "diagnostics" else [[found.ok]]


def _row(grid: Grid, violation: Violation) -> list[Cell]:
    cells = ", ".join(cell_label(grid.surface, *cell) for cell in violation.cells)
    return [violation.kind, cells, 1e4 * violation.size, violation.vol_bp, violation.message]


def _diagnostics(grid: Grid, found: Check) -> Cells:
    rows: Cells = [list(_DIAGNOSTICS)]
    for name, values in found.diagnostics.items():
        if not np.isfinite(values).any():
            rows.append([name, "", "", "too few quotes"])
            continue
        row, column = np.unravel_index(np.nanargmin(values), values.shape)
        low = int((values < 0).sum())
        rows.append([name, low, float(values[row, column]), cell_label(grid.surface, int(row), int(column))])
    return rows


def _volcheck(
    surface: Cells,
    output: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    bid: Cells | None,
    ask: Cells | None,
    tolerance: Cell,
    *market: Any,
) -> Cells:
    wanted = choice("output", output, OUTPUTS)
    axes = AxisArguments(tenors, strikes, units, forwards, *market)
    grid = read_grid(surface, axes)
    low, high = bid_and_ask(grid, bid, ask, axes).sides
    return volcheck(grid, wanted, low, high, number("tolerance", tolerance, TOLERANCE))


VOLCHECK = Function(
    "VOLCHECK",
    "Whether a grid of implied vols can be arbitraged, by which trades, or their size in each cell.",
    (
        SURFACE,
        Argument(
            "output",
            "ok (TRUE or FALSE, unless told), report (one trade a row), map (vol bp in each cell) or "
            "diagnostics (conditions on a smooth surface)",
            "value",
            choices=OUTPUTS,
        ),
        *AXES,
        Argument("bid", "bid vols with the surface's labels; calls are sold at them", "range"),
        Argument("ask", "ask vols with the surface's labels; calls are bought at them", "range"),
        SIZE,
        *MARKET,
    ),
    '=VOLCHECK(A1:F9, "report")',
    _volcheck,
)
