"""Curves through estimates at expiries: as smooth as what is known of their errors allows.

A curve is a line in time and a Brownian motion about it, whose scale is the likeliest (by restricted
likelihood): dividends and rate moves that are larger than the errors stay, and errors larger than these are
taken off by the neighbours.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray

_SCALES = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 37)])  # of the Brownian motion, in a year
_PLAIN = 2.0  # of log-likelihood that a motion must add to a line
_LEAST = 1e-13  # standard error


def smoothed(years: FloatArray, values: FloatArray, errors: FloatArray, *, anchored: bool) -> FloatArray:
    """[n] the curve at its years. errors: [n] standard errors of the values [n]; years increase.

    anchored: the curve is 0 now. As many points as the line has parameters stay as they are.
    """
    line = years[:, None] if anchored else np.column_stack([np.ones_like(years), years])
    if len(years) <= line.shape[1]:
        return values
    variance = np.maximum(errors, _LEAST) ** 2
    motion = np.minimum(years[:, None], years)
    try:
        fits = [_fit(line, values, np.diag(variance) + scale**2 * motion) for scale in _SCALES]
    except np.linalg.LinAlgError:  # errors so unlike each other that one point decides the line
        return values
    gains = np.array([likelihood for likelihood, _, _ in fits])
    best = int(np.argmax(gains)) if gains.max() > gains[0] + _PLAIN else 0
    _, slope, pull = fits[best]
    return np.asarray(line @ slope + _SCALES[best] ** 2 * motion @ pull)


def _fit(
    line: FloatArray, values: FloatArray, covariance: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Restricted log-likelihood, the line's parameters, and the covariance's inverse times the residual."""
    inverse = np.linalg.inv(covariance)
    normal = line.T @ inverse @ line
    slope = np.asarray(np.linalg.solve(normal, line.T @ inverse @ values), dtype=float)
    residual = values - line @ slope
    pull = inverse @ residual
    likelihood = -0.5 * (residual @ pull + np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(normal)[1])
    return float(likelihood), slope, pull
