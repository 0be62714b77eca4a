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
from numpy.typing import NDArray

from .files import HistoryFile, one_schema, opened

BLOCK = 8_192
Range = tuple[int, int]  # of rows, the second not in it


class Rows:
    """All rows of files of the same columns, numbered from 0."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [opened(path) for path in paths]
        self.schema: Any = one_schema(self._files)
        self._groups = [
            (file, group) for file in self._files for group in range(file.metadata.num_row_groups)
        ]
        self._starts = [0]
        for file, group in self._groups:
            self._starts.append(self._starts[-1] + file.metadata.row_group(group).num_rows)

    @property
    def digest(self) -> str:
        """Changes with the files' columns, rows, and the sizes and statistics of their blocks."""
        found = hashlib.sha256(str(self.schema).encode())
        for file, group in self._groups:
            told = file.metadata.row_group(group).to_dict() | file.partition
            found.update(json.dumps(told, sort_keys=True, default=str).encode())
        return found.hexdigest()[:16]

    def __len__(self) -> int:
        return self._starts[-1]

    def blocks(self, columns: list[str]) -> Iterator[Any]:
        """Record batches of all rows, in order."""
        for file, group in self._groups:
            yield from self._read(file, group, columns)

    def table(self, columns: list[str], ranges: Sequence[Range]) -> Any:
        """The rows of these ranges, which ascend; each block is read once, however many begin in it."""
        wanted = np.concatenate([np.arange(start, stop) for start, stop in ranges])
        return pa.Table.from_batches(list(self._taken(columns, wanted)), self._schema(columns))

    def _schema(self, columns: list[str]) -> Any:
        return pa.schema([self.schema.field(name) for name in columns])

    def _taken(self, columns: list[str], wanted: NDArray[np.int64]) -> Iterator[Any]:
        """Record batches of the rows of ascending numbers."""
        for (file, group), *ends in zip(self._groups, self._starts, self._starts[1:], strict=False):
            first, last = np.searchsorted(wanted, ends)
            if first < last:
                yield from _picked(self._read(file, group, columns), wanted[first:last] - ends[0])

    def _read(self, file: HistoryFile, group: int, columns: list[str]) -> Iterator[Any]:
        return file.blocks(group, self._schema(columns), BLOCK)


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
