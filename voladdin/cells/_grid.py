"""parse: cells to a Surface; render: the Surface's values back into the same cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from ..labels.dates import common_order, date_of_text
from ..surface import MAX_CELLS, MAX_WITH_HEADERS, Surface
from ._arguments import Arguments, given_layout, read_arguments
from ._banners import sided
from ._body import Body, is_given, lognormal_body, normal_body, says_normal
from ._forwards import MarketCells, typical_forward
from ._grid_vols import VOL_EXPECTED, read_units
from ._layout import Layout, kind_of, own_layout
from ._normal_strikes import NormalNotation
from ._titles import bare, titled_valuation
from ._values import Cells, Label, address, labels_of, read_date, read_number, rectangle
from ._words import Notation, TenorUnit, Words, refuse_business_days, words_of


@dataclass(frozen=True, eq=False)
class Grid:
    """A range that was read: its surface, and what it takes to give it back in the same cells.

    transposed: tenors run across. percent: vols are written in percent points. row_header, column_header:
    the first row, the first column (after titles) are headers. raw: the cells as they came. warnings: what
    was read as missing or assumed. rows, columns: those of `raw` that hold the vols. written: [T, K] the
    numbers as written, in the unit of the grid, NaN where missing. valuation: the date that expiry dates
    count from, a moment where these have times of day. corner: row and column of `raw` where the grid starts,
    below titles. words: what corner, titles and arguments say. notation, tenor_unit: of the strikes and the
    tenors written as numbers. normal: of the strikes of normal vols, which are written in basis points.
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
    written: FloatArray = field(repr=False)
    valuation: date | None = None
    corner: tuple[int, int] = (0, 0)
    words: Words = field(default=Words(), repr=False)
    notation: Notation | None = None
    tenor_unit: TenorUnit | None = None
    normal: NormalNotation | None = None

    @property
    def unit(self) -> float:
        """A vol as written over its decimal: 100 in percent points, 10,000 in basis points."""
        return 1e4 if self.normal is not None else 100.0 if self.percent else 1.0

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
    market: MarketCells | None = None,
    like: Grid | None = None,
) -> Grid:
    """Reads a range of cells as a surface; `voladdin.cells` states the rules.

    tenors, strikes: labels in place of headers (strikes also one for each vol), or a word such as "days".
    units: "percent", "decimal", "bp" (normal vols) or None. forwards: one a tenor, or one for all.
    valuation: of expiry dates. market: forwards, or spot and rates. like: a grid of the same market, for what
    this one lacks.

    Raises InputError (shape, TRUE/FALSE, no vol), LabelError (headers), UnitsError (percent with decimals).
    """
    raw, given = rectangle(values, "range", MAX_WITH_HEADERS), read_arguments(tenors, strikes)
    known = _market(market, forwards)
    labels, words = _without_titles(labels_of(raw), given, like)
    corner, layout = labels[0][0], _layout_of(labels, given, words, typical_forward(known))
    valuation = valuation or _valuation(labels) or words.valuation
    if says_normal(units, words, labels):
        body = normal_body(labels, layout, given, words, known, valuation, unit_given=is_given(units))
    else:
        body = lognormal_body(labels, layout, given, words, known, valuation, read_units(units), _like(like))
    return _assembled(raw, corner, layout, words, body, given.notes)


def _assembled(raw: Cells, corner: Label, layout: Layout, words: Words, body: Body, notes: list[str]) -> Grid:
    table = body.table
    rows, columns = (table.across, table.down) if layout.transposed else (table.down, table.across)
    return Grid(
        surface=body.surface,
        transposed=layout.transposed,
        percent=body.percent,
        row_header=layout.header_row,
        column_header=layout.header_column,
        raw=raw,
        warnings=[*notes, *body.warnings],
        rows=tuple(corner.row + i for i in rows),
        columns=tuple(corner.column + j for j in columns),
        written=body.written,
        valuation=body.tenors.valuation,
        corner=(corner.row, corner.column),
        words=words,
        notation=body.notation,
        tenor_unit=body.tenors.unit,
        normal=body.normal,
    )


