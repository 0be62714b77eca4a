"""Figure 19: over configurations of the Σ-VAE, validation error against test error and against the bound."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.history import Days
from export.imputation.imputers import Refit
from export.imputation.selection.judging import Budget
from export.imputation.selection.search import SIZES, Tried, correlations, search
from export.imputation.selection.splits import Split
from export.imputation.training.fit import Options
from voladdin._typing import FloatArray

from ...data import DeltaAxes
from ..fx import Fx, fx
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .rivals import days_of
from .vaes import REFIT_STEPS, STEPS

HEADER = (
    *("hidden", "layers", "dropout", "embedding"),
    *("validation, negative ELBO", "validation MAE", "test MAE"),
)
REFIT = Refit(500, 10)  # at most: each configuration needs three


def split_of(bench: Bench, data: Fx) -> Split:
    """The bench's training days, and each `every`-th of the others."""
    parts = {name: data.part(name, bench.budget.every) for name in ("validation", "test")}
    held = {name: _days(part.vols, part.pair, part.day, part.axes) for name, part in parts.items()}
    return Split("fx", days_of(data.split.train), held["validation"], held["test"])


def _days(vols: FloatArray, pair: NDArray[np.str_], day: NDArray[np.int64], axes: DeltaAxes) -> Days:
    dates = np.datetime64("2000-01-01") + day.astype("timedelta64[D]")
    return Days(vols, pair, dates, axes.tenors, axes.deltas)


def tried(bench: Bench) -> list[Tried]:
    """Configurations of the bench's budget, the best bound first; kept in its folder."""
    steps, refit = bench.budget.search_steps, min(bench.budget.refit_steps, REFIT.steps)
    budget = Budget(Options(steps=steps, seed=bench.seed), Refit(refit, REFIT.draws))
    folder: Path = bench.folder / f"search-{steps}"
    return search(
        [split_of(bench, fx(bench.seed))], budget, folder, bench.budget.search, deadline=bench.deadline
    )


def tuning(bench: Bench) -> Outcome:
    found = tried(bench)
    with_test, with_bound = correlations(found)
    _picture(bench, found)
    rows = []
    for one in found:
        size = [str(value) for value in asdict(one.size).values()]
        rows.append([*size, *(f"{value:.2f}" for value in asdict(one.judged).values())])
    steps = f"{bench.budget.search_steps:,} of {STEPS:,} steps"
    refit = f"encoders refitted in {min(bench.budget.refit_steps, REFIT.steps):,} of {REFIT_STEPS:,}"
    words = (
        f"{fx(bench.seed).words}; {len(found)} of the {SIZES} configurations it lists (it says 64), {steps}, "
        f"{refit}"
    )
    least = min(one.judged.validation for one in found)
    chosen = (
        f"chosen by the bound: {found[0].judged.validation:.1f} bp on validation days, the least {least:.1f}"
    )
    ours = f"{with_test:.2f} with test MAE, {with_bound:.2f} with the bound; {chosen}"
    return Outcome(
        ours, words, [Table("Σ-VAE, 10% missing, best bound first", HEADER, rows)], ["002-figure-19"]
    )


def _picture(bench: Bench, found: list[Tried]) -> None:
    values = np.array([list(asdict(one.judged).values()) for one in found])
    with panels(bench, "002-figure-19", 1, 2) as axes:
        for axis, column, label in zip(axes[0], (2, 0), ("test MAE, bp", HEADER[4]), strict=True):
            axis.scatter(values[:, column], values[:, 1], s=9)
            axis.set(xlabel=label, ylabel="validation MAE, bp")


ITEMS = (
    Item(
        "002-figure-19",
        ("figure 19",),
        "correlation of validation MAE with test MAE and with the bound, over the search",
        "0.77 with test MAE, 0.77 with the bound",
        tuning,
        60,
    ),
)
