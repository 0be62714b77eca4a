"""A mixture of two log-normals fitted to a surface (Brigo and Mercurio 2002, with shifted means).

Weights and forwards are those of two scenarios for all expiries, and each scenario's total variance never
falls: prices are then of one martingale, so that no fit has arbitrage, whatever the quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from voladdin import black
from voladdin._typing import FloatArray

from .interpolators import Fitted

STARTS = ((0.0, -1.0), (0.0, 1.0), (-1.5, -2.0), (-1.5, 2.0))  # logit of a weight, spread of the forwards
_RIDGE, _LEAST = 1e-4, 1e-8
_MOST_LOGIT = 8.0  # of a weight
_MOST_LOG = 1.0  # by which the scenarios' forwards part, at most


@dataclass(frozen=True, eq=False)
class Mixture:
    """weights and forwards [2]; variances [2, N] of each scenario at the quoted tenors [N]."""

    weights: FloatArray
    forwards: FloatArray
    tenors: FloatArray
    variances: FloatArray

    def otm_prices(self, tenors: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[T, K] forward-normalised, at tenors [T] and ln(K/F) [T, K]: calls from F on, puts below."""
        found = np.zeros_like(moneyness)
        for m in range(2):
            s = np.sqrt(self._at(tenors, self.variances[m]))[:, None]
            shifted = moneyness - np.log(self.forwards[m])
            call = black.call_price(shifted, np.broadcast_to(s, shifted.shape))
            put = call - 1.0 + np.exp(shifted)
            found += self.weights[m] * self.forwards[m] * np.where(moneyness >= 0.0, call, put)
        return found

    def slopes(self, moneyness: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """[2, N, K] each of a price at the quoted tenors: by weight, by forward, and by variance."""
        shifted = moneyness - np.log(self.forwards)[:, None, None]
        s = np.broadcast_to(np.sqrt(self.variances)[:, :, None], shifted.shape)
        put = moneyness < 0.0
        call = black.call_price(shifted, s)
        by_weight = self.forwards[:, None, None] * (call - put * (1.0 - np.exp(shifted)))
        by_forward = self.weights[:, None, None] * (black.call_delta(shifted, s) - put)
        carried = (self.weights * self.forwards)[:, None, None]
        return by_weight, by_forward, carried * black.vega(shifted, s) / (2.0 * s)

    def vols(self, tenors: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[T, K]; NaN where a price is rounding."""
        total = black.implied_total_vol(self.otm_prices(tenors, moneyness), moneyness)
        return np.asarray(total / np.sqrt(tenors)[:, None])

    def _at(self, tenors: FloatArray, variances: FloatArray) -> FloatArray:
        """Total variance, linear between quoted tenors; of one vol before the first and after the last."""
        rates = np.interp(tenors, self.tenors, variances / self.tenors) * tenors
        inside = (tenors >= self.tenors[0]) & (tenors <= self.tenors[-1])
        return np.where(inside, np.interp(tenors, self.tenors, variances), rates)


def mixture(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """Vols [T, K] at any ln(K/F) [T, K] of these tenors, of the mixture nearest to the quotes."""
    fitted = fit(tenors, moneyness, vols)
    return lambda at: fitted.vols(tenors, at)


def fit(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Mixture:
    """The mixture nearest to vols [T, K], NaN where hidden, at ln(K/F) [T, K]: price errors over vega."""
    seen = np.isfinite(vols)
    rows = np.flatnonzero(seen.any(axis=1))
    quoted = tenors[rows]
    s = np.where(seen, vols, 1.0) * np.sqrt(tenors)[:, None]
    call = black.call_price(moneyness, s)
    wanted = np.where(moneyness >= 0.0, call, call - 1.0 + np.exp(moneyness))
    scale = 1.0 / np.maximum(black.vega(moneyness, s) * np.sqrt(tenors)[:, None], _LEAST)
    level = np.array([np.nanmean(vols[row]) for row in rows])

    keep, k = seen[rows], moneyness[rows]
    unit = (scale[rows])[keep] / level.mean()

    def miss(p: FloatArray, start: FloatArray) -> FloatArray:
        gap = _of(p, quoted).otm_prices(quoted, k) - wanted[rows]
        return np.append(gap[keep] * unit, _RIDGE * (p - start))

    def slopes(p: FloatArray, _start: FloatArray) -> FloatArray:
        return np.vstack([_slopes(p, quoted, k)[keep] * unit[:, None], _RIDGE * np.eye(len(p))])

    begun = [_start(logit, apart, quoted, level) for logit, apart in STARTS]
    fits = [least_squares(miss, start, slopes, args=(start,), method="trf", max_nfev=60) for start in begun]
    return _of(min(fits, key=lambda found: found.cost).x, quoted)


def _slopes(p: FloatArray, quoted: FloatArray, moneyness: FloatArray) -> FloatArray:
    """[N, K, p] of the prices by the parameters of `_of`."""
    found = _of(p, quoted)
    (w0, w1), (f0, f1) = found.weights, found.forwards
    by_weight, by_forward, by_variance = found.slopes(moneyness)
    inner = abs(p[0]) < _MOST_LOGIT
    apart = f0 - f1
    logit = by_weight[0] - by_weight[1] - apart * (f0 * by_forward[0] + f1 * by_forward[1])
    gap = f0 * f1 * (w0 * by_forward[1] - w1 * by_forward[0]) / np.cosh(p[1] / _MOST_LOG) ** 2
    rises = np.tri(len(quoted)) * 2.0 * p[2:].reshape(2, 1, -1)  # of each variance by each root
    roots = by_variance[..., None] * rises[:, :, None, :]
    return np.concatenate([np.stack([inner * w0 * w1 * logit, gap], -1), roots[0], roots[1]], axis=-1)


def _start(logit: float, apart: float, quoted: FloatArray, level: FloatArray) -> FloatArray:
    """Two scenarios of vols a fifth below and above the level, forwards 0.3 `apart` deviations apart."""
    w = np.maximum.accumulate(level**2 * quoted)
    steps = np.sqrt(np.maximum(np.diff(w, prepend=0.0), 1e-3 * w / len(w)))
    gap = 0.3 * apart * np.sqrt(w[0])
    return np.concatenate([[logit, gap], 0.8 * steps, 1.2 * steps])


def _of(p: FloatArray, quoted: FloatArray) -> Mixture:
    """logit of the first weight, log of the forwards' ratio, then roots of the variances' steps."""
    weight = 1.0 / (1.0 + np.exp(-np.clip(p[0], -_MOST_LOGIT, _MOST_LOGIT)))
    weights = np.array([weight, 1.0 - weight])
    forwards = np.exp(np.array([0.0, _MOST_LOG * np.tanh(p[1] / _MOST_LOG)]))
    variances = np.cumsum(p[2:].reshape(2, -1) ** 2, axis=1) + _LEAST
    return Mixture(weights, forwards / (weights @ forwards), quoted, variances)