def _market(market: MarketCells | None, forwards: Cells | None) -> MarketCells:
    known = market or MarketCells()

    def line(name: str, cells: Cells | None) -> Cells | None:
        return None if cells is None else rectangle(cells, name, MAX_CELLS)

    return MarketCells(
        line("forwards", forwards if forwards is not None else known.forwards),
        known.spot,
        line("domestic", known.domestic),
        line("foreign", known.foreign),
    )


def _without_titles(
    labels: list[list[Label]], given: Arguments, like: Grid | None
) -> tuple[list[list[Label]], Words]:
    """The range below and beside its titles, and what these, the corner and the arguments say."""
    titles: list[Label] = []
    if given.tenors is None and given.strikes is None:
        labels, titles, notes = bare(labels)
        given.notes.extend(notes)
        labels = sided(labels, titles)
    corner = labels[0][0].cell
    if isinstance(corner, str):
        refuse_business_days(corner)
    above = [label.cell for label in titles]
    words = given.words.over(words_of(corner, above))._replace(valuation=titled_valuation([*above, corner]))
    return labels, words if like is None else words.over(like.words)


def _valuation(labels: list[list[Label]]) -> date | None:
    """The corner's date; one such as "03/04/2026" in the order of the headers' dates."""
    corner = labels[0][0].cell
    if isinstance(corner, str) and read_date(corner) is None:
        line = [label.cell for label in [*labels[0], *(row[0] for row in labels)]]
        order = common_order(cell for cell in line if isinstance(cell, str))
        return date_of_text(corner, order)
    return read_date(corner)


def _layout_of(labels: list[list[Label]], given: Arguments, words: Words, forward: float | None) -> Layout:
    if given.tenors is not None or given.strikes is not None:
        return given_layout(labels, given.tenors, given.strikes)
    _refuse_hopeless(labels)
    return own_layout(labels, words, forward)


def _like(grid: Grid | None) -> float | None:
    """A vol that those of the same market are about."""
    known = grid is not None and grid.normal is None and grid.surface.observed.any()
    return float(np.nanmedian(grid.surface.vols)) if grid is not None and known else None


def _refuse_hopeless(labels: list[list[Label]]) -> None:
    """Raises InputError for one cell, or no number, tenor or strike at all."""
    expected = f"{VOL_EXPECTED}, with tenors such as 1M and deltas such as 25C as headers"
    if len(labels) * len(labels[0]) == 1:
        raise InputError(f"the range is one cell: {labels[0][0]}; {expected}")
    headers = labels[0] + [row[0] for row in labels]
    if any(kind_of(label.cell) in ("tenor", "strike") for label in headers):
        return
    if not any(read_number(label.cell) is not None for row in labels for label in row):
        texts = (label for row in labels for label in row if kind_of(label.cell) != "blank")
        raise InputError(f"the range has no number: {next(texts, labels[0][0])}; {expected}")


def render(grid: Grid, values: ArrayLike, *, scale: bool = True) -> Cells:
    """Values of the surface in the cells they came from: same shape, headers, orientation and unit.

    values: [T, K] decimals; NaN and infinite give "". A value equal to its quote gives the number that was
    written, to the last bit. scale: False for what is no vol (z-scores): values go out as they are.

    Raises InputError where the shape of values is not the surface's.
    """
    out = np.array(values, dtype=float)
    if out.shape != grid.surface.shape:
        raise InputError(f"values has shape {out.shape}; expected {grid.surface.shape}")
    if scale:
        kept = out == grid.surface.vols
        out = np.where(kept, grid.written, out * grid.unit)
    if grid.transposed:
        out = out.T
    cells = [list(row) for row in grid.raw]
    for i, line in zip(grid.rows, out.tolist(), strict=True):
        for j, value in zip(grid.columns, line, strict=True):
            cells[i][j] = value if math.isfinite(value) else ""
    return cells
