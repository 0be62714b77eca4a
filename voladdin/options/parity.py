"""Forwards and discount factors of each expiry by put-call parity, robust against bad quotes.

C - P = D (F - K) at each strike K that has both. D comes from weighted least absolute deviations over the
strikes nearest the money and F is the weighted median of K + (C - P) / D, weights 1 over the width of the two
quotes: a stale or mistyped quote moves neither. What lies further off than its own width allows is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, identity

from .._typing import BoolArray, FloatArray
from ..errors import InputError

MIN_STRIKES = 2  # below, one expiry does not tell its discount factor
_NEAREST = 24  # strikes nearest the money that count
_DISCOUNTS = (0.3, 1.1)  # what a fitted discount factor may be; outside, it is the curve's
_RATES = (-0.05, 0.25)  # of the pooled zero rate
_FAR = 3.0  # half-widths of both quotes beyond which a pair is an outlier


@dataclass(frozen=True, eq=False)
class Parity:
    """T expiries. years, forwards, discounts: [T]. pairs: [T] how many strikes have call and put.

    outliers: (row, strike) of each pair off parity.
    """

    years: FloatArray
    forwards: FloatArray
    discounts: FloatArray
    pairs: FloatArray
    outliers: tuple[tuple[int, float], ...]


def fit_parity(
    years: FloatArray,
    strikes: FloatArray,
    calls: BoolArray,
    mid: FloatArray,
    half_width: FloatArray,
    rate: float | None = None,
) -> Parity:
    """Forward and discount factor of each distinct expiry; all arguments [N], an option each.

    mid, half_width: price and half the bid-ask width; NaN mids are left out.
    rate: continuously compounded, in place of the fitted discount factors.

    Raises InputError naming an expiry without a strike that has call and put.
    """
    found = np.unique(years)
    pairs = [_pairs(strikes, calls, mid, half_width, years == year) for year in found]
    for year, (k, _, _) in zip(found, pairs, strict=True):
        if not len(k):
            raise InputError(
                f"the expiry in {365 * year:.0f} days has no strike with both a call and a put; "
                "expected one, or a forward for that expiry"
            )
    if rate is None:
        discounts = _discounts(found, [_slope(*_near(*pair)) for pair in pairs])
    else:
        discounts = np.exp(-rate * found)
    forwards = np.array([_forward(*_near(*pair), d) for pair, d in zip(pairs, discounts, strict=True)])
    outliers = tuple(
        (row, strike)
        for row, pair in enumerate(pairs)
        for strike in _off(*pair, forwards[row], discounts[row]).tolist()
    )
    counts = np.array([len(k) for k, _, _ in pairs], dtype=float)
    return Parity(found, forwards, discounts, counts, outliers)


def _pairs(
    strikes: FloatArray, calls: BoolArray, mid: FloatArray, width: FloatArray, chosen: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Strikes with both sides, C - P there, and the sum of both half-widths."""
    live = chosen & np.isfinite(mid)
    (call_k, call_at), (put_k, put_at) = (
        np.unique(strikes[side], return_index=True) for side in (live & calls, live & ~calls)
    )
    both, i, j = np.intersect1d(call_k, put_k, return_indices=True)
    at_call, at_put = np.flatnonzero(live & calls)[call_at[i]], np.flatnonzero(live & ~calls)[put_at[j]]
    return both, mid[at_call] - mid[at_put], width[at_call] + width[at_put]


def _near(k: FloatArray, gap: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The strikes nearest the money: where call and put are worth nearly the same."""
    chosen = np.sort(np.argsort(np.abs(gap), kind="stable")[:_NEAREST])
    return k[chosen], gap[chosen], width[chosen]


def _weights(k: FloatArray, width: FloatArray) -> FloatArray:
    floor = max(1e-6 * float(np.median(k)), 0.25 * float(np.median(width)))
    return np.asarray(1.0 / np.maximum(width, floor))


def _slope(k: FloatArray, gap: FloatArray, width: FloatArray) -> tuple[float, float]:
    """Discount factor by least absolute deviations, and its weight; NaN where one strike says nothing."""
    if len(k) < MIN_STRIKES:
        return np.nan, 0.0
    from scipy.optimize import linprog  # slow to import: not before the first list

    scale, n = float(np.ptp(k)), len(k)
    line = csr_array(np.column_stack([np.ones(n), -(k - k.mean()) / scale]))
    matrix = hstack([line, identity(n), -identity(n)])  # intercept - D (k - mean) + up - down = gap
    weight = _weights(k, width)
    cost = np.concatenate([[0.0, 0.0], weight, weight])
    bounds = [(None, None)] * 2 + [(0, None)] * (2 * n)
    solved = linprog(cost, A_eq=matrix, b_eq=gap, bounds=bounds, method="highs")
    if solved.x is None:
        return np.nan, 0.0
    spread = float(np.sqrt((weight * (k - k.mean()) ** 2).sum() * weight.mean()))
    return float(solved.x[1]) / scale, spread


def _discounts(years: FloatArray, fits: list[tuple[float, float]]) -> FloatArray:
    """The fitted ones where they are plausible; the weighted median zero rate of these elsewhere."""
    slopes, weights = np.array(fits).T
    good = (slopes > _DISCOUNTS[0]) & (slopes < _DISCOUNTS[1])
    rate = 0.0
    if good.any():
        rates = -np.log(slopes[good]) / years[good]
        rate = float(np.clip(weighted_median(rates, weights[good] * years[good]), *_RATES))
    curve = np.exp(-rate * years)
    off = np.abs(np.log(np.where(good, slopes, 1.0)) + rate * years) > 0.02 + 0.03 * years
    return np.where(good & ~off, slopes, curve)


def _forward(k: FloatArray, gap: FloatArray, width: FloatArray, discount: float) -> float:
    """Weighted median of K + (C - P) / D."""
    return weighted_median(k + gap / discount, _weights(k, width))


def _off(k: FloatArray, gap: FloatArray, width: FloatArray, forward: float, discount: float) -> FloatArray:
    """Strikes whose pair lies further from parity than its quotes are wide."""
    floor = np.maximum(width, 1e-4 * forward)
    return np.asarray(k[np.abs(gap - discount * (forward - k)) > _FAR * floor])


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """The middle of the values by weight."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])
