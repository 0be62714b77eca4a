"""Joint draws: whole surfaces that the quotes allow, each as likely as the posterior says.

Every cell has the bands of the answer. Cells move together as the models that answer say, each with its
share: a history's posterior, and of the universal model the candidates in their weights, given the quotes, or
given an earlier surface and the quotes. Quotes tell the size of a surface's errors in part only: these are
large or small together, so each draw has a scale (`common_scales`).
"""

from __future__ import annotations

import numpy as np
import scipy

from .. import bundles
from .._typing import FloatArray, IntArray
from ..errors import InputError
from ..surface import Surface
from .answers import clipped_deltas, observation_of, points_of
from .conditioning import lower_root
from .history.joint import covariance_given
from .history.posterior import CALIBRATED
from .model import Bundle, Imputer, UniversalBundle
from .no_arbitrage.guard import guard
from .processes.draws import standard

MOST_DRAWS, MOST_CELLS = 10_000, 40_000_000  # of all draws together
_TOGETHER = 6.0  # degrees of freedom of a surface's scale: likeliest on half a pool of real surfaces
_ROUGH = 1e-6  # of correlations that a history has, which keeps them definite


def standard_draws(
    surface: Surface,
    loaded: Imputer,
    filled: FloatArray,
    history: FloatArray,
    prior: FloatArray | None,
    age: float,
    count: int,
    seed: int,
) -> FloatArray:
    """[count, missing cells] draws of what is to be scaled by a cell's spread; the same seed gives the same.

    loaded, filled, history: the model that answered, its [T, K] vols and a history's weight in them, 0 where
    `loaded` has none. prior: [T, K] full vols, `age` days old.
    Raises InputError (how many draws, of how many cells, a seed).
    """
    missing = np.flatnonzero(~surface.observed.ravel())
    _check(count, surface.vols.size, seed)
    rng = np.random.default_rng(seed)
    if not len(missing):
        return np.zeros((count, 0))
    drawn = _of_universal(surface, missing, prior, count, rng)
    share = history.ravel()[missing]
    if isinstance(loaded, Bundle) and share.any():
        own = _of_history(surface, loaded, filled, missing, prior, age)
        drawn *= np.sqrt(1.0 - share)
        drawn += np.sqrt(share) * (rng.standard_normal(drawn.shape) @ own.T)
    return drawn * common_scales(rng, count)[:, None]


def common_scales(rng: np.random.Generator, count: int) -> FloatArray:
    """[count] scales of whole surfaces, Student's t of one of Gaussian deviations, with their 90% band."""
    end = 0.5 + CALIBRATED / 2
    size = float(scipy.special.ndtri(end) / scipy.special.stdtrit(_TOGETHER, end))
    return np.asarray(size * np.sqrt(_TOGETHER / rng.chisquare(_TOGETHER, count)))


def _of_history(
    surface: Surface,
    loaded: Bundle,
    filled: FloatArray,
    missing: IntArray,
    prior: FloatArray | None,
    age: float,
) -> FloatArray:
    """[missing, missing] root of their correlations by a history's model."""
    if surface.deltas is None:
        assert surface.log_moneyness is not None
        years = np.repeat(surface.tenors, surface.shape[1])
        deltas = clipped_deltas(surface.log_moneyness.ravel(), filled.ravel(), years)
    else:
        deltas = np.tile(surface.deltas, len(surface.tenors))
    observation = observation_of(loaded, surface, deltas)
    observed = surface.observed.reshape(1, -1)
    earlier = None if prior is None else np.log(prior).reshape(1, -1)
    cells = np.log(np.where(observed, surface.vols.reshape(1, -1), 1.0))
    covariance = covariance_given(loaded, observation, cells, observed, earlier, age)
    covariance = covariance[np.ix_(missing, missing)]
    spread = np.sqrt(np.diagonal(covariance))
    return lower_root(covariance / np.outer(spread, spread) + _ROUGH * np.eye(len(missing)))


def _of_universal(
    surface: Surface, missing: IntArray, prior: FloatArray | None, count: int, rng: np.random.Generator
) -> FloatArray:
    """[count, missing] of mean 0 and variance 1."""
    values = np.log(surface.vols).ravel()
    loaded = bundles.load("universal", UniversalBundle)
    if prior is None:
        points = points_of(surface, values)
        return standard(loaded.levels_of(surface.vol_type), points, values, missing, None, count, rng)
    earlier = np.log(prior).ravel()
    points = points_of(surface, np.where(np.isfinite(values), values, earlier))
    return standard(loaded.changes, points, values - earlier, missing, 0.0, count, rng)


def guard_draws(
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


def _check(count: int, cells: int, seed: int) -> None:
    if not (_is_whole(seed) and seed >= 0):
        raise InputError(f"seed is {seed!r}; expected a whole number of at least 0")
    if not (_is_whole(count) and 1 <= count <= MOST_DRAWS):
        raise InputError(f"n is {count!r}; expected a whole number of draws, 1 to {MOST_DRAWS:,}")
    if count * cells > MOST_CELLS:
        raise InputError(
            f"n is {count:,} draws of {cells:,} cells; expected at most {MOST_CELLS // cells:,} of so many"
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
