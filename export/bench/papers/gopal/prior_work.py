"""Section 6.3: the ways of prior work to fill holes, by the paper's one Σ-VAE, beside its own and ours."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtri

from export.imputation.imputers import IMPUTERS, Completed, Imputer, completed
from voladdin._typing import BoolArray, FloatArray

from ..fx import Fx, fx, hidden_cells
from ..items import Bench, Item, Outcome, Table
from .imputing import refitted_on, shown_rows
from .trained import ran, trained, vae_of
from .vaes import OF_LATENT

RATES, MOST = (10, 50, 90), 500  # codes a surface at most
HEADER = ("way", *(f"MAE at {rate}%, bp" for rate in RATES), "90% band holds, %", "codes that count")


def imputers(bench: Bench) -> Outcome:
    """A row a way: errors of hidden test cells; coverage and codes at the middle rate."""
    rows = [[name, *_row(bench, name)] for name in IMPUTERS]
    ours = "; ".join(f"{row[0]} {' / '.join(row[1:4])}" for row in rows)
    budget = f"{min(bench.budget.samples, MOST):,} codes; a refit of {bench.budget.refit_steps:,} steps"
    words = f"{fx(bench.seed).words}; {ran(bench)}; {budget}"
    title = f"Test days, all pairs; coverage and codes at {RATES[1]}% missing"
    return Outcome(f"MAE at 10 / 50 / 90%: {ours}", words, [Table(title, HEADER, rows)])


def _row(bench: Bench, name: str) -> list[str]:
    data = fx(bench.seed)
    tests, errors, middle = data.part("test", bench.budget.every), [], ("", "")
    masks, truth = hidden_cells(tests, bench.seed), data.standard(tests.vols).double().numpy()
    for rate in RATES:
        bench.deadline.check()
        mask = masks[rate].reshape(len(tests), -1)
        found = _filled(bench, data, name, rate)
        vols = np.exp(data.mean + data.std * found.mean.double().numpy())
        errors.append(f"{1e4 * np.abs(vols - tests.vols.reshape(vols.shape))[mask].mean():.1f}")
        if rate == RATES[1]:
            middle = _coverage(found, truth, mask), f"{float(found.effective.median()):.0f}"
    return [*errors, *middle]


def _filled(bench: Bench, data: Fx, name: str, rate: int) -> Completed:
    rows, way = shown_rows(bench, data, "test")[rate], IMPUTERS[name]
    network = vae_of(trained(bench, data, OF_LATENT))
    if way.refits:
        network, way = refitted_on(bench, data, OF_LATENT, "test"), Imputer(way.draw)
    codes = min(bench.budget.samples, MOST)
    return completed(network, rows.nan_to_num(), torch.isfinite(rows), way, codes, bench.seed, draws=0)


def _coverage(found: Completed, truth: FloatArray, mask: BoolArray) -> str:
    gap = np.abs(found.mean.double().numpy() - truth)[mask]
    return f"{100 * (gap < ndtri(0.95) * found.std.double().numpy()[mask]).mean():.0f}"


ITEMS = (
    Item(
        "002-imputers",
        ("section 6.3",),
        "ways of prior work to fill holes, by one Σ-VAE",
        "compared in words, prints no number",
        imputers,
        0.5,
    ),
)
