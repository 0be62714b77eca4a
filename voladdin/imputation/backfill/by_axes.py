"""Rows of a history as grids: the surfaces of a part by the axes that they share, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..._typing import FloatArray
from ...errors import InputError
from ...labels import parse_delta, parse_tenor
from ...labels.dates import DAYS_PER_YEAR
from .columns import HistoryColumns, whole_numbers
from .plan import days_of

MAX_MONEYNESS = 5.0  # and above, no desk's ln(K/F)
_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SameAxes:
    """N surfaces on the same axes.

    members: [N] their numbers in the part. vols: [N, T, K], as in the history, NaN where missing.
    tenors: [T] years. strikes: [K]. forwards: [T] where the strikes are absolute.
    """

    members: _Integers
    vols: FloatArray
    tenors: FloatArray
    strikes: FloatArray
    forwards: FloatArray | None = None


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of a table of rows, in order.

    code, day: [S] underlying and date of each. surface: [R] the surface of each row (long), or the row's own.
    grids: by axes. cell: [R] of the long form, where a row's vol lies in its grid's [T * K] cells.
    """

    code: _Integers
    day: _Integers
    surface: _Integers
    grids: list[SameAxes]
    cell: _Integers

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
        found[order[1:]] = np.where(same, order[:-1], -1)
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
    grids, cell = _ragged(_LongForm.of(table, columns), first)
    return Surfaces(code[first], day[first], surface, grids, cell)


def require_one_reading(table: pa.Table, columns: HistoryColumns) -> None:
    """Raises InputError where rows leave it open what the numbers of tenors and moneyness are."""
    if "tenor" in columns.open_reading:
        whole = whole_numbers(pc.unique(table.column(columns.tenor).cast(pa.string())).to_pylist())
        if whole:
            raise InputError(
                f"the column {columns.tenor} has {whole}: days, months or years; expected the name "
                "tenor_days, tenor_months or tenor_years, or labels such as 1M"
            )
    if columns.kind == "moneyness" and columns.strike:
        found = _numbers(table, columns.strike)
        if (found.min() > 0 and "moneyness" in columns.open_reading) or np.abs(found).max() >= MAX_MONEYNESS:
            raise InputError(
                f"the column {columns.strike} has {found.min():g} to {found.max():g}: percent, K/F or "
                "ln(K/F); expected the name log_moneyness and ln(K/F)"
            )


def _whole(table: pa.Table, columns: HistoryColumns) -> SameAxes:
    nodes = np.array(list(columns.nodes.values()))
    tenors, strikes = np.unique(nodes[:, 0]), np.unique(nodes[:, 1])
    vols = np.full((len(table), len(tenors), len(strikes)), np.nan)
    for name, (tenor, strike) in columns.nodes.items():
        place = np.searchsorted(tenors, tenor), np.searchsorted(strikes, strike)
        vols[:, place[0], place[1]] = _numbers(table, name)
    return SameAxes(np.arange(len(table)), vols, tenors, strikes)


@dataclass(frozen=True)
class _LongForm:
    """[R] the cells of the long form."""

    tenor: FloatArray
    strike: FloatArray
    vol: FloatArray
    forward: FloatArray | None

    @classmethod
    def of(cls, table: pa.Table, columns: HistoryColumns) -> _LongForm:
        delta = columns.kind == "delta"
        strike = _deltas(table, columns.strike) if delta else _labels(table, columns.strike, float)
        forward = _numbers(table, columns.forward) if columns.forward else None
        tenor = _tenors(table, columns)
        for name, values in ((columns.tenor, tenor), (columns.strike, strike)):
            if not np.isfinite(values).all():
                raise InputError(
                    f"the column {name} has an empty or infinite cell; expected one in every row"
                )
        return cls(tenor, strike, _numbers(table, columns.vol), forward)


