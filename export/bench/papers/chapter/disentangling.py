"""MIG (Chen et al. 2018) and DCI (Eastwood and Williams 2018) of codes: level, skew, wings and term."""

from __future__ import annotations

import numpy as np
import torch

from voladdin._typing import FloatArray

from ..fx import Fx, fx
from ..items import Bench, Item, Outcome, Table
from .compared import network_of
from .marginals import FACTORS, factors

BINS = 20
COMPARED = (
    "linear VAE",
    "beta-VAE",
    "sigma-VAE",
    "residual Sigma-VAE",
    "ladder VAE",
    "controllable VAE, 3 features",
)
HEADER = ("network", "MIG", "disentanglement", "completeness", "informativeness")


def mutual_information(a: FloatArray, b: FloatArray) -> float:
    """Nats, of two samples in bins of equal count."""
    shares = np.linspace(0, 1, BINS + 1)[1:-1]
    first, second = (np.digitize(v, np.quantile(v, shares)) for v in (a, b))
    joint = np.histogram2d(first, second, bins=BINS)[0] / len(a)
    outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    kept = joint > 0
    return float((joint[kept] * np.log(joint[kept] / outer[kept])).sum())


def mig(codes: FloatArray, truth: FloatArray) -> float:
    """Mean over factors of the gap between the two codes that tell most of it, over the factor's entropy."""
    gaps = []
    for factor in truth.T:
        told = sorted(mutual_information(code, factor) for code in codes.T)
        gaps.append((told[-1] - told[-2]) / np.log(BINS))
    return float(np.mean(gaps))


def dci(codes: FloatArray, truth: FloatArray) -> tuple[float, float, float]:
    """Disentanglement, completeness and informativeness (R²), importances by least squares."""
    x, y = ((v - v.mean(0)) / (v.std(0) + 1e-12) for v in (codes, truth))
    weights = np.linalg.lstsq(x, y, rcond=None)[0]
    importance = np.abs(weights) + 1e-12
    of_code, of_factor = importance / importance.sum(1, keepdims=True), importance / importance.sum(0)
    share = importance.sum(1) / importance.sum()
    disentangled = 1 + (of_code * np.log(of_code)).sum(1) / np.log(importance.shape[1])
    complete = 1 + (of_factor * np.log(of_factor)).sum(0) / np.log(importance.shape[0])
    informative = 1 - ((y - x @ weights) ** 2).mean()
    return float(disentangled @ share), float(complete.mean()), float(informative)


@torch.no_grad()
def _codes(bench: Bench, data: Fx, name: str) -> tuple[FloatArray, FloatArray]:
    vols = data.split.test.vols
    rows = data.standard(vols)
    codes = network_of(bench, name).encode(rows, torch.isfinite(rows)).mean.double().numpy()
    return codes, factors(np.log(vols).reshape(len(vols), -1), data.split.test.axes.shape)


def disentanglement(bench: Bench) -> Outcome:
    data, rows = fx(bench.seed), []
    for name in COMPARED:
        codes, truth = _codes(bench, data, name)
        rows.append([name, *(f"{value:.2f}" for value in (mig(codes, truth), *dci(codes, truth)))])
    best = max(rows, key=lambda cells: float(cells[1]))
    steps = f"{bench.budget.chapter_steps:,} steps"
    words = f"{data.words}; {steps}; factors read off the surfaces: {', '.join(FACTORS)}"
    return Outcome(f"largest MIG {best[1]}, {best[0]}", words, [Table("Test days", HEADER, rows)])


ITEMS = (
    Item(
        "000-disentanglement",
        ("22.6 disentanglement",),
        "MIG and DCI of the codes",
        "names the measure, prints no number",
        disentanglement,
        1,
    ),
)
