"""A desk's own history of surfaces: .csv, .csv.gz, .parquet or .xlsx, wide or long, with holes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import FloatArray
from voladdin.conventions.quotes import PERCENT_ABOVE
from voladdin.errors import InputError, LabelError
from voladdin.labels import parse_delta, parse_tenor
from voladdin.surface import MAX_VOL

if TYPE_CHECKING:
    import pandas

LONG_COLUMNS = ("tenor", "call_delta", "vol")


@dataclass(frozen=True)
class Days:
    """N daily surfaces on one grid: vols [N, T, K] (NaN where missing), underlying [N], date [N].

    tenors [T] years and deltas [K] forward call deltas, both increasing.
    """

    vols: FloatArray
    underlying: NDArray[np.str_]
    date: NDArray[np.datetime64]
    tenors: FloatArray
    deltas: FloatArray

    def __len__(self) -> int:
        return len(self.vols)

    def keep(self, rows: NDArray[Any]) -> Days:
        """Some of the days."""
        return replace(self, vols=self.vols[rows], underlying=self.underlying[rows], date=self.date[rows])

    @property
    def logs(self) -> FloatArray:
        """[N, T * K] log-vols."""
        logs: FloatArray = np.log(self.vols).reshape(len(self), -1)
        return logs

    @property
    def age(self) -> FloatArray:
        """[N] years before the last day."""
        return np.asarray((self.date.max() - self.date) / np.timedelta64(365, "D"))

    def steps(self, gap: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Indices of days and of the days `gap` quotes later of the same underlying."""
        order = np.lexsort((self.date, self.underlying))
        first, later = order[:-gap], order[gap:]
        same = self.underlying[first] == self.underlying[later]
        return first[same], later[same]


def read_history(path: str | Path) -> Days:
    """Read surfaces from wide columns `tenor|delta` or long columns `tenor, call_delta, vol`.

    `date` is needed, `underlying` is not. Labels are those of the sheet ("1M|25P", "1Y|0.5"); vols are
    decimals, or percent points where their median is above 2.

    Raises InputError naming the file and what was expected.
    """
    import pandas as pd

    table = _table(Path(path))
    table.columns = [str(column).strip() for column in table.columns]
    if "date" not in table:
        raise InputError(f"{path}: no column 'date'; expected one beside {list(table.columns)[:4]}")
    if "underlying" not in table:
        table["underlying"] = "history"
    if set(LONG_COLUMNS) <= set(table.columns):
        table = _wide(table)
    nodes = {column: _node(path, column) for column in table.columns if "|" in column}
    if not nodes:
        raise InputError(f"{path}: expected columns such as '1M|25P', or {', '.join(LONG_COLUMNS)}")
    tenors = np.unique([tenor for tenor, _ in nodes.values()])
    deltas = np.unique([delta for _, delta in nodes.values()])
    vols = np.full((len(table), len(tenors), len(deltas)), np.nan)
    for column, (tenor, delta) in nodes.items():
        numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(float)
        vols[:, np.searchsorted(tenors, tenor), np.searchsorted(deltas, delta)] = numbers
    dates = pd.to_datetime(table["date"]).to_numpy("datetime64[D]")
    names = table["underlying"].astype(str).to_numpy(str)
    return _clean(path, Days(vols, names, dates, tenors, deltas))


def _table(path: Path) -> pandas.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"history file {str(path)!r} does not exist; expected a .csv, .parquet or .xlsx")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".xlsx":
        return pd.read_excel(path)
    if path.suffix == ".csv" or path.name.endswith(".csv.gz"):
        return pd.read_csv(path)
    raise InputError(f"history file {path.name!r}: expected .csv, .csv.gz, .parquet or .xlsx")


def _wide(table: pandas.DataFrame) -> pandas.DataFrame:
    table["node"] = table["tenor"].astype(str) + "|" + table["call_delta"].astype(str)
    wide = table.pivot_table(index=["underlying", "date"], columns="node", values="vol", aggfunc="last")
    return wide.reset_index()


def _node(path: str | Path, column: str) -> tuple[float, float]:
    tenor, _, label = column.partition("|")
    delta = parse_delta(label)
    if delta is None:
        raise LabelError(
            f"{path}: column {column!r}: {label!r} is no delta; expected such as 25P, ATM or 0.25"
        )
    return parse_tenor(tenor), delta


def _clean(path: str | Path, days: Days) -> Days:
    vols = np.where(days.vols > 0, days.vols, np.nan)
    if np.isfinite(vols).any() and np.nanmedian(vols) > PERCENT_ABOVE:
        vols = vols / 100.0
    worst = np.nanmax(vols) if np.isfinite(vols).any() else 0.0
    if worst > MAX_VOL:
        raise InputError(f"{path}: a vol is {worst:g}; expected at most {MAX_VOL:g} (decimal)")
    days = replace(days, vols=vols).keep(np.asarray(np.isfinite(vols).any((1, 2))))
    if len(days) < 30:
        raise InputError(f"{path}: {len(days)} days with a vol; training needs at least 30")
    return days
