"""Rivals that interpolate: linear in total variance, thin-plate spline, and SSVI.

Each takes tenors [T] years, ln(K/F) [T, K] ascending, and vols [T, K] with NaN where hidden. SSVI gives a
function of other ln(K/F) [T, K] at these tenors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares

from voladdin._typing import FloatArray

Fitted = Callable[[FloatArray], FloatArray]  # vols [T, K] at ln(K/F) [T, K]
Fit = Callable[[FloatArray, FloatArray, FloatArray], Fitted]  # of tenors, ln(K/F) and vols
Fill = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def at_quotes(fit: Fit) -> Fill:
    """Vols [T, K] at the strikes that the fit was given."""
    return lambda tenors, moneyness, vols: fit(tenors, moneyness, vols)(moneyness)


def linear(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T, K]: vol linear in strike and flat outside, total variance linear in time at equal moneyness."""
    rows = {
        i: np.interp(moneyness[i], moneyness[i, seen], vols[i, seen]) ** 2 * tenors[i]
        for i in range(len(tenors))
        if (seen := np.isfinite(vols[i])).any()
    }
    return across_expiries(tenors, rows, lambda i, j: np.interp(moneyness[i], moneyness[j], rows[j]))


def across_expiries(
    tenors: FloatArray, rows: dict[int, FloatArray], at: Callable[[int, int], FloatArray]
) -> FloatArray:
    """Vols [T, K] of known total variances by row; at(i, j) is row j's at the strikes of row i.

    Linear in time between the neighbours; before the first and after the last, the vols of the nearest one.
    """
    w = []
    for i in range(len(tenors)):
        before, after = [j for j in rows if j < i], [j for j in rows if j > i]
        if i in rows:
            w.append(rows[i])
        elif before and after:
            a, b = max(before), min(after)
            share = (tenors[i] - tenors[a]) / (tenors[b] - tenors[a])
            w.append((1.0 - share) * at(i, a) + share * at(i, b))
        else:
            j = max(before) if before else min(after)
            w.append(at(i, j) * tenors[i] / tenors[j])
    return np.asarray(np.sqrt(np.stack(w) / tenors[:, None]))


def plane(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T * K, 2] of ln T and ln(K/F) over the median vol's deviation, which splines and processes run on."""
    scale = np.nanmedian(vols) * np.sqrt(tenors)[:, None]
    return np.asarray(np.c_[np.repeat(np.log(tenors), moneyness.shape[1]), (moneyness / scale).ravel()])


def thin_plate(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T, K]: a thin-plate spline of the log-vol, 200 neighbours at most."""
    x, seen = plane(tenors, moneyness, vols), np.isfinite(vols).ravel()
    spline = RBFInterpolator(
        x[seen],
        np.log(vols.ravel()[seen]),
        kernel="thin_plate_spline",
        smoothing=1e-6,
        neighbors=min(200, int(seen.sum())),
    )
    return np.asarray(np.exp(spline(x)).reshape(vols.shape))


def ssvi(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """SSVI with the power law of Gatheral and Jacquier (2014).

    A total variance at the money for each quoted expiry, linear in time between; one rho, eta and gamma.
    """
    seen = np.isfinite(vols)
    known = np.flatnonzero(seen.any(axis=1))
    near = [int(np.abs(np.where(seen[i], moneyness[i], np.inf)).argmin()) for i in known]
    atm = vols[known, near] ** 2 * tenors[known]

    def model(p: FloatArray, at: FloatArray) -> FloatArray:
        theta = _theta(tenors, tenors[known], np.exp(np.log(atm) + p[3:]))[:, None]
        rho, gamma = 0.999 * np.tanh(p[0]), 1.0 / (1.0 + np.exp(-p[2]))
        y = np.exp(p[1]) * theta**-gamma * (1.0 + theta) ** (gamma - 1.0) * at
        w = 0.5 * theta * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho * rho))
        return np.asarray(np.sqrt(w / tenors[:, None]))

    def miss(p: FloatArray) -> FloatArray:
        return np.append((np.log(model(p, moneyness)) - np.log(vols))[seen], 1e-3 * p)

    best = least_squares(miss, np.append([-0.3, 0.0, 0.0], np.zeros(len(known))), max_nfev=60).x
    return lambda at: model(best, at)


def _theta(tenors: FloatArray, known: FloatArray, theta: FloatArray) -> FloatArray:
    """[T] total variance at the money, linear between known tenors; of one vol before and after them."""
    inside = (tenors >= known[0]) & (tenors <= known[-1])
    rates = np.interp(tenors, known, theta / known)
    return np.where(inside, np.interp(tenors, known, theta), rates * tenors)
