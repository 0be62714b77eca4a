"""A desk's own history as its files hold it: the same days, or the cell that is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from export.history import Days, read_history
from voladdin.errors import InputError

NODES = ["1M|25P", "1M|ATM", "1M|25C", "1Y|ATM"]


def table(days: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    parts = []
    for pair in ("EURUSD", "USDJPY"):
        vols = pd.DataFrame(np.round(0.08 + 0.004 * rng.standard_normal((days, 4)), 6), columns=NODES)
        vols = vols.mask(rng.random(vols.shape) < 0.1)
        parts.append(vols.assign(date=pd.bdate_range("2024-01-01", periods=days), underlying=pair))
    return pd.concat(parts, ignore_index=True)


def read(frame: pd.DataFrame, folder: Path) -> Days:
    frame.to_csv(folder / "history.csv", index=False)
    return read_history(folder / "history.csv")


def dates(written: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(date=frame["date"].dt.strftime(written))


def as_cells(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame.melt(["date", "underlying"], NODES, "node", "vol").dropna()
    found[["Tenor", "Call delta"]] = found.pop("node").str.split("|", expand=True)
    return found.rename(columns={"vol": "VOL", "date": "DATE"})


@pytest.mark.parametrize(
    "change",
    [
        dates("%d/%m/%Y"),
        dates("%m/%d/%Y"),
        dates("%d.%m.%Y"),
        dates("%d-%b-%y"),
        dates("%Y%m%d"),
        dates("%Y-%m-%d 16:30:00"),
        lambda frame: frame.rename(columns={"date": "Date", "underlying": "Currency Pair"}),
        lambda frame: frame.astype(object).fillna("n.q."),
        lambda frame: frame.assign(**{"1M|ATM": [f"{100 * x:.4f}%" for x in frame["1M|ATM"].fillna(0.08)]})
        .assign(**{"1M|ATM": lambda t: t["1M|ATM"].where(frame["1M|ATM"].notna(), "-")}),
        lambda frame: frame.assign(**{"1Y|ATM": frame["1Y|ATM"].astype(str).str.replace(".", ",")}),
        lambda frame: frame.sample(frac=1, random_state=0),
        as_cells,
    ],
)  # fmt: skip
def test_the_same_days_however_they_are_written(
    change: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path
) -> None:
    plain, found = read(table(), tmp_path), read(change(table()), tmp_path)
    order = [np.lexsort((days.date, days.underlying)) for days in (plain, found)]
    np.testing.assert_array_equal(found.date[order[1]], plain.date[order[0]])
    np.testing.assert_array_equal(found.underlying[order[1]], plain.underlying[order[0]])
    np.testing.assert_allclose(found.vols[order[1]], plain.vols[order[0]], rtol=1e-12)


@pytest.mark.parametrize("mark", [";", "\t"])
@pytest.mark.parametrize("name", ["history.csv", "history.csv.gz"])
def test_semicolons_and_decimal_commas(mark: str, name: str, tmp_path: Path) -> None:
    plain = read(table(), tmp_path)
    table().to_csv(tmp_path / name, index=False, sep=mark, decimal=",")
    np.testing.assert_allclose(read_history(tmp_path / name).vols, plain.vols, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(date="03/04/2024"), "date of row 2 is '03/04/2024'; expected a date such as"),
        (lambda t: t.assign(date=7), "date of row 2 is 7; expected a date"),
        (lambda t: pd.concat([t, t.iloc[5:6]]), "EURUSD of 2024-01-08 twice; expected each once"),
        (lambda t: pd.concat([as_cells(t), as_cells(t).iloc[:1]]), "2024-01-01 1M.25P twice"),
        (lambda t: t.drop(columns="underlying"), "history of 2024-01-01 twice"),
        (lambda t: t.rename(columns={"underlying": "ticker"}), "'ticker' and none of underlyings"),
        (
            lambda t: t.rename(columns=lambda n: n.replace("1M", "30").replace("1Y", "365")),
            "30, 365 are days",
        ),
        (lambda t: t.assign(**{"1M|ATM": "8.2 mid"}), r"1M\|ATM of row 2 is '8.2 mid'; expected a number"),
        (
            lambda t: t.assign(**{n: t[n].where(t.index != 50, 8.1) for n in NODES}),
            "USDJPY of 2024-01-15: vols of about 8.1 may be percent points; expected one unit",
        ),
    ],
)
def test_what_has_two_readings_or_none_is_named(
    change: Callable[[pd.DataFrame], pd.DataFrame], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        read(change(table()), tmp_path)
