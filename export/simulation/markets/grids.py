"""Where a desk quotes: calendars and delta grids, moneyness grids, listed ladders."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

from voladdin._typing import BoolArray, FloatArray

_DAY = 1 / 365
_OTC = np.array([1, 7, 14, 21, 30, 61, 91, 122, 182, 274, 365, 548, 730, 1095, 1460, 1825, 2555, 3650]) * _DAY
_DELTA_SETS = (
    np.array([0.9, 0.75, 0.5, 0.25, 0.1]),
    np.array([0.75, 0.5, 0.25]),
    np.array([0.95, 0.9, 0.85, 0.75, 0.65, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05]),
    np.append(np.linspace(0.9, 0.55, 8), np.append(0.5, np.linspace(0.45, 0.1, 8))),
    np.array([0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02]),
)
_MAX_VARIANCE = 6.0  # nobody quotes expiries with a total vol of more than 245%
_SECANT_STEPS = 10
GRIDS = ("deltas", "moneyness", "listed")


class Truth(Protocol):
    """n surfaces as a function of expiry and strike."""

    @property
    def level(self) -> FloatArray:
        """[n] roughly the vol of a year."""

    def vols(self, years: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[n, T, K] at years [n, T] and ln(K/F) [n, T, K]."""


def draw_years(rng: np.random.Generator, truth: Truth, expiries: int, *, listed: bool) -> FloatArray:
    """[n, T] ascending: an OTC ladder with gaps, or a listed calendar of weeklies, monthlies, quarters.

    Expiries whose total variance would pass `_MAX_VARIANCE` are brought nearer, all by one factor.
    """
    count = len(truth.level)
    if listed:
        first = rng.integers(1, 8, (count, 1)) * _DAY
        weeks, months = 7 * _DAY, 30.4 * _DAY
        ladder = np.concatenate(
            [weeks * np.arange(6), months * np.arange(2, 8), 3 * months * np.arange(3, 9)]
        )
        ladder = np.append(ladder, [2.6, 3.0, 4.0, 5.0])
        years = first + ladder
    else:
        years = np.broadcast_to(_OTC, (count, len(_OTC))).copy()
        years[:, 1:] *= np.exp(0.004 * rng.standard_normal((count, len(_OTC) - 1)))
    keep = (rng.random(years.shape) * np.linspace(0.8, 1.2, years.shape[1])).argsort(axis=1)[:, :expiries]
    years = np.sort(np.take_along_axis(years, keep, axis=1), axis=1)
    return np.asarray(years * np.minimum(1.0, _MAX_VARIANCE / (truth.level**2 * years[:, -1]))[:, None])


def moneyness_at_deltas(truth: Truth, years: FloatArray, deltas: FloatArray) -> FloatArray:
    """ln(K/F) [n, T, K] of forward call deltas [K] (or [n, T, K]): k = s(k) (s(k)/2 - N^-1(delta)), iterated.

    Secant steps; the delta of a point is within 1e-6 of the one asked where the smile has one such point.
    """
    target = ndtri(np.broadcast_to(deltas, (*years.shape, np.shape(deltas)[-1])))
    root = np.sqrt(years)[..., None]
    s = np.broadcast_to(truth.level[:, None, None] * root, target.shape)
    k = s * (0.5 * s - target)
    last_k = last_gap = None
    for _ in range(_SECANT_STEPS):
        s = truth.vols(years, k) * root
        gap = s * (0.5 * s - target) - k
        step = gap
        if last_gap is not None:
            slope = (gap - last_gap) / np.where(k == last_k, 1.0, k - last_k)
            step = gap / np.clip(-slope, 0.4, 4.0)
        last_k, last_gap = k, gap
        k = k + np.clip(step, -2.0 * s, 2.0 * s)
        if np.abs(gap / s).max() < 1e-7:
            break
    return np.asarray(k)


def delta_set(rng: np.random.Generator) -> FloatArray:
    """One of the grids of desks, puts to calls."""
    return _DELTA_SETS[rng.integers(len(_DELTA_SETS))]


def moneyness_grid(rng: np.random.Generator, truth: Truth, years: FloatArray, strikes: int) -> FloatArray:
    """ln(K/F) [n, T, K], the same strikes at every expiry: 1.2 to 4 deviations of the middle one each way."""
    width = truth.level * np.sqrt(np.median(years, axis=1)) * rng.uniform(1.2, 4.0, len(years))
    nodes = np.linspace(-1.0, 1.0, strikes) + 0.15 * rng.uniform(-1.0, 0.5, (len(years), 1))
    return np.broadcast_to((width[:, None] * nodes)[:, None], (*years.shape, strikes)).copy()


def listed_ladder(
    rng: np.random.Generator, truth: Truth, years: FloatArray, strikes: int
) -> tuple[FloatArray, BoolArray]:
    """ln(K/F) [n, T, K] on a ladder of round strikes, and which of them are listed [n, T, K].

    The step doubles where an expiry is too wide for the columns; puts are listed further than calls.
    """
    count = len(years)
    centre = rng.uniform(0.0, 1.0, (count, 1, 1))
    forward = np.exp(rng.normal(0.0, 0.02, (count, 1, 1)) * years[..., None])
    deviation = (truth.level[:, None] * np.sqrt(years))[..., None]
    base = truth.level[:, None, None] * np.exp(rng.uniform(np.log(0.01), np.log(0.06), (count, 1, 1)))
    puts, calls = rng.uniform(1.5, 6.0, (count, 1, 1)), rng.uniform(1.2, 3.5, (count, 1, 1))
    span = np.minimum((puts + calls) * deviation, 1.5)
    step = base * 2.0 ** np.ceil(np.log2(np.maximum(span / (strikes * base), 1.0)))
    lowest = -puts / (puts + calls) * span
    rung = np.floor(lowest / step) + np.arange(strikes) + centre
    strike = 1.0 + rung * step
    listed = (strike > 0.02) & (rung * step <= lowest + span)
    moneyness = np.log(np.where(strike > 0.02, strike, 0.02 + 0.001 * np.arange(strikes)) / forward)
    return moneyness, listed


def call_deltas(years: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """Forward call deltas N(d1) [n, T, K]."""
    s = vols * np.sqrt(years)[..., None]
    return np.asarray(ndtr(-moneyness / s + 0.5 * s))
