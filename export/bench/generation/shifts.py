"""The naive shift, which adds a polynomial with the wanted change of a feature, against `va.shift`.

The paper's is the constant: a level moved by d makes w fall with the tenor where the vols do (section 5.1.2).
The others are d m, d m^2 / 2 and d tau.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.errors import InfeasibleError
from voladdin.feature_map import NAMES

from .smooth_violations import violations
from .training_surfaces import TrainingSurfaces

SHIFTS = (
    *(("level", size) for size in (-0.10, -0.05, 0.05)),
    *(("skew", size) for size in (-0.3, 0.3)),
    *(("curv", size) for size in (-0.5, 0.5)),
    *(("term", size) for size in (-0.1, 0.1)),
)
COLUMNS = (
    *("change", "naive: arbitrage, %", "naive: w falls, %", "va.shift asked for", "returned", "refused"),
    *("violations returned", "feature error", "ms p50", "ms max"),
)
_POLYNOMIALS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "level": lambda tau, m: np.ones(np.broadcast_shapes(tau.shape, m.shape)),
    "skew": lambda tau, m: m + 0 * tau,
    "curv": lambda tau, m: m**2 / 2 + 0 * tau,
    "term": lambda tau, m: tau + 0 * m,
}


def naive(surfaces: TrainingSurfaces, name: str, size: float) -> FloatArray:
    """[m, T, K] held-out vols plus the polynomial; a vol below 0 is left so."""
    added = size * _POLYNOMIALS[name](surfaces.tenors[:, None], surfaces.moneyness)
    return surfaces.grid(surfaces.held) + added


@dataclass(frozen=True, eq=False)
class Shifted:
    """What `va.shift` did. valid: of those returned; errors: of their features; seconds: of every call."""

    valid: list[bool]
    errors: list[float]
    refused: list[str]
    seconds: list[float]


def shifted(surfaces: TrainingSurfaces, name: str, size: float, count: int) -> Shifted:
    """The first held-out surfaces, each in a call of its own."""
    found = Shifted([], [], [], [])
    for vols, features in zip(surfaces.grid(surfaces.held[:count]), surfaces.held_features, strict=False):
        surface = va.Surface(vols, surfaces.tenors, moneyness=surfaces.moneyness)
        start = time.perf_counter()
        try:
            moved = va.shift(surface, **{f"d{name}": size})
        except InfeasibleError as error:
            found.refused.append(str(error))
        else:
            wanted = features + size * (np.array(NAMES) == name)
            found.errors.append(float(np.abs(surfaces.weights @ moved.vols.ravel() - wanted).max()))
            found.valid.append(va.check(moved).ok)
        found.seconds.append(time.perf_counter() - start)
    return found


def shift_row(surfaces: TrainingSurfaces, name: str, size: float, count: int) -> list[str]:
    """A row of COLUMNS."""
    plain = violations(naive(surfaces, name, size), surfaces.tenors, surfaces.moneyness)
    found = shifted(surfaces, name, size, count)
    ms = 1e3 * np.array(found.seconds)
    return [
        f"d{name} {size:+g}",
        f"{100 * plain['grid'].mean():.2f}",
        f"{100 * plain['calendar'].mean():.2f}",
        str(len(ms)),
        str(len(found.valid)),
        str(len(found.refused)),
        str(found.valid.count(False)),
        f"{max(found.errors, default=np.nan):.1e}",
        f"{np.median(ms):.1f}",
        f"{ms.max():.0f}",
    ]
