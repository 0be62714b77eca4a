"""eSSVI surfaces as a further answer, weighed by what each says of the quotes one by one.

The processes' priors are of all markets: a surface that is SSVI's own has little more to learn from its
quotes than three numbers, and goes on beyond them as these say. Fits are tried where quotes tell smiles
apart, and dropped where they leave more of the quotes than these leave of each other.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from .._typing import BoolArray, FloatArray
from ..surface import MAX_VOL, Surface
from .answers import points_of
from .essvi import Fit, Places, Prior, fitted
from .evidence import thin
from .points import Points
from .posterior import Posterior, log_density

# std of what rho and curvature do on their own, and noise over what is typical, before the quotes are seen:
# SSVI but for rounding; eSSVI, which fits few quotes whatever they are
_CANDIDATES = ((0.02, 0.1), (0.3, 0.3))
_MOST_QUOTES, _MOST_EXPIRIES = 160, 24
_AN_EXPIRY = 2  # quotes of the quoted ones
_SHARP, _FAVOUR = (
    1.0,
    -1.0,
)  # log odds for the gain in log density over the root of the quotes; all else equal
_PRECISION = 1.0  # a cell's odds go with the spreads to minus this power
_LEAST = 0.005  # of weight
_PASSES = 6  # of the strikes of a delta axis


def with_parametric(axes: Surface, cells: FloatArray, found: Posterior, tried: BoolArray) -> Posterior:
    """Posteriors [B, n] given quotes alone, those of the surfaces `tried` [B] mixed with the parametric ones.

    cells: log-vols [B, T, K], NaN where missing.
    """
    flat = cells.reshape(len(cells), -1)
    tried = tried & np.isfinite(flat).any(1)
    if not tried.any():
        return found
    each = (found.of(slice(i, i + 1)) for i in range(len(flat)))
    pairs = zip(flat, each, tried, strict=True)
    return Posterior.joined([_beside(axes, one, known) if wanted else known for one, known, wanted in pairs])


def _beside(axes: Surface, values: FloatArray, known: Posterior) -> Posterior:
    """The same of one surface; values: [n]."""
    points, quoted = points_of(axes, values), np.isfinite(values)
    if not _worth(points[quoted]):
        return known
    density, zscore = known.density[0, quoted], known.zscore[0, quoted]
    typical = float(np.sqrt(np.mean((zscore * np.exp(log_density(zscore, np.ones(1)) - density)) ** 2)))
    quotes, level = _places(axes, points, values)[quoted], float(np.median(values[quoted]))
    fits, priors = [], [(Prior.of(points.tenors, level, drift), small) for drift, small in _CANDIDATES]
    start = priors[0][0].near(_at_the_money(points, known.mean[0]), quotes, values[quoted])
    for prior, small in priors:
        fits.append(fitted(prior, start, quotes, values[quoted], typical, small))
    answers = [_answer(fit, axes, points, quoted, known.mean[0]) for fit in fits if fit is not None]
    return _mixed(known, points, quoted, answers) if answers else known


def _at_the_money(points: Points, mean: FloatArray) -> FloatArray:
    """[R] of the mean ln vols [n], where u is least in each expiry."""
    order = np.lexsort((np.abs(points.u), points.rows))
    return np.asarray(mean[order[np.searchsorted(points.rows[order], np.arange(len(points.tenors)))]])


def _worth(quotes: Points) -> bool:
    """Whether there are quotes enough, of smiles too, and not too many."""
    expiries = len(np.unique(quotes.rows))
    enough = _AN_EXPIRY * expiries <= len(quotes) <= _MOST_QUOTES
    return enough and len(quotes.tenors) <= _MOST_EXPIRIES and not thin(quotes)


def _places(axes: Surface, points: Points, values: FloatArray) -> Places:
    """Where cells of log-vols `values` [n] lie; NaN where a delta has no vol."""
    if axes.deltas is None:
        moneyness = axes.log_moneyness
        assert moneyness is not None
        return Places(points.rows, moneyness.ravel(), points.u)
    total = np.exp(values + 0.5 * points.t)
    return Places(
        points.rows, total * (0.5 * total - np.tile(ndtri(axes.deltas), len(axes.tenors))), points.u
    )


def _answer(
    fit: Fit, axes: Surface, points: Points, quoted: BoolArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mean and std of the missing cells; z-score and log density of each quote given the others."""
    values, variance = start.copy(), np.zeros(0)
    for _ in range(_PASSES if axes.deltas is not None else 1):
        mean, variance = fit.ask(_places(axes, points, values)[~quoted])
        values[~quoted] = np.minimum(mean, np.log(MAX_VOL))
    spread = np.sqrt(fit.variance)
    zscore = fit.residual / spread
    return values[~quoted], np.sqrt(variance), zscore, log_density(zscore, spread)


def _mixed(
    known: Posterior,
    points: Points,
    quoted: BoolArray,
    answers: list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]],
) -> Posterior:
    """Log odds of an answer in a cell: its gain in log density of the quotes, and how sure it is of the cell.

    Beyond the quotes of an expiry, only those count that are the outermost of theirs: who foretells these
    from the others knows how smiles go on.
    """
    arrays = [array[0].copy() for array in (known.mean, known.std, known.zscore, known.density)]
    own = (arrays[0][~quoted], arrays[1][~quoted], arrays[2][quoted], arrays[3][quoted])
    mean, std, zscore, density = (np.stack(parts) for parts in zip(own, *answers, strict=True))
    end, beyond = _outermost(points, quoted)
    log, of_ends = _log_odds(density), _log_odds(density[:, end])
    weight = _weights(np.where(beyond, of_ends, log) - _PRECISION * np.log(std))
    middle = (weight * mean).sum(0)
    arrays[0][~quoted] = middle
    arrays[1][~quoted] = np.sqrt((weight * (std**2 + (mean - middle) ** 2)).sum(0))
    of_quotes = _weights(log)[:, 0]
    arrays[2][quoted], arrays[3][quoted] = of_quotes @ zscore, of_quotes @ density
    mean, std, zscore, density = (array[None] for array in arrays)
    return Posterior(mean, std, zscore, known.unexplained, density)


def _log_odds(density: FloatArray) -> FloatArray:
    """[a, 1] of a answers, of their log densities [a, q] of quotes; the first is the one they are beside."""
    gain = (density - density[0]).sum(1, keepdims=True) / np.sqrt(density.shape[1])
    return np.asarray(_SHARP * gain + _FAVOUR * (np.arange(len(density)) > 0)[:, None])


def _outermost(points: Points, quoted: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Whether each quote is the lowest or highest of its expiry, and each missing cell is beyond these."""
    low, high = np.full(len(points.tenors), np.inf), np.full(len(points.tenors), -np.inf)
    rows, u = points.rows[quoted], points.u[quoted]
    np.minimum.at(low, rows, u)
    np.maximum.at(high, rows, u)
    end = (u == low[rows]) | (u == high[rows])
    rows, u = points.rows[~quoted], points.u[~quoted]
    return end, np.isfinite(low[rows]) & ((u < low[rows]) | (u > high[rows]))


def _weights(log: FloatArray) -> FloatArray:
    """[a, n] of a answers in n cells, of their log odds; small ones are none."""
    weight = np.exp(log - log.max(0))
    weight = np.where(weight < _LEAST * weight.sum(0), 0.0, weight)
    return np.asarray(weight / weight.sum(0))
