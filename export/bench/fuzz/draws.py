"""Random surfaces, from a desk's to hostile ones: odd axes, vols of 1e-4 to 9.9, holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import voladdin as va
from voladdin._typing import FloatArray

LEAST_VOL, MOST_VOL = 1e-4, 9.9
PILLARS = np.array(
    [1 / 365, 1 / 52, 2 / 52, 1 / 12, 2 / 12, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50]
)
_HOLES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)


@dataclass(frozen=True)
class DrawnSurface:
    """vols [T, K] with NaN where missing, full [T, K]; axes: tenors and the strike axis of `va.Surface`."""

    vols: FloatArray
    full: FloatArray
    axes: dict[str, Any]

    def surface(self, vols: FloatArray | None = None) -> va.Surface:
        """With these vols, or its own. Raises InputError where `va.Surface` refuses it."""
        return va.Surface(self.vols if vols is None else vols, **self.axes)


def drawn(rng: np.random.Generator, most: tuple[int, int]) -> DrawnSurface:
    """At most so many tenors and strikes; each of axes, vols and holes is wild in some of the draws."""
    rows, columns = int(rng.integers(1, most[0] + 1)), int(rng.integers(1, most[1] + 1))
    tame = rng.random() < 0.5

    def wild(*, tame: bool) -> float:
        return 0.2 if tame else float(rng.random())

    years = tenors(rng, rows, wild(tame=tame))
    axis = strikes(rng, rows, columns, wild(tame=tame))
    full = vols(rng, years, columns, wild(tame=rng.random() < 0.4))
    holes = rng.random(full.shape) < rng.choice(_HOLES)
    if holes.all() and rng.random() < 0.95:
        holes[rng.integers(rows), rng.integers(columns)] = False
    return DrawnSurface(np.where(holes, np.nan, full), full, {"tenors": years, **axis})


def tenors(rng: np.random.Generator, count: int, wild: float) -> FloatArray:
    """[T] increasing years: pillars, anything from 1e-4 to 50, or two that nearly coincide."""
    if wild < 0.5 and count <= len(PILLARS):
        return np.sort(rng.choice(PILLARS, size=count, replace=False))
    found = np.sort(np.exp(rng.uniform(np.log(1e-4), np.log(50), count)))
    if wild > 0.9 and count > 1:
        found[1] = np.nextafter(found[0], 9) if rng.random() < 0.5 else found[0] * (1 + 1e-9)
        found = np.sort(found)
    return found if (np.diff(found) > 0).all() else tenors(rng, count, 0.6)


def strikes(rng: np.random.Generator, rows: int, columns: int, wild: float) -> dict[str, Any]:
    """Deltas (also of 1e-300), ln(K/F) of one smile or each, or strikes with forwards; in order."""
    kind = rng.choice(["deltas", "moneyness", "strikes"], p=[0.5, 0.3, 0.2])
    if kind == "deltas":
        return {"deltas": _deltas(rng, columns, wild)}
    scale = rng.choice([0.1, 0.3]) if wild < 0.6 else rng.choice([1e-6, 0.3, 2, 30, 300])
    shape = (columns,) if rng.random() < 0.6 else (rows, columns)
    found = np.sort(rng.normal(0, scale, shape), axis=-1)
    if columns > 1 and not (np.diff(found, axis=-1) > 0).all():
        return strikes(rng, rows, columns, 0.9 * wild)
    if kind == "moneyness":
        return {"moneyness": found}
    forward = np.exp(rng.normal(0, 1 if wild < 0.6 else 5))
    forwards = np.full(rows, forward) * np.exp(rng.normal(0, 0.02, rows))
    return {"strikes": np.exp(np.clip(found, -300, 300)) * forward, "forwards": forwards}


def _deltas(rng: np.random.Generator, count: int, wild: float) -> FloatArray:
    found = rng.uniform(0.02, 0.98, count)
    if wild > 0.6:
        extreme = [10.0 ** -rng.integers(2, 16), 1 - 10.0 ** -rng.integers(2, 16), 1e-300, np.nextafter(1, 0)]
        found = np.where(rng.random(count) < 0.4, rng.choice(extreme, count), found)
    if count == 5 and wild < 0.5:
        found = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    found = np.sort(found)
    if not (np.diff(found) > 0).all():
        return _deltas(rng, count, 0.9 * wild)
    return found[::-1].copy() if rng.random() < 0.6 else found


def vols(rng: np.random.Generator, years: FloatArray, columns: int, wild: float) -> FloatArray:
    """[T, K]: a smile with noise; or one with a fat finger, a flat one, or anything at all."""
    shape = (len(years), columns)
    level = np.exp(rng.normal(np.log(0.12), 0.4))
    x = np.linspace(-1, 1, columns) if columns > 1 else np.zeros(1)
    term = 1 + 0.1 * rng.normal() * np.sqrt(years / (years + 1))
    smile = 1 + 0.1 * rng.normal() * x + 0.1 * abs(rng.normal()) * x**2
    found = (
        level * term[:, None] * smile * np.exp(rng.normal(0, rng.choice([0, 1e-4, 3e-3, 0.03, 0.1]), shape))
    )
    anything = np.log(LEAST_VOL), np.log(MOST_VOL)
    if wild > 0.7:
        found = np.exp(rng.uniform(*anything, shape))
    elif wild > 0.6:
        found = np.full(shape, np.exp(rng.uniform(*anything)))
    elif wild > 0.55:
        found[rng.integers(shape[0]), rng.integers(columns)] *= 10 ** rng.uniform(-2, 1)
    return np.asarray(np.clip(found, LEAST_VOL, MOST_VOL))
