"""Simulated FX markets: latent factors in time drive a Bates++ model of each pair, plus quote noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from .axes import MASTER_DELTAS, MASTER_TENORS
from .smile import model_vols

FloatArray = NDArray[np.float64]

_SHIFT_EDGES = np.array([0.0, 7 / 365, 1 / 12, 2 / 12, 0.25, 0.5, 0.75, 1.0, 3.0, 10.0])


@dataclass(frozen=True)
class Pair:
    """A currency pair's long-run character: `level` of vol, `skew` the mean spot-vol correlation."""

    name: str
    level: float
    skew: float


PAIRS = {
    pair.name: pair
    for pair in (
        Pair("AUDUSD", 0.105, -0.45),
        Pair("USDCAD", 0.078, 0.30),
        Pair("EURUSD", 0.085, -0.25),
        Pair("GBPUSD", 0.095, -0.30),
        Pair("USDMXN", 0.135, 0.55),
    )
}


@dataclass(frozen=True)
class Market:
    """Simulated history: vols with quote noise and `clean` without, [P, days, T, K]."""

    pairs: tuple[str, ...]
    tenors: FloatArray
    deltas: FloatArray
    vols: FloatArray
    clean: FloatArray


def simulate_market(
    days: int,
    *,
    pairs: Sequence[str] = ("AUDUSD", "EURUSD", "USDCAD"),
    seed: int = 0,
    tenors: ArrayLike = MASTER_TENORS,
    deltas: ArrayLike = MASTER_DELTAS,
) -> Market:
    """A joint history of `days` days of vol surfaces of `pairs` at tenors [T] years, deltas [K].

    deltas are forward call deltas. The same seed gives the same market.
    """
    rng = np.random.default_rng(seed)
    years, axis = np.asarray(tenors, dtype=float), np.asarray(deltas, dtype=float)
    common = {name: ou_path(rng, days, half_life) for name, half_life in _COMMON.items()}
    clean, quoted = [], []
    for name in pairs:
        pair = PAIRS[name]
        params = _parameters(rng, days, pair, common, years)
        vols = model_vols("bates++", params, years, deltas=axis)
        level = np.sqrt(params["theta"])
        vols = vols + _misspecification(rng, level, years, axis)
        clean.append(vols)
        quoted.append(np.maximum(vols + quote_noise(rng, level, years, axis), 0.1 * vols))
    return Market(tuple(pairs), years, axis, np.stack(quoted), np.stack(clean))


def ou_path(rng: np.random.Generator, days: int, half_life: float, width: int | None = None) -> FloatArray:
    """Stationary unit-variance Ornstein-Uhlenbeck path, [days] or [days, width]; half_life in days."""
    decay = 0.5 ** (1.0 / half_life)
    path = rng.standard_normal((days, width or 1))
    path[1:] *= np.sqrt(1.0 - decay**2)
    for day in range(1, days):
        path[day] += decay * path[day - 1]
    return path if width else path[:, 0]


_COMMON = {"short": 35.0, "long": 300.0, "skew": 90.0}


def _parameters(
    rng: np.random.Generator, days: int, pair: Pair, common: dict[str, FloatArray], years: FloatArray
) -> dict[str, FloatArray]:
    """Bates++ parameters [days] (shift [days, T]) of one pair from its own and the common factors."""

    def own(half_life: float) -> FloatArray:
        return ou_path(rng, days, half_life)

    short = 0.8 * common["short"] + 0.6 * own(35)
    long = 0.8 * common["long"] + 0.6 * own(300)
    skew = 0.6 * common["skew"] + 0.8 * own(70)
    theta = (pair.level * np.exp(0.12 * long)) ** 2
    kappa = 1.2 * np.exp(0.3 * own(150))
    v0 = 0.6 * theta * np.exp(0.45 * short + 0.15 * np.maximum(short - 1, 0))
    xi = np.sqrt(theta) * 2.2 * np.exp(0.2 * own(80) + 0.05 * short)
    rho = np.tanh(np.arctanh(pair.skew) + 0.15 * skew + 0.05 * np.sign(pair.skew) * short)
    sign = pair.skew / 0.4
    return {
        "v0": v0, "kappa": kappa, "theta": theta, "xi": xi, "rho": rho,
        "intensity": 1.0 * np.exp(0.4 * own(120) + 0.2 * short),
        "jump_mean": pair.level * 0.10 * (0.6 * sign + 0.4 * (0.5 * common["skew"] + 0.87 * own(90))),
        "jump_std": pair.level * 0.18 * np.exp(0.2 * own(200)),
        "shift": _shift(rng, theta, short, years),
    }


def _shift(rng: np.random.Generator, theta: FloatArray, short: FloatArray, years: FloatArray) -> FloatArray:
    """Integrated deterministic variance [days, T]: piecewise-constant forward variance with event bumps."""
    size = np.array([1.6, 1.2, 0.9, 0.7, 0.5, 0.4, 0.3, 0.3, 0.3])
    bumps = 0.10 * theta[:, None] * np.exp(0.5 * ou_path(rng, len(theta), 20, len(size)) * size)
    bumps *= np.exp(0.2 * short)[:, None]
    integrated = np.cumsum(np.pad(bumps * np.diff(_SHIFT_EDGES), ((0, 0), (1, 0))), axis=1)
    return np.stack([np.interp(years, _SHIFT_EDGES, row) for row in integrated])


def _wing(deltas: FloatArray) -> FloatArray:
    """1 at the 10-delta put, 0 at the money, -1 at the 10-delta call."""
    return ndtri(deltas) / ndtri(0.9)


def _misspecification(
    rng: np.random.Generator, level: FloatArray, years: FloatArray, deltas: FloatArray
) -> FloatArray:
    """What no Bates model explains: slow shifts of level, skew and curvature, smooth in log-tenor."""
    log_years, wing = np.log(years), _wing(deltas)
    kernel = np.exp(-0.5 * ((log_years[:, None] - log_years) / 0.9) ** 2) + 1e-8 * np.eye(len(years))
    factor = np.linalg.cholesky(kernel).T
    shapes = ((10e-4, np.ones_like(wing)), (7e-4, wing), (4e-4, wing**2))
    return sum(
        (size * 10 * level[:, None] * (ou_path(rng, len(level), 25, len(years)) @ factor))[..., None] * shape
        for size, shape in shapes
    )


def quote_noise(rng: np.random.Generator, level: FloatArray, years: FloatArray, deltas: FloatArray) -> FloatArray:
    """Independent daily noise [days, T, K] in level, risk reversal and butterfly.

    About 1.5 bp of vol at a year for a 10% pair, more at short and very long tenors.
    """
    wing = _wing(deltas)
    width = 1e-4 * (1.2 + 0.5 / np.sqrt(np.maximum(years, 1 / 365)) ** 0.8 + 0.25 * years**0.7)
    size = width * (level / 0.10)[:, None]
    normal = rng.standard_normal((3, len(level), len(years))) * size
    local = 0.3 * size[..., None] * rng.standard_normal((len(level), len(years), len(deltas)))
    return normal[0][..., None] + 0.6 * normal[1][..., None] * wing + 0.5 * normal[2][..., None] * wing**2 + local
