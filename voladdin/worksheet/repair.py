"""VOLREPAIR: the nearest grid without static arbitrage, the change of each cell, or what had to give."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arbitrage.repair import Repair, repair
from ..arbitrage.tolerances import TOLERANCE
from ..cells import ERROR_CELLS, Cell, Cells, Grid, Label, is_missing, labels_of, rectangle, render
from ..errors import InputError
from ..surface import MAX_WITH_HEADERS
from .arguments import AXES, MARKET, SIZE, SURFACE, AxisArguments, cell_address, read_grid, warn
from .companions import bid_and_ask
from .signature import Argument, Function, choice, number, truth

OUTPUTS = ("repaired", "change", "report")


def _volrepair(
    surface: Cells,
    output: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    bid: Cells | None,
    ask: Cells | None,
    fixed: Cells | None,
    keep_features: Cell,
    tolerance: Cell,
    *market: Any,
) -> Cells:
    wanted = choice("output", output, OUTPUTS)
    axes = AxisArguments(tenors, strikes, units, forwards, *market)
    grid = read_grid(surface, axes)
    low, high = bid_and_ask(grid, bid, ask, axes).sides
    found = repair(
        grid.surface,
        keep_features=truth("keep_features", keep_features, default=False),
        fixed=None if fixed is None else _marks(grid, rectangle(fixed, "fixed", MAX_WITH_HEADERS)),
        bid=low,
        ask=high,
        tolerance=number("tolerance", tolerance, TOLERANCE),
    )
    warn(f"surface: {found.message}")
    if wanted == "report":
        return _report(grid, found)
    if wanted == "change":
        return render(grid, found.change, scale=False)
    return render(grid, found.surface.vols)


def _marks(grid: Grid, cells: Cells) -> NDArray[np.bool_]:
    """[T, K] where `cells`, of the whole range or of its vols only, is neither blank, 0 nor FALSE."""
    height, width = len(cells), len(cells[0])
    whole, body = (len(grid.raw), len(grid.raw[0])), (len(grid.rows), len(grid.columns))
    if (height, width) not in (whole, body):
        raise InputError(
            f"fixed: a range of {height} x {width} cells; expected {body[0]} x {body[1]}, one for each vol "
            f"(anything but blank, 0 or FALSE marks it), or {whole[0]} x {whole[1]}, as the surface"
        )
    labels = labels_of(cells, "fixed")
    rows, columns = (grid.rows, grid.columns) if (height, width) == whole else map(range, body)
    marks = np.array([[_marked(labels[i][j]) for j in columns] for i in rows])
    marks = marks.T if grid.transposed else marks
    empty = np.argwhere(marks & ~grid.surface.observed)
    if len(empty):
        place = cell_address(grid, *map(int, empty[0]))
        raise InputError(
            f"fixed: it marks {place} of the surface, which holds no vol; expected marks at vols"
        )
    return np.asarray(marks)


def _marked(label: Label) -> bool:
    cell = label.cell
    if isinstance(cell, str) and cell.strip().upper() in ERROR_CELLS:
        raise InputError(f"{label}; expected a mark such as x, or blank")
    return not is_missing(cell) and cell is not False and cell != 0


def _report(grid: Grid, found: Repair) -> Cells:
    moves = np.abs(np.nan_to_num(found.change))
    place = np.unravel_index(np.argmax(moves), moves.shape)
    return [
        ["method", found.method],
        ["cells moved", int((moves > 0).sum())],
        ["largest move, bp", found.largest],
        ["at", cell_address(grid, *map(int, place)) if found.largest > 0 else ""],
        ["mean move, bp", float(moves[grid.surface.observed].mean())],
        ["what had to give", found.message],
    ]


VOLREPAIR = Function(
    "VOLREPAIR",
    "The nearest grid of implied vols that cannot be arbitraged, the change of each cell, or a report.",
    (
        SURFACE,
        Argument(
            "output",
            f"one of {', '.join(OUTPUTS)} (in bp of vol); repaired unless told",
            "value",
            choices=OUTPUTS,
        ),
        *AXES,
        Argument("bid", "bid vols with the surface's labels; moving between bid and ask is free", "range"),
        Argument("ask", "ask vols with the surface's labels", "range"),
        Argument("fixed", "as many cells as the surface: any mark keeps that vol as it is", "range"),
        Argument("keep_features", "TRUE to keep level, skew, curvature and term structure", "value"),
        SIZE,
        *MARKET,
    ),
    '=VOLREPAIR(A1:F9, "change")',
    _volrepair,
)
