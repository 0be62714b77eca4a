"""SSVI and eSSVI surfaces with random term structures.

Sources: Gatheral and Jacquier (2014), theorem 4.2 and remark 4.4; Hendriks and Martini (2019) for rho(theta).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voladdin._typing import FloatArray

from .clocks import Clock, draw_clocks, draw_levels


@dataclass(frozen=True, eq=False)
class Ssvi:
    """n surfaces; rho goes from `near` to `far` as theta passes `turn` (equal ones give SSVI). All [n]."""

    level: FloatArray
    clock: Clock
    eta: FloatArray
    gamma: FloatArray
    near: FloatArray
    far: FloatArray
    turn: FloatArray

    def vols(self, years: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[n, T, K] at years [n, T] and ln(K/F) [n, T, K]."""
        theta = self.level[:, None] ** 2 * self.clock.at(years)
        eta, gamma = self.eta[:, None], self.gamma[:, None]
        curvature = (eta * theta**-gamma * (1.0 + theta) ** (gamma - 1.0))[..., None]
        mixing = 1.0 / (1.0 + theta / self.turn[:, None])
        rho = (self.far[:, None] + (self.near - self.far)[:, None] * mixing)[..., None]
        y = curvature * moneyness
        w = 0.5 * theta[..., None] * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho * rho))
        return np.asarray(np.sqrt(w / years[..., None]))


def draw_rho(rng: np.random.Generator, count: int) -> FloatArray:
    """[n] correlations: equity-like in half, either sign in the other half."""
    equity = -rng.beta(4.0, 2.0, count)
    either = rng.choice([-1.0, 1.0], count) * rng.beta(1.2, 2.0, count)
    return np.clip(np.where(rng.random(count) < 0.5, equity, either), -0.97, 0.97)


def draw_ssvi(rng: np.random.Generator, count: int, *, events: bool = False) -> Ssvi:
    """Parameters inside the sufficient conditions: eta (1 + |rho|) at most 2, gamma at most 1/2."""
    rho = draw_rho(rng, count)
    eta = 2.0 / (1.0 + np.abs(rho)) * rng.beta(2.0, 1.6, count)
    return Ssvi(
        draw_levels(rng, count),
        draw_clocks(rng, count, events=events),
        eta,
        0.5 - 0.35 * rng.beta(1.0, 2.0, count),
        rho,
        rho,
        np.ones(count),
    )


def draw_events(rng: np.random.Generator, count: int) -> Ssvi:
    """SSVI smiles with four scheduled events, or one, in the term structure."""
    return draw_ssvi(rng, count, events=True)


def draw_essvi(rng: np.random.Generator, count: int) -> Ssvi:
    """A correlation that drifts with expiry; eta is kept lower, which leaves room for the drift."""
    base = draw_ssvi(rng, count)
    far = np.clip(base.near + rng.normal(0.0, 0.2, count), -0.95, 0.95)
    worst = np.maximum(np.abs(base.near), np.abs(far))
    eta = np.minimum(base.eta, 1.6 / (1.0 + worst))
    turn = base.level**2 * np.exp(rng.uniform(np.log(0.05), np.log(2.0), count))
    return Ssvi(base.level, base.clock, eta, base.gamma, base.near, far, turn)
