"""Rows of the long form, a cell each, to surfaces by the axes that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..._typing import FloatArray
from ...errors import InputError, LabelError
from ...labels import parse_delta, parse_tenor
from ...labels.dates import DAYS_PER_YEAR
from ...labels.strikes import MAX_MONEYNESS
from .columns import HistoryColumns, whole_numbers
from .plan import days_of

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
        found = float_column(table, columns.strike)
        found = found[np.isfinite(found)]
        if (found.min() > 0 and "moneyness" in columns.open_reading) or np.abs(found).max() >= MAX_MONEYNESS:
            raise InputError(
                f"the column {columns.strike} has {found.min():g} to {found.max():g}: percent, K/F or "
                "ln(K/F); expected the name log_moneyness and ln(K/F)"
            )


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
        forward = float_column(table, columns.forward) if columns.forward else None
        return cls(_tenors(table, columns), strike, float_column(table, columns.vol), forward)

    def require_read(self, table: pa.Table, columns: HistoryColumns, rows: _Integers) -> None:
        """Raises InputError naming the first of some rows' tenors and strikes that is not understood."""
        for name, values in ((columns.tenor, self.tenor), (columns.strike, self.strike)):
            bad = rows[~np.isfinite(values[rows])]
            if len(bad):
                value = table.column(name)[int(bad[0])].as_py()
                shown = f"{value:g}" if isinstance(value, float) else value
                what = "an empty cell" if value is None else f"{shown}, not understood"
                raise InputError(f"the column {name} has {what}")


def ragged(
    table: pa.Table, columns: HistoryColumns, first: _Integers
) -> tuple[list[SameAxes], _Integers, dict[int, str]]:
    """Grids of surfaces beginning at `first`, where each row lies in its grid, and why some are in none."""
    listed, unread = _LongForm.of(table, columns), {}
    cell = np.zeros(len(listed.vol), dtype=np.int64)
    found: dict[bytes, tuple[list[int], list[FloatArray], SameAxes]] = {}
    for number, rows in enumerate(np.split(np.arange(len(cell)), first[1:])):
        try:
            listed.require_read(table, columns, rows)
            axes, cell[rows], vols = _pivot(listed, rows)
        except InputError as error:
            unread[number] = str(error)
            continue
        forwards = b"" if axes.forwards is None else axes.forwards.tobytes()
        key = axes.tenors.tobytes() + b"|" + axes.strikes.tobytes() + b"|" + forwards
        members, kept, _ = found.setdefault(key, ([], [], axes))
        members.append(number)
        kept.append(vols)
    grids = [
        SameAxes(np.array(members), np.stack(kept), axes.tenors, axes.strikes, axes.forwards)
        for members, kept, axes in found.values()
    ]
    return grids, cell, unread


def _pivot(listed: _LongForm, rows: _Integers) -> tuple[SameAxes, _Integers, FloatArray]:
    """The axes of one surface, where its rows lie in its cells, and its vols [T, K].

    Raises InputError where it has a cell twice.
    """
    tenors, down = np.unique(listed.tenor[rows], return_inverse=True)
    strikes, across = np.unique(listed.strike[rows], return_inverse=True)
    cell = down * len(strikes) + across
    if len(np.unique(cell)) < len(cell):
        twice = rows[np.flatnonzero(np.bincount(cell)[cell] > 1)[1]]
        place = f"tenor {listed.tenor[twice]:g}, strike {listed.strike[twice]:g}"
        raise InputError(f"{place} twice")
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


def float_column(table: pa.Table, name: str) -> FloatArray:
    """[R] numbers, NaN where a cell is empty. Raises InputError."""
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
        return float_column(table, columns.tenor) / columns.in_a_year
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
    return np.array([parse_delta(number) or np.nan for number in numbers.tolist()])[places]


def _labels(table: pa.Table, name: str, parse: Callable[[Any], float | None]) -> FloatArray:
    """Numbers, or labels of which each kind is read once; NaN where they are not understood."""
    column = table.column(name).combine_chunks()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return float_column(table, name)
    coded = column.cast(pa.string()).dictionary_encode()
    read = [_parsed(parse, label) for label in coded.dictionary.to_pylist()]
    values = np.array([np.nan if value is None else value for value in read] + [np.nan])
    places = coded.indices.fill_null(len(read)).to_numpy(zero_copy_only=False)
    return np.asarray(values[places])


def _parsed(parse: Callable[[Any], float | None], label: str) -> float | None:
    try:
        return parse(label)
    except (LabelError, ValueError):
        return None
