"""Where a cell lies, whatever the market: ln T, and moneyness in deviations of the tenor's own ATM vol.

On a delta axis x = N⁻¹(1 - Δ). On strikes x = m / (s √T) - s √T / 2 with m = ln(K/F) and s(T) the ATM vol
that a first pass reads off the quotes: the same x where the smile is flat, and no fixed point through each
vol. Far out u is logarithmic, u = s asinh(x / s): smiles linear in u rise there as a power of the strike's
distance, as quoted wings do (Lee's bound is the power 1/2).
"""

from __future__ import annotations

import numpy as np
import scipy

from ..._typing import FloatArray
from .covariance import matern32
from .points import BEND, Points

_LEVEL, _BUMP = (0.3, 2.0), (0.1, 0.3)  # std and length in ln T of the first pass's term structure
_SKEW, _CURVATURE = 0.2, 0.12
_NOISE = (1e-4, 4e-4)  # variance, and its growth with x²
_PASSES = 2
LEAST = -400.0  # log of a total vol: below, deviations are no floats
MOST = 300  # quotes of the first pass


def compressed(x: FloatArray) -> FloatArray:
    """u for moneyness x in deviations."""
    return np.asarray(BEND * np.arcsinh(x / BEND))


def from_deltas(tenors: FloatArray, deltas: FloatArray) -> Points:
    """All cells of tenors [R] years x forward call deltas [K], row by row."""
    u = compressed(-scipy.special.ndtri(deltas))
    return Points(
        np.log(tenors), np.repeat(np.arange(len(tenors)), len(u)), np.tile(u, len(tenors)), own=True
    )


def standardised(moneyness: FloatArray, atm: FloatArray, log_tenor: FloatArray) -> FloatArray:
    """u of log-moneyness, for the log ATM vol of its tenor."""
    total = np.exp(np.maximum(atm + 0.5 * log_tenor, LEAST))
    return compressed(moneyness / total - 0.5 * total)


def atm_term(t: FloatArray, moneyness: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """Log ATM vols at ln T `at`, from quotes at ln T `t`, log-moneyness and log-vols `values`, all [n].

    A Gaussian process with level, skew and curvature in time, moneyness standardised by its last answer.
    """
    if len(t) > MOST:
        chosen = np.linspace(0, len(t) - 1, MOST).round().astype(int)
        t, moneyness, values = t[chosen], moneyness[chosen], values[chosen]
    from scipy.linalg.lapack import dposv  # not at import, which is to be light

    centre = float(np.median(values))
    quoted, weights = np.full(len(t), centre), np.zeros(len(t))
    tenors, row = np.unique(t, return_inverse=True)
    gap = np.abs(tenors[:, None] - tenors)
    term, drift = 1.0 + _term(gap), 0.5 + 0.5 * matern32(gap / 3.0)
    level, slow = (each[row].take(row, axis=1) for each in (term, drift))
    for _ in range(_PASSES):
        z = compressed(moneyness * np.exp(-np.maximum(quoted + 0.5 * t, LEAST)))
        smile = np.stack([_SKEW * z, _CURVATURE * (np.sqrt(1.0 + z * z) - 1.0)])
        covariance = smile.T @ smile
        covariance *= slow
        covariance += level
        covariance.reshape(-1)[:: len(t) + 1] += _NOISE[0] + _NOISE[1] * z * z
        _, weights, wrong = dposv(covariance.T, values - centre, overwrite_a=1)
        if wrong:
            raise np.linalg.LinAlgError
        quoted = centre + (term @ np.bincount(row, weights))[row]
    return np.asarray(centre + (1.0 + _term(np.abs(at[:, None] - tenors))) @ np.bincount(row, weights))


def _term(gap: FloatArray) -> FloatArray:
    return np.asarray(_LEVEL[0] ** 2 * matern32(gap / _LEVEL[1]) + _BUMP[0] ** 2 * matern32(gap / _BUMP[1]))


def from_moneyness(tenors: FloatArray, moneyness: FloatArray, values: FloatArray) -> Points:
    """All cells at log-moneyness [T, K] ln(K/F); values: [T * K] log-vols, NaN where there is no quote."""
    t, m, quoted = np.log(tenors), moneyness.ravel(), np.isfinite(values)
    rows = np.repeat(np.arange(len(tenors)), moneyness.shape[1])
    atm = atm_term(t[rows[quoted]], m[quoted], values[quoted], t)
    return Points(t, rows, standardised(m, atm[rows], t[rows]), own=False)


def from_distances(tenors: FloatArray, distances: FloatArray, values: FloatArray) -> Points:
    """All cells at K - F [T, K] of normal vols; values: [T * K] their logs, NaN where there is no quote."""
    t, distance, quoted = np.log(tenors), distances.ravel(), np.isfinite(values)
    rows = np.repeat(np.arange(len(t)), distances.shape[1])
    atm = atm_term(t[rows[quoted]], distance[quoted], values[quoted], t)
    return Points(t, rows, compressed(distance * np.exp(-np.maximum(atm + 0.5 * t, LEAST))[rows]), own=False)
