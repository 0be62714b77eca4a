"""The Parquet files of a history: one, or those of a folder, in which `underlying=EURUSD` is a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import InputError

_BUFFER = 1 << 17  # bytes of a column: a group is read through it, however large, and not whole
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # as Hive, Spark and Dask name a folder of nulls
_WIDER = (pa.types.is_temporal, pa.types.is_float64, pa.types.is_floating)


@dataclass(frozen=True, eq=False)
class HistoryFile:
    """A file; metadata: of Parquet. partition: columns that the names of its folders hold."""

    path: Path
    metadata: Any
    schema: Any
    partition: dict[str, str | None]

    @property
    def fields(self) -> Any:
        """The schema with the partition's columns at its end."""
        return pa.schema([*self.schema, *(pa.field(name, pa.string()) for name in self.partition)])

    def blocks(self, group: int, schema: Any, size: int) -> Iterator[Any]:
        """Record batches of a row group, in a schema. Raises InputError where a column is not as there."""
        stored = [name for name in schema.names if name not in self.partition] or self.schema.names[:1]
        try:
            with pq.ParquetFile(
                self.path, metadata=self.metadata, pre_buffer=False, buffer_size=_BUFFER
            ) as file:
                for block in file.iter_batches(size, row_groups=[group], columns=stored, use_threads=False):
                    yield pa.record_batch([self._column(block, field) for field in schema], schema=schema)
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read ({str(error)[:100]}); is it being written?"
            ) from None

    def _column(self, block: Any, field: Any) -> Any:
        if field.name in self.partition:
            value = pa.scalar(self.partition[field.name], pa.string())
            return pa.repeat(value, len(block)).cast(field.type)
        try:
            return block.column(field.name).cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(
                f"{self.path}: the column {field.name} is not as in the files before ({str(error)[:80]}); "
                f"expected {field.type}"
            ) from None


def files_of(history: Path) -> list[Path]:
    """The file itself, or those of a dataset's folder in the order of their names, 2 before 10.

    Raises InputError.
    """
    if history.is_dir():
        inside = (path.relative_to(history) for path in history.rglob("*.parquet") if path.is_file())
        seen = (path for path in inside if not any(part[0] in "._" for part in path.parts))
        found = [history / path for path in sorted(seen, key=_in_order)]
    else:
        found = [history] if history.is_file() else []
    if not found:
        raise InputError(
            f"history {str(history)!r} is not there; expected a .parquet file or a folder of them"
        )
    return found


def _in_order(path: Path) -> list[list[tuple[int, str]]]:
    """Numbers by their size: part.2 before part.10, month=2 before month=10."""
    return [
        [(int(word), "") if word.isdecimal() else (-1, word) for word in re.split(r"(\d{1,9})", part)]
        for part in path.parts
    ]


def opened(path: Path) -> HistoryFile:
    """Raises InputError where it is no Parquet file."""
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet ({str(error)[:100]})") from None
    named = {name: value for name, value in _partition(path).items() if name not in schema.names}
    return HistoryFile(path, metadata, schema, named)


def _partition(path: Path) -> dict[str, str | None]:
    """Of .../underlying=EURUSD/year=2018/0.parquet."""
    found: dict[str, str | None] = {}
    for folder in path.parents:
        name, mark, value = folder.name.partition("=")
        if not (mark and name):
            break
        found[unquote(name)] = None if value == _NO_VALUE else unquote(value)
    return dict(reversed(found.items()))


def one_schema(files: Sequence[HistoryFile]) -> Any:
    """The columns of all files, in the order of the first; the type of each is that of the first with values.

    Raises InputError naming a file of other columns.
    """
    first, others = files[0], files[1:]
    names = first.fields.names
    for file in others:
        if set(file.fields.names) != set(names) or len(file.fields.names) != len(names):
            raise InputError(f"{file.path} has columns {file.fields.names}; expected {names}")
    types = {name: [_stored(file.fields.field(name).type) for file in files] for name in names}
    return pa.schema(
        [pa.field(name, _one_type(first.fields.field(name).type, types[name])) for name in names]
    )


def _stored(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _one_type(first: Any, kinds: list[Any]) -> Any:
    """Of dates and text, of fractions and whole numbers the former; else that of the first with values."""
    known = [kind for kind in kinds if not pa.types.is_null(kind)]
    if not known or set(known) == {_stored(first)}:
        return first
    wider = (kind for of in _WIDER for kind in known if of(kind))
    return next(wider, known[0])
