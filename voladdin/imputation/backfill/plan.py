"""A history cut into parts that are filled apart; each knows the surfaces that its own look back to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...errors import InputError
from .columns import HistoryColumns
from .rows import Range, Rows

FEWEST, MOST = 1_024, 6_144  # surfaces of a part, where its size is not told
_PARTS = 16  # at least, for processes to share
_TWICE = 8  # one in so many surfaces, at most, is looked at again for the part after its own
_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RowRange:
    """Rows from start to stop; before: the rows of the last earlier surface of each underlying in it."""

    number: int
    start: int
    stop: int
    surfaces: int
    before: tuple[Range, ...]


@dataclass(frozen=True)
class _SurfaceRows:
    """Underlying (a code), day and rows of consecutive surfaces."""

    code: _Integers
    day: _Integers
    start: _Integers
    stop: _Integers

    def __len__(self) -> int:
        return len(self.code)


@dataclass
class _Seen:
    """The last surface of each underlying so far."""

    names: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    last: dict[int, tuple[int, Range]] = field(default_factory=dict)

    def code(self, name: str) -> int:
        if name not in self.codes:
            self.codes[name] = len(self.names)
            self.names.append(name)
        return self.codes[name]

    def before(self, part: _SurfaceRows) -> tuple[Range, ...]:
        """The last surfaces of the part's underlyings; then the part's own are the last."""
        there = np.unique(part.code).tolist()
        found = sorted(self.last[code][1] for code in there if code in self.last)
        for code in there:
            self._pass(part, code)
        return tuple(found)

    def _pass(self, part: _SurfaceRows, code: int) -> None:
        own = np.flatnonzero(part.code == code)
        days = part.day[own]
        earlier = self.last[code][0] if code in self.last else days[0] - 1
        bad = np.flatnonzero(np.diff(days, prepend=earlier) <= 0)
        if len(bad):
            row, day = part.start[own[bad[0]]], np.datetime64(int(days[bad[0]]), "D")
            raise InputError(
                f"row {row}: {self.names[code]} of {day} comes after a later or equal date; expected the "
                "dates of each underlying (a column so named) in order, and the rows of a surface together"
            )
        end = own[-1]
        self.last[code] = int(days[-1]), (int(part.start[end]), int(part.stop[end]))


def days_of(column: pa.Array, name: str = "date") -> _Integers:
    """Days since 1970 of dates, times or ISO text. Raises InputError with the first value that is none."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        raise InputError(f"the column {name} has {column[0]}, a number; expected dates such as 2026-01-31")
    try:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
        column = pc.local_timestamp(column) if zoned else column  # the day where it was
        moments = column.cast(pa.timestamp("us"), safe=False)  # whose nanoseconds are no day
        found = pc.floor_temporal(moments, unit="day").cast(pa.date32()).cast(pa.int32())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"the column {name} has {str(error)[:80]}; expected dates such as 2026-01-31"
        ) from None
    if found.null_count:
        raise InputError(f"the column {name} has an empty cell; expected a date in every row")
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def size_of(rows: Rows, columns: HistoryColumns, asked: int | None) -> tuple[int, int]:
    """Surfaces of a part, as asked or by the history alone, and in all. Raises InputError as `parts_of`."""
    every = again = 0
    for part in parts_of(rows, columns, asked or FEWEST):
        every, again = every + part.surfaces, again + len(part.before)
    if asked is not None:
        return asked, every
    size = min(max(every // _PARTS, FEWEST), MOST)
    return (MOST if again * FEWEST * _TWICE > size * every else size), every


def parts_of(rows: Rows, columns: HistoryColumns, size: int) -> Iterator[RowRange]:
    """Parts of at most `size` surfaces, in order, from the keys alone."""
    seen, first, number = _Seen(), 0, 0
    for surfaces in _batches(_surfaces(rows, columns, seen), size):
        before = seen.before(surfaces)
        stop = int(surfaces.stop[-1])
        yield RowRange(number, first, stop, len(surfaces), before)
        first, number = stop, number + 1


def _surfaces(rows: Rows, columns: HistoryColumns, seen: _Seen) -> Iterator[_SurfaceRows]:
    """The surfaces of each block of rows; one that goes on in the next block is held back."""
    held: tuple[int, int, int] | None = None  # code, day, start
    position = 0
    for block in rows.blocks(columns.keys):
        code, day = _codes(block, columns, seen), days_of(block.column(columns.date))
        new = np.ones(len(code), dtype=np.bool_)
        if not columns.wide:
            new[1:] = (np.diff(code) != 0) | (np.diff(day) != 0)
            new[0] = held is None or held[:2] != (code[0], day[0])
        starts = np.flatnonzero(new)
        code, day, start = code[starts], day[starts], position + starts
        if held is not None:
            code, day, start = (
                np.concatenate([[one], many]) for one, many in zip(held, (code, day, start), strict=True)
            )
        position += len(new)
        held = int(code[-1]), int(day[-1]), int(start[-1])
        yield _SurfaceRows(code[:-1], day[:-1], start[:-1], start[1:])
    if held is not None:
        yield _SurfaceRows(*(np.array([value]) for value in (*held, position)))


def _codes(block: pa.RecordBatch, columns: HistoryColumns, seen: _Seen) -> _Integers:
    if columns.underlying is None:
        return np.full(len(block), seen.code("the history"), dtype=np.int64)
    coded = block.column(columns.underlying).cast(pa.string()).dictionary_encode()
    if coded.null_count:
        raise InputError(f"the column {columns.underlying} has an empty cell; expected a name in every row")
    codes = np.array([seen.code(name) for name in coded.dictionary.to_pylist()], dtype=np.int64)
    return np.asarray(codes[coded.indices.to_numpy(zero_copy_only=False)])


def _batches(found: Iterator[_SurfaceRows], size: int) -> Iterator[_SurfaceRows]:
    """The same surfaces, `size` at a time."""
    held: list[_SurfaceRows] = []
    for surfaces in found:
        held.append(surfaces)
        while sum(map(len, held)) >= size:
            whole = _joined(held)
            yield _slice(whole, 0, size)
            held = [_slice(whole, size, len(whole))]
    if sum(map(len, held)):
        yield _joined(held)


def _joined(held: list[_SurfaceRows]) -> _SurfaceRows:
    names = _SurfaceRows.__dataclass_fields__
    return _SurfaceRows(*(np.concatenate([getattr(one, name) for one in held]) for name in names))


def _slice(surfaces: _SurfaceRows, start: int, stop: int) -> _SurfaceRows:
    names = _SurfaceRows.__dataclass_fields__
    return _SurfaceRows(*(getattr(surfaces, name)[start:stop] for name in names))
