"""VOLINTERP: the vol anywhere on a grid, at one point or at columns of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..cells import (
    Cell,
    Cells,
    Grid,
    StrikeQuery,
    address,
    is_blank,
    normal_strike,
    rectangle,
    shown,
    strike_asked,
    tenor_asked,
)
from ..errors import InputError
from ..imputation.interpolation import interpolate_many
from ..surface import MAX_CELLS
from .arguments import (
    FORWARDS,
    MARKET,
    MODEL,
    STRIKES,
    SURFACE,
    TENORS,
    UNITS,
    AxisArguments,
    model_name,
    read_grid,
    warn,
)
from .matrices import interpolated_matrix, matrix_in
from .signature import Argument, Function

_FAR = 10.0  # standard deviations from the forward, from which a strike is named


def _volinterp(
    surface: Cells,
    tenor: Cells,
    strike: Cells,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
    *market: Any,
) -> Cells:
    axes = AxisArguments(tenors, strikes, units, forwards, *market)
    matrix = matrix_in(surface, axes)
    if matrix is not None:
        return interpolated_matrix(matrix, tenor, strike)
    grid = read_grid(surface, axes)
    points, shape = _points(tenor, strike, grid)
    vols = _vols(grid, points, model_name(model))
    _say_far(grid, points, vols)
    cells: Cells = [[""] * shape[1] for _ in range(shape[0])]
    for point, vol in zip(points, vols, strict=True):
        cells[point.row][point.column] = vol * grid.unit
    return cells


class _Point(NamedTuple):
    """Where the answer goes, and what is asked there."""

    row: int
    column: int
    years: float
    asked: StrikeQuery


def _points(tenor: Cells, strike: Cells, grid: Grid) -> tuple[list[_Point], tuple[int, int]]:
    """What is asked, and the shape of the answer: a column of tenors by a row of strikes is a table.

    Blank lines are left out. Of several points those that cannot be read are warned of and left out.

    Raises InputError where the shapes do not fit, or no point can be read.
    """
    tenor, strike = rectangle(tenor, "tenor", MAX_CELLS), rectangle(strike, "strike", MAX_CELLS)
    rows, columns = _shape(tenor, strike)
    points, wrong = [], []
    for row, column in np.ndindex(rows, columns):
        when, where = _cell(tenor, row, column), _cell(strike, row, column)
        if rows * columns > 1 and is_blank(when) and is_blank(where):
            continue
        try:
            years = tenor_asked(when, grid)
            points.append(_Point(row, column, years, _strike(where, grid, years)))
        except InputError as error:
            wrong.append(error)
            if rows * columns > 1:
                warn(f"point {address(row, column)} of the result is left blank: {error}")
    if wrong and not points:
        raise wrong[0]
    return points, (rows, columns)


def _shape(tenor: Cells, strike: Cells) -> tuple[int, int]:
    sizes = [(len(cells), len(cells[0])) for cells in (tenor, strike)]
    shape = max(sizes[0][0], sizes[1][0]), max(sizes[0][1], sizes[1][1])
    if any(size not in (1, most) for one in sizes for size, most in zip(one, shape, strict=True)):
        raise InputError(
            f"tenor has {sizes[0][0]} x {sizes[0][1]} cells and strike {sizes[1][0]} x {sizes[1][1]}; "
            "expected one of each, columns of the same length, or a column and a row"
        )
    if shape[0] * shape[1] > MAX_CELLS:
        raise InputError(f"tenor and strike ask {shape[0] * shape[1]} points; expected at most {MAX_CELLS}")
    return shape


def _cell(cells: Cells, row: int, column: int) -> Cell:
    return cells[min(row, len(cells) - 1)][min(column, len(cells[0]) - 1)]


def _strike(strike: Cell, grid: Grid, years: float) -> StrikeQuery:
    if grid.normal is not None:
        return StrikeQuery("strike", normal_strike(strike, grid.surface, grid.normal, years))
    asked = strike_asked(strike, grid)
    if asked.kind == "strike" and grid.surface.forwards is None:
        raise InputError(
            f"strike is {shown(strike)}, and the surface has no forwards; expected the argument forwards"
        )
    if asked.note:
        warn(asked.note)
    return asked


def _vols(grid: Grid, points: list[_Point], model: str | Path) -> list[float]:
    """Of each point; those of a kind together."""
    vols = [0.0] * len(points)
    for kind in dict.fromkeys(point.asked.kind for point in points):
        some = [n for n, point in enumerate(points) if point.asked.kind == kind]
        years, values = [points[n].years for n in some], [points[n].asked.value for n in some]
        found = interpolate_many(grid.surface, years, values, kind=kind, model=model)
        for n, vol in zip(some, found.tolist(), strict=True):
            vols[n] = vol
    return vols


def _say_far(grid: Grid, points: list[_Point], vols: list[float]) -> None:
    """Names the first strike that no market quotes: a delta, or a strike in another unit than the grid's."""
    surface = grid.surface
    if surface.forwards is None or grid.normal is not None:
        return
    for point, vol in zip(points, vols, strict=True):
        if point.asked.kind == "strike":
            forward = float(np.interp(point.years, surface.tenors, surface.forwards))
            away = abs(np.log(point.asked.value / forward)) / (vol * np.sqrt(point.years))
            if away > _FAR:
                warn(
                    f"strike {point.asked.value:g} is {away:.2g} standard deviations from the forward "
                    f"{forward:g}; 25C is a delta, and strikes are in the grid's unit"
                )
                return


VOLINTERP = Function(
    "VOLINTERP",
    "The implied vol at any tenor and strike of a grid, which may have holes; of columns of them at once.",
    (
        SURFACE,
        Argument(
            "tenor",
            "a tenor such as 4M, years, or a date beside a valuation date; or a column of them",
            "values",
            optional=False,
            zero=True,
        ),
        Argument(
            "strike",
            "25P, ATM, 10C, K=1.085, m=-0.1; a number is of the grid's kind, a strike beside forwards; or "
            "a column or row of them",
            "values",
            optional=False,
            zero=True,
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
