"""A backfill from its history to a folder of parts that pandas, Polars and Spark read as one table.

The folder gets `part-000000.parquet` and so on in the order of the history, `_backfill.json`, which tells
what it is a backfill of, and at its end `_SUCCESS`. Started again, it goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...conventions.quotes import PERCENT_ABOVE
from ...errors import InputError, UnavailableError
from .by_axes import surfaces_of
from .columns import HistoryColumns, columns_of
from .engines import Finished, dask, here, pool
from .files import files_of
from .filled import FillSettings
from .long_form import require_one_reading
from .part import ADDED, Done, Job, done_parts, model_hash, remove_unfinished
from .plan import RowRange, parts_of, size_of
from .rows import Rows

_SAMPLE = 2_000  # surfaces that tell percent points from decimals
_CARD, _END = "_backfill.json", "_SUCCESS"
Tell = Callable[[int, int], None]  # surfaces done, surfaces in all


@dataclass(frozen=True)
class BackfillRequest:
    """What is to be filled, where to, how and by whom.

    units: "percent", "decimal", or None: percent points where the median of the first vols is above 2.
    surfaces: of a part; None: more, of a longer history. processes: of this machine, where no scheduler is
    given.
    """

    history: Path
    output: Path
    model: str = "fx"
    prior: bool = True
    units: str | None = None
    surfaces: int | None = None
    processes: int = 1
    scheduler: str | None = None


def backfill(asked: BackfillRequest, tell: Tell = lambda _done, _all: None) -> Done:
    """Fills the history's parts that are not filled yet; how many surfaces are in it and stay as they were.

    Raises InputError (columns, order, units, another backfill in the folder), BundleError, UnavailableError
    (processes that die, no cluster, a folder that its workers do not share).
    """
    files = [path.absolute() for path in files_of(asked.history)]
    rows = Rows(files)
    columns = columns_of(rows.schema.names)
    _require_free(columns, rows.schema.names)
    unit = 0.01 if _percent(asked.units, rows, columns) else 1.0
    settings = FillSettings(asked.model, asked.prior, unit, told=asked.units is not None)
    job = Job(tuple(files), asked.output.resolve(), settings)
    size, every = size_of(rows, columns, asked.surfaces)  # refuses before it writes
    _open(job, rows, asked, size)
    return _run(job, parts_of(rows, columns, size), every, asked, tell)


def unit_of(output: Path) -> float:
    """The vol of one unit, 1 or 0.01, as the backfill in that folder reads it."""
    return float(json.loads((output / _CARD).read_text("utf-8"))["unit"])


def _run(job: Job, parts: Iterator[RowRange], every: int, asked: BackfillRequest, tell: Tell) -> Done:
    kept = done_parts(job)
    before = surfaces = sum(done.surfaces for done in kept.values())
    refused = sum(done.refused for done in kept.values())
    left = (part for part in parts if part.number not in kept)
    for part, done in _finished(job, left, asked):
        if not job.path(part).is_file():
            raise UnavailableError(
                f"{job.path(part)} is not there, but written; expected a folder that this machine and the "
                "workers share"
            )
        surfaces, refused = surfaces + done.surfaces, refused + done.refused
        tell(surfaces - before, every - before)
    remove_unfinished(job)
    (job.output / _END).touch()
    return Done(every, refused)


def _finished(job: Job, parts: Iterator[RowRange], asked: BackfillRequest) -> Finished:
    if asked.scheduler is not None:
        return dask(job, parts, asked.scheduler)
    return pool(job, parts, asked.processes) if asked.processes > 1 else here(job, parts)


def _require_free(columns: HistoryColumns, names: list[str]) -> None:
    added = {*ADDED, *([] if columns.wide else ["std", "source"])}
    taken = sorted(added & set(names))
    if taken:
        raise InputError(
            f"the history has a column {taken[0]!r}, which a backfill adds; expected another name"
        )


def _percent(units: str | None, rows: Rows, columns: HistoryColumns) -> bool:
    """Whether the vols are percent points: as told, else by the median of the first surfaces."""
    stop = next((part.stop for part in parts_of(rows, columns, _SAMPLE)), 0)
    if not stop:
        raise InputError("the history has no row; expected at least one surface")
    sample = rows.table(columns.wanted, [(0, stop)])
    found = surfaces_of(sample, columns)
    if not found.grids:
        raise InputError(f"no surface of the history can be read: {found.unread[0]}")
    require_one_reading(sample, columns)
    if units is not None:
        return units == "percent"
    quoted = np.concatenate([grid.vols.ravel() for grid in found.grids])
    quoted = quoted[np.isfinite(quoted)]
    return len(quoted) > 0 and float(np.median(quoted)) > PERCENT_ABOVE


def _open(job: Job, rows: Rows, asked: BackfillRequest, size: int) -> None:
    """Makes the folder, or finds in it a backfill of the same history with the same settings."""
    _require_place(asked)
    card = {
        "history": [[path.name, Rows([path]).digest] for path in job.history],
        "rows": len(rows),
        "surfaces of a part": size,
        "model_hash": model_hash(asked.model),
        **asdict(job.settings),
    }
    path = job.output / _CARD
    if path.is_file():
        _require_same(path, card, asked)
        return
    if job.output.is_dir() and any(each.name != f".{_CARD}" for each in job.output.iterdir()):
        raise InputError(f"-o {asked.output} has other files in it; expected an empty folder, or none")
    try:
        job.output.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{_CARD}")
        beside.write_text(json.dumps(card, indent=1), "utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"-o {asked.output} cannot be written ({error.strerror})") from None


def _require_place(asked: BackfillRequest) -> None:
    """Raises InputError where the output is a file, or would be read as a part of the history."""
    if asked.output.exists() and not asked.output.is_dir():
        raise InputError(f"-o {asked.output} is a file; expected a folder, which is made where there is none")
    if asked.history.is_dir() and asked.output.resolve().is_relative_to(asked.history.resolve()):
        raise InputError(f"-o {asked.output} is in the history's folder; expected another place")


def _require_same(path: Path, card: dict[str, Any], asked: BackfillRequest) -> None:
    """Raises InputError where the folder's card is of another backfill, or damaged."""
    try:
        there = dict(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError):
        raise InputError(f"{path} is damaged; expected what a backfill wrote, or another folder") from None
    other = sorted(name for name in card if there.get(name) != json.loads(json.dumps(card[name])))
    if other:
        raise InputError(
            f"-o {asked.output} is a backfill with another {', '.join(other)}; expected the same, "
            "or another folder"
        )
