"""Rows of Parquet files by their number, a block at a time: memory does not grow with the history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import InputError

BLOCK = 8_192
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
        told = [json.dumps(file.metadata.to_dict(), sort_keys=True, default=str) for file in self._files]
        return hashlib.sha256("".join(told).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return self._starts[-1]

    def blocks(self, columns: list[str], start: int = 0, stop: int | None = None) -> Iterator[Any]:
        """Record batches of the rows from start to stop, in order."""
        stop = len(self) if stop is None else stop
        for (file, group), first, last in zip(self._groups, self._starts, self._starts[1:], strict=False):
            if first < stop and last > start:
                yield from _cut(file, group, columns, start - first, stop - first)

    def table(self, columns: list[str], ranges: Sequence[Range]) -> Any:
        """The rows of these ranges, one after the other."""
        blocks = [block for start, stop in ranges for block in self.blocks(columns, start, stop)]
        schema = pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches([block.cast(schema) for block in blocks], schema)


def _cut(file: Any, group: int, columns: list[str], start: int, stop: int) -> Iterator[Any]:
    position = 0
    for block in file.iter_batches(BLOCK, row_groups=[group], columns=columns, use_threads=False):
        first, last = max(start - position, 0), min(stop - position, len(block))
        if first < last:
            yield block.slice(first, last - first).select(columns)
        position += len(block)
        if position >= stop:
            return


def _opened(path: Path) -> Any:
    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error)[:100]})") from None
