"""What lies between many quotes of one expiry: an Ornstein-Uhlenbeck process in moneyness, in linear time.

Residuals about a smooth surface, row by row: r(u) of variance s² and length l, seen with noise. Its
precision over sorted points is tridiagonal, and all rows together are one banded system (Rue and Held 2005,
section 2.6).
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from .process import Points

_LENGTHS = (0.1, 0.4, 1.5)  # in u
_NOISES = (0.02, 0.2, 1.0, 5.0)  # variance of the noise over that of the residuals
_LEAST_GAP = 1e-7


def between_quotes(at: Points, quoted: BoolArray, residual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean [N] of the residual process, and the share [N] of its variance that the quotes leave open.

    at: the points; residual: [N], read where `quoted`. Length and noise have the most evidence.
    """
    order = np.lexsort((at.u, at.rows))
    seen, values = quoted[order], np.where(quoted, residual, 0.0)[order]
    scale = float(np.mean(residual[quoted] ** 2)) + 1e-12
    gaps = np.diff(at.u[order])
    same = np.diff(at.rows[order]) == 0
    answers = [
        _solve(
            np.where(same, np.exp(-np.maximum(gaps, _LEAST_GAP) / length), 0.0), seen, values, scale, noise
        )
        for length in _LENGTHS
        for noise in _NOISES
    ]
    _, mean, diagonal, off = max(answers, key=lambda answer: answer[0])
    found, left = np.empty_like(mean), np.empty_like(mean)
    found[order], left[order] = mean, np.minimum(_inverse_diagonal(diagonal, off), 1.0)
    return found, left


def _solve(
    correlation: FloatArray, seen: BoolArray, values: FloatArray, scale: float, noise: float
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Log evidence, mean, and the posterior precision over `scale`: diagonal [N] and off-diagonal [N - 1]."""
    from scipy.linalg import cho_solve_banded, cholesky_banded  # not at import, which is to be light

    total = scale / (1.0 + noise)  # of the process; the noise has the rest
    share = 1.0 - correlation**2
    diagonal = np.ones(len(values))
    diagonal[1:] += correlation**2 / share
    diagonal[:-1] += correlation**2 / share
    prior_log_det = -np.log(share).sum()
    off = -correlation / share
    diagonal = diagonal + seen / max(noise, 1e-6)
    bands = np.stack([diagonal, np.append(off, 0.0)])
    root = cholesky_banded(bands, lower=True)
    mean = cho_solve_banded((root, True), values / max(noise, 1e-6))
    count = int(seen.sum())
    misfit = (values[seen] @ (values - mean)[seen]) / (noise * total)
    log_det = count * np.log(noise * total) + 2.0 * np.log(root[0]).sum() - prior_log_det
    return -0.5 * (misfit + log_det), mean, diagonal, off


def _inverse_diagonal(diagonal: FloatArray, off: FloatArray) -> FloatArray:
    """Diagonal of the inverse of a symmetric tridiagonal matrix, by its two continued fractions."""
    n = len(diagonal)
    d, e = diagonal.tolist(), (off**2).tolist()
    down, up = d[:], d[:]
    for i in range(1, n):
        down[i] -= e[i - 1] / down[i - 1]
    for i in range(n - 2, -1, -1):
        up[i] -= e[i] / up[i + 1]
    return np.asarray(1.0 / (np.array(down) + np.array(up) - diagonal))
