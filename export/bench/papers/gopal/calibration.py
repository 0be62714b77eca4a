"""Figure 18: squared error against predicted variance, by octile of the latter."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray

from ..fx import fx, hidden_cells
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .imputing import imputed
from .rivals import own_bundle
from .trained import ran
from .vaes import OF_LATENT, SIGMA_RESIDUAL

OF_NODE, BINS = "σ⃗-VAE, residual", 8
HEADER = (
    "predicted variance",
    "mean squared error",
    "standard error",
    "distance from y = x, in standard errors",
)


def octiles(variance: FloatArray, square: FloatArray) -> FloatArray:
    """[8, 4]: mean predicted variance, mean squared error, its standard error, distance over that."""
    groups = np.array_split(np.argsort(variance), BINS)
    rows = []
    for cells in groups:
        error = square[cells].std(ddof=1) / np.sqrt(len(cells)) if len(cells) > 1 else np.nan
        mean = square[cells].mean()
        rows.append((variance[cells].mean(), mean, error, (mean - variance[cells].mean()) / error))
    return np.array(rows)


def calibration(bench: Bench) -> Outcome:
    data = fx(bench.seed)
    tests = data.part("test", bench.budget.every)
    masks = hidden_cells(tests, bench.seed)
    found: dict[str, FloatArray] = {}
    for name in (SIGMA_RESIDUAL, OF_NODE, OF_LATENT):
        by_rate = imputed(bench, data, name, "test")
        pairs = [(by_rate[r].std[m] ** 2, (by_rate[r].mean - tests.vols)[m] ** 2) for r, m in masks.items()]
        found[name] = octiles(*map(np.concatenate, zip(*pairs, strict=True)))
    found["voladdin"] = _own(bench)
    _plotted(bench, found)
    tables = [Table(name, HEADER, [_cells(row) for row in rows]) for name, rows in found.items()]
    ours = "; ".join(f"{name} {np.abs(rows[:, 3]).max():.0f}" for name, rows in found.items())
    words = f"{data.words}; {ran(bench)}; all rates together"
    return Outcome(
        f"largest distance from y = x in standard errors: {ours}", words, tables, ["002-figure-18"]
    )


def _plotted(bench: Bench, found: dict[str, FloatArray]) -> None:
    """Squared error against predicted variance, by octile."""
    with panels(bench, "002-figure-18") as axes:
        for name, rows in found.items():
            axes[0, 0].errorbar(rows[:, 0], rows[:, 1], rows[:, 2], label=name, marker=".")
        ends = [min(r[0, 0] for r in found.values()), max(r[-1, 0] for r in found.values())]
        axes[0, 0].plot(ends, ends, "k:", label="y = x")
        axes[0, 0].set(xscale="log", yscale="log", xlabel="predicted variance", ylabel="squared error")
        axes[0, 0].legend(fontsize=5)


def _own(bench: Bench) -> FloatArray:
    """voladdin's."""
    from voladdin.imputation.filling import impute_batch

    data = fx(bench.seed)
    tests, bundle = data.part("test", bench.budget.every), own_bundle(bench, data)
    variances, squares = [], []
    for mask in hidden_cells(tests, bench.seed).values():
        vols, axes = np.where(mask, np.nan, tests.vols), tests.axes
        answer = impute_batch(vols, axes.tenors, deltas=axes.deltas, model=bundle)
        variances.append(answer.std[mask] ** 2)
        squares.append((answer.mean - tests.vols)[mask] ** 2)
    return octiles(np.concatenate(variances), np.concatenate(squares))


def _cells(row: FloatArray) -> list[str]:
    return [*(f"{value:.2e}" for value in row[:3]), f"{row[3]:.1f}"]


ITEMS = (
    Item(
        "002-figure-18",
        ("figure 18",),
        "calibration of predicted variance by octile",
        "σ- and σ⃗-VAE overestimate the variance, Σ-VAE is closer (a figure, no number)",
        calibration,
        9,
    ),
)
