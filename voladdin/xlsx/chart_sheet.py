"""The sheet of charts of one grid: blocks of cells that follow the grid, and what is drawn of them.

The blocks have the grid's own shape. Quotes are references to its cells, fills and band are VOLIMPUTE of it,
so that the charts move with the grid wherever voladdin is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from ..arbitrage.check import check
from ..arbitrage.repair import repair
from ..arbitrage.trades import cell_label
from ..cells import Cell, Cells, Grid, address, render
from ..imputation.filling import Imputation
from .references import Box, area
from .value_axis import ValueAxis, value_axis

SHEET = "voladdin chart"
TITLES = ("Quotes", "Filled", "90% band, low", "90% band, high")
REPAIRED = "Repaired"  # of all that is filled, where the quotes have arbitrage
LOOKS = {
    "Quotes": "dots",
    "Filled": "line",
    "90% band, low": "band",
    "90% band, high": "band",
    REPAIRED: "repaired",
}
OUTPUTS = {"Filled": "", "90% band, low": "low", "90% band, high": "high"}
MOST_SMILES = 40
HEIGHT, WIDTH = 16, 8  # of a chart, in rows and columns
Position: TypeAlias = tuple[int, int]  # from 1


@dataclass(frozen=True)
class Series:
    """A line of cells in a chart. look: "dots", "line", "band" or "repaired"."""

    title: str
    cells: Box
    look: str


@dataclass(frozen=True)
class Chart:
    """One chart. labels: of its points. top, left: the cell of its upper left corner. axis: of the vols."""

    title: str
    labels: Box
    series: tuple[Series, ...]
    top: int
    left: int
    axis: ValueAxis | None = None


@dataclass
class ChartSheet:
    """What is written: values by position, formulas with their values, array formulas over boxes.

    headings: titles of the blocks. vols: the blocks' vols. heat: where a colour shows the vol.
    """

    name: str
    percent: bool
    values: dict[Position, Cell] = field(default_factory=dict)
    formulas: dict[Position, str] = field(default_factory=dict)
    arrays: dict[Position, tuple[Box, str]] = field(default_factory=dict)
    headings: list[Position] = field(default_factory=list)
    vols: list[Box] = field(default_factory=list)
    heat: Box | None = None
    charts: list[Chart] = field(default_factory=list)


@dataclass(frozen=True)
class ChartSource:
    """The grid's range: a reference to a cell of it by offsets, and to all of it, as a formula has them."""

    cell: Callable[[int, int], str]
    whole: str


def chart_source(sheet: str, box: Box) -> ChartSource:
    """Of a range on a sheet."""
    name = "'" + sheet.replace("'", "''") + "'!"

    def cell(row: int, column: int) -> str:
        return name + address(box.top + row - 1, box.left + column - 1)

    return ChartSource(cell, name + area(box))


def chart_sheet(
    grid: Grid, answer: Imputation, source: ChartSource, *, name: str = SHEET, units: str | None = None
) -> ChartSheet:
    """The sheet of a grid and its imputation; units: as VOLIMPUTE's argument."""
    made = ChartSheet(name, grid.percent)
    arrays = {"Filled": answer.filled, "90% band, low": answer.low, "90% band, high": answer.high}
    height, width = len(grid.raw), len(grid.raw[0])
    titles = TITLES if check(grid.surface).ok else (*TITLES, REPAIRED)
    tops = {title: 2 + i * (height + 2) for i, title in enumerate(titles)}
    for title, top in tops.items():
        made.values[top - 1, 1] = title
        made.headings.append((top - 1, 1))
        if title == "Quotes":
            _quotes(made, grid, source, top)
        elif title == REPAIRED:
            _repaired(made, grid, answer, (top, tops["Filled"], units))
        else:
            _array(made, render(grid, arrays[title]), source, (top, OUTPUTS[title], units))
        made.vols.append(_body(grid, top))
    made.heat = _body(grid, tops["Filled"])
    made.charts = [replace(c, axis=_axis(made, c.series)) for c in _charts(grid, tops, width + 2)]
    return made


def _quotes(made: ChartSheet, grid: Grid, source: ChartSource, top: int) -> None:
    """References to the grid: a chart leaves out #N/A."""
    for i, row in enumerate(grid.raw):
        for j, cell in enumerate(row):
            at, reference = (top + i, 1 + j), source.cell(i, j)
            if i in grid.rows and j in grid.columns:
                made.formulas[at] = f"=IF(ISNUMBER({reference}),{reference},NA())"
            elif cell not in (None, ""):
                made.formulas[at] = f"={reference}"
                made.values[at] = cell
    unit = 100.0 if grid.percent else 1.0
    for tenor, strike in np.ndindex(grid.surface.shape):
        down, across = offsets(grid, tenor, strike)
        vol = float(grid.surface.vols[tenor, strike]) * unit
        made.values[top + down, 1 + across] = "#N/A" if np.isnan(vol) else vol


