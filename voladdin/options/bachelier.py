"""Bachelier's formula: prices of options on what is normally distributed, and back to normal vols.

k = K - F is the distance of the strike, s = sigma sqrt(tau) the total normal vol, both in the unit of F, and
prices are undiscounted. The out-of-the-money option is worth s h(|k| / s) with h(z) = n(z) - z N(-z).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._typing import FloatArray

_ROOT_2PI = np.sqrt(2 * np.pi)
_HALF_ROOT_2PI = np.sqrt(np.pi / 2)
_SERIES_FROM = 12.0  # deviations, from which 1 - z M(z) is summed
_SERIES = 15
_AT_THE_MONEY = 1e-200  # of the price
_STEPS = 60
_FURTHEST = 37.0  # deviations: beyond, a price is no float


def normal_otm_price(k: ArrayLike, s: ArrayLike) -> FloatArray:
    """Of the call at k >= 0, the put at k < 0; 0 where s is 0. Broadcasts; NaN where either is."""
    k, s = np.broadcast_arrays(np.abs(np.asarray(k, dtype=float)), np.asarray(s, dtype=float))
    live = s > 0
    z = np.where(live, k / np.where(live, s, 1.0), 0.0)
    return np.asarray(np.where(live, s * _tail(z), np.where(s == 0, 0.0, np.nan)))


def normal_call_price(k: ArrayLike, s: ArrayLike) -> FloatArray:
    """Of the call, at least max(-k, 0)."""
    return np.asarray(normal_otm_price(k, s) + np.maximum(-np.asarray(k, dtype=float), 0.0))


def normal_vega(k: ArrayLike, s: ArrayLike) -> FloatArray:
    """Derivative of the price with respect to s: n(k / s)."""
    z = np.asarray(k, dtype=float) / np.asarray(s, dtype=float)
    return np.asarray(np.exp(-0.5 * z * z) / _ROOT_2PI)


def implied_normal_vol(price: ArrayLike, k: ArrayLike) -> FloatArray:
    """Total normal vol s of an out-of-the-money price; 0 of a price of 0, NaN of one below.

    At the money s = price sqrt(2 pi). Elsewhere ln(h(z) / z) = ln(price / |k|) by Newton in ln z, which is
    concave and falls, from the left of its root.
    """
    price, k = np.broadcast_arrays(np.asarray(price, dtype=float), np.abs(np.asarray(k, dtype=float)))
    found = np.where(price >= 0, price * _ROOT_2PI, np.nan)
    live = (price > 0) & (k > _AT_THE_MONEY * price) & np.isfinite(price)
    if live.any():
        found[live] = _solved(price[live], k[live])
    return np.asarray(found)


def _solved(price: FloatArray, k: FloatArray) -> FloatArray:
    """k / z with h(z) / z = price / k."""
    target = np.log(price) - np.log(k)
    u = np.minimum(-target, 0.0) - 1.0  # left of the root: h(z) / z >= 1 / z / e for small z
    for _ in range(_STEPS):
        z = np.minimum(np.exp(u), _FURTHEST)
        tail = _tail(z)
        gap = np.log(tail) - np.log(z) - target
        slope = -1.0 - z * scipy.special.ndtr(-z) / tail
        step = gap / slope
        u = np.minimum(u - step, np.log(_FURTHEST))
        if (np.abs(step) <= 1e-15 * (1.0 + np.abs(u))).all():
            break
    return np.asarray(k * np.exp(-u))


def _tail(z: FloatArray) -> FloatArray:
    """h(z) = n(z) (1 - z M(z)) for z >= 0, M Mills' ratio; far out by its asymptotic series."""
    near = 1.0 - z * _HALF_ROOT_2PI * scipy.special.erfcx(z / np.sqrt(2.0))
    w = 1.0 / np.maximum(z, _SERIES_FROM) ** 2
    term, far = w, w.copy()
    for n in range(1, _SERIES):
        term = -term * w * (2 * n + 1)
        far = far + term
    return np.asarray(np.exp(-0.5 * z * z) / _ROOT_2PI * np.where(z < _SERIES_FROM, near, far))
