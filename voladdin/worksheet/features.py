"""VOLFEATURES: level, skew, curvature and term structure of a grid, or what they rest on."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import Cell, Cells, Grid
from ..feature_map import NAMES, Features, features
from .arguments import AXES, MARKET, SURFACE, AxisArguments, cell_address, read_grid
from .signature import Argument, Function, choice
from .wording import NOT_IDENTIFIED, TENOR, market_rows

OUTPUTS = ("values", *NAMES, "report", "weights", "market")
_REPORT = ("feature", "value", "error if vols err by 1")


def volfeatures(grid: Grid, output: str) -> Cells:
    """What `features` says of a grid, as cells, in the unit of its vols.

    output: "values" is one row of the four; a feature's name that one alone; "report" a row a feature with
    its error for independent errors of 1 in the vols, and the condition of the fit; "weights" a row a quote
    with what it counts in each feature. A feature that the grid cannot identify is #N/A.
    """
    found = features(grid.surface)
    values = [_cell(value * (100 if grid.percent else 1)) for value in found.values.tolist()]
    if output == "values":
        return [values]
    if output == "weights":
        return _weights(grid, found)
    if output == "report":
        spread = [_cell(value) for value in np.linalg.norm(found.weights, axis=(1, 2)).tolist()]
        rows: Cells = [[*row] for row in zip(NAMES, values, spread, strict=True)]
        return [list(_REPORT), *rows, ["condition of the fit", found.condition, ""]]
    return [[values[NAMES.index(output)]]]


def _weights(grid: Grid, found: Features) -> Cells:
    rows: Cells = [["cell", *NAMES]]
    for tenor, strike in np.argwhere(grid.surface.observed).tolist():
        weights = [_cell(value) for value in found.weights[:, tenor, strike].tolist()]
        rows.append([cell_address(grid, tenor, strike), *weights])
    return rows


def _cell(value: float) -> Cell:
    return NOT_IDENTIFIED if np.isnan(value) else value


def _volfeatures(
    surface: Cells,
    output: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    *rest: Any,
) -> Cells:
    wanted, (*market, tenor) = choice("output", output, OUTPUTS), rest
    grid = read_grid(surface, AxisArguments(tenors, strikes, units, forwards, *market))
    return market_rows(grid, tenor) if wanted == "market" else volfeatures(grid, wanted)


VOLFEATURES = Function(
    "VOLFEATURES",
    "Level, skew, curvature and term structure of a grid of implied vols, at the money at the short end.",
    (
        SURFACE,
        Argument(
            "output",
            "values (level, skew, curv, term in one row, unless told), one of these four, report or weights; "
            "market, of a delta grid: ATM, 25-delta risk reversal and butterfly, slope of ATM a year",
            "value",
            choices=OUTPUTS,
        ),
        *AXES,
        *MARKET,
        TENOR,
    ),
    "=VOLFEATURES(A1:F9)",
    _volfeatures,
)
