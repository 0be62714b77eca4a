"""One part of a backfill: read, filled, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ... import bundles
from ..._typing import FloatArray
from ...errors import InputError
from ...threads import on_one_thread
from .by_axes import Surfaces, surfaces_of
from .columns import HistoryColumns, columns_of
from .filled import SOURCES, Filled, FillSettings, filled
from .long_form import float_column
from .plan import RowRange
from .rows import Rows

_DONE, _PART = "voladdin", "part-"
ADDED = ("model", "model_hash", "flags")


@dataclass(frozen=True)
class Job:
    """A history's files, the folder of the parts, and what is asked. It travels to other processes."""

    history: tuple[Path, ...]
    output: Path
    settings: FillSettings

    def path(self, part: RowRange) -> Path:
        """The file of a part."""
        return self.output / f"{_PART}{part.number:06d}.parquet"


@dataclass(frozen=True)
class Done:
    """How many surfaces a part had, and how many of them stayed as they were."""

    surfaces: int
    refused: int


@on_one_thread
def fill_part(job: Job, part: RowRange) -> Done:
    """Fills a part and writes its file; doing it again writes the same bytes."""
    rows = _rows(job.history, tuple(map(_written_at, job.history)))
    columns = columns_of(rows.schema.names)
    before = part.before if job.settings.prior else ()
    table = rows.table(columns.wanted, [*before, (part.start, part.stop)])
    surfaces = surfaces_of(table, columns)
    own = np.arange(len(surfaces.day)) >= len(before)
    answers = [
        filled(grid, columns.kind, job.settings, own[grid.members], surfaces.before(grid))
        for grid in surfaces.grids
    ]
    flags, done = np.empty(len(own), dtype=object), np.zeros(len(own), dtype=np.bool_)
    for number, why in surfaces.unread.items():
        flags[number] = why
    for grid, answer in zip(surfaces.grids, answers, strict=True):
        flags[grid.members], done[grid.members] = answer.flags, answer.done
    if columns.wide:
        values = _wide(columns, surfaces, answers)
    else:
        values = _long(columns, float_column(table, columns.vol), surfaces, answers)
    written = own[surfaces.surface]
    whole = rows.table(rows.schema.names, [(part.start, part.stop)])
    for name, column in values.items():
        whole = _with(whole, name, column.filter(pa.array(written)))
    for name, column in _provenance(job, flags[surfaces.surface[written]].tolist()).items():
        whole = _with(whole, name, column)
    result = Done(part.surfaces, int((own & ~done).sum()))
    _write(whole.replace_schema_metadata({_DONE: json.dumps(asdict(result))}), job.path(part))
    return result


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); expected every worker to find it there"
        ) from None


@lru_cache(maxsize=1)
def _rows(history: tuple[Path, ...], _written: tuple[int, ...]) -> Rows:
    """A history of many files is looked through once a process, and again where one is written anew."""
    return Rows(history)


def done_parts(job: Job) -> dict[int, Done]:
    """What is in the files of the parts that were filled before, by their number; a damaged one is not."""
    found = {}
    for path in job.output.glob(f"{_PART}*.parquet"):
        with suppress(pa.ArrowInvalid, OSError, TypeError, KeyError, ValueError):
            told = json.loads(pq.read_schema(path).metadata[_DONE.encode()])
            found[int(path.stem.removeprefix(_PART))] = Done(**told)
    return found


def _wide(columns: HistoryColumns, surfaces: Surfaces, answers: list[Filled]) -> dict[str, pa.Array]:
    """The columns of the wide form by name: vols, then standard deviations."""
    (grid,), (answer,) = surfaces.grids, answers
    found = {}
    for prefix, numbers in (("", answer.vols), ("std ", answer.std)):
        for name, (tenor, strike) in columns.nodes.items():
            place = np.searchsorted(grid.tenors, tenor), np.searchsorted(grid.strikes, strike)
            label = name if not prefix else prefix + name.replace("|", " ")
            found[label] = _number_column(numbers[:, place[0], place[1]])
    return found


def _long(
    columns: HistoryColumns, quoted: FloatArray, surfaces: Surfaces, answers: list[Filled]
) -> dict[str, pa.Array]:
    """The columns of the long form by name: vol, its standard deviation and where it is from."""
    size = len(surfaces.cell)
    vols, std, source = quoted.copy(), np.zeros(size), np.zeros(size, dtype=np.int8)
    for grid, answer in zip(surfaces.grids, answers, strict=True):
        place = np.full(len(surfaces.day), -1)
        place[grid.members] = np.arange(len(grid.members))
        row = np.flatnonzero(place[surfaces.surface] >= 0)
        member, cell = place[surfaces.surface[row]], surfaces.cell[row]
        for values, numbers in ((vols, answer.vols), (std, answer.std), (source, answer.source)):
            values[row] = numbers.reshape(len(numbers), -1)[member, cell]
    named = pa.DictionaryArray.from_arrays(pa.array(source), pa.array(SOURCES)).cast(pa.string())
    return {columns.vol: _number_column(vols), "std": _number_column(std), "source": named}


def _number_column(values: FloatArray) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _provenance(job: Job, flags: list[str]) -> dict[str, pa.Array]:
    same = {"model": job.settings.model, "model_hash": model_hash(job.settings.model)}
    return {**{name: pa.repeat(text, len(flags)) for name, text in same.items()}, "flags": pa.array(flags)}


def model_hash(name: str) -> str:
    """Twelve digits that change with any file of the bundles that answer: the named one and the universal."""
    cards = [bundles.load(each).card for each in (name, "universal")]
    return hashlib.sha256(json.dumps(cards, sort_keys=True).encode()).hexdigest()[:12]


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    """The table with a column in the place of that name, or at its end; a float keeps its width."""
    at = table.schema.get_field_index(name)
    if at < 0:
        return table.append_column(name, column)
    kind = table.schema.field(at).type
    return table.set_column(at, name, column.cast(kind) if pa.types.is_floating(kind) else column)


def remove_unfinished(job: Job) -> None:
    """Removes what processes that were killed as they wrote left beside the parts."""
    for beside in job.output.glob(f".{_PART}*.parquet.*"):
        beside.unlink(missing_ok=True)


def _write(table: pa.Table, path: Path) -> None:
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        pq.write_table(table, beside, compression="zstd")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error}); started again, it goes on here") from None
    finally:
        beside.unlink(missing_ok=True)
