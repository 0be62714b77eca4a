"""A history filled in parts: what `impute` gives, whoever fills it and wherever it stopped."""

from __future__ import annotations

import os
import signal
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import voladdin as va
from export.bench.backfill import spent_by, unfilled
from voladdin.cli import main
from voladdin.errors import InputError, UnavailableError
from voladdin.imputation.backfill import engines
from voladdin.imputation.backfill import part as parts_filled
from voladdin.imputation.backfill.columns import columns_of
from voladdin.imputation.backfill.files import files_of
from voladdin.imputation.backfill.folder import BackfillRequest, backfill
from voladdin.imputation.backfill.part import Done, Job, fill_part
from voladdin.imputation.backfill.plan import FEWEST, MOST, RowRange, days_of, parts_of, size_of
from voladdin.imputation.backfill.rows import Rows

TENORS, STRIKES = ("1M", "6M", "1Y"), ("25P", "ATM", "25C")
NODES = [f"{tenor}|{strike}" for tenor in TENORS for strike in STRIKES]


def _history(days: int = 8, underlyings: tuple[str, ...] = ("EURUSD", "USDJPY")) -> pd.DataFrame:
    """Surfaces with holes, sorted by date; the first of EURUSD has no quote at all on the third day."""
    rng = np.random.default_rng(1)
    table = pd.MultiIndex.from_product(
        [pd.bdate_range("2018-01-01", periods=days), underlyings], names=["date", "underlying"]
    ).to_frame(index=False)
    base = np.array([0.102, 0.1, 0.101, 0.107, 0.105, 0.106, 0.112, 0.11, 0.111])
    vols = base * np.exp(
        0.02 * rng.standard_normal((len(table), 1)) + 0.002 * rng.standard_normal((len(table), 9))
    )
    vols[rng.random(vols.shape) < 0.3] = np.nan
    vols[:, 4] = np.where(np.isnan(vols[:, 4]), 0.105, vols[:, 4])
    vols[4] = np.nan
    return pd.concat([table, pd.DataFrame(vols, columns=NODES)], axis=1)


def _long(wide: pd.DataFrame) -> pd.DataFrame:
    table = wide.reset_index().melt(["index", "date", "underlying"], NODES, "node", "vol")
    table[["tenor", "call_delta"]] = table.pop("node").str.split("|", expand=True)
    return table.sort_values(["index", "tenor", "call_delta"]).drop(columns="index").reset_index(drop=True)


def _written(table: pd.DataFrame, path: Path, rows: int = 5) -> Path:
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=rows)
    return path


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return _written(_history(), tmp_path / "history.parquet")


def _surface(row: pd.Series) -> va.Surface:
    return va.Surface(row[NODES].to_numpy(float).reshape(3, 3), TENORS, deltas=STRIKES)


@pytest.mark.parametrize(
    ("days", "names", "asked", "size"),
    [(3, 4, None, FEWEST), (600, 40, None, 1_500), (5, 2_000, None, MOST), (600, 40, 7, 7)],
    ids=["short", "long", "parts would look back at most of it", "asked"],
)
def test_the_history_tells_the_size_of_parts(
    tmp_path: Path, days: int, names: int, asked: int | None, size: int
) -> None:
    keys = [pd.bdate_range("2018-01-01", periods=days), [f"U{i:04d}" for i in range(names)]]
    table = pd.MultiIndex.from_product(keys, names=["date", "underlying"]).to_frame(index=False)
    rows = Rows([_written(table.assign(**{"1M|0.5": 0.1}), tmp_path / "history.parquet", 50_000)])
    assert size_of(rows, columns_of(rows.schema.names), asked) == (size, days * names)


