"""Histories as pandas, Polars, Dask and Spark leave them on a disk: the same history, or refused by name."""

from __future__ import annotations

import errno
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from voladdin.errors import InputError
from voladdin.imputation.backfill.columns import columns_of
from voladdin.imputation.backfill.files import files_of
from voladdin.imputation.backfill.folder import BackfillRequest, backfill
from voladdin.imputation.backfill.plan import parts_of
from voladdin.imputation.backfill.rows import Rows

NODES = ("1M|25P", "1M|ATM", "1M|25C", "1Y|25P", "1Y|ATM", "1Y|25C")
PAIRS = ("EURUSD", "USDJPY")


def _history(days: int = 6) -> pd.DataFrame:
    rng, dates = np.random.default_rng(4), pd.bdate_range("2018-01-29", periods=days)
    tables = []
    for pair in PAIRS:
        vols = pd.DataFrame(0.08 + 0.002 * rng.standard_normal((days, len(NODES))), columns=NODES)
        vols = vols.mask(rng.random(vols.shape) < 0.3)
        vols["1M|ATM"] = vols["1M|ATM"].fillna(0.08)
        tables.append(vols.assign(date=dates, underlying=pair))
    return pd.concat(tables, ignore_index=True)


def _put(table: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, None, False), path)
    return path


def _filled(history: Path, output: Path, **asked: Any) -> pd.DataFrame:
    backfill(BackfillRequest(history, output, **asked))
    table = pq.ParquetDataset(output).read().to_pandas()
    return table.assign(date=pd.to_datetime(table["date"]).dt.normalize()).set_index(["underlying", "date"])


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("truth")
    return _filled(_put(_history(), folder / "history.parquet"), folder / "out")


def _same(found: pd.DataFrame, truth: pd.DataFrame) -> None:
    np.testing.assert_array_equal(found.loc[truth.index, list(NODES)], truth[list(NODES)])
    assert len(found) == len(truth)


def _by_pair(table: pd.DataFrame, folder: Path) -> None:
    for pair, rows in table.groupby("underlying"):
        _put(rows.drop(columns="underlying"), folder / f"underlying={pair}" / "0.parquet")


def _by_pair_and_day(table: pd.DataFrame, folder: Path) -> None:
    for (pair, day), rows in table.groupby(["underlying", "date"]):
        inside = folder / f"underlying={pair}" / f"date={day:%Y-%m-%d 00%%3A00%%3A00}"
        _put(rows.drop(columns=["underlying", "date"]), inside / "0.parquet")


def _by_number(table: pd.DataFrame, folder: Path) -> None:
    for number, (_, rows) in enumerate(table.groupby(["underlying", "date"]), start=8):
        _put(rows, folder / f"part.{number}.parquet")


def _other_order(table: pd.DataFrame, folder: Path) -> None:
    _put(table.iloc[:5], folder / "0.parquet")
    _put(table.iloc[5:][table.columns[::-1]], folder / "1.parquet")


def _nothing_quoted_at_first(table: pd.DataFrame, folder: Path) -> None:
    first = table.iloc[:1].assign(**{name: None for name in NODES if pd.isna(table[name].iloc[0])})
    _put(pa.Table.from_pandas(first, None, False), folder / "0.parquet")
    _put(table.iloc[1:1], folder / "1.parquet")
    _put(table.iloc[1:], folder / "sub" / "2.parquet")
    _put(table, folder / "_temporary" / "3.parquet")


def _dictionaries_and_text(table: pd.DataFrame, folder: Path) -> None:
    dates = table["date"].dt.strftime("%Y-%m-%d %H:%M:%S")
    first = table.iloc[:5].assign(
        underlying=table["underlying"].iloc[:5].astype("category"), date=dates.iloc[:5].astype("category")
    )
    _put(first, folder / "0.parquet")
    _put(table.iloc[5:], folder / "1.parquet")


def _nanoseconds(table: pd.DataFrame, folder: Path) -> None:
    late = table["date"] + pd.Timedelta(hours=23, nanoseconds=7)
    _put(table.assign(date=late.astype("datetime64[ns]")), folder / "0.parquet")


