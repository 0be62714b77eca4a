"""Experiments I and II: how far features of generated surfaces are from those asked for; traversals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from voladdin._typing import FloatArray
from voladdin.feature_map import NAMES

from .generators import Generates, draw
from .training_surfaces import TrainingSurfaces

BASE = (0.3873, -0.2139, 0.1362, -0.0226)  # table 2 of the paper, at z = 0
STEPS = np.linspace(-8, 8, 17)
PRINTED = {  # largest errors of 1,000 surfaces in the paper, by number of features
    1: {"level": 7.9e-3},
    3: {"level": 5.5e-4, "skew": 8e-4, "term": 5.4e-4},
    4: {"level": 5.7e-4, "skew": 4.6e-3, "curv": 9.4e-3, "term": 2.0e-3},
}
PRINTED_DRIFT = {"level": 2e-4, "skew": 1.2e-3, "curv": 1.5e-3, "term": 5e-4}


def feature_errors(
    generator: Generates, surfaces: TrainingSurfaces, targets: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """[B, F] absolute errors at targets [B, F], latents ~ N(0, I)."""
    found = generator.vols(targets, draw(generator, len(targets), rng))
    return np.abs(found @ surfaces.weights[list(generator.control)].T - targets)


def error_row(name: str, control: tuple[int, ...], errors: FloatArray) -> list[str]:
    """Name, then largest / 99th percentile / mean of each feature, blank where it is not controlled."""
    cells = dict.fromkeys(NAMES, "")
    for row, column in zip(control, errors.T, strict=True):
        sizes = column.max(), np.quantile(column, 0.99), column.mean()
        cells[NAMES[row]] = " / ".join(f"{size:.1e}" for size in sizes)
    return [str(len(control)), name, *cells.values()]


def printed_row(count: int) -> list[str]:
    """The paper's largest errors."""
    return [str(count), "paper, as printed", *(_printed(PRINTED[count], name) for name in NAMES)]


def _printed(values: Mapping[str, float], name: str) -> str:
    return f"{values[name]:.1e}" if name in values else ""


def traversal(generator: Generates) -> FloatArray:
    """[E, S, N] vols where each latent in turn goes from -8 to 8, the others 0, the features the paper's."""
    size = generator.latent_size
    z = np.zeros((size, len(STEPS), size))
    z[np.arange(size), :, np.arange(size)] = STEPS
    y = np.tile(np.array(BASE)[list(generator.control)], (size * len(STEPS), 1))
    return generator.vols(y, z.reshape(-1, size)).reshape(size, len(STEPS), -1)


def drift_row(name: str, generator: Generates, surfaces: TrainingSurfaces) -> list[str]:
    """Largest range of each controlled feature along a latent, and the largest move of a vol in bp."""
    vols = traversal(generator)
    found = vols @ surfaces.weights[list(generator.control)].T
    drift = np.ptp(found, axis=1).max(axis=0)
    cells = dict.fromkeys(NAMES, "")
    cells |= {NAMES[row]: f"{d:.1e}" for row, d in zip(generator.control, drift, strict=True)}
    moved = 1e4 * np.ptp(vols, axis=1).max()
    return [str(len(generator.control)), name, *cells.values(), f"{moved:,.0f}"]


def printed_drift() -> list[str]:
    """Table 2 of the paper: z1 alone."""
    return ["4", "paper, as printed (z1)", *(_printed(PRINTED_DRIFT, name) for name in NAMES), ""]
