"""A desk's own history of surfaces: .csv, .csv.gz, .parquet or .xlsx, wide or long, with holes.

Columns on strikes (1M|K=1.1, with a forward, 1M|F or F) or log-moneyness (1M|m=-0.1, 1M|K/F=0.9) become
columns on deltas: through the vols of a day's tenor, each at the delta that its own vol gives it, a monotone
cubic in N^-1(delta), read at 10, 25, 50, 75 and 90; a hole where the quotes do not reach.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from voladdin._typing import FloatArray
from voladdin.conventions.quotes import PERCENT_ABOVE
from voladdin.errors import InputError, LabelError
from voladdin.imputation.backfill.columns import known_columns, underlying_of, whole_numbers
from voladdin.imputation.backfill.refusals import other_unit
from voladdin.labels import parse_strike, parse_tenor
from voladdin.surface import MAX_VOL

from .cells import dates_of, numbers_of

if TYPE_CHECKING:
    import pandas

Node = tuple[float, str, float]  # tenor, kind of strike, value
DELTAS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])  # that strikes are read at
FORWARD_NAMES = ("f", "fwd", "forward")
_REACH = 0.1  # deviations beyond the last quote that are taken for its vol
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

    `date` is needed, `underlying` is not. Labels are those of the sheet ("1M|25P", "1Y|0.5", "1M|m=-0.1",
    "1M|K=1.1" beside "1M|F"); vols are decimals, or percent points where their median is above 2.

    Raises InputError naming the file and what was expected.
    """
    table = _named(path, _table(Path(path)))
    if set(LONG_COLUMNS) <= set(table.columns):
        table = _wide(path, table)
    _require_once(path, table, ["underlying", "date"])
    nodes = _nodes(path, table)
    numbers = {column: numbers_of(path, table[column]) for column in nodes}
    if next(iter(nodes.values()))[1] == "delta":
        tenors, deltas, vols = _at_deltas(nodes, numbers, len(table))
    else:
        tenors, deltas, vols = _from_strikes(path, table, nodes, numbers)
    dates = table["date"].to_numpy("datetime64[D]")
    names = table["underlying"].astype(str).to_numpy(str)
    return _clean(path, Days(vols, names, dates, tenors, deltas))


def _named(path: str | Path, table: pandas.DataFrame) -> pandas.DataFrame:
    """With the columns of dates, underlyings and cells under their usual names. Raises InputError."""
    table.columns = [str(column).strip() for column in table.columns]
    known = known_columns(table.columns.tolist())
    if "date" not in known:
        raise InputError(f"{path}: no column 'date'; expected one beside {list(table.columns)[:4]}")
    usual = {known[name]: name for name in ("date", *LONG_COLUMNS) if name in known}
    underlying = underlying_of(known)
    table = table.rename(columns=usual | ({} if underlying is None else {underlying: "underlying"}))
    if underlying is None:
        table["underlying"] = "history"
    table["date"] = dates_of(path, table["date"])
    return table


def _nodes(path: str | Path, table: pandas.DataFrame) -> dict[str, Node]:
    """The columns of vols, all of one kind. Raises InputError or LabelError."""
    columns = [column for column in table.columns if "|" in column and not _is_forward(column)]
    if not columns:
        raise InputError(f"{path}: expected columns such as '1M|25P', or {', '.join(LONG_COLUMNS)}")
    if whole := whole_numbers(list(dict.fromkeys(column.partition("|")[0] for column in columns))):
        raise InputError(f"{path}: tenors {whole} are days, months or years; expected such as 1M, 1Y")
    nodes = {column: _node(path, column) for column in columns}
    kinds = {kind for _, kind, _ in nodes.values()}
    if len(kinds) > 1:
        raise LabelError(f"{path}: columns are of {' and '.join(sorted(kinds))}; expected one kind")
    return nodes


