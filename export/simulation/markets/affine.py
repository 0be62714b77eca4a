"""Heston, Bates, Heston++, Merton and Kou by Fourier integrals, as tables.

Sources: Heston (1993), Bates (1996), Pacati, Reno, Santilli (2018), Merton (1976), Kou (2002).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from export.simulation.fourier import Characteristic, expand, otm_prices
from voladdin._typing import FloatArray
from voladdin.black import implied_total_vol

from .implied import resolved_total_vols
from .levy import Kou, Merton, expiries
from .smile_tables import NODES, TIMES, SmileTable, tabulate
from .ssvi import draw_rho

_Parameters = dict[str, FloatArray]


def smile_table(items: Characteristic, level: FloatArray) -> SmileTable:
    """A table of n rows from n * TIMES expiries; smiles go on flat where prices are rounding."""
    deviation = np.sqrt(items.total_variance)
    atm = implied_total_vol(otm_prices(items, np.zeros(1)), 0.0)
    nodes = NODES * atm / deviation
    total = resolved_total_vols(otm_prices(items, nodes), nodes * deviation, deviation)
    shape = (len(level), len(TIMES))
    return tabulate(level, atm.reshape(shape), total.reshape(*shape, len(NODES)))


def draw_affine(
    rng: np.random.Generator, count: int, *, jumps: bool = False, shift: bool = False
) -> SmileTable:
    """Heston, Bates (jumps) or Heston++ (shift): levels of 0.5% to 60%, Feller's condition often broken."""
    level = np.exp(rng.triangular(np.log(0.005), np.log(0.18), np.log(0.6), count))
    params = _heston(rng, level)
    if jumps:
        params |= _merton_jumps(rng, level, params["rho"])
    if shift:
        params["v0"] *= 0.6
        params["theta"] *= 0.7
        params["shift"] = _shift(rng, level)
    return smile_table(expand(params, TIMES), level)


def _heston(rng: np.random.Generator, level: FloatArray) -> _Parameters:
    count = len(level)
    kappa = np.exp(rng.uniform(np.log(0.3), np.log(8.0), count))
    wild = np.exp(rng.uniform(np.log(0.6), np.log(3.0), count))
    return {
        "v0": (level * np.exp(np.clip(rng.normal(-0.1, 0.35, count), -1.0, 0.9))) ** 2,
        "theta": level**2,
        "kappa": kappa,
        "rho": draw_rho(rng, count),
        "xi": np.maximum(level * np.sqrt(kappa) * wild, 0.01),
    }


def _merton_jumps(rng: np.random.Generator, level: FloatArray, side: FloatArray) -> _Parameters:
    count = len(level)
    return {
        "intensity": np.exp(rng.uniform(np.log(0.15), np.log(6.0), count)),
        "jump_mean": level * (0.35 * side + rng.normal(0.0, 0.08, count)),
        "jump_std": level * np.exp(rng.uniform(np.log(0.06), np.log(0.6), count)),
    }


def _shift(rng: np.random.Generator, level: FloatArray) -> FloatArray:
    """Integrated deterministic variance [n, TIMES]: about a third of the whole, lumpy."""
    steps = np.diff(TIMES, prepend=0.0)
    rates = 0.35 * np.exp(0.5 * rng.standard_normal((len(level), len(TIMES))))
    return np.asarray(level[:, None] ** 2 * np.cumsum(rates * steps, axis=1))


def draw_merton(rng: np.random.Generator, count: int) -> SmileTable:
    """Merton's jump diffusion: 30 to 95% of the variance of `level` is Brownian."""
    level = np.exp(rng.triangular(np.log(0.005), np.log(0.2), np.log(0.6), count))
    params = _merton_jumps(rng, level, draw_rho(rng, count))
    params["vol"] = level * np.sqrt(rng.uniform(0.3, 0.95, count))
    return smile_table(expiries(Merton, params, TIMES), level)


def draw_kou(rng: np.random.Generator, count: int) -> SmileTable:
    """Kou's double-exponential jump diffusion; falls larger than gains in three of four."""
    level = np.exp(rng.triangular(np.log(0.005), np.log(0.2), np.log(0.6), count))
    size = level * np.exp(rng.uniform(np.log(0.08), np.log(0.5), count))
    lean = np.exp(rng.normal(0.35, 0.5, count))
    params = {
        "vol": level * np.sqrt(rng.uniform(0.3, 0.95, count)),
        "intensity": np.exp(rng.uniform(np.log(0.2), np.log(8.0), count)),
        "up": rng.uniform(0.1, 0.7, count),
        "gain": np.maximum(lean / size, 1.5),
        "loss": 1.0 / (lean * size),
    }
    return smile_table(expiries(Kou, params, TIMES), level)


AFFINE: dict[str, Callable[[np.random.Generator, int], SmileTable]] = {
    "heston": draw_affine,
    "bates": lambda rng, count: draw_affine(rng, count, jumps=True),
    "heston++": lambda rng, count: draw_affine(rng, count, shift=True),
    "merton": draw_merton,
    "kou": draw_kou,
}
