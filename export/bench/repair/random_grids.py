"""Random grids on which `check` must give the verdict of the linear program."""

from __future__ import annotations

from typing import Any

import numpy as np

import voladdin as va

from .truth import TOLERANCE, least_slack, prices


def random_surface(rng: np.random.Generator, *, near: bool) -> va.Surface:
    """Any axis, 1 to 6 tenors by 1 to 8 strikes, with holes; `near` the boundary of no arbitrage."""
    shape = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    if near:
        shape = max(shape[0], 2), max(shape[1], 2)
    tenors = np.cumsum(rng.uniform(0.02, 0.8, shape[0]))
    axes = _axes(rng, shape, tenors)
    clean = va.Surface(_smile(rng, shape, tenors, axes), tenors, **axes)
    holes = rng.random(shape) < rng.choice([0.0, 0.2, 0.5])
    holes.flat[rng.integers(holes.size)] = False
    clean = clean.replace(np.where(holes, np.nan, clean.vols))
    noise = rng.choice([0.003, 0.02, 0.1, 0.3])
    wild = clean.replace(clean.vols * np.exp(noise * rng.standard_normal(shape)))
    return _near_boundary(rng, clean, wild) if near else [clean, wild][int(rng.random() < 0.7)]


def _axes(rng: np.random.Generator, shape: tuple[int, int], tenors: np.ndarray) -> dict[str, Any]:
    kind = rng.choice(["deltas", "moneyness", "ragged", "strikes"])
    if kind == "deltas":
        return {"deltas": np.sort(rng.choice(np.arange(2, 99), shape[1], replace=False))[::-1] / 100}
    ladder = np.sort(rng.choice(np.linspace(-0.6, 0.6, 49), shape[1], replace=False))
    if kind == "moneyness":
        return {"moneyness": ladder}
    forwards = 1.1 * np.exp(rng.choice([0.0, 0.04]) * tenors)
    if kind == "strikes":
        return {"strikes": 1.1 * np.exp(ladder), "forwards": forwards}
    return {"strikes": forwards[:, None] * np.exp(np.sqrt(tenors)[:, None] * ladder), "forwards": forwards}


def _smile(
    rng: np.random.Generator, shape: tuple[int, int], tenors: np.ndarray, axes: dict[str, Any]
) -> np.ndarray:
    """Flat in strike, or a mild SVI (deltas: a mild parabola); w grows with tenor or stays."""
    level = rng.uniform(0.05, 0.5) * np.exp(0.1 * rng.standard_normal())
    decay = 0.0 if rng.random() < 0.8 else 0.5
    vols = np.broadcast_to(level * tenors[:, None] ** -decay, shape).copy()
    if rng.random() < 0.5:
        return vols
    if "deltas" in axes:
        return np.asarray(vols * (1 + 0.1 * (2 * axes["deltas"] - 1) ** 2))
    moneyness = va.Surface(vols, tenors, **axes).log_moneyness
    assert moneyness is not None
    root = np.sqrt(moneyness**2 + 0.04)
    w = level**2 * tenors[:, None] * (0.6 + rng.uniform(-0.4, 0.4) * moneyness + 2 * root)
    return np.asarray(np.sqrt(w / tenors[:, None]))


def _near_boundary(rng: np.random.Generator, clean: va.Surface, wild: va.Surface) -> va.Surface:
    """A mix of the two that is about 1e-7 to 1e-4 inside or outside of where `check` changes its verdict."""

    def mixed(share: float) -> va.Surface:
        return clean.replace(clean.vols * (wild.vols / clean.vols) ** share)

    for _ in range(3):
        if va.check(wild).ok:
            wild = wild.replace(np.minimum(clean.vols * (wild.vols / clean.vols) ** 4, 5.0))
    if not va.check(clean).ok or va.check(wild).ok:
        return wild
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if va.check(mixed(middle)).ok else (low, middle)
    return mixed(high * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-5, -2)))


def compare(rng: np.random.Generator, *, near: bool) -> tuple[bool, float, float]:
    """The verdict of `check`, its largest size, and the linear program's."""
    surface = random_surface(rng, near=near)
    found = va.check(surface, tolerance=TOLERANCE)
    size = max((violation.size for violation in found.violations), default=0.0)
    ranks, strikes, calls = prices(surface)
    return found.ok, size, least_slack(ranks, strikes, calls, calls)
