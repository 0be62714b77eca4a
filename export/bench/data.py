"""Histories of surfaces, and the splits of them into training and test.

Vols are decimals on tenors (years) x forward call deltas; arrays are [pair, day, tenor, delta].
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import FloatArray
from voladdin.labels import parse_tenor

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRAIN_END, VALIDATION_END = np.datetime64("2017-01-01"), np.datetime64("2018-01-01")


@dataclass(frozen=True)
class DeltaAxes:
    """Tenors [T] in years and forward call deltas [K] of a grid."""

    tenors: FloatArray
    deltas: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.tenors), len(self.deltas)

    def same(self, other: DeltaAxes) -> bool:
        """Whether both grids have equal nodes."""
        return self.shape == other.shape and all(
            np.allclose(a, b) for a, b in ((self.tenors, other.tenors), (self.deltas, other.deltas))
        )


@dataclass(frozen=True)
class History:
    """Daily surfaces of several currency pairs: vols [P, D, T, K], dates [D]."""

    pairs: tuple[str, ...]
    dates: NDArray[np.datetime64]
    axes: DeltaAxes
    vols: FloatArray

    def between(self, start: np.datetime64 | None, end: np.datetime64 | None) -> History:
        """The days from `start` on and before `end` (None: no bound)."""
        keep = np.ones(len(self.dates), bool)
        if start is not None:
            keep &= self.dates >= start
        if end is not None:
            keep &= self.dates < end
        return replace(self, dates=self.dates[keep], vols=self.vols[:, keep])

    def select(self, pairs: Iterable[str]) -> History:
        """Only these pairs; KeyError names the one that is absent."""
        names = tuple(pairs)
        absent = [name for name in names if name not in self.pairs]
        if absent:
            raise KeyError(f"pair {absent[0]!r} is not in the history; it has {', '.join(self.pairs)}")
        return replace(self, pairs=names, vols=self.vols[[self.pairs.index(name) for name in names]])


@dataclass(frozen=True)
class TestSet:
    """Surfaces to hide cells of: vols and priors [N, T, K], day [N] (bootstrap cluster), pair [N]."""

    __test__ = False  # not a pytest class

    axes: DeltaAxes
    vols: FloatArray
    priors: FloatArray | None
    day: NDArray[np.int64]
    pair: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.vols)

    def subset(self, rows: NDArray[np.int64]) -> TestSet:
        """The surfaces at these rows."""
        priors = None if self.priors is None else self.priors[rows]
        return TestSet(self.axes, self.vols[rows], priors, self.day[rows], self.pair[rows])


@dataclass(frozen=True)
class Split:
    """What to train on, what to choose by, and what to report.

    `others` are further test sets, on other axes, scored under the same mask names and pooled with `test`.
    `bundle` names the bundle trained on `train`.
    """

    name: str
    train: History
    validation: History
    test: TestSet
    others: tuple[TestSet, ...] = ()
    bundle: str = ""

    @property
    def tests(self) -> tuple[TestSet, ...]:
        """Every test set."""
        return (self.test, *self.others)


def load_history() -> History:
    """Read `fx_history.csv.gz` (columns underlying, date, then `tenor|call_delta`).

    Raises FileNotFoundError, or ValueError where a pair lacks a day or a cell.
    """
    path = DATA / "fx_history.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        header, *rows = csv.reader(file)
    labels = [column.split("|") for column in header[2:]]
    tenors = list(dict.fromkeys(tenor for tenor, _ in labels))
    deltas = list(dict.fromkeys(delta for _, delta in labels))
    if labels != [[tenor, delta] for tenor in tenors for delta in deltas]:
        raise ValueError(f"{path.name}: columns are not every tenor with every delta, tenor by tenor")
    pairs, dates = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
    vols = np.full((len(pairs), len(dates), len(labels)), np.nan)
    for row in rows:
        vols[pairs.index(row[0]), np.searchsorted(dates, row[1])] = [float(x) for x in row[2:]]
    if not np.isfinite(vols).all():
        raise ValueError(
            f"{path.name}: {np.isnan(vols).sum()} cells are missing; expected every pair on every day"
        )
    axes = DeltaAxes(np.array([parse_tenor(t) for t in tenors]), np.array([float(d) for d in deltas]))
    shape = (len(pairs), len(dates), *axes.shape)
    return History(tuple(pairs), np.array(dates, "datetime64[D]"), axes, vols.reshape(shape))


def test_set(history: History, start: np.datetime64, every: int = 5) -> TestSet:  # noqa: PT028 - no test
    """Every `every`-th day from `start` on, of all pairs; the prior is the day before in the history."""
    days = np.arange(np.searchsorted(history.dates, start), len(history.dates), every)
    days = days[days > 0]
    vols, priors = history.vols[:, days], history.vols[:, days - 1]
    cells = (-1, *history.axes.shape)
    return TestSet(
        history.axes,
        vols.reshape(cells),
        priors.reshape(cells),
        np.tile(days, len(history.pairs)),
        np.repeat(history.pairs, len(days)),
    )


test_set.__test__ = False  # type: ignore[attr-defined]


def time_split(history: History, every: int = 5) -> Split:
    """Train to 2016, validate on 2017, test on 2018, all pairs in each."""
    return Split(
        "time",
        history.between(None, TRAIN_END),
        history.between(TRAIN_END, VALIDATION_END),
        test_set(history, VALIDATION_END, every),
        bundle="time",
    )


def pair_split(history: History, held_out: str, every: int = 5) -> Split:
    """Train and validate on the other pairs to 2016 and 2017, test on 2018 of the pair held out."""
    others = history.select(pair for pair in history.pairs if pair != held_out)
    return Split(
        f"pair-{held_out}",
        others.between(None, TRAIN_END),
        others.between(TRAIN_END, VALIDATION_END),
        test_set(history.select([held_out]), VALIDATION_END, every),
        bundle=f"pair-{held_out}",
    )


def grid_split(history: History) -> Split:
    """Train and validate on every other tenor and the columns at and furthest from the money; test on all
    cells, every fifth day of 2018.
    """
    tenors, deltas = np.arange(0, len(history.axes.tenors), 2), _columns(history.axes.deltas)
    axes = DeltaAxes(history.axes.tenors[tenors], history.axes.deltas[deltas])
    coarse = replace(history, axes=axes, vols=history.vols[:, :, tenors][..., deltas])
    return Split(
        "history-grid",
        coarse.between(None, TRAIN_END),
        coarse.between(TRAIN_END, VALIDATION_END),
        test_set(history, VALIDATION_END),
        bundle="history-grid",
    )


def _columns(deltas: FloatArray) -> NDArray[np.int64]:
    far = np.abs(deltas - 0.5)
    return np.flatnonzero((far == far.min()) | (deltas == deltas.min()) | (deltas == deltas.max()))
