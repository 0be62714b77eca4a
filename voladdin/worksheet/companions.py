"""The ranges that go with a surface: a prior, bids and asks, with their own headers or of its vols alone."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..cells import Cells, Grid
from ..errors import InputError, UnitsError
from ..surface import Surface
from .alignment import on_axes_of
from .arguments import AxisArguments, cell_address, parsed, read_grid, warn


class Companion(NamedTuple):
    """surface: its vols on the axes of the surface that it goes with; grid: as it is written."""

    surface: Surface
    grid: Grid


class Market(NamedTuple):
    """Bids and asks, where they are given."""

    bid: Companion | None
    ask: Companion | None

    @property
    def sides(self) -> tuple[FloatArray | None, FloatArray | None]:
        """[T, K] vols of each."""
        low, high = (None if side is None else side.surface.vols for side in self)
        return low, high


def companion(grid: Grid, cells: Cells, axes: AxisArguments, name: str = "prior") -> Companion:
    """Another grid by its own headers where it has them, else by the surface's arguments or headers."""
    own = axes._replace(tenors=None, strikes=None)
    if not _has_headers(cells, own, grid):
        if axes[:2] != (None, None):
            own = axes
        elif (len(cells), len(cells[0])) == (len(grid.rows), len(grid.columns)):
            cells = _in_place_of_vols(grid, cells)
    other = read_grid(cells, own, name=name, like=grid, quoted=None)
    if None not in (grid.words.pair, other.words.pair) and grid.words.pair != other.words.pair:
        warn(f"{name}: it is of {other.words.pair}, and the surface of {grid.words.pair}")
    return Companion(on_axes_of(grid, other, name), other)


def bid_and_ask(grid: Grid, bid: Cells | None, ask: Cells | None, axes: AxisArguments) -> Market:
    """Raises InputError, also naming where they cross."""
    market = Market(
        *(
            None if side is None else companion(grid, side, axes, name)
            for name, side in (("bid", bid), ("ask", ask))
        )
    )
    low, high = market.sides
    if low is not None and high is not None and (low > high).any():
        assert market.bid is not None
        tenor, strike, cell = _first(grid, low > high)
        unit = market.bid.grid.unit
        raise InputError(
            f"bid is {unit * low[tenor, strike]:.6g} for {cell} of the surface, above the ask "
            f"{unit * high[tenor, strike]:.6g}; expected a bid of at most the ask"
        )
    return market


def require_inside(grid: Grid, market: Market) -> None:
    """Raises InputError naming a vol of the surface that is outside its market."""
    for name, where, side in zip(("bid", "ask"), ("below", "above"), market.sides, strict=True):
        vols = grid.surface.vols
        if side is None or not (out := vols < side if name == "bid" else vols > side).any():
            continue
        tenor, strike, cell = _first(grid, out)
        raise InputError(
            f"surface: {cell} is {grid.unit * vols[tenor, strike]:.6g}, {where} its {name} "
            f"{grid.unit * side[tenor, strike]:.6g}; expected a vol inside, or a blank for the middle"
        )


def in_unit_of(grid: Grid, *others: Companion | None) -> Grid:
    """The grid; one without a vol is written in the unit of those that go with it."""
    told = [other.grid.percent for other in others if other is not None]
    return grid if grid.surface.observed.any() or not told else replace(grid, percent=told[0])


def _first(grid: Grid, cells: BoolArray) -> tuple[int, int, str]:
    """Tenor, strike and address of the first of some cells [T, K]."""
    tenor, strike = map(int, np.argwhere(cells)[0])
    return tenor, strike, cell_address(grid, tenor, strike)


def _in_place_of_vols(grid: Grid, cells: Cells) -> Cells:
    """The surface's range with these in place of its vols."""
    whole = [list(row) for row in grid.raw]
    for row, given in zip(grid.rows, cells, strict=True):
        for column, cell in zip(grid.columns, given, strict=True):
            whole[row][column] = cell
    return whole


def _has_headers(cells: Cells, axes: AxisArguments, like: Grid) -> bool:
    try:
        own = parsed(cells, axes, like)
    except UnitsError:
        return True
    except InputError:
        return False
    return own.row_header and own.column_header
