"""Static arbitrage of many surfaces on one rectangle of tenors and log-moneyness, in one vectorised pass.

Where all tenors share their strikes K/F, neighbours decide: convex decreasing call price functions through
the quotes that increase with tenor exist if and only if no call is worth more than the mix of its neighbours
(the call of strike 0, worth 1, among them), than the next lower strike's, than the next tenor's, or less than
its intrinsic value.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .._typing import FloatArray, IntArray
from .nodes import Axes

BROKEN, OPEN, FREE = range(3)
_BLOCK = 50  # surfaces of 28 x 28: they stay in the cache


def shared(axes: Axes) -> bool:
    """Whether all tenors have the same strikes K/F, increasing."""
    m = axes.moneyness
    return m is not None and m.ndim == 1 and bool((np.diff(m) > 0).all())


def largest_gain(vols: FloatArray, tenors: FloatArray, log_moneyness: FloatArray) -> FloatArray:
    """[B] the largest gain of a trade between neighbours, in forward-normalised price; none where 0 or less.

    vols: [B, T, K] above 0. tenors: [T] years, log_moneyness: [K] ln(K/F), both increasing.
    """
    strikes = np.exp(log_moneyness)
    worst = np.empty(len(vols))
    for start in range(0, len(vols), _BLOCK):
        part = slice(start, start + _BLOCK)
        worst[part] = _gain(_calls(vols[part], tenors, log_moneyness), strikes)
    return worst


def verdicts(axes: Axes, vols: FloatArray, tolerance: float) -> IntArray:
    """[B] BROKEN where neighbours gain more than the tolerance, FREE where their gains cannot add up to it,
    OPEN between; vols [B, T, K] on the shared strikes of `axes`."""
    m = axes.moneyness
    assert m is not None
    worst = largest_gain(vols, axes.tenors, m)
    sure = worst <= tolerance / _most_neighbours(np.exp(m), len(axes.tenors))
    return np.where(sure, FREE, np.where(worst <= tolerance, OPEN, BROKEN))


def _calls(vols: FloatArray, tenors: FloatArray, m: FloatArray) -> FloatArray:
    """[B, T, K] forward-normalised call prices; their error of about 1e-16 is all that matters here."""
    total = vols * np.sqrt(tenors)[:, None]
    d1 = -m / total + 0.5 * total
    return np.asarray(ndtr(d1) - np.exp(m) * ndtr(d1 - total))


def _gain(calls: FloatArray, strikes: FloatArray) -> FloatArray:
    """[B] the largest gain between neighbours."""
    k = np.concatenate([[0.0], strikes])
    forward = np.ones((*calls.shape[:2], 1))
    c = np.concatenate([forward, calls], axis=2)
    right = (k[1:-1] - k[:-2]) / (k[2:] - k[:-2])
    chord = (1 - right) * c[:, :, :-2] + right * c[:, :, 2:]
    gains = [
        c[:, :, 1:-1] - chord,
        c[:, :, 1:] - c[:, :, :-1],
        c[:, :-1, 1:] - c[:, 1:, 1:],
        1 - strikes - calls,
    ]
    return np.asarray(np.max([gain.max(axis=(1, 2), initial=-np.inf) for gain in gains], axis=0))


def _most_neighbours(strikes: FloatArray, tenors: int) -> float:
    """How many gains of neighbours can add up: the longest mean walk along the strikes, and the tenors."""
    steps = np.diff(np.concatenate([[0.0], strikes]))
    least = float((steps[1:] * steps[:-1]).min(initial=1.0))
    return float(strikes[-1] ** 2 / (4 * least) + len(strikes) + tenors)
