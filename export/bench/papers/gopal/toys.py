"""Figures 2 to 6, 11 to 13, 21 and 22: what the networks make of the toys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from export.imputation.networks.noise import OfLatent
from export.imputation.training.slices import LOGGED_EVERY, Run
from voladdin._typing import FloatArray

from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .mixtures import (
    POINTS,
    RATE,
    TOYS,
    generated,
    mixture,
    sigma_of,
    sliced_distance,
    toy,
    toy_beta,
)
from .trained import in_words

_COUNT = 4_000
_FALLS = (
    f"; the logarithm of a learned β falls by Adam's rate, {RATE:g}, a step: to the paper's 1e-4 in "
    f"{math.log(1e4) / RATE:,.0f}"
)


def data_of(key: str, bench: Bench, name: str) -> Outcome:
    """The mixture itself."""
    points = mixture(name, POINTS, bench.seed)
    with panels(bench, key) as axes:
        axes[0, 0].scatter(*points.T, s=1)
    spread = " / ".join(f"{value:.2f}" for value in points.std(axis=0))
    return Outcome(
        f"{POINTS:,} points, deviations {spread}", "drawn afresh from the printed density", pictures=[key]
    )


@dataclass(frozen=True, eq=False)
class _Generated:
    """What a network came to. learned: of its noise, in words; points: [n, 2]; distance: from fresh data."""

    name: str
    learned: str
    points: FloatArray
    distance: float
    curve: list[list[float]]

    @property
    def loss(self) -> float:
        """The mean of the last 1,000 steps."""
        return float(np.mean([value for _, value in self.curve[-1_000 // LOGGED_EVERY :]]))

    @property
    def row(self) -> list[str]:
        return [self.name, self.learned or "fixed", f"{self.loss:.3f}", f"{self.distance:.3f}"]

    def __str__(self) -> str:
        learned = f" ({self.learned})" if self.learned else ""
        return f"{self.name}{learned} {self.distance:.3f}, {self.loss:.2f}"


def _of(bench: Bench, name: str, *, noisy: bool) -> _Generated:
    run = toy(bench, name)
    points = generated(run, _COUNT, bench.seed, noisy=noisy)
    distance = sliced_distance(points, mixture(TOYS[name].mixture, _COUNT, bench.seed + 1))
    return _Generated(name, _learned(run), points, distance, run.curve)


def _learned(run: Run) -> str:
    if isinstance(run.model.noise, OfLatent):
        return "Σ of z"
    values = {"σ": sigma_of(run), "β": toy_beta(run)}
    return ", ".join(f"{letter} {value:.2g}" for letter, value in values.items() if value is not None)


def generations(key: str, bench: Bench, names: Sequence[str], *, noisy: bool = True) -> Outcome:
    """Samples of each network, how far they are from fresh data, and what was learned of the noise."""
    found = [_of(bench, name, noisy=noisy) for name in names]
    with panels(bench, key, 1, len(names) + 1) as axes:
        for axis, one in zip(axes[0], found, strict=False):
            axis.scatter(*one.points[:POINTS].T, s=1)
            axis.set_title(one.name, fontsize=8)
            axes[0, -1].plot(*_smooth(one.curve), label=one.name)
        axes[0, -1].set_title("loss", fontsize=8)
        axes[0, -1].legend(fontsize=5)
    header = ("network", "learned", "loss, last steps", "sliced Wasserstein-1 from fresh data")
    ours = f"distance from fresh data, loss at the end: {'; '.join(map(str, found))}"
    ran = _ran(bench) + (_FALLS if "learnable β" in names else "")
    return Outcome(ours, ran, [Table(key, header, [one.row for one in found])], [key])


def gradients(key: str, bench: Bench) -> Outcome:
    """Gradient norms of the two terms, with and without residual blocks."""
    runs = {name: np.array(toy(bench, name).notes) for name in TOYS if "eight" in name}
    with panels(bench, key, 1, 2) as axes:
        for name, notes in runs.items():
            for axis, column, title in zip(axes[0], (1, 2), ("reconstruction", "divergence"), strict=True):
                axis.plot(*_smooth(notes[:, [0, column]].tolist()), label=name)
                axis.set_title(title, fontsize=8)
        axes[0, 0].legend(fontsize=5)
    means = {name: notes[:, 1:].mean(axis=0) for name, notes in runs.items()}
    ours = "; ".join(f"{name} {a:.2f} and {b:.2f}" for name, (a, b) in means.items())
    return Outcome(f"mean of reconstruction and divergence: {ours}", _ran(bench), pictures=[key])


def _smooth(curve: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Steps and means of at most 60 parts of a curve."""
    blocks = np.array_split(np.array(curve), min(60, len(curve))) if len(curve) else []
    return [float(b[:, 0].mean()) for b in blocks], [float(b[:, 1].mean()) for b in blocks]


def _ran(bench: Bench) -> str:
    return f"the paper's densities; {in_words(bench.budget.steps)}"


_FIRST = ("β = 1", "β = 0.1", "learnable β", "σ-VAE")
_ITEMS = (
    (
        ("figure 2", "figure 21"),
        "002-figure-2",
        "mixture of two Gaussians",
        "1,000 points",
        partial(data_of, name="two"),
    ),
    (
        ("figure 3",),
        "002-figure-3",
        "generations by fixed, learned β and learned σ",
        "β 1e-4 when learned; the learned σ is lost in the conversion of the paper",
        partial(generations, names=_FIRST),
        12,
    ),
    (
        ("figure 4",),
        "002-figure-4",
        "mixture of two unlike Gaussians",
        "1,000 points",
        partial(data_of, name="two, unlike"),
    ),
    (
        ("figure 5",),
        "002-figure-5",
        "one σ against Σ(z): generations and loss",
        "Σ-VAE's loss is lower (a figure)",
        partial(generations, names=("σ-VAE, unlike modes", "Σ-VAE, unlike modes")),
        6,
    ),
    (
        ("figure 6",),
        "002-figure-6",
        "σ-VAE against σ-IWAE",
        "IWAE has both modes (a figure)",
        partial(generations, names=("σ-VAE", "σ-IWAE")),
        10,
    ),
    (
        ("figure 11",),
        "002-figure-11",
        "mixture of eight Gaussians",
        "1,000 points",
        partial(data_of, name="eight"),
    ),
    (
        ("figure 12",),
        "002-figure-12",
        "MLP against residual blocks: generations and loss",
        "residual's loss is lower (a figure)",
        partial(generations, names=("MLP, eight modes", "residual, eight modes")),
        6,
    ),
    (
        ("figure 13",),
        "002-figure-13",
        "gradient norms of both terms of the loss",
        "reconstruction: larger with residual blocks; divergence: comparable (a figure)",
        partial(gradients),
    ),
    (
        ("figure 22",),
        "002-figure-22",
        "generations without noise",
        "too narrow but for the least β (a figure)",
        partial(generations, names=_FIRST, noisy=False),
    ),
)
ITEMS = tuple(
    Item(key, places, what, printed, partial(measure, key), *minutes)
    for places, key, what, printed, measure, *minutes in _ITEMS
)
