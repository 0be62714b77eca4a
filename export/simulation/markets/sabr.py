"""SABR by expiry, Hagan's expansion, with parameters that are smooth in the expiry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from export.simulation.sabr import hagan_vol
from voladdin._typing import FloatArray

from .clocks import Clock, draw_clocks, draw_levels
from .ssvi import draw_rho


@dataclass(frozen=True, eq=False)
class Sabr:
    """n surfaces; nu(T) = nu T^-power, rho(T) = rho (1 - fade exp(-T / 0.3)); all [n]."""

    level: FloatArray
    clock: Clock
    beta: FloatArray
    rho: FloatArray
    fade: FloatArray
    nu: FloatArray
    power: FloatArray

    def vols(self, years: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[n, T, K] at years [n, T] and ln(K/F) [n, T, K]."""
        alpha = self.level[:, None] * np.sqrt(self.clock.at(years) / years)
        rho = self.rho[:, None] * (1.0 - self.fade[:, None] * np.exp(-years / 0.3))
        nu = self.nu[:, None] * np.maximum(years, 7 / 365) ** -self.power[:, None]
        at = (years[..., None], alpha[..., None], self.beta[:, None, None], rho[..., None], nu[..., None])
        return np.asarray(np.maximum(hagan_vol(moneyness, *at), 1e-4))


def draw_sabr(rng: np.random.Generator, count: int) -> Sabr:
    """A vol of vol that falls with expiry as that of quoted smiles does."""
    return Sabr(
        draw_levels(rng, count),
        draw_clocks(rng, count),
        rng.choice([0.5, 1.0], count),
        draw_rho(rng, count),
        rng.uniform(0.0, 0.4, count),
        np.exp(rng.uniform(np.log(0.2), np.log(0.9), count)),
        rng.uniform(0.4, 0.55, count),
    )