def _ragged(listed: _LongForm, first: _Integers) -> tuple[list[SameAxes], _Integers]:
    """Grids of the surfaces that begin at rows `first`, and where each row lies in its grid."""
    cell = np.zeros(len(listed.vol), dtype=np.int64)
    found: dict[bytes, tuple[list[int], list[FloatArray], SameAxes]] = {}
    for number, rows in enumerate(np.split(np.arange(len(cell)), first[1:])):
        axes, cell[rows], vols = _pivot(listed, rows)
        forwards = b"" if axes.forwards is None else axes.forwards.tobytes()
        key = axes.tenors.tobytes() + b"|" + axes.strikes.tobytes() + b"|" + forwards
        members, kept, _ = found.setdefault(key, ([], [], axes))
        members.append(number)
        kept.append(vols)
    grids = [
        SameAxes(np.array(members), np.stack(kept), axes.tenors, axes.strikes, axes.forwards)
        for members, kept, axes in found.values()
    ]
    return grids, cell


def _pivot(listed: _LongForm, rows: _Integers) -> tuple[SameAxes, _Integers, FloatArray]:
    """The axes of one surface, where its rows lie in its cells, and its vols [T, K]."""
    tenors, down = np.unique(listed.tenor[rows], return_inverse=True)
    strikes, across = np.unique(listed.strike[rows], return_inverse=True)
    cell = down * len(strikes) + across
    if len(np.unique(cell)) < len(cell):
        twice = rows[np.flatnonzero(np.bincount(cell)[cell] > 1)[1]]
        place = f"tenor {listed.tenor[twice]:g}, strike {listed.strike[twice]:g}"
        raise InputError(f"a surface has {place} twice; expected one row a cell")
    vols = np.full(len(tenors) * len(strikes), np.nan)
    vols[cell] = listed.vol[rows]
    forwards = None
    if listed.forward is not None:
        forwards = _one_of_each(listed.forward[rows], down, len(tenors))
    none = np.zeros((0, len(tenors), len(strikes)))
    axes = SameAxes(np.zeros(0, dtype=np.int64), none, tenors, strikes, forwards)
    return axes, cell, vols.reshape(len(tenors), len(strikes))


def _one_of_each(forward: FloatArray, down: _Integers, tenors: int) -> FloatArray:
    """[T] the forward of the rows of each tenor; NaN where they differ or one has none."""
    forwards = np.zeros(tenors)
    forwards[down] = forward
    alike = np.isclose(forward, forwards[down], rtol=1e-9, atol=0.0)
    forwards[down[~alike]] = np.nan
    return forwards


def _numbers(table: pa.Table, name: str) -> FloatArray:
    try:
        column = table.column(name).combine_chunks().cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise InputError(f"the column {name} is not of numbers ({str(error)[:60]}); expected such") from None
    return np.array(column.to_numpy(zero_copy_only=False), dtype=float)


def _tenors(table: pa.Table, columns: HistoryColumns) -> FloatArray:
    """[R] years of labels or numbers, or from the date to the expiry."""
    if columns.in_a_year == 1.0:
        return _labels(table, columns.tenor, parse_tenor)
    if columns.in_a_year:
        return _numbers(table, columns.tenor) / columns.in_a_year
    start, end = (
        days_of(table.column(name).combine_chunks(), name) for name in (columns.date, columns.tenor)
    )
    return np.asarray((end - start) / DAYS_PER_YEAR)


def _deltas(table: pa.Table, name: str) -> FloatArray:
    """[R] call deltas of labels, or of numbers such as 0.25, 25 or -25."""
    found = _labels(table, name, parse_delta)
    if ((found > 0) & (found < 1)).all():
        return found
    numbers, places = np.unique(found, return_inverse=True)
    read = [parse_delta(number) for number in numbers.tolist()]
    if None in read:
        bad = numbers[read.index(None)]
        raise InputError(f"the column {name} has {bad:g}, no delta; expected such as 0.25, 25 or -25")
    return np.array(read, dtype=float)[places]


def _labels(table: pa.Table, name: str, parse: Callable[[Any], float | None]) -> FloatArray:
    """Numbers, or labels of which each kind is read once."""
    column = table.column(name).combine_chunks()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return _numbers(table, name)
    coded = column.cast(pa.string()).dictionary_encode()
    read = [parse(label) for label in coded.dictionary.to_pylist()]
    values = np.array([np.nan if value is None else value for value in read] + [np.nan])
    places = coded.indices.fill_null(len(read)).to_numpy(zero_copy_only=False)
    return np.asarray(values[places])
