"""Rivals that are Gaussian processes of the log-vol, their hyper-parameters by marginal likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from ..classical.interpolators import plane
from .quoted import FloatArray

_Kernel = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
_FIT_MOST, _CONDITION_MOST = 200, 1000  # quotes that the hyper-parameters see, and the answer

_PLAIN = np.log([2.0, 2.0, 0.5, 0.01])  # lengths in ln T and x, deviation, noise
_ADDITIVE = np.append(np.log([0.3, 2.5, 0.15, 3.0, 0.08, 0.03, 1.5, 1.0, 0.002]), 0.0)
_ADDITIVE_SPREAD = np.array([0.7, 0.5, 0.7, 0.5, 0.7, 1.0, 0.4, 0.5, 1.5, 0.15])


def gaussian_process(
    tenors: FloatArray, moneyness: FloatArray, vols: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Median vols and deviations of the log-vol, [T, K]: one Matern-5/2 process in ln T and moneyness."""
    x, y = plane(tenors, moneyness, vols), np.log(vols).ravel()
    mean, std = _fit_and_predict(_matern, _PLAIN, np.full(4, np.sqrt(5.0)), x, y, float(np.nanmean(y)), 15)
    return np.exp(mean).reshape(vols.shape), std.reshape(vols.shape)


def additive_process(
    tenors: FloatArray, moneyness: FloatArray, vols: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The same of level(T) + skew(T) x + curvature(T) (sqrt(1 + x^2) - 1) + residual(T, x), each a process.

    x is moneyness over the deviation at the money, which a first pass gives; a fixed prior on the
    hyper-parameters holds them where quotes are few.
    """
    x, y = plane(tenors, moneyness, vols), np.log(vols).ravel()
    middle = float(np.nanmedian(y))
    money = np.c_[np.log(tenors), np.zeros(len(tenors))]
    atm, _ = _fit_and_predict(_additive, _ADDITIVE, _ADDITIVE_SPREAD, x, y, middle, 6, money)
    deviation = np.exp(atm) * np.sqrt(tenors)
    x = np.c_[x[:, 0], np.clip(moneyness / deviation[:, None], -8.0, 8.0).ravel()]
    mean, std = _fit_and_predict(_additive, _ADDITIVE, _ADDITIVE_SPREAD, x, y, middle, 20)
    return np.exp(mean).reshape(vols.shape), std.reshape(vols.shape)


def _fit_and_predict(
    kernel: _Kernel,
    start: FloatArray,
    spread: FloatArray,
    x: FloatArray,
    y: FloatArray,
    centre: float,
    steps: int,
    at: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of y at `at` (default x) given its finite values; hyper-parameters have a prior."""
    seen = np.flatnonzero(np.isfinite(y))
    noise = 3 if len(start) == 4 else 8
    part = seen[np.linspace(0, len(seen) - 1, min(len(seen), _FIT_MOST)).astype(int)]

    def loss(p: FloatArray) -> float:
        try:
            root = np.linalg.cholesky(_noisy(kernel, p, x[part], noise))
        except np.linalg.LinAlgError:
            return 1e9
        scaled = solve_triangular(root, y[part] - centre, lower=True)
        penalty = 0.5 * float((((p - start) / spread) ** 2).sum())
        return float(0.5 * scaled @ scaled + np.log(np.diag(root)).sum()) + penalty

    bounds = list(zip(start - 4.0 * spread, start + 4.0 * spread, strict=True))
    p = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps}).x
    where = x if at is None else at
    seen = seen[np.linspace(0, len(seen) - 1, min(len(seen), _CONDITION_MOST)).astype(int)]
    return _conditional(kernel, p, x[seen], y[seen] - centre, where, noise, centre)


def _noisy(kernel: _Kernel, p: FloatArray, x: FloatArray, noise: int) -> FloatArray:
    joint = kernel(p, x[:, None], x[None])
    joint[np.diag_indices(len(joint))] += np.exp(2.0 * p[noise]) + 1e-10
    return joint


def _conditional(
    kernel: _Kernel, p: FloatArray, x: FloatArray, y: FloatArray, at: FloatArray, noise: int, centre: float
) -> tuple[FloatArray, FloatArray]:
    root = np.linalg.cholesky(_noisy(kernel, p, x, noise))
    cross = solve_triangular(root, kernel(p, x[:, None], at[None]), lower=True)
    own = kernel(p, at, at)
    variance = own - (cross * cross).sum(axis=0) + np.exp(2.0 * p[noise])
    return centre + cross.T @ solve_triangular(root, y, lower=True), np.sqrt(np.maximum(variance, 1e-12))


def _matern(p: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    scaled = (a - b) / np.exp(p[:2])
    return np.asarray(np.exp(2.0 * p[2]) * _matern_52(np.sqrt((scaled**2).sum(axis=-1))))


def _additive(p: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    level, level_length, skew, length, curvature, residual, width, duration, _ = np.exp(p[:9])
    time = np.abs(a[..., 0] - b[..., 0])
    root = np.sqrt(3.0) * time / level_length
    slow = _matern_52(time / length)
    tilt = [q[..., 1] * np.exp(p[9] * q[..., 0]) for q in (a, b)]
    bend = [np.sqrt(1.0 + q[..., 1] ** 2) - 1.0 for q in (a, b)]
    joint = 1.0 + level**2 * (1.0 + root) * np.exp(-root)
    joint += slow * (skew**2 * tilt[0] * tilt[1] + curvature**2 * bend[0] * bend[1])
    across = (a[..., 1] - b[..., 1]) / width
    return np.asarray(joint + residual**2 * _matern_52(np.sqrt(across**2 + (time / duration) ** 2)))


def _matern_52(r: FloatArray) -> FloatArray:
    r = np.sqrt(5.0) * r
    return np.asarray((1.0 + r + r * r / 3.0) * np.exp(-r))