def test_a_surface_has_the_fill_of_impute_with_the_day_before(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert backfill(BackfillRequest(history, out, surfaces=3)) == Done(16, 0)
    given, found = pd.read_parquet(history), pd.read_parquet(out)
    assert list(found.columns) == [
        *given.columns, *[f"std {node.replace('|', ' ')}" for node in NODES], "model", "model_hash", "flags"
    ]  # fmt: skip
    pd.testing.assert_frame_equal(found[["date", "underlying"]], given[["date", "underlying"]])
    for index, row in given.iterrows():
        earlier = given.loc[: index - 1][lambda rows, row=row: rows["underlying"] == row["underlying"]]
        quoted = row[NODES].notna().any()
        if not quoted:
            assert found.loc[index, NODES].notna().all()
            continue
        usable = len(earlier) and earlier.iloc[-1][NODES].notna().any()
        prior = _surface(earlier.iloc[-1]) if usable else None
        wanted = va.impute(_surface(row), prior=prior)
        np.testing.assert_allclose(found.loc[index, NODES].to_numpy(float), wanted.filled.ravel(), atol=5e-6)
        std = found.loc[index, [f"std {node.replace('|', ' ')}" for node in NODES]].to_numpy(float)
        np.testing.assert_allclose(std, wanted.std.ravel(), atol=5e-6)


def test_wide_long_and_percent_points_are_the_same_history(tmp_path: Path) -> None:
    wide = _history()
    percent = wide.assign(**{node: 100 * wide[node] for node in NODES})
    forms = {"wide": wide, "long": _long(wide), "percent": percent}
    out = {}
    for name, table in forms.items():
        backfill(BackfillRequest(_written(table, tmp_path / f"{name}.parquet"), tmp_path / name, surfaces=3))
        out[name] = pd.read_parquet(tmp_path / name)
    np.testing.assert_allclose(out["percent"][NODES] / 100, out["wide"][NODES], rtol=1e-9)
    quoted = percent[NODES].notna()
    assert out["percent"][NODES].where(quoted).equals(percent[NODES].where(quoted))
    table = out["long"]
    assert set(table["source"]) <= {"quote", "filled", "moved", "disputed"}
    assert (table["source"] == "quote").sum() == wide[NODES].notna().sum().sum()
    keys = ["date", "underlying", "tenor", "call_delta"]
    pd.testing.assert_frame_equal(table[keys], forms["long"][keys])
    for (date, name), rows in table.groupby(["date", "underlying"]):
        own = out["wide"][(out["wide"]["date"] == date) & (out["wide"]["underlying"] == name)].iloc[0]
        nodes = rows["tenor"] + "|" + rows["call_delta"]
        np.testing.assert_allclose(rows["vol"].to_numpy(), own[nodes].to_numpy(float), atol=1e-12)


def test_strikes_have_a_forward_and_only_listed_cells(tmp_path: Path) -> None:
    rows = [
        {"date": "2026-01-30", "tenor": tenor, "strike": strike, "forward": 100.0, "vol": vol}
        for tenor, smile in (
            ("1M", {90.0: 0.24, 100.0: None, 110.0: 0.19}),
            ("3M", {80.0: 0.26, 100.0: 0.21}),
        )
        for strike, vol in smile.items()
    ]
    backfill(BackfillRequest(_written(pd.DataFrame(rows), tmp_path / "chain.parquet"), tmp_path / "out"))
    found = pd.read_parquet(tmp_path / "out")
    vols = np.full((2, 4), np.nan)
    vols[0, [1, 3]], vols[1, [0, 2]] = (0.24, 0.19), (0.26, 0.21)
    surface = va.Surface(vols, ["1M", "3M"], strikes=[80.0, 90.0, 100.0, 110.0], forwards=[100.0, 100.0])
    assert found["source"].tolist() == ["quote", "filled", "quote", "quote", "quote"]
    assert found["vol"][1] == pytest.approx(va.impute(surface).filled[0, 2], abs=1e-9)


def _chain(forwards: list[float]) -> pd.DataFrame:
    """Strikes of a day each, vols by moneyness; a hole moves along, and every other day has no 3M."""
    rows = []
    for number, (day, forward) in enumerate(
        zip(pd.bdate_range("2026-01-29", periods=4), forwards, strict=True)
    ):
        for years in (1 / 12, 0.25, 0.5)[:: 1 + number % 2]:
            for place, strike in enumerate((80.0, 90.0, 100.0, 110.0, 120.0)):
                vol = 0.2 - 0.1 * np.log(strike / forward) if (place + number) % 3 else np.nan
                rows.append((day, years, strike, forward, vol))
    return pd.DataFrame(rows, columns=["date", "tenor_years", "strike", "forward", "vol"])


def test_the_day_before_is_carried_over_to_other_strikes_and_tenors(tmp_path: Path) -> None:
    table = _chain([100.0, 101.0, 99.0, 99.0])
    path = _written(table, tmp_path / "chain.parquet")
    assert backfill(BackfillRequest(path, tmp_path / "out")) == Done(4, 0)
    found, earlier = pd.read_parquet(tmp_path / "out"), None
    for _, rows in table.assign(filled=found["vol"]).groupby("date"):
        years, m = rows["tenor_years"].unique(), np.log(rows["strike"] / rows["forward"]).to_numpy()
        surface = va.Surface(
            rows["vol"].to_numpy().reshape(len(years), 5), years, moneyness=m.reshape(len(years), 5)
        )
        prior = None
        if earlier is not None:
            prior = surface.replace(va.impute(earlier).at(years, moneyness=m.reshape(len(years), 5)).mean)
        wanted = va.impute(surface, prior=prior).filled
        np.testing.assert_allclose(rows["filled"].to_numpy().reshape(wanted.shape), wanted, atol=1e-6)
        earlier = surface
    backfill(BackfillRequest(path, tmp_path / "single", surfaces=1))
    np.testing.assert_allclose(pd.read_parquet(tmp_path / "single")["vol"], found["vol"], atol=1e-12)


def test_forwards_that_differ_or_lack_leave_their_surface_as_it_was(tmp_path: Path) -> None:
    table = _chain([100.0, 101.0, 99.0, 99.0])
    table.loc[3, "forward"], table.loc[18, "strike"] = 102.0, -1.0
    table.loc[table["date"] == table["date"].iloc[-1], "forward"] = 0.0
    backfill(BackfillRequest(_written(table, tmp_path / "chain.parquet"), tmp_path / "out"))
    told = pd.read_parquet(tmp_path / "out").groupby("date")["flags"].first().tolist()
    assert told[0] == "tenor 0.0833333 has two forwards, or none; expected one above 0"
    assert told[1] == "strike -1 is not above 0" and told[3] == told[0] and not told[2]


def test_days_are_those_of_their_own_time_zone() -> None:
    days = pd.bdate_range("2026-01-01", periods=9)
    zoned = pa.array(days.tz_localize("Asia/Tokyo"), from_pandas=True)
    assert days_of(zoned).tolist() == days_of(pa.array(days)).tolist()


def test_one_process_two_and_a_dask_cluster_write_the_same_bytes(history: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    backfill(BackfillRequest(history, tmp_path / "one", surfaces=3))
    backfill(BackfillRequest(history, tmp_path / "two", surfaces=3, processes=2))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        backfill(BackfillRequest(history, tmp_path / "dask", surfaces=3, scheduler=cluster.scheduler_address))
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two") == _bytes(tmp_path / "dask")


def _dies_once(job: Job, part: RowRange) -> Done:
    """A worker that is slow in part 0, and one killed in the middle of part 2, as it wrote."""
    marker = job.output.parent / "died"
    if part.number == 0:
        time.sleep(1.0)
    if part.number == 2 and not marker.exists():
        marker.touch()
        (job.output / f".part-000002.parquet.{os.getpid()}").write_bytes(b"PAR1")
        os.kill(os.getpid(), signal.SIGKILL)
    return fill_part(job, part)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
@pytest.mark.parametrize("engine", ["processes", "dask"])
def test_a_killed_worker_and_a_slow_one_lose_nothing(
    engine: str, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfill(BackfillRequest(history, tmp_path / "whole", surfaces=2))
    monkeypatch.setattr(engines, "fill_part", _dies_once)
    asked = BackfillRequest(history, tmp_path / "out", surfaces=2, processes=2)
    if engine == "processes":
        assert backfill(asked) == Done(16, 0)
    else:
        distributed = pytest.importorskip("distributed")
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
            backfill(
                BackfillRequest(history, tmp_path / "out", surfaces=2, scheduler=cluster.scheduler_address)
            )
    assert (tmp_path / "died").exists()
    assert _bytes(tmp_path / "out") == _bytes(tmp_path / "whole")


def _dies(job: Job, part: RowRange) -> Done:
    os._exit(1)


def test_a_part_that_kills_each_process_is_named(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "fill_part", _dies)
    with pytest.raises(UnavailableError, match=r"the process of part 0 \(rows 0 to 16\) died 3 times"):
        backfill(BackfillRequest(history, tmp_path / "out", processes=2))


@pytest.mark.skipif(sys.platform == "win32", reason="a console script is a process with a child there")
def test_processes_end_with_a_backfill_that_is_killed(history: Path, tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    command = [sys.executable, "-m", "voladdin", "backfill", str(history), "-o", str(tmp_path / "out")]
    backfilling = psutil.Popen([*command, "--processes", "2", "--surfaces", "1"])
    while len(workers := backfilling.children(recursive=True)) < 3 and backfilling.poll() is None:
        time.sleep(0.01)  # two, and what cleans up after them
    assert len(workers) == 3
    backfilling.kill()
    assert backfilling.wait() == -signal.SIGKILL
    assert not psutil.wait_procs(workers, timeout=30)[1]


def test_a_backfill_goes_on_where_it_stopped(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    backfill(BackfillRequest(history, out, surfaces=3))
    whole = _bytes(out)
    kept = out / "part-000000.parquet"
    before = kept.stat().st_mtime_ns
    for name in ("part-000002.parquet", "part-000004.parquet", "_SUCCESS"):
        (out / name).unlink()
    told: list[tuple[int, int]] = []
    backfill(BackfillRequest(history, out, surfaces=3), lambda done, every: told.append((done, every)))
    assert _bytes(out) == whole
    assert kept.stat().st_mtime_ns == before
    assert told == [(3, 6), (4, 4)] or told[-1][0] == told[-1][1]
    with pytest.raises(InputError, match="is a backfill with another prior; expected the same"):
        backfill(BackfillRequest(history, out, surfaces=3, prior=False))
    with pytest.raises(InputError, match="another history, rows"):
        backfill(BackfillRequest(_written(_history(9), tmp_path / "more.parquet"), out, surfaces=3))


def test_a_bad_surface_stays_as_it_was_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = _history()
    table.loc[3, NODES[0]] = -0.1
    table.loc[0, NODES] = np.nan
    path = _written(table, tmp_path / "history.parquet")
    assert main(["backfill", str(path), "-o", str(tmp_path / "out"), "--processes", "1"]) == 1
    assert "16 surfaces" in (printed := capsys.readouterr().out) and "vols in decimals" in printed
    assert "2 stayed as they were" in printed
    found = pd.read_parquet(tmp_path / "out")
    assert found["flags"][3] == "vol -0.1 is not above 0 and at most 10"
    assert found["flags"][0] == "no quote"
    pd.testing.assert_frame_equal(found.loc[[0, 3], NODES], table.loc[[0, 3], NODES])
    assert found.loc[[1, 2], NODES].notna().all(axis=None)


def test_pandas_and_polars_read_the_folder_as_one_table(history: Path, tmp_path: Path) -> None:
    backfill(BackfillRequest(history, tmp_path / "out", surfaces=3))
    frame = polars.read_parquet(tmp_path / "out" / "*.parquet")
    read = pd.read_parquet(tmp_path / "out")
    assert frame["underlying"].to_list() == read["underlying"].tolist()
    np.testing.assert_array_equal(frame[NODES[2]].to_numpy(), read[NODES[2]].to_numpy())


def test_a_folder_of_files_is_one_history(history: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(history)
    (tmp_path / "days").mkdir()
    _written(table.iloc[:7], tmp_path / "days" / "a.parquet", 3)
    _written(table.iloc[7:], tmp_path / "days" / "b.parquet", 4)
    backfill(BackfillRequest(tmp_path / "days", tmp_path / "out", surfaces=3))
    backfill(BackfillRequest(history, tmp_path / "one", surfaces=3))
    left, right = _bytes(tmp_path / "out"), _bytes(tmp_path / "one")
    assert left.pop("_backfill.json") != right.pop("_backfill.json")
    assert left == right


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 100])
@pytest.mark.parametrize("form", ["wide", "long"])
def test_parts_hold_every_row_once_and_look_back_to_the_surface_before(
    size: int, form: str, tmp_path: Path
) -> None:
    table = _history() if form == "wide" else _long(_history())
    rows = Rows(files_of(_written(table, tmp_path / "h.parquet", 7)))
    parts = list(parts_of(rows, columns_of(rows.schema.names), size))
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
    assert (parts[0].start, parts[-1].stop) == (0, len(table))
    assert sum(part.surfaces for part in parts) == 16
    for part in parts:
        assert part.surfaces <= size
        for start, stop in part.before:
            name = table["underlying"][start]
            assert stop <= part.start
            assert (table["underlying"][start:stop] == name).all()
            assert not (table["underlying"][stop : part.start] == name).any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(columns="date"), "no column 'date'"),
        (lambda table: table.iloc[::-1], "row 2: .* comes after a later or equal date"),
        (lambda table: pd.concat([table, table]), "row 16: EURUSD of 2018-01-01 comes after"),
        (lambda table: table.assign(date=20180101), "the column date has 20180101, a number; expected dates"),
        (lambda table: table.assign(date="soon"), "the column date has .*soon.*expected dates such as"),
        (lambda table: table.rename(columns={NODES[0]: "1M|x"}), "'x' is no strike"),
        (lambda table: table.rename(columns={NODES[0]: "1M|K=1.1"}), "two kinds of strike"),
        (lambda table: table.rename(columns={NODES[0]: "1M|0.5"}), "are the same tenor and strike"),
        (lambda table: table[["date", "underlying"]], r"expected such as '1M\|25P'"),
        (lambda table: table.assign(flags=""), "has a column 'flags', which a backfill adds"),
        (lambda table: table.assign(**{NODES[0]: "high"}), "column 1M\\|25P is not of numbers"),
        (lambda table: table.iloc[:0], "no row"),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_read_is_refused_by_name(change, words: str, tmp_path: Path) -> None:
    path = _written(change(_history()), tmp_path / "h.parquet")
    with pytest.raises(InputError, match=words):
        backfill(BackfillRequest(path, tmp_path / "out"))


def test_what_is_no_history_and_a_full_folder_are_refused(history: Path, tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        backfill(BackfillRequest(tmp_path / "text.parquet", tmp_path / "out"))
    with pytest.raises(InputError, match="is not there"):
        backfill(BackfillRequest(tmp_path / "none.parquet", tmp_path / "out"))
    with pytest.raises(InputError, match="has other files in it"):
        backfill(BackfillRequest(history, tmp_path))
    with pytest.raises(InputError, match="is a file"):
        backfill(BackfillRequest(history, history))


def _most_bytes(days: int, folder: Path) -> int:
    """Of Python and NumPy at the worst of a backfill's parts."""
    path = _written(_history(days, tuple(f"U{n:03d}" for n in range(100))), folder / f"{days}.parquet", 1_000)
    tracemalloc.start()
    backfill(BackfillRequest(path, folder / f"{days}", surfaces=100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_filled, "filled", unfilled)
    _most_bytes(3, tmp_path)
    held = pa.total_allocated_bytes()
    few, many = _most_bytes(20, tmp_path), _most_bytes(100, tmp_path)
    assert many < 1.15 * few
    assert pa.total_allocated_bytes() == held


def test_memory_does_not_grow_with_the_groups_of_rows(tmp_path: Path) -> None:
    """A file of one group is read page by page, not the group."""
    path = tmp_path / "one.parquet"
    table = pa.Table.from_pandas(_history(50_000), preserve_index=False)
    pq.write_table(table, path, data_page_size=10_000, compression="none", use_dictionary=False)
    rows = Rows([path])
    before = pa.total_allocated_bytes()
    blocks = rows.blocks(rows.schema.names)
    assert len(next(blocks)) > 0
    assert pa.total_allocated_bytes() - before < 0.5 * path.stat().st_size


def test_rows_are_read_by_ascending_ranges_whatever_their_groups(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(_history(20), preserve_index=False)
    pq.write_table(table, tmp_path / "h.parquet", row_group_size=7)
    rows = Rows([tmp_path / "h.parquet"])
    ranges = [(3, 4), (6, 9), (9, 9), (20, 40)]
    wanted = pa.concat_tables([table.slice(start, stop - start) for start, stop in ranges])
    assert rows.table(rows.schema.names, ranges).equals(wanted)


def test_the_bench_counts_the_memory_of_the_backfill_alone() -> None:
    """Not of the process that starts it."""
    pytest.importorskip("resource")
    ballast = np.ones(1 << 26)
    assert 0 < spent_by(["--help"])[2] < ballast.nbytes / 2**20


def test_dask_without_a_scheduler_is_refused(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["backfill", str(history), "-o", str(tmp_path / "out"), "--engine", "dask"]
    assert main(command) == 2
    assert "expected both for Dask" in capsys.readouterr().err
