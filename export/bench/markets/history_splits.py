"""Days of 2018 of the currency history, by its splits: later, another pair, a finer grid than trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from export.bench.data import VALIDATION_END, History, grid_split, load_history, pair_split
from export.bench.imputation.product import bundle_of

from .quoted import Quoted

LATER, PAIR, GRID = "FX history 2018", "FX pair not trained on", "FX tenors and deltas not trained on"


def later_surfaces(count: int) -> Iterator[Quoted]:
    """`count` days of 2018 of each pair: the test days of the time split."""
    history = load_history()
    for pair in history.pairs:
        yield from _surfaces(history, pair, count, LATER)


def other_surfaces(count: int, bundles: Path, steps: int) -> Iterator[tuple[Path, Quoted]]:
    """The same days under the pair and the grid split, each with the bundle that may answer it.

    bundles: the folder of these, which `voladdin bench impute` shares; those absent are trained, in `steps`.
    """
    history = load_history()
    for pair in history.pairs:
        yield from _answered(history, pair, count, PAIR, bundle_of(bundles, pair_split(history, pair), steps))
    coarse = bundle_of(bundles, grid_split(history), steps)
    for pair in history.pairs:
        yield from _answered(history, pair, count, GRID, coarse)


def _answered(
    history: History, pair: str, count: int, group: str, bundle: Path
) -> Iterator[tuple[Path, Quoted]]:
    return ((bundle, surface) for surface in _surfaces(history, pair, count, group))


def _surfaces(history: History, pair: str, count: int, group: str) -> Iterator[Quoted]:
    start = int(np.searchsorted(history.dates, VALIDATION_END))
    order, row = np.argsort(-history.axes.deltas), history.pairs.index(pair)
    days = np.unique(np.linspace(start, len(history.dates) - 1, count).astype(int))
    for day in days:
        vols, name = history.vols[row, day][:, order], f"{pair} {history.dates[day]}"
        yield Quoted(name, group, history.axes.tenors, vols, vols, deltas=history.axes.deltas[order])
