"""A backfill on a cluster: what others do on it, and what its workers lack."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from voladdin.errors import InputError, UnavailableError
from voladdin.imputation.backfill import engines
from voladdin.imputation.backfill.filled import FillSettings
from voladdin.imputation.backfill.folder import BackfillRequest, backfill
from voladdin.imputation.backfill.part import Done, Job, fill_part
from voladdin.imputation.backfill.plan import RowRange

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Of a cluster that gives a task up when its worker dies."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        yield cluster.scheduler_address


def _asked(folder: Path, level: float, **more: Any) -> BackfillRequest:
    """Six surfaces of a smile at 3M, of which a wing lacks, in parts of two."""
    table = pd.DataFrame({"date": pd.bdate_range("2018-01-01", periods=6), "3M|25P": level * 1.02})
    table = table.assign(**{"3M|ATM": level, "3M|25C": np.nan})
    path = folder / f"{level}.parquet"
    table.to_parquet(path, index=False)
    return BackfillRequest(path, folder / f"filled-{level}", surfaces=2, **more)


def test_two_backfills_on_a_scheduler_at_once_each_write_all_their_parts(
    scheduler: str, tmp_path: Path
) -> None:
    asked = [_asked(tmp_path, level, scheduler=scheduler) for level in (0.1, 0.2)]
    with ThreadPoolExecutor(2) as both:
        assert list(both.map(backfill, asked)) == [Done(6, 0)] * 2
    for request, level in zip(asked, (0.1, 0.2), strict=True):
        found = pd.read_parquet(request.output)
        assert len(found) == 6
        assert (found["3M|ATM"] == level).all() and found["3M|25C"].notna().all()


def _dies(job: Job, part: RowRange) -> Done:
    os._exit(1)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_part_that_kills_its_workers_is_named(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "fill_part", _dies)
    with pytest.raises(UnavailableError, match=r"the process of part \d \(rows \d to \d\) died 1 times"):
        backfill(_asked(tmp_path, 0.1, scheduler=scheduler))


def _elsewhere(job: Job, part: RowRange) -> Done:
    return Done(part.surfaces, 0)


def test_parts_that_were_written_elsewhere_are_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "fill_part", _elsewhere)
    asked = _asked(tmp_path, 0.1)
    with pytest.raises(UnavailableError, match=r"part-000000\.parquet is not there, but written"):
        backfill(asked)
    assert not (asked.output / "_SUCCESS").exists()


def test_a_worker_that_does_not_find_the_history_says_so(tmp_path: Path) -> None:
    asked = _asked(tmp_path, 0.1)
    backfill(asked)
    asked.history.unlink()
    with pytest.raises(InputError, match=r"0\.1\.parquet cannot be read \(No such file"):
        fill_part(Job((asked.history,), asked.output, FillSettings()), RowRange(0, 0, 2, 2, ()))
