"""Joint draws: whole surfaces that the quotes allow, each as likely as the posterior says.

Every cell has the spread of the answer; how cells move together is the universal model's: of the candidates
in their weights, given the quotes, or given an earlier surface and the quotes.
"""

from __future__ import annotations

import numpy as np

from .. import bundles
from .._typing import FloatArray
from ..errors import InputError
from ..surface import Surface
from .answers import points_of
from .model import UniversalBundle
from .no_arbitrage.guard import guard
from .processes.any_market import Universal
from .processes.evidence import mixture
from .processes.points import Points

MOST_MISSING, MOST_DRAWS = 2_000, 10_000
_JITTER = 1e-9


def standard_draws(surface: Surface, prior: FloatArray | None, count: int, seed: int) -> FloatArray:
    """[count, missing cells] correlated draws of mean 0 and variance 1; the same seed gives the same.

    prior: [T, K] full earlier vols. Raises InputError (how many draws or cells).
    """
    missing = np.flatnonzero(~surface.observed.ravel())
    _check(count, len(missing))
    values = np.log(surface.vols).ravel()
    loaded = bundles.load("universal", UniversalBundle)
    universal, centre = loaded.levels_of(surface.vol_type), None
    if prior is not None:
        earlier = np.log(prior).ravel()
        points = points_of(surface, np.where(np.isfinite(values), values, earlier))
        universal, centre, values = loaded.changes, 0.0, values - earlier
    else:
        points = points_of(surface, values)
    rng = np.random.default_rng(seed)
    if not len(missing):
        return np.zeros((count, 0))
    return _drawn(universal, points, values, missing, centre, count, rng)


def guarded(
    surface: Surface, drawn: FloatArray, doubt: FloatArray, bid: FloatArray | float, ask: FloatArray | float
) -> FloatArray:
    """Draws [n, T, K] with the missing cells moved where they add arbitrage; doubt: [T, K], as of `guard`.

    bid, ask: [T, K], beyond which a cell goes only where quotes and arbitrage leave no other place.
    """
    doubt, quoted = np.broadcast_to(doubt, drawn.shape), np.broadcast_to(surface.observed, drawn.shape)
    vols = guard(surface, drawn, quoted, doubt).vols
    inside = np.where(quoted, vols, np.fmin(np.fmax(vols, bid), ask))
    some = np.flatnonzero((inside != vols).any((1, 2)))
    if len(some):
        held = quoted[some] | (inside != vols)[some]
        found = guard(surface, inside[some], held, doubt[some])
        good = ~found.disputed.any((1, 2)) & ~found.failed
        vols[some[good]] = found.vols[good]
    return vols


def _drawn(
    universal: Universal,
    points: Points,
    values: FloatArray,
    missing: np.ndarray,
    centre: float | None,
    count: int,
    rng: np.random.Generator,
) -> FloatArray:
    at = points[missing]
    candidates, weight = universal.candidates, universal.candidates.weight
    mean, covariance = candidates.mean(at), candidates.covariance(at, at)
    spread = np.ones(len(candidates))
    if np.isfinite(values).any():
        found = universal.at(points, values, centre)
        given = found.given
        assert given is not None
        candidates, weight, spread = given.candidates, given.weight, given.spread
        cross = candidates.covariance(at, points[found.used])
        gain = cross @ given.whiten.transpose(0, 2, 1)
        mean = candidates.mean(at) + (cross @ given.pull[..., None])[..., 0]
        covariance = candidates.covariance(at, at) - gain @ gain.transpose(0, 2, 1)
    covariance = covariance * spread[:, None, None]
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    total_mean, total = mixture(weight, mean, diagonal)
    chosen = rng.choice(len(weight), count, p=weight)
    normal = rng.standard_normal((count, len(missing)))
    drawn = np.empty((count, len(missing)))
    for g in np.unique(chosen):
        rows = chosen == g
        root = np.linalg.cholesky(covariance[g] + np.diag(_JITTER + 1e-6 * np.abs(diagonal[g])))
        drawn[rows] = mean[g] + normal[rows] @ root.T
    return np.asarray((drawn - total_mean) / np.sqrt(total + _JITTER))


def _check(count: int, missing: int) -> None:
    if not (isinstance(count, int | np.integer) and 1 <= count <= MOST_DRAWS):
        raise InputError(f"n is {count!r}; expected a whole number of draws, 1 to {MOST_DRAWS:,}")
    if missing > MOST_MISSING:
        raise InputError(f"{missing:,} cells are missing; draws take at most {MOST_MISSING:,}")