def _at_deltas(
    nodes: dict[str, Node], numbers: dict[str, FloatArray], days: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """tenors, deltas and vols [N, T, K] of columns on deltas."""
    tenors = np.unique([tenor for tenor, _, _ in nodes.values()])
    deltas = np.unique([delta for _, _, delta in nodes.values()])
    vols = np.full((days, len(tenors), len(deltas)), np.nan)
    for column, (tenor, _, delta) in nodes.items():
        vols[:, np.searchsorted(tenors, tenor), np.searchsorted(deltas, delta)] = numbers[column]
    return tenors, deltas, vols


def _from_strikes(
    path: str | Path, table: pandas.DataFrame, nodes: dict[str, Node], numbers: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same of columns on strikes or log-moneyness."""
    tenors = np.unique([tenor for tenor, _, _ in nodes.values()])
    vols = np.full((len(table), len(tenors), len(DELTAS)), np.nan)
    every = np.concatenate(list(numbers.values()))
    unit = 100.0 if np.nanmedian(every) > PERCENT_ABOVE else 1.0
    for place, tenor in enumerate(tenors.tolist()):
        mine = [(column, kind, value) for column, (t, kind, value) in nodes.items() if t == tenor]
        quoted = np.stack([numbers[column] for column, _, _ in mine], axis=1) / unit
        m = np.stack([_moneyness(path, table, column, kind, value) for column, kind, value in mine], axis=1)
        vols[:, place] = [_smile_at_deltas(*row, tenor) for row in zip(m, quoted, strict=True)]
    return tenors, DELTAS, vols


def _moneyness(path: str | Path, table: pandas.DataFrame, column: str, kind: str, value: float) -> FloatArray:
    """[N] ln(K/F) of a column. Raises InputError where a strike has no forward."""
    if kind == "moneyness":
        return np.full(len(table), value)
    tenor = column.partition("|")[0].strip()
    named = [c for c in table.columns if _is_forward(c) and c.partition("|")[0].strip() in (tenor, c.strip())]
    if not named:
        raise InputError(
            f"{path}: column {column!r} is a strike; expected forwards in a column '{tenor}|F' or 'F'"
        )
    best = next((c for c in named if "|" in c), named[0])
    forward = numbers_of(path, table[best])
    return np.log(value / np.where(forward > 0, forward, np.nan))


def _is_forward(column: str) -> bool:
    return column.rpartition("|")[2].strip().lower() in FORWARD_NAMES


def _smile_at_deltas(m: FloatArray, vols: FloatArray, tenor: float) -> FloatArray:
    """[5] vols at DELTAS of quotes at ln(K/F) m [K]; NaN where they do not reach."""
    from scipy.interpolate import PchipInterpolator

    known = np.isfinite(m) & (vols > 0)
    s = vols[known] * np.sqrt(tenor)
    x, order = np.unique(m[known] / s - s / 2, return_index=True)  # -N^-1(delta), by each quote's own vol
    if len(x) < 2:
        return np.full(len(DELTAS), np.nan)
    at = -ndtri(DELTAS)
    inside = (at >= x[0] - _REACH) & (at <= x[-1] + _REACH)
    found = PchipInterpolator(x, vols[known][order])(np.clip(at, x[0], x[-1]))
    return np.where(inside, found, np.nan)


def _table(path: Path) -> pandas.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"history file {str(path)!r} does not exist; expected a .csv, .parquet or .xlsx")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".xlsx":
        return pd.read_excel(path)
    if path.suffix == ".csv" or path.name.endswith(".csv.gz"):
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            names = file.readline()
        return pd.read_csv(path, sep=next((mark for mark in "\t;" if mark in names), ","))
    raise InputError(f"history file {path.name!r}: expected .csv, .csv.gz, .parquet or .xlsx")


def _wide(path: str | Path, table: pandas.DataFrame) -> pandas.DataFrame:
    table["node"] = table["tenor"].astype(str) + "|" + table["call_delta"].astype(str)
    _require_once(path, table, ["underlying", "date", "node"])
    table["vol"] = numbers_of(path, table["vol"])
    return table.pivot(index=["underlying", "date"], columns="node", values="vol").reset_index()


def _require_once(path: str | Path, table: pandas.DataFrame, keys: list[str]) -> None:
    twice = table[table.duplicated(keys)]
    if len(twice):
        underlying, day, *node = twice.iloc[0][keys].astype(str)
        raise InputError(f"{path}: {' '.join([underlying, 'of', day[:10], *node])} twice; expected each once")


def _node(path: str | Path, column: str) -> Node:
    """Tenor, kind and value of a column such as 1M|25P. Raises LabelError."""
    tenor, _, label = column.partition("|")
    found = parse_strike(label)
    if found is None:
        raise LabelError(
            f"{path}: column {column!r}: {label!r} is no strike; expected such as 25P, ATM, 0.25, m=-0.1, "
            "K=1.1"
        )
    return parse_tenor(tenor), *found


def _clean(path: str | Path, days: Days) -> Days:
    vols = np.where(days.vols > 0, days.vols, np.nan)
    percent = bool(np.isfinite(vols).any() and np.nanmedian(vols) > PERCENT_ABOVE)
    if percent:
        vols = vols / 100.0
    days = replace(days, vols=vols).keep(np.asarray(np.isfinite(vols).any((1, 2))))
    _require_one_unit(path, days, percent=percent)
    worst = np.nanmax(vols) if len(days) else 0.0
    if worst > MAX_VOL:
        raise InputError(f"{path}: a vol is {worst:g}; expected at most {MAX_VOL:g} (decimal)")
    if len(days) < 30:
        raise InputError(f"{path}: {len(days)} days with a vol; training needs at least 30")
    return days


def _require_one_unit(path: str | Path, days: Days, *, percent: bool) -> None:
    for vols, name, day in zip(days.vols, days.underlying, days.date, strict=True):
        if words := other_unit(float(np.nanmedian(vols)), percent=percent):
            raise InputError(f"{path}: {name} of {day}: {words}")
