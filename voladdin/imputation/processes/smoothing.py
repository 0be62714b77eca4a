"""What lies between many quotes of one expiry: an Ornstein-Uhlenbeck process in moneyness, in linear time.

Residuals about a smooth surface, row by row: r(u) of a row's variance and length, seen with noise. Its
precision over sorted points is tridiagonal, and all rows together are one banded system (Rue and Held 2005,
section 2.6).
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from .points import Points

_LENGTHS = (0.1, 0.4, 1.5)  # in u
_NOISES = (0.02, 0.2, 1.0, 5.0)  # variance of the noise over that of the residuals
_TIED = 1e-6  # of log evidence: one quote of each row tells no length and no noise
_LEAST_GAP = 1e-7
_LEAST_SCALE = 1e-12


def between_quotes(at: Points, quoted: BoolArray, residual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean [N] of the residual process, and the share [N] of its variance that the quotes leave open.

    at: the points; residual: [N], read where `quoted`. Each row has the length and noise of most evidence,
    its own and, as if it were one more row, the mean of all; of some alike, that which reaches least.
    """
    order = np.lexsort((at.u, at.rows))
    row = np.unique(at.rows[order], return_inverse=True)[1]
    seen, values = quoted[order], np.where(quoted, residual, 0.0)[order]
    gaps, same = np.diff(at.u[order]), np.diff(row) == 0
    answers = [
        _solve(np.where(same, np.exp(-np.maximum(gaps, _LEAST_GAP) / length), 0.0), seen, values, row, noise)
        for length in _LENGTHS
        for noise in _NOISES
    ]
    evidence = np.stack([answer[0] for answer in answers])
    evidence += evidence.mean(1, keepdims=True)
    best = (evidence > evidence.max(0) - _TIED).argmax(0)[row]
    mean, diagonal, off = (
        np.stack([answer[i] for answer in answers])[best, np.arange(len(row))] for i in (1, 2, 3)
    )
    found, left = np.empty_like(mean), np.empty_like(mean)
    found[order], left[order] = mean, np.minimum(_inverse_diagonal(diagonal, off[:-1]), 1.0)
    return found, left


def _solve(
    correlation: FloatArray, seen: BoolArray, values: FloatArray, row: IntArray, noise: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log evidence [R], mean, and the posterior precision over a row's scale: diagonal, off-diagonal [N]."""
    from scipy.linalg import cho_solve_banded, cholesky_banded  # not at import, which is to be light

    count = np.bincount(row, seen)
    scale = np.bincount(row, values**2 * seen) / np.maximum(count, 1.0) + _LEAST_SCALE
    total = scale / (1.0 + noise)  # of the process; the noise has the rest
    share = 1.0 - correlation**2
    diagonal = np.ones(len(values))
    diagonal[1:] += correlation**2 / share
    diagonal[:-1] += correlation**2 / share
    off = np.append(-correlation / share, 0.0)
    diagonal = diagonal + seen / noise
    root = cholesky_banded(np.stack([diagonal, off]), lower=True)
    mean = cho_solve_banded((root, True), np.where(seen, values, 0.0) / noise)
    misfit = np.bincount(row, values * (values - mean) * seen) / (noise * total)
    log_det = 2.0 * np.log(root[0]) + np.append(np.log(share), 0.0)
    evidence = misfit + count * np.log(noise * total) + np.bincount(row, log_det)
    return -0.5 * evidence, mean, diagonal, off


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
