"""eSSVI surfaces as a further answer, weighed by what each says of the quotes one by one.

The processes' priors are of all markets: a surface that is SSVI's own has little more to learn from its
quotes than three numbers, and goes on beyond them as these say. Fits are tried where quotes tell smiles
apart, and dropped where they leave more of the quotes than these leave of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from scipy.special import ndtri

from .._typing import BoolArray, FloatArray, IntArray
from ..surface import MAX_VOL, Surface
from .answers import points_of
from .essvi import Fits, Places, Prior, Quotes, fitted
from .evidence import ENOUGH
from .points import Points
from .posterior import Posterior, log_density

# std of what rho and curvature do on their own, and noise over what is typical, before the quotes are seen:
# SSVI but for rounding; eSSVI, which fits few quotes whatever they are
_CANDIDATES = ((0.02, 0.1), (0.3, 0.3))
_MOST_QUOTES, _MOST_EXPIRIES = 320, 24
_AN_EXPIRY = 2  # quotes of the quoted ones
_SHARP = 1.0  # log odds for the gain in log density over the root of the quotes
_FAVOUR = -1.0  # log odds, all else equal
_PRECISION = 1.0  # a cell's odds go with the spreads to minus this power
_LEAST = 0.005  # of weight
_PASSES = 6  # of the strikes of a delta axis
_IN_CACHE = 2**16  # numbers of a batch's derivatives


def with_parametric(axes: Surface, cells: FloatArray, found: Posterior, tried: BoolArray) -> Posterior:
    """Posteriors [B, n] given quotes alone, those of the surfaces `tried` [B] mixed with the parametric ones.

    cells: log-vols [B, T, K], NaN where missing.
    """
    flat = cells.reshape(len(cells), -1)
    arrays = {part.name: getattr(found, part.name).copy() for part in fields(Posterior)}
    for points, members in _groups(axes, flat, tried & np.isfinite(flat).any(1)):
        mixed = _beside(axes, points, flat[members], found.of(members))
        for name, array in arrays.items():
            array[members] = getattr(mixed, name)
    return Posterior(**arrays)


def _groups(axes: Surface, flat: FloatArray, tried: BoolArray) -> Iterator[tuple[Points, IntArray]]:
    """Surfaces worth a fit, so many that what is large stays in the cache; at strikes each has its points."""
    members, size = np.flatnonzero(tried), 1
    if axes.deltas is not None:
        size = max(_IN_CACHE // (flat.shape[1] * (4 + 3 * len(axes.tenors))), 1)
    for block in (members[first : first + size] for first in range(0, len(members), size)):
        points = points_of(axes, flat[block[0]])
        worth = block[_worth(points, np.isfinite(flat[block]))]
        if len(worth):
            yield points, worth


def _worth(points: Points, quoted: BoolArray) -> BoolArray:
    """[B] of masks [B, N]: whether there are quotes enough, of smiles too, and not too many."""
    count, expiries = quoted.sum(1), (quoted @ points.members > 0).sum(1)
    enough = (_AN_EXPIRY * expiries <= count) & (count <= _MOST_QUOTES)
    few = len(points.tenors) <= _MOST_EXPIRIES
    return np.asarray(enough & few & (points.width_told(quoted) >= ENOUGH))


def _beside(axes: Surface, points: Points, values: FloatArray, known: Posterior) -> Posterior:
    """The same of surfaces [B, N] worth a fit."""
    quoted = np.isfinite(values)
    start = np.minimum(known.mean, np.log(MAX_VOL))
    whole, used = _each(np.where(quoted, values, start)), np.flatnonzero(quoted.any(0))
    at = _places(axes, points, whole)
    quotes = Quotes(
        Places(at.rows[used], at.k[:, used], at.u[used]), whole[:, used], _each(1.0 * quoted[:, used])
    )
    drift, small = np.repeat(np.array(_CANDIDATES), len(values), axis=0).T
    prior = Prior.of(points.tenors, _each(np.nanmedian(values, axis=1)), drift)
    near = prior.near(_each(start[:, points.at_the_money]), quotes)
    fits = fitted(prior, near, quotes, _each(_typical(known)), small)
    zscore, density = np.zeros((2, *whole.shape))
    spread = np.sqrt(fits.variance)
    zscore[:, used] = fits.residual / spread
    density[:, used] = log_density(zscore[:, used], spread)
    mean, std = _filled(fits, axes, points, whole, _each(quoted) > 0)
    return _mixed(known, points, quoted, (mean, std, zscore, density), fits.good)


def _each(array: FloatArray | BoolArray) -> FloatArray:
    """[C * B, ...], of all surfaces [B, ...] under one candidate after another."""
    return np.concatenate([array] * len(_CANDIDATES))


def _typical(known: Posterior) -> FloatArray:
    """[B] root mean square of what the others leave of each quote."""
    left = known.zscore * np.exp(log_density(known.zscore, np.ones(1)) - known.density)
    return np.asarray(np.sqrt(np.nanmean(left**2, axis=1)))


def _places(axes: Surface, points: Points, values: FloatArray) -> Places:
    """Where cells of log-vols `values` [F, N] lie."""
    if axes.deltas is None:
        moneyness = axes.log_moneyness
        assert moneyness is not None
        return Places(points.rows, np.broadcast_to(moneyness.ravel(), values.shape), points.u)
    total = np.exp(values + 0.5 * points.t)
    return Places(
        points.rows, total * (0.5 * total - np.tile(ndtri(axes.deltas), len(axes.tenors))), points.u
    )


def _filled(
    fits: Fits, axes: Surface, points: Points, values: FloatArray, quoted: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and std [F, N]; on deltas, at the strikes of the answer itself."""
    most = np.log(MAX_VOL)
    for _ in range(_PASSES - 1 if axes.deltas is not None else 0):
        values = np.where(quoted, values, np.minimum(fits.mean(_places(axes, points, values)), most))
    mean, variance = fits.ask(_places(axes, points, values))
    return np.where(quoted, values, np.minimum(mean, most)), np.sqrt(variance)


