"""parse: cells to a Surface; render: the Surface's values back into the same cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from statistics import median

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from ..labels import StrikeKind
from ..surface import MAX_CELLS, Surface
from ._arguments import given_layout
from ._layout import Layout, kind_of, own_layout, untitled
from ._table import (
    PAPER_DELTAS,
    PAPER_TENORS,
    read_forwards,
    read_strikes,
    read_tenors,
    split,
    typical_forward,
)
from ._units import EXPECTED, read_quotes, read_units
from ._values import Cells, Label, address, labels_of, read_date, read_number, rectangle

_PAPER_WARNING = (
    f"no headers: read as tenors {' '.join(PAPER_TENORS)} by forward call deltas "
    f"{' '.join(map(str, PAPER_DELTAS))}, the pillars of the paper in its order"
)


@dataclass(frozen=True, eq=False)
class Grid:
    """A range that was read: its surface, and what it takes to give it back in the same cells.

    transposed: tenors run across. percent: vols are written in percent points. row_header, column_header:
    the first row, the first column (after titles) are headers. raw: the cells as they came. warnings: what
    was read as missing or assumed. rows, columns: those of `raw` that hold the vols. quotes: [T, K] the
    numbers as written, in the unit of the grid, NaN where missing. valuation: the date that expiry dates
    count from. corner: row and column of `raw` where the grid starts, below titles.
    """

    surface: Surface
    transposed: bool
    percent: bool
    row_header: bool
    column_header: bool
    raw: Cells
    warnings: list[str]
    rows: tuple[int, ...] = field(repr=False)
    columns: tuple[int, ...] = field(repr=False)
    quotes: FloatArray = field(repr=False)
    valuation: date | None = None
    corner: tuple[int, int] = (0, 0)

    @property
    def body(self) -> str:
        """Where the vols are, such as "cells B2 to F9 of the range"."""
        first, last = address(self.rows[0], self.columns[0]), address(self.rows[-1], self.columns[-1])
        return f"cell {first} of the range" if first == last else f"cells {first} to {last} of the range"


def parse(
    values: Cells,
    tenors: Cells | None = None,
    strikes: Cells | None = None,
    units: str | None = None,
    forwards: Cells | None = None,
    *,
    valuation: date | None = None,
) -> Grid:
    """Reads a range of cells as a surface; `voladdin.cells` states the rules.

    values: rows of cells. tenors, strikes: labels in place of headers, a row or a column; strikes may be one
    for each vol. units: "percent", "decimal" or None (the median tells). forwards: one for each tenor, or one
    for all. valuation: the date that expiry dates count from; otherwise the corner cell's.

    Raises InputError (shape, TRUE/FALSE, no vol), LabelError (headers), UnitsError (percent with decimals).
    """
    raw = rectangle(values, "range", MAX_CELLS)
    tenors = None if tenors is None else rectangle(tenors, "tenors", MAX_CELLS)
    strikes = None if strikes is None else rectangle(strikes, "strikes", MAX_CELLS)
    forwards = None if forwards is None else rectangle(forwards, "forwards", MAX_CELLS)
    unit = read_units(units)
    labels = labels_of(raw)
    if tenors is None and strikes is None:
        labels = untitled(labels)
    corner = labels[0][0]
    valuation = valuation or read_date(corner.cell)
    layout = _layout(labels, tenors, strikes, forwards, valuation)
    table = split(labels, layout, named=(tenors is not None, strikes is not None))
    known = read_forwards(table, forwards)
    years = read_tenors(table, tenors, valuation)
    axis = read_strikes(table, strikes, layout.transposed, None if known is None else float(median(known)))
    quotes = read_quotes(table.body, unit)
    paper = table.side is None and tenors is None
    rows, columns = (table.across, table.down) if layout.transposed else (table.down, table.across)
    return Grid(
        surface=_surface(quotes.vols, years, axis, known),
        transposed=layout.transposed,
        percent=quotes.percent,
        row_header=layout.header_row,
        column_header=layout.header_column,
        raw=raw,
        warnings=[_PAPER_WARNING] * paper + quotes.warnings,
        rows=tuple(corner.row + i for i in rows),
        columns=tuple(corner.column + j for j in columns),
        quotes=quotes.written,
        valuation=valuation,
        corner=(corner.row, corner.column),
    )


def _layout(
    labels: list[list[Label]],
    tenors: Cells | None,
    strikes: Cells | None,
    forwards: Cells | None,
    valuation: date | None,
) -> Layout:
    if tenors is not None or strikes is not None:
        return given_layout(labels, tenors, strikes)
    _refuse_hopeless(labels)
    return own_layout(labels, valuation, typical_forward(forwards))


def _refuse_hopeless(labels: list[list[Label]]) -> None:
    """Raises InputError for one cell, or no number, tenor or strike at all."""
    expected = f"{EXPECTED}, with tenors such as 1M and deltas such as 25C as headers"
    if len(labels) * len(labels[0]) == 1:
        raise InputError(f"the range is one cell: {labels[0][0]}; {expected}")
    headers = labels[0] + [row[0] for row in labels]
    if any(kind_of(label.cell) in ("tenor", "strike") for label in headers):
        return
    if not any(read_number(label.cell) is not None for row in labels for label in row):
        texts = (label for row in labels for label in row if kind_of(label.cell) != "blank")
        raise InputError(f"the range has no number: {next(texts, labels[0][0])}; {expected}")


def _surface(
    vols: FloatArray, years: FloatArray, axis: tuple[StrikeKind, FloatArray], forwards: FloatArray | None
) -> Surface:
    kind, values = axis
    if kind == "delta":
        return Surface(vols, years, deltas=values, forwards=forwards)
    if kind == "moneyness":
        return Surface(vols, years, moneyness=values, forwards=forwards)
    if forwards is None:
        raise InputError(
            'strikes need forwards; expected a line headed "Fwd" in the range, with each tenor\'s forward, '
            "or the argument forwards"
        )
    return Surface(vols, years, strikes=values, forwards=forwards)


def render(grid: Grid, values: ArrayLike, *, scale: bool = True) -> Cells:
    """Values of the surface in the cells they came from: same shape, headers, orientation and unit.

    values: [T, K] decimals; NaN and infinite give "". A value equal to its quote gives the number that was
    written, to the last bit. scale: False for what is no vol (z-scores): values go out as they are.

    Raises InputError where the shape of values is not the surface's.
    """
    table = np.array(values, dtype=float)
    if table.shape != grid.surface.shape:
        raise InputError(f"values has shape {table.shape}; expected {grid.surface.shape}")
    if scale:
        kept = table == grid.surface.vols
        table = np.where(kept, grid.quotes, table * 100 if grid.percent else table)
    if grid.transposed:
        table = table.T
    cells = [list(row) for row in grid.raw]
    for i, line in zip(grid.rows, table.tolist(), strict=True):
        for j, value in zip(grid.columns, line, strict=True):
            cells[i][j] = value if math.isfinite(value) else ""
    return cells
