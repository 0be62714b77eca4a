"""How well the quotes of an expiry are foretold by those of the others, in closed form.

A block of quotes given the rest is Gaussian, and its covariance the inverse of its block of the precision
(Rasmussen and Williams 2006, section 5.4.2, of blocks in place of single quotes).
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray, IntArray
from .evidence import WeighedCandidates, mixture
from .points import Points

_LEAST, _MOST = 0.1, 8.0  # deviations
_FEWEST, _ASKED = 3, 8  # expiries: that tell anything, that are left out at most
_ENOUGH = 4.0  # expiries whose errors count half


def errors_of_expiries(given: WeighedCandidates, points: Points, used: IntArray) -> FloatArray:
    """[...] log error of quotes in the spreads that other expiries leave them; used: [..., n] of points.

    The median over expiries of its root mean square, shrunk where they are few; 0 where no expiry is without
    quotes.
    """
    if used.ndim == 1:
        return np.asarray(_error(given, points.rows[used], len(points.tenors)))
    empty = [len(np.unique(points.rows[one])) < len(points.tenors) for one in used]
    found = np.zeros(len(used))
    for surface in np.flatnonzero(empty):
        found[surface] = errors_of_expiries(given.of(int(surface)), points, used[surface])
    return found


def _error(given: WeighedCandidates, rows: IntArray, expiries: int) -> float:
    quoted = np.unique(rows)
    if not _FEWEST <= len(quoted) < expiries:
        return 0.0
    asked = quoted[np.unique(np.linspace(0, len(quoted) - 1, _ASKED).round().astype(int))]
    errors = [_error_of_block(given, np.flatnonzero(rows == row)) for row in asked]
    shrunk = len(quoted) / (len(quoted) + _ENOUGH)
    return float(np.log(np.clip(np.median(errors), _LEAST, _MOST)) * shrunk)


def _error_of_block(given: WeighedCandidates, block: IntArray) -> float:
    whiten = given.whiten[..., block]
    covariance = np.linalg.inv(whiten.swapaxes(-1, -2) @ whiten)
    residual = (covariance @ given.pull[:, block, None])[..., 0]
    variance = np.diagonal(covariance, axis1=-2, axis2=-1) * given.spread[:, None]
    mean, left = mixture(given.weight, residual, variance)
    return float(np.sqrt((mean**2 / left).mean()))
