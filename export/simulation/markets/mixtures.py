"""Mixtures of log-normals: three scenarios, each with its own forward and clock.

Exactly free of butterfly arbitrage; the forwards stand apart from the first day on, as before a vote or a
devaluation of a peg. Source: Brigo and Mercurio (2002), with shifted means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voladdin._typing import FloatArray

from .clocks import Clock, draw_clocks, draw_levels
from .implied import otm_price, total_vol


@dataclass(frozen=True, eq=False)
class Mixture:
    """n surfaces of M scenarios: weights, forwards, vol multiples [n, M] of `level` [n] on one clock."""

    level: FloatArray
    clock: Clock
    weights: FloatArray
    forwards: FloatArray
    multiples: FloatArray

    def vols(self, years: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[n, T, K] at years [n, T] and ln(K/F) [n, T, K]."""
        deviation = (self.level[:, None] * np.sqrt(self.clock.at(years)))[..., None]
        price = np.zeros_like(moneyness)
        for m in range(self.weights.shape[1]):
            forward = self.forwards[:, m, None, None]
            own = otm_price(
                moneyness - np.log(forward), self.multiples[:, m, None, None] * deviation, moneyness
            )
            price += self.weights[:, m, None, None] * forward * own
        typical = np.sqrt((self.weights * self.multiples**2).sum(axis=1))[:, None, None] * deviation
        return np.asarray(total_vol(price, moneyness, typical) / np.sqrt(years)[..., None])


def draw_mixtures(rng: np.random.Generator, count: int) -> Mixture:
    """Three scenarios a surface, calm to stressed, whose means part by up to the vol of a month."""
    level = draw_levels(rng, count)
    weights = rng.dirichlet([5.0, 3.0, 1.0], count)
    multiples = np.exp(np.sort(rng.normal(0.0, 0.4, (count, 3)), axis=1))
    multiples /= np.sqrt((weights * multiples**2).sum(axis=1))[:, None]
    spread = np.minimum(0.25 * level * rng.beta(1.0, 2.5, count), 0.3)
    lean = rng.normal(0.0, 1.0, (count, 3)) + np.array([0.0, 0.0, 1.0]) * rng.choice([-1.5, 1.5], (count, 1))
    forwards = np.exp(np.clip(spread[:, None] * lean, -1.0, 1.0))
    forwards /= (weights * forwards).sum(axis=1)[:, None]
    return Mixture(level, draw_clocks(rng, count), weights, forwards, multiples)


def draw_pegs(rng: np.random.Generator, count: int) -> Mixture:
    """A managed currency: tiny vol inside the band, and a rare regime in which it breaks, one way."""
    level = np.exp(rng.uniform(np.log(0.002), np.log(0.03), count))
    chance = np.exp(rng.uniform(np.log(0.005), np.log(0.08), count))
    move = rng.choice([-1.0, 1.0], count) * level * np.exp(rng.uniform(np.log(0.3), np.log(3.0), count))
    weights = np.stack([1.0 - chance, 0.6 * chance, 0.4 * chance], axis=1)
    forwards = np.exp(np.stack([np.zeros(count), 0.5 * move, move], axis=1))
    forwards /= (weights * forwards).sum(axis=1)[:, None]
    multiples = np.stack([np.ones(count), rng.uniform(1.2, 3.0, count), rng.uniform(2.0, 6.0, count)], axis=1)
    return Mixture(level, draw_clocks(rng, count), weights, forwards, multiples)