@pytest.mark.parametrize(
    "write",
    [
        _by_pair,
        _by_pair_and_day,
        _by_number,
        _other_order,
        _nothing_quoted_at_first,
        _dictionaries_and_text,
        _nanoseconds,
    ],
)
def test_the_same_history_however_it_lies_in_files(
    write: Callable[[pd.DataFrame, Path], None], truth: pd.DataFrame, tmp_path: Path
) -> None:
    write(_history(), tmp_path / "history")
    _same(_filled(tmp_path / "history", tmp_path / "out", surfaces=5), truth)


def test_whole_numbers_before_fractions_are_no_whole_numbers(tmp_path: Path) -> None:
    table = _history().assign(**{"1M|ATM": 8.0})
    whole = table.iloc[:5].astype({"1M|ATM": "Int64"})
    _put(whole, tmp_path / "h" / "0.parquet")
    _put(table.iloc[5:].assign(**{"1M|ATM": 8.25}), tmp_path / "h" / "1.parquet")
    found = _filled(tmp_path / "h", tmp_path / "out", units="percent")
    assert found["1M|ATM"].tolist() == [8.0] * 5 + [8.25] * 7


def test_nothing_is_the_name_of_an_empty_folder_of_hive(tmp_path: Path) -> None:
    table = _history().drop(columns="underlying").iloc[:3]
    _put(table, tmp_path / "h" / "underlying=__HIVE_DEFAULT_PARTITION__" / "0.parquet")
    with pytest.raises(InputError, match="column underlying has an empty cell"):
        backfill(BackfillRequest(tmp_path / "h", tmp_path / "out"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.rename(columns={"1M|ATM": "2M|ATM"}), r"1.parquet has columns .*2M\|ATM"),
        (
            lambda t: t.assign(date=0.5),
            "1.parquet: the column date is not as in .*timestamp",
        ),
        (lambda t: t.assign(**{"1M|ATM": "8.1%"}), r"1.parquet: the column 1M\|ATM is not as in .*double"),
    ],
)
def test_a_file_unlike_the_first_is_named(change: Any, words: str, tmp_path: Path) -> None:
    _put(_history().iloc[:5], tmp_path / "h" / "0.parquet")
    _put(change(_history().iloc[5:]), tmp_path / "h" / "1.parquet")
    with pytest.raises(InputError, match=words):
        backfill(BackfillRequest(tmp_path / "h", tmp_path / "out"))
    assert not list(tmp_path.glob("out/part-*"))


