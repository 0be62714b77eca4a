"""Rows of Parquet files by their number, a block at a time: memory does not grow with the history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...errors import InputError

BLOCK = 8_192
_BUFFER = 1 << 17  # bytes of a column: a group is read through it, however large, and not whole
Range = tuple[int, int]  # of rows, the second not in it


def files_of(history: Path) -> list[Path]:
    """The file itself, or those of a dataset's folder in the order of their names. Raises InputError."""
    if history.is_dir():
        found = sorted(path for path in history.rglob("*.parquet") if path.name[0] not in "._")
    else:
        found = [history] if history.is_file() else []
    if not found:
        raise InputError(
            f"history {str(history)!r} is not there; expected a .parquet file or a folder of them"
        )
    return found


class Rows:
    """All rows of files of one schema, numbered from 0."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [_opened(path) for path in paths]
        self.schema: Any = self._files[0].schema_arrow
        for path, file in zip(paths, self._files, strict=True):
            if file.schema_arrow.names != self.schema.names:
                raise InputError(
                    f"{path} has columns {file.schema_arrow.names}; expected {self.schema.names}"
                )
        self._groups = [(file, group) for file in self._files for group in range(file.num_row_groups)]
        self._starts = [0]
        for file, group in self._groups:
            self._starts.append(self._starts[-1] + file.metadata.row_group(group).num_rows)

    @property
    def digest(self) -> str:
        """Changes with the files' columns, rows, and the sizes and statistics of their blocks."""
        found = hashlib.sha256(str(self.schema).encode())
        for file, group in self._groups:
            told = file.metadata.row_group(group).to_dict()
            found.update(json.dumps(told, sort_keys=True, default=str).encode())
        return found.hexdigest()[:16]

    def __len__(self) -> int:
        return self._starts[-1]

    def blocks(self, columns: list[str]) -> Iterator[Any]:
        """Record batches of all rows, in order."""
        for file, group in self._groups:
            yield from _read(file, group, columns)

    def table(self, columns: list[str], ranges: Sequence[Range]) -> Any:
        """The rows of these ranges, which ascend; each block is read once, however many begin in it."""
        wanted = np.concatenate([np.arange(start, stop) for start, stop in ranges])
        schema = pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches([block.cast(schema) for block in self._taken(columns, wanted)], schema)

    def _taken(self, columns: list[str], wanted: NDArray[np.int64]) -> Iterator[Any]:
        """Record batches of the rows of ascending numbers."""
        for (file, group), *ends in zip(self._groups, self._starts, self._starts[1:], strict=False):
            first, last = np.searchsorted(wanted, ends)
            if first < last:
                yield from _picked(_read(file, group, columns), wanted[first:last] - ends[0])


def _read(file: Any, group: int, columns: list[str]) -> Iterator[Any]:
    for block in file.iter_batches(BLOCK, row_groups=[group], columns=columns, use_threads=False):
        yield block.select(columns)


def _picked(blocks: Iterator[Any], wanted: NDArray[np.int64]) -> Iterator[Any]:
    """The rows of ascending numbers, of blocks of which the first begins with row 0."""
    position = 0
    for block in blocks:
        first, last = np.searchsorted(wanted, (position, position + len(block)))
        if first < last:
            yield pc.take(block, pa.array(wanted[first:last] - position))
        position += len(block)
        if last == len(wanted):
            return


def _opened(path: Path) -> Any:
    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=_BUFFER)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error)[:100]})") from None