def _array(made: ChartSheet, cells: Cells, source: ChartSource, what: tuple[int, str, str | None]) -> None:
    top, output, units = what
    more = f',"{output}"' if output else ""
    if units:
        more = f'{more or ","},,,,,"{units}"'
    _put(made, cells, top, f"=VOLIMPUTE({source.whole}{more})")


def _repaired(made: ChartSheet, grid: Grid, answer: Imputation, what: tuple[int, int, str | None]) -> None:
    """What is filled, repaired: a formula on the block of the fills."""
    top, filled, units = what
    vols = repair(grid.surface.replace(answer.filled)).surface.vols
    height, width = len(grid.raw), len(grid.raw[0])
    more = f',,,,"{units}"' if units else ""
    formula = f"=VOLREPAIR({area(Box(1, filled, width, filled + height - 1))}{more})"
    _put(made, render(grid, vols), top, formula)


def _put(made: ChartSheet, cells: Cells, top: int, formula: str) -> None:
    """An array formula in the first columns, and its values."""
    made.arrays[top, 1] = Box(1, top, len(cells[0]), top + len(cells) - 1), formula
    made.values |= {(top + i, 1 + j): cell for i, row in enumerate(cells) for j, cell in enumerate(row)}


def offsets(grid: Grid, tenor: int, strike: int) -> Position:
    """Row and column, from 0, of one vol in the range."""
    down, across = (strike, tenor) if grid.transposed else (tenor, strike)
    return grid.rows[down], grid.columns[across]


def _body(grid: Grid, top: int) -> Box:
    rows, columns = grid.rows, grid.columns
    return Box(1 + min(columns), top + min(rows), 1 + max(columns), top + max(rows))


def _charts(grid: Grid, tops: dict[str, int], left: int) -> list[Chart]:
    """A smile a tenor, two beside each other, below the term structure at the money."""
    surface = grid.surface
    tenors, strikes = surface.shape
    middle = _at_the_money(grid)
    lines = [("At the money" if middle == _exact(grid) else cell_label(surface, 0, middle), True, middle)]
    lines += [(cell_label(surface, i, 0).split(" ", 1)[0], False, i) for i in range(min(tenors, MOST_SMILES))]
    found = []
    for number, (title, along, index) in enumerate(lines):
        ends = [(0, index), (tenors - 1, index)] if along else [(index, 0), (index, strikes - 1)]
        series = tuple(
            Series(t, _line(grid, tops[t], ends), LOOKS[t])
            for t in (*OUTPUTS, REPAIRED, "Quotes")
            if t in tops
        )  # dots on top
        at = tops["Quotes"] - 1 + HEIGHT * (number // 2), left + WIDTH * (number % 2)
        found.append(Chart(title, _labels(grid, tops["Quotes"], ends), series, *at))
    return found


def _axis(made: ChartSheet, series: tuple[Series, ...]) -> ValueAxis | None:
    boxes = [one.cells for one in series]
    return value_axis(value for at, value in made.values.items() if any(box.holds(at) for box in boxes))


def _exact(grid: Grid) -> int:
    """The column that is at the money; -1 where none is."""
    surface = grid.surface
    if surface.deltas is not None:
        found = np.flatnonzero(surface.deltas == 0.5)
    else:
        moneyness = surface.log_moneyness
        assert moneyness is not None
        found = np.flatnonzero(np.abs(moneyness).max(0) < 1e-12)
    return int(found[0]) if len(found) else -1


def _at_the_money(grid: Grid) -> int:
    """The column nearest to the money."""
    surface = grid.surface
    if surface.deltas is not None:
        return int(np.abs(surface.deltas - 0.5).argmin())
    moneyness = surface.log_moneyness
    assert moneyness is not None
    return int(np.abs(moneyness).mean(0).argmin())


def _line(grid: Grid, top: int, ends: list[Position]) -> Box:
    (first, left), (last, right) = (offsets(grid, *end) for end in ends)
    return Box(1 + left, top + first, 1 + right, top + last)


def _labels(grid: Grid, top: int, ends: list[Position]) -> Box:
    """The header beside a line: of the columns where it runs across."""
    box = _line(grid, top, ends)
    corner, first = grid.corner
    if box.top == box.bottom and box.left != box.right:
        return Box(box.left, top + corner, box.right, top + corner)
    return Box(1 + first, box.top, 1 + first, box.bottom)