def test_thousands_of_files_are_not_open_together(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    table = pa.Table.from_pandas(_history(1).iloc[:1], None, False)
    for day in range(80):
        _put(table, tmp_path / "h" / f"part.{day}.parquet")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, before[1]))
    try:
        rows = Rows(files_of(tmp_path / "h"))
        read = sum(len(block) for block in rows.blocks(["date"]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert read == len(rows) == 80


@pytest.mark.parametrize(("factor", "units"), [(100.0, "decimal"), (0.01, "percent")])
def test_surfaces_in_another_unit_stay_as_they_were(factor: float, units: str, tmp_path: Path) -> None:
    table = _history()
    if units == "percent":
        table[list(NODES)] *= 100
    table.loc[table.index[4:6], list(NODES)] *= factor
    found = _filled(_put(table, tmp_path / "h.parquet"), tmp_path / "out")
    assert found["flags"].str.contains(f"--units {units}").tolist() == [i in (4, 5) for i in range(12)]
    np.testing.assert_array_equal(found[list(NODES)].iloc[4:6], table[list(NODES)].iloc[4:6])
    told = _filled(tmp_path / "h.parquet", tmp_path / "told", units=units)
    assert not told["flags"].str.contains("units").any()


def test_an_output_inside_the_history_is_refused(tmp_path: Path) -> None:
    _put(_history(), tmp_path / "h" / "0.parquet")
    with pytest.raises(InputError, match="in the history's folder"):
        backfill(BackfillRequest(tmp_path / "h", tmp_path / "h" / "sub" / "out"))


def test_a_damaged_part_is_filled_again_and_a_damaged_card_is_named(
    truth: pd.DataFrame, tmp_path: Path
) -> None:
    history = _put(_history(), tmp_path / "h.parquet")
    _filled(history, tmp_path / "out", surfaces=5)
    parts = sorted((tmp_path / "out").glob("part-*"))
    parts[0].write_bytes(b"")
    parts[1].write_bytes(parts[1].read_bytes()[:-40])
    _same(_filled(history, tmp_path / "out", surfaces=5), truth)
    (tmp_path / "out" / "_backfill.json").write_text('{"rows": 1')
    with pytest.raises(InputError, match=r"_backfill.json is damaged"):
        backfill(BackfillRequest(history, tmp_path / "out", surfaces=5))


def test_a_backfill_killed_before_its_card_was_whole_begins_again(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "._backfill.json").write_text('{"rows"')
    _filled(_put(_history(), tmp_path / "h.parquet"), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "_backfill.json").read_text())["rows"] == 12


def test_a_full_disk_is_named_and_what_was_written_stays(
    truth: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, write = _put(_history(), tmp_path / "h.parquet"), pq.write_table

    def full(table: pa.Table, path: Path, **options: Any) -> None:
        write(table, path, **options)
        if "000001" in str(path):
            path.write_bytes(path.read_bytes()[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(InputError, match=r"part-000001.parquet cannot be written .*No space left"):
        backfill(BackfillRequest(history, tmp_path / "out", surfaces=5))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_backfill.json",
        "part-000000.parquet",
    ]
    monkeypatch.undo()
    _same(_filled(history, tmp_path / "out", surfaces=5), truth)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    history = _put(_history(), tmp_path / "h.parquet")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        backfill(BackfillRequest(history, tmp_path / "file" / "out"))


def _cells(strikes: Sequence[Any], tenors: Sequence[Any] = ("1M", "1Y"), **names: Any) -> pd.DataFrame:
    """The long form of a history, with other tenors (column `tenor`) and strikes (column `strike`)."""
    wide = _history()
    rows = [
        {"date": day, "underlying": pair, "tenor": tenor, "strike": strike, "vol": vol}
        for day, pair, *vols in wide[["date", "underlying", *NODES]].itertuples(index=False)
        for (tenor, strike), vol in zip(itertools.product(tenors, strikes), vols, strict=True)
    ]
    return pd.DataFrame(rows).rename(columns=names)


LABELS, YEARS = ("25P", "ATM", "25C"), (30 / 365, 1.0)


@pytest.mark.parametrize(
    "written",
    [
        _cells(LABELS, YEARS, strike="Delta", tenor="Tenor Years", date="Date", vol="VOL", underlying="pair"),
        _cells(LABELS, YEARS, strike="delta"),
        _cells(LABELS, (30, 365), strike="delta", tenor="dte"),
        _cells((-25, 50, 25), YEARS, strike="delta"),
        _cells((-0.25, 0.5, 0.25), YEARS, strike="delta"),
        _cells((75, 50, 25), YEARS, strike="call_delta", underlying="Currency Pair"),
    ],
)
def test_the_usual_names_and_numbers_of_cells(written: pd.DataFrame, tmp_path: Path) -> None:
    plain = _put(_cells((0.75, 0.5, 0.25), YEARS, strike="call_delta"), tmp_path / "plain.parquet")
    backfill(BackfillRequest(plain, tmp_path / "a"))
    backfill(BackfillRequest(_put(written, tmp_path / "h.parquet"), tmp_path / "b"))
    same, found = (pq.ParquetDataset(tmp_path / name).read() for name in "ab")
    name = next(name for name in found.column_names if name.lower() == "vol")
    np.testing.assert_allclose(found[name], same["vol"], rtol=1e-12)


def test_an_expiry_counts_from_its_date(tmp_path: Path) -> None:
    table = _cells((0.75, 0.5, 0.25), (30, 365), strike="call_delta", tenor="tenor_days")
    backfill(BackfillRequest(_put(table, tmp_path / "plain.parquet"), tmp_path / "a"))
    ends = table["date"] + pd.to_timedelta(table.pop("tenor_days"), unit="D")
    backfill(BackfillRequest(_put(table.assign(expiry=ends), tmp_path / "h.parquet"), tmp_path / "b"))
    same, found = (pq.ParquetDataset(tmp_path / name).read() for name in "ab")
    np.testing.assert_array_equal(found["vol"], same["vol"])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (_cells(LABELS, (7, 30), strike="delta"), "column tenor has 7, 30: days, months or years"),
        (_cells(LABELS, ("1", "12"), strike="delta"), "column tenor has 1, 12: days, months or years"),
        (_cells((0.9, 1.0, 1.1), strike="moneyness"), r"moneyness has 0.9 to 1.1: percent, K/F or ln\(K/F\)"),
        (_cells((-10, 0, 10), strike="log_moneyness"), r"log_moneyness has -10 to 10: percent, K/F or ln"),
        (
            _cells((0.25, 0.5, 250), strike="delta"),
            "no surface .* can be read: the column delta has 250, not understood",
        ),
        (_cells(LABELS, strike="delta", underlying="ticker"), "'ticker' and none of underlyings"),
        (
            _history().rename(columns=lambda name: name.replace("1M", "30").replace("1Y", "365")),
            "30, 365: days",
        ),
    ],
)
def test_numbers_of_two_readings_are_refused(table: pd.DataFrame, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        backfill(BackfillRequest(_put(table, tmp_path / "h.parquet"), tmp_path / "out"))


def test_a_surface_that_cannot_be_read_stays_as_it_was(tmp_path: Path) -> None:
    table = _cells(("25P", "ATM", "25C"), strike="delta")
    table["delta"] = table["delta"].where(table.index != 14, "25X")
    table["tenor"] = table["tenor"].where(table.index != 20, None)
    table.loc[32, ["tenor", "delta"]] = table.loc[31, ["tenor", "delta"]]
    found = _filled(_put(table, tmp_path / "h.parquet"), tmp_path / "out", surfaces=5)
    flags = found["flags"].to_numpy().reshape(-1, 6)
    assert (flags == flags[:, :1]).all()
    assert dict(enumerate(flags[:, 0])) == dict.fromkeys(range(12), "") | {
        2: "the column delta has 25X, not understood",
        3: "the column tenor has an empty cell",
        5: "tenor 0.0833333, strike 0.5 twice"
        if table.loc[31, "tenor"] == "1M"
        else "tenor 1, strike 0.75 twice",
    }
    vols, whole = (frame["vol"].to_numpy().reshape(-1, 6) for frame in (table, found))
    np.testing.assert_array_equal(whole[[2, 3, 5]], vols[[2, 3, 5]])
    assert np.isfinite(np.delete(whole, [2, 3, 5], axis=0)).all()
    assert (found["source"].to_numpy().reshape(-1, 6)[[2, 3, 5]] == "quote").all()


def test_a_forward_of_something_else_is_named(tmp_path: Path) -> None:
    table = _cells((95.0, 100.0, 105.0)).assign(forward=100.0)
    table.loc[table.index[6:12], "forward"] = 1.0
    found = _filled(_put(table, tmp_path / "h.parquet"), tmp_path / "out")
    far = found["flags"].str.contains("forward 1 is .* standard deviations from the nearest strike")
    assert far.tolist() == [6 <= i < 12 for i in range(len(table))]


def test_rows_of_partitions_alone_are_counted(tmp_path: Path) -> None:
    _by_pair_and_day(_history(), tmp_path / "h")
    rows = Rows(files_of(tmp_path / "h"))
    parts = list(parts_of(rows, columns_of(rows.schema.names), 5))
    assert [part.surfaces for part in parts] == [5, 5, 2]
