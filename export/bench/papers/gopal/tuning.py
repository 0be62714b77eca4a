"""Figure 19: over configurations of the Σ-VAE, validation error against test error and against the bound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import torch

from ..fx import fx, hidden_cells
from ..items import Bench, Budget, Item, Outcome, Table
from ..panels import panels
from .bounds import negative_bound
from .imputing import filled, refitted
from .rivals import absolute_errors
from .trained import fitted, vae_of
from .vaes import OF_LATENT, STEPS, Size

GRID = [
    Size(w, d, p, e) for w, d, p, e in itertools.product((64, 128), (2, 3, 4), (0.1, 0.2, 0.3, 0.4), (32, 64))
]
HEADER = (
    "hidden",
    "layers",
    "dropout",
    "embedding",
    "validation MAE",
    "test MAE",
    "validation, negative ELBO",
)
_SAMPLES, _RATE = 200, 10


def _errors(bench: Bench, size: Size) -> tuple[float, float, float]:
    """Validation and test MAE at 10% missing (bp), and the validation's negative bound, encoder refitted."""
    data = fx(bench.seed)
    where = f"search-{size.width}-{size.depth}-{size.dropout}-{size.latent}"
    bench = replace(bench, budget=_short(bench.budget))
    model = vae_of(fitted(bench, data.train(), OF_LATENT, where, size, bench.budget.search_steps))
    maes, bound = [], float("nan")
    for part in ("validation", "test"):
        tests = data.part(part, bench.budget.every)
        mask = hidden_cells(tests, bench.seed)[_RATE]
        rows = data.standard(np.where(mask, np.nan, tests.vols))
        again = refitted(bench, model, rows, f"{where}-{part}")
        mean, _ = filled(again, rows, _SAMPLES, bench.seed)
        found = np.exp(data.mean + data.std * mean.double().numpy()).reshape(tests.vols.shape)
        maes.append(float(absolute_errors(found, tests.vols)[mask].mean()))
        if part == "validation":
            bound = negative_bound(again, data.standard(tests.vols), 1, bench.seed)
    return maes[0], maes[1], bound


def _short(budget: Budget) -> Budget:
    """With short refits: each configuration needs two."""
    return replace(budget, refit_steps=min(budget.refit_steps, 500), refit_draws=min(budget.refit_draws, 10))


def tuning(bench: Bench) -> Outcome:
    chosen = np.random.default_rng(bench.seed).permutation(len(GRID))[: bench.budget.search]
    rows = [(GRID[place], _errors(bench, GRID[place])) for place in sorted(chosen)]
    torch.manual_seed(bench.seed)
    values = np.array([found for _, found in rows])
    against_test, against_bound = (float(np.corrcoef(values[:, 0], values[:, k])[0, 1]) for k in (1, 2))
    with panels(bench, "002-figure-19", 1, 2) as axes:
        for axis, column, label in zip(
            axes[0], (1, 2), ("test MAE, bp", "validation, negative ELBO"), strict=True
        ):
            axis.scatter(values[:, column], values[:, 0], s=9)
            axis.set(xlabel=label, ylabel="validation MAE, bp")
    cells = [
        [str(size.width), str(size.depth), str(size.dropout), str(size.latent), *(f"{v:.2f}" for v in found)]
        for size, found in rows
    ]
    steps = f"{bench.budget.search_steps:,} of {STEPS:,} steps"
    words = f"{fx(bench.seed).words}; {len(rows)} of 64 configurations, {steps}"
    ours = f"{against_test:.2f} with test MAE, {against_bound:.2f} with the bound"
    return Outcome(ours, words, [Table("Σ-VAE, 10% missing", HEADER, cells)], ["002-figure-19"])


ITEMS = (
    Item(
        "002-figure-19",
        ("figure 19",),
        "correlation of validation MAE with test MAE and with the bound, over the search",
        "0.77 with test MAE, 0.77 with the bound",
        tuning,
        6,
    ),
)
