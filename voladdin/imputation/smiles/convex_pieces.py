"""Convex pieces of a tenor's prices, which take the place of a smooth curve that is not convex there.

Prices are forward-normalised and out of the money at ln(K/F) k; each piece starts with the price and the
slope dC/dK of the nodes beside it.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray, IntArray
from ...black import implied_total_vol
from ...surface import MAX_LOG_STRIKE

ROUNDING = 1e-13
_TINY = 1e-300
_FAINT = 37.0  # deviations out of the money at which a price is no float
_FULL = 7.4  # deviations in the money at which it is all that a price can be, but for `ROUNDING`
_STEEPEST = 1e6


def prices_before(k: FloatArray, first: float, price: float, slope: float) -> FloatArray:
    """Prices [m] below the first node: the put P_1 (K / K_1)^p, p at least 1.

    price, slope: of the put at the first node. Where that is above the forward, and puts are differences of
    large numbers, of the call: 1 - C is then found from 1 - C_1.
    """
    x, strike = k - first, float(np.exp(first))
    if first <= 0:
        more = min(max(slope * strike / max(price, _TINY) - 1.0, 0.0), _STEEPEST)
        return np.asarray(price * np.exp((1.0 + more) * x))
    lost = min((1.0 - price) / strike, 1.0 - ROUNDING)
    share = np.log1p(-lost) + max((slope + lost) / (1.0 - lost), 0.0) * x
    return np.asarray(np.where(k > 0, 1.0 + np.exp(k) * np.expm1(share), np.exp(k + share)))


def prices_after(k: FloatArray, last: float, price: float, slope: float) -> FloatArray:
    """Prices [m] beyond the last node: the call C_n (K / K_n)^p, p at most 0.

    price: of the last node, out of the money; slope: of the call.
    """
    strike = float(np.exp(last))
    log_call = np.log1p(price - strike) if last < 0 else np.log(max(price, _TINY))
    power = np.clip(slope * np.exp(min(last - log_call, MAX_LOG_STRIKE)), -_STEEPEST, 0.0)
    log_calls = log_call + power * (k - last)
    return np.asarray(np.where(k < 0, np.expm1(log_calls) + np.exp(np.minimum(k, 0.0)), np.exp(log_calls)))


def prices_between(
    x: FloatArray, piece: IntArray, nodes: FloatArray, y: FloatArray, slope: FloatArray
) -> FloatArray:
    """Prices [m] at strikes x, each between nodes `piece` and the next, which have prices y and slopes.

    Convex quadratic spline (Schumaker 1983) with one knot between two nodes: with chord c and end slopes
    a <= c <= b the slope goes linearly from a to c at the knot and on to b; the knot's share
    q = (b - c) / (b - a) makes the area under it c. Nodes may be a rounding off convex: c is then an end.
    """
    h = nodes[piece + 1] - nodes[piece]
    c = (y[piece + 1] - y[piece]) / h
    a, b = np.minimum(slope[piece], c), np.maximum(slope[piece + 1], c)
    q = np.where(b > a, np.clip((b - c) / np.maximum(b - a, _TINY), 0.0, 1.0), 0.5)
    u = (x - nodes[piece]) / h
    v = 1.0 - u
    first = y[piece] + h * (a * u + 0.5 * (c - a) * u**2 / np.maximum(q, _TINY))
    second = y[piece + 1] - h * (b * v + 0.5 * (c - b) * v**2 / np.maximum(1.0 - q, _TINY))
    return np.asarray(np.where(u <= q, first, second))


def total_vols(prices: FloatArray, k: FloatArray, otherwise: FloatArray) -> FloatArray:
    """[m] total vols of prices; `otherwise`, as far as that has them too, where rounding leaves no vol."""
    found, far = implied_total_vol(np.maximum(prices, 0.0), k), 2.0 * np.abs(k)
    least = np.minimum(otherwise, far / (np.sqrt(_FAINT**2 + far) + _FAINT))
    most = np.maximum(otherwise, np.sqrt(_FULL**2 + far) + _FULL)
    full = prices > np.exp(np.minimum(k, 0.0)) * (1.0 - ROUNDING)
    return np.where(full, most, np.where(found > 0, found, least))