def _mixed(
    known: Posterior,
    points: Points,
    quoted: BoolArray,
    answers: tuple[FloatArray, ...],
    good: BoolArray,
) -> Posterior:
    """Log odds of an answer in a cell: its gain in log density of the quotes, and how sure it is of the cell.

    Beyond the quotes of an expiry, only those count that are the outermost of theirs: who foretells these
    from the others knows how smiles go on. answers: mean, std, z-score and density [F, N], those `good` [F].
    """
    own = known.mean, known.std, np.where(quoted, known.zscore, 0.0), np.where(quoted, known.density, 0.0)
    mean, std, zscore, density = (
        np.concatenate([one[None], several.reshape(-1, *one.shape)])
        for one, several in zip(own, answers, strict=True)
    )
    out = np.concatenate([np.zeros((1, len(quoted)), dtype=np.bool_), ~good.reshape(-1, len(quoted))])
    end, beyond = _outermost(points, quoted)
    log, of_ends = (np.where(out, -np.inf, _log_odds(density, which)) for which in (quoted, end))
    sure = _PRECISION * np.log(np.where(quoted, 1.0, std))
    weight = _weights(np.where(beyond, of_ends[..., None], log[..., None]) - sure)
    middle = (weight * mean).sum(0)
    spread = np.sqrt((weight * (std**2 + (mean - middle) ** 2)).sum(0))
    of_quotes = _weights(log)[..., None]
    return Posterior(
        mean=np.where(quoted, known.mean, middle),
        std=np.where(quoted, known.std, spread),
        zscore=np.where(quoted, (of_quotes * zscore).sum(0), known.zscore),
        unexplained=known.unexplained,
        density=np.where(quoted, (of_quotes * density).sum(0), known.density),
    )


def _log_odds(density: FloatArray, which: BoolArray) -> FloatArray:
    """[a, B] of a answers, of their log densities [a, B, N] of some quotes; the first is the one they are
    beside.
    """
    gain = ((density - density[0]) * which).sum(-1) / np.sqrt(np.maximum(which.sum(-1), 1))
    return np.asarray(_SHARP * gain + _FAVOUR * (np.arange(len(density)) > 0)[:, None])


def _outermost(points: Points, quoted: BoolArray) -> tuple[BoolArray, BoolArray]:
    """[B, N] whether a quote is the lowest or highest of its expiry, and a missing cell beyond these."""
    expiry = points.members.T > 0
    low = np.where(quoted[:, None] & expiry, points.u, np.inf).min(-1)[:, points.rows]
    high = np.where(quoted[:, None] & expiry, points.u, -np.inf).max(-1)[:, points.rows]
    end = quoted & ((points.u == low) | (points.u == high))
    return end, ~quoted & np.isfinite(low) & ((points.u < low) | (points.u > high))


def _weights(log: FloatArray) -> FloatArray:
    """[a, ...] of a answers, of their log odds; small ones are none."""
    weight = np.exp(log - log.max(0))
    weight = np.where(weight < _LEAST * weight.sum(0), 0.0, weight)
    return np.asarray(weight / weight.sum(0))
