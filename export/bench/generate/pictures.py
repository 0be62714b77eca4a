"""Pictures of the experiments: histograms of errors, a latent traversal, the naive shift."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

import voladdin as va
from voladdin.errors import InfeasibleError
from voladdin.features import NAMES

from . import control
from .data import Surfaces
from .generators import Generates
from .models import OURS, PAPER, PAPER_TUNED, PCA
from .shifts import naive

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.figure import Figure

_SHIFT = -0.10
_LEAST = 1e-17


def draw_all(
    surfaces: Surfaces, models: Mapping[tuple[int, str], Generates], folder: Path, seed: int
) -> list[Path]:
    """errors.png, traversal.png and shift.png in `folder`; shift.png where a naive shift does violate."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "errors": _errors(surfaces, models, np.random.default_rng([seed, 1, 4])),
        "traversal": _traversal(surfaces, models[4, OURS]),
        "shift": _shift(surfaces),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            figure.savefig(folder / f"{name}.png", dpi=80, bbox_inches="tight")
            pyplot.close(figure)
            written.append(folder / f"{name}.png")
    return written


def _errors(
    surfaces: Surfaces, models: Mapping[tuple[int, str], Generates], rng: np.random.Generator
) -> Figure:
    """Figure 16 of the paper, with rivals."""
    figure, axes = pyplot.subplots(1, len(NAMES), figsize=(12, 2.6), sharey=True)
    for name in (OURS, PAPER, PAPER_TUNED, PCA):
        generator = models[4, name]
        errors = control.feature_errors(generator, surfaces, surfaces.held_features, rng)
        for axis, column in zip(axes, errors.T, strict=True):
            axis.hist(np.log10(np.maximum(column, _LEAST)), bins=60, alpha=0.7, label=name)
    for axis, name in zip(axes, NAMES, strict=True):
        axis.set_title(name)
        axis.set_xlabel("log10 |error|")
    axes[0].set_ylabel("surfaces")
    axes[0].legend(fontsize=7)
    return figure


def _traversal(surfaces: Surfaces, generator: Generates) -> Figure:
    """What each latent does to the first, the middle and the last tenor, in bp from z = 0."""
    grid = control.traversal(generator)
    grid = grid.reshape(*grid.shape[:2], len(surfaces.tenors), len(surfaces.moneyness))
    moved = 1e4 * (grid - grid[:, len(control.STEPS) // 2][:, None])
    tenors = (0, len(surfaces.tenors) // 2, -1)
    figure, axes = pyplot.subplots(len(tenors), len(grid), figsize=(12, 6), sharex=True, sharey="row")
    for row, tenor in enumerate(tenors):
        for column, axis in enumerate(axes[row]):
            for step in range(0, len(control.STEPS), 4):
                label = f"{control.STEPS[step]:+.0f}"
                axis.plot(surfaces.moneyness, moved[column, step, tenor], label=label)
            axis.set_title(f"z{column + 1}, {surfaces.tenors[tenor]:.2g} years", fontsize=9)
    axes[0, 0].legend(title="z", fontsize=7)
    figure.supxlabel("ln(K/F)")
    figure.supylabel("bp of vol; the four features stay")
    return figure


def _shift(surfaces: Surfaces) -> Figure | None:
    """Vol and total variance of the held-out surface whose w falls most once its level is lower."""
    plain = naive(surfaces, "level", _SHIFT)
    w = plain**2 * surfaces.tenors[:, None]
    fall = np.where((plain > 0).all(axis=1), w.max(axis=1) - w[:, -1], 0.0)
    fall[(plain <= 0).any(axis=(1, 2))] = 0.0
    for flat in np.argsort(fall, axis=None)[::-1][:20]:
        index, column = np.unravel_index(flat, fall.shape)
        vols = surfaces.grid(surfaces.held)[index]
        surface = va.Surface(vols, surfaces.tenors, moneyness=surfaces.moneyness)
        try:
            moved = va.shift(surface, dlevel=_SHIFT).vols
        except InfeasibleError:
            continue
        if fall[index, column] <= 0:
            break
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3))
        for name, values in (("held out", vols), ("naive", plain[index]), ("va.shift", moved)):
            axes[0].plot(surfaces.tenors, values[:, column], label=name)
        for name, values in (("naive", plain[index]), ("va.shift", moved)):
            line = values[:, column] ** 2 * surfaces.tenors
            axes[1].plot(surfaces.tenors, line, label=name, color={"naive": "C1", "va.shift": "C2"}[name])
        m = surfaces.moneyness[column]
        axes[0].set_title(f"vol at ln(K/F) = {m:.2f}, level {100 * _SHIFT:+.0f} points", fontsize=9)
        axes[1].set_title("total variance", fontsize=9)
        for axis in axes:
            axis.set_xlabel("years")
        axes[0].legend(fontsize=8)
        return figure
    return None
