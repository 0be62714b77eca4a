"""Pictures of the experiments: histograms of errors, a latent traversal, the naive shift."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

import voladdin as va
from voladdin.errors import InfeasibleError
from voladdin.feature_map import NAMES

from . import control
from .generators import Generates
from .models import OURS, PAPER, PAPER_TUNED, PCA
from .shifts import naive
from .training_surfaces import TrainingSurfaces

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.figure import Figure

_SHIFT = "term", -0.1
_CENTRAL = 0.05  # |ln(K/F)|
_LEAST = 1e-17


def draw_all(
    surfaces: TrainingSurfaces, models: Mapping[tuple[int, str], Generates], folder: Path, seed: int
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
    surfaces: TrainingSurfaces, models: Mapping[tuple[int, str], Generates], rng: np.random.Generator
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


def _traversal(surfaces: TrainingSurfaces, generator: Generates) -> Figure:
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


def _shift(surfaces: TrainingSurfaces) -> Figure | None:
    """Vol and total variance of the held-out surface whose w falls most, at the money, once shifted."""
    name, size = _SHIFT
    plain = naive(surfaces, name, size)
    w = plain**2 * surfaces.tenors[:, None]
    fall = w.max(axis=1) - w[:, -1]
    fall[:, np.abs(surfaces.moneyness) > _CENTRAL] = 0.0
    fall[(plain <= 0).any(axis=(1, 2))] = 0.0
    for flat in np.argsort(fall, axis=None)[::-1][:20]:
        index, column = np.unravel_index(flat, fall.shape)
        vols = surfaces.grid(surfaces.held)[index]
        surface = va.Surface(vols, surfaces.tenors, moneyness=surfaces.moneyness)
        try:
            moved = va.shift(surface, **{f"d{name}": size}).vols
        except InfeasibleError:
            continue
        lines = {"held out": vols, "naive": plain[index], "va.shift": moved}
        title = f"ln(K/F) = {surfaces.moneyness[column]:.2f}, d{name} {size:+g}"
        return _lines(surfaces, {key: values[:, column] for key, values in lines.items()}, title)
    return None


def _lines(surfaces: TrainingSurfaces, lines: Mapping[str, np.ndarray], title: str) -> Figure:
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3))
    for name, values in lines.items():
        axes[0].plot(surfaces.tenors, values, label=name)
        axes[1].plot(surfaces.tenors, values**2 * surfaces.tenors, label=name)
    axes[0].set_title(f"vol, {title}", fontsize=9)
    axes[1].set_title("total variance", fontsize=9)
    for axis in axes:
        axis.set_xlabel("years")
    axes[0].legend(fontsize=8)
    return figure
