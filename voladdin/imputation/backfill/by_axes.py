"""Rows of a history as grids: the surfaces of a part by the axes that they share, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .columns import HistoryColumns
from .long_form import SameAxes, float_column, ragged
from .plan import days_of

_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of a table of rows, in order.

    code, day: [S] underlying and date of each. surface: [R] the surface of each row (long), or the row's own.
    grids: by axes. cell: [R] of the long form, where a row's vol lies in its grid's [T * K] cells.
    unread: surfaces in no grid, and why.
    """

    code: _Integers
    day: _Integers
    surface: _Integers
    grids: list[SameAxes]
    cell: _Integers
    unread: dict[int, str] = field(default_factory=dict)

    def before(self, grid: SameAxes) -> Before:
        """The surfaces before those of a grid, of the same underlying each."""
        number = self._before[grid.members]
        dates = self.day.astype("datetime64[D]")
        age = np.busday_count(dates[np.maximum(number, 0)], dates[grid.members])
        place = np.full(len(self.day), -1)
        place[grid.members] = np.arange(len(grid.members))
        mine = np.where(number < 0, -1, place[np.maximum(number, 0)])
        others = np.flatnonzero((number >= 0) & (mine < 0)).tolist()
        elsewhere = {one: self._homes[int(number[one])] for one in others}
        return Before(mine, np.where(number < 0, 0, np.maximum(age, 1)), elsewhere)

    @cached_property
    def _before(self) -> _Integers:
        """[S] number of the surface before each, -1 for none."""
        order, found = np.lexsort((np.arange(len(self.code)), self.code)), np.full(len(self.code), -1)
        same = self.code[order[1:]] == self.code[order[:-1]]
        found[order[1:]] = np.where(same & ~np.isin(order[:-1], list(self.unread)), order[:-1], -1)
        return found

    @cached_property
    def _homes(self) -> dict[int, tuple[SameAxes, int]]:
        return {
            number: (grid, place) for grid in self.grids for place, number in enumerate(grid.members.tolist())
        }


@dataclass(frozen=True)
class Before:
    """What was before N surfaces of a grid.

    place: [N] of the surface before in the same grid, -1 for none. age: [N] business days between, or 0.
    elsewhere: those whose surface before has other axes: that grid, and the place in it.
    """

    place: _Integers
    age: _Integers
    elsewhere: dict[int, tuple[SameAxes, int]]


def surfaces_of(table: pa.Table, columns: HistoryColumns) -> Surfaces:
    """The surfaces of whole rows. Raises InputError naming the surface and cell."""
    day = days_of(table.column(columns.date).combine_chunks())
    code = np.zeros(len(day), dtype=np.int64)
    if columns.underlying is not None:
        names = table.column(columns.underlying).combine_chunks().cast(pa.string())
        code = np.asarray(names.dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    if columns.wide:
        return Surfaces(code, day, np.arange(len(day)), [_whole(table, columns)], np.zeros(0, dtype=np.int64))
    new = np.ones(len(day), dtype=np.bool_)
    new[1:] = (np.diff(code) != 0) | (np.diff(day) != 0)
    surface, first = np.cumsum(new) - 1, np.flatnonzero(new)
    grids, cell, unread = ragged(table, columns, first)
    return Surfaces(code[first], day[first], surface, grids, cell, unread)


def _whole(table: pa.Table, columns: HistoryColumns) -> SameAxes:
    nodes = np.array(list(columns.nodes.values()))
    tenors, strikes = np.unique(nodes[:, 0]), np.unique(nodes[:, 1])
    vols = np.full((len(table), len(tenors), len(strikes)), np.nan)
    for name, (tenor, strike) in columns.nodes.items():
        place = np.searchsorted(tenors, tenor), np.searchsorted(strikes, strike)
        vols[:, place[0], place[1]] = float_column(table, name)
    return SameAxes(np.arange(len(table)), vols, tenors, strikes)
