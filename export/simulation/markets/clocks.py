"""Business time: a deterministic clock that gives any surface a term structure without adding arbitrage.

If w(k, t) is the total variance of a market without static arbitrage, so is w(k, tau(t)) for every increasing
tau: humps, inversions, stress and scheduled events are all in the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voladdin._typing import FloatArray

_KNOTS = np.array(
    [0.0, 1 / 365, 3 / 365, 7 / 365, 0.05, 1 / 12, 0.17, 0.3, 0.5, 0.8, 1.3, 2.2, 4.0, 7.0, 100.0]
)
_LOG_KNOTS = np.log(np.maximum(_KNOTS[:-1], 1e-3))
REGIMES = ("flat", "upward", "inverted", "stressed", "humped", "jagged")
_REGIME_SHARES = (0.25, 0.25, 0.15, 0.08, 0.12, 0.15)


@dataclass(frozen=True, eq=False)
class Clock:
    """tau(T) of n surfaces: forward variance over its mean level on fixed knots, and jumps at event dates.

    rates: [n, J]. dates, sizes: [n, E], years; an event at T adds its size, in years, to every later tau.
    """

    rates: FloatArray
    dates: FloatArray
    sizes: FloatArray

    def at(self, years: FloatArray) -> FloatArray:
        """tau [n, T] at years [n, T]."""
        steps = np.diff(_KNOTS)
        before = np.cumsum(np.pad(self.rates[:, :-1] * steps[:-1], ((0, 0), (1, 0))), axis=1)
        cell = np.clip(np.searchsorted(_KNOTS, years, side="right") - 1, 0, len(steps) - 1)
        rows = np.arange(len(years))[:, None]
        tau = before[rows, cell] + self.rates[rows, cell] * (years - _KNOTS[cell])
        passed = years[:, :, None] >= self.dates[:, None, :]
        return np.asarray(tau + (passed * self.sizes[:, None, :]).sum(axis=2))


def draw_clocks(rng: np.random.Generator, count: int, *, events: bool = False) -> Clock:
    """Random clocks of all regimes; with `events` each has four dates or one, else one clock in eight."""
    regime = rng.choice(len(REGIMES), count, p=_REGIME_SHARES)
    shape = np.zeros((count, len(_LOG_KNOTS)))
    slope = np.abs(rng.normal(0.0, 0.18, count)) + 0.03
    sign = np.select(
        [regime == 1, regime == 2, regime == 3], [1.0, -1.0, -2.5], 0.2 * rng.standard_normal(count)
    )
    shape += (sign * slope)[:, None] * np.minimum(_LOG_KNOTS, np.log(3.0))
    centre, width = rng.uniform(np.log(0.03), np.log(2.0), count), rng.uniform(0.4, 1.3, count)
    bump = np.exp(-0.5 * ((_LOG_KNOTS - centre[:, None]) / width[:, None]) ** 2)
    shape += np.where(regime == 4, rng.normal(0.0, 0.7, count), rng.normal(0.0, 0.1, count))[:, None] * bump
    jagged = np.where(regime == 5, 0.25, 0.04)[:, None] * rng.standard_normal(shape.shape)
    rates = np.exp(np.clip(shape + jagged, -3.0, 3.0))
    rates /= np.average(rates, axis=1, weights=np.minimum(np.diff(_KNOTS), 2.0))[:, None]
    dates, sizes = _events(rng, count, always=events)
    return Clock(rates, dates, sizes * rates[:, 4:5])


def _events(rng: np.random.Generator, count: int, *, always: bool) -> tuple[FloatArray, FloatArray]:
    """Dates a quarter apart (earnings) or one alone (a vote), worth 2 to 25 ordinary days of variance."""
    first = rng.uniform(1 / 365, 0.25, count)
    dates = first[:, None] + 0.25 * np.arange(4)
    days = np.exp(rng.uniform(np.log(2.0), np.log(25.0), (count, 1)) + 0.2 * rng.standard_normal((count, 4)))
    quarterly = rng.random(count) < 0.6
    days[~quarterly, 1:] = 0.0
    if not always:
        days[rng.random(count) > 0.125] = 0.0
    return dates, days / 365


def draw_levels(rng: np.random.Generator, count: int) -> FloatArray:
    """[n] vols of a year: mostly 5% to 90%, one in eight from 0.3% (pegs), one in twelve to 400%."""
    level = np.exp(rng.triangular(np.log(0.035), np.log(0.18), np.log(1.1), count))
    kind = rng.random(count)
    level = np.where(kind < 1 / 8, np.exp(rng.uniform(np.log(0.003), np.log(0.05), count)), level)
    return np.where(kind > 11 / 12, np.exp(rng.uniform(np.log(0.9), np.log(4.0), count)), level)
