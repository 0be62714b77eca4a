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
    lengths = (np.where(same, np.exp(-np.maximum(gaps, _LEAST_GAP) / length), 0.0) for length in _LENGTHS)
    chains = [_precision(correlation) for correlation in lengths]
    answers = [_solve(*chain, seen, values, row, noise) for chain in chains for noise in _NOISES]
    evidence = np.stack([answer[0] for answer in answers])
    evidence += evidence.mean(1, keepdims=True)
    best = (evidence > evidence.max(0) - _TIED).argmax(0)[row]
    mean, diagonal = (np.stack([answer[i] for answer in answers])[best, np.arange(len(row))] for i in (1, 2))
    off = np.stack([chain[1] for chain in chains])[best[:-1] // len(_NOISES), np.arange(len(gaps))]
    found, left = np.empty_like(mean), np.empty_like(mean)
    found[order], left[order] = mean, np.minimum(_inverse_diagonal(diagonal, off), 1.0)
    return found, left


def _precision(correlation: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of the process over a row's scale, its correlation [N - 1] from point to point: diagonal [N],
    off-diagonal [N - 1] and the log [N] of what each point leaves of the variance of the next.
    """
    share, diagonal = 1.0 - correlation**2, np.ones(len(correlation) + 1)
    told = correlation**2 / share
    diagonal[1:] += told
    diagonal[:-1] += told
    return diagonal, -correlation / share, np.append(np.log(share), 0.0)


def _solve(
    before: FloatArray,
    off: FloatArray,
    log_share: FloatArray,
    seen: BoolArray,
    values: FloatArray,
    row: IntArray,
    noise: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log evidence [R], mean [N], and the diagonal [N] of the posterior precision over a row's scale.

    before, off, log_share: `_precision`; values: [N], 0 where nothing is seen.
    """
    from scipy.linalg.lapack import dpttrf, dpttrs  # not at import, which is to be light

    count, diagonal = np.bincount(row, seen), before + seen / noise
    scale = np.bincount(row, values**2) / np.maximum(count, 1.0) + _LEAST_SCALE
    total = scale / (1.0 + noise)  # of the process; the noise has the rest
    pivots, lower, _ = dpttrf(diagonal, off)
    mean = dpttrs(pivots, lower, values / noise)[0]
    misfit = np.bincount(row, values * (values - mean)) / (noise * total)
    evidence = misfit + count * np.log(noise * total) + np.bincount(row, np.log(pivots) + log_share)
    return -0.5 * evidence, mean, diagonal


def _inverse_diagonal(diagonal: FloatArray, off: FloatArray) -> FloatArray:
    """Diagonal of the inverse of a symmetric tridiagonal matrix, from its pivots from either end."""
    from scipy.linalg.lapack import dpttrf  # not at import, which is to be light

    down, up = dpttrf(diagonal, off)[0], dpttrf(diagonal[::-1], off[::-1])[0][::-1]
    return np.asarray(1.0 / (down + up - diagonal))
