"""Surfaces of SVI smiles as further answers, weighed by what each says of the quotes one by one.

The processes' priors are of all markets: a surface that is SSVI's own has little more to learn from its
quotes than three numbers, and goes on beyond them as these say; one that is nearly so leaves a process of
its own (`around_fits.py`). Fits are tried where quotes tell smiles apart, and not heard where they bend as no
market's do: few quotes suit a V whose tip is anywhere as well as a smile. Expiries may each be raw SVI's own
where they have as many quotes as SVI has numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import scipy

from ..._typing import BoolArray, FloatArray, IntArray
from ...surface import MAX_VOL, Surface
from ..answers import points_of
from ..history.posterior import Posterior
from ..processes.evidence import ENOUGH
from ..processes.moments import median_of
from ..processes.points import Points
from .around_fits import Around, Cells, mixed_with_process
from .essvi import Prior
from .families import ESSVI, SSVI, SVI, Family
from .fitted_quotes import Places, Quotes
from .gauss_newton import Fits, fitted
from .probable import probable, spread_of_quotes

_OWN_QUOTES = 5  # an expiry, where expiries have SVI smiles of their own: the numbers of one
_MOST_QUOTES, _MOST_EXPIRIES = 320, 24
_AN_EXPIRY, _FEWEST = 2, 6  # quotes of the quoted ones, and in all where they have fewer
_TOLD = 1.0  # sum of squares of u about its mean within expiries; where these have fewer, as elsewhere
_AGAINST_EARLIER = 4.0  # log odds more against a fit, where the others know a surface of days before
_PRECISION = 1.0  # a cell's odds go with the spreads to minus this power
_LEAST = 0.005  # of weight
_HOPELESS, _NEVER = 5.0, -1e6  # noise over what is typical of a fit that is not heard, and its log density
_PASSES = 3  # of the strikes of a delta axis
_IN_CACHE = 2**17  # numbers of a batch's derivatives


def with_parametric(
    axes: Surface, cells: FloatArray, found: Posterior, tried: BoolArray, *, earlier: bool = False
) -> tuple[Posterior, FloatArray]:
    """Posteriors [B, n], those of the surfaces `tried` [B] mixed with the parametric ones, and the weight
    [B, n] of these in cells that are missing.

    cells: log-vols [B, T, K], NaN where missing. earlier: whether `found` knows surfaces of days before,
    which say more than a fit: of expiries without quotes it then says nothing, and little of others.
    """
    flat, known = probable(cells.reshape(len(cells), -1), found)
    weight = np.zeros_like(flat)
    arrays = {part.name: getattr(found, part.name).copy() for part in fields(Posterior)}
    for points, members, families in _groups(axes, flat, tried & np.isfinite(flat).any(1)):
        mixed, weight[members] = _beside(
            axes, points, flat[members], known.of(members), families, earlier=earlier
        )
        for name, array in arrays.items():
            array[members] = getattr(mixed, name)
    odd = np.isnan(flat) & np.isfinite(found.density)
    for name in ("mean", "std", "zscore", "density"):
        arrays[name][odd] = getattr(found, name)[odd]
    weight[odd] = 0.0
    return Posterior(**arrays), weight


_Group = tuple[Points, IntArray, tuple[Family, ...]]


def _groups(axes: Surface, flat: FloatArray, tried: BoolArray) -> Iterator[_Group]:
    """Surfaces worth a fit, with neither too many quotes nor expiries, so many that what is large stays in
    the cache, and what is fitted to them; at strikes each has its points.
    """
    count = np.isfinite(flat).sum(1)
    few = (count <= _MOST_QUOTES) & (len(axes.tenors) <= _MOST_EXPIRIES)
    members, size = np.flatnonzero(tried & few), 1
    if axes.deltas is not None:  # those with as many quotes together
        members = members[np.argsort(count[members], kind="stable")]
        size = max(_IN_CACHE // (flat.shape[1] * (4 + 3 * len(axes.tenors))), 1)
    for block in (members[first : first + size] for first in range(0, len(members), size)):
        points = points_of(axes, flat[block[0]])
        for some, families in _tried(points, np.isfinite(flat[block])):
            if some.any():
                yield points, block[some], families


def _tried(points: Points, quoted: BoolArray) -> Iterator[tuple[BoolArray, tuple[Family, ...]]]:
    """[B] of masks [B, N] which surfaces these families are fitted to: as many numbers as quotes tell.

    The second fits few quotes whatever they are, and begins where the first ends.
    """
    told = points.width_told(quoted)
    single, several, own = (_has(points, quoted, count) for count in (1, _AN_EXPIRY, _OWN_QUOTES))
    yield single & ~several & (told >= ENOUGH) & (quoted.sum(1) >= _FEWEST), (SSVI,)
    yield several & ~own & (told >= _TOLD), (SSVI, ESSVI)
    yield own & (told >= _TOLD), (SSVI, ESSVI, SVI)


def _has(points: Points, quoted: BoolArray, count: int) -> BoolArray:
    """[B] whether the quoted expiries have so many quotes in the mean."""
    return np.asarray(count * (quoted @ points.members > 0).sum(1) <= quoted.sum(1))


def _asked_of(families: tuple[Family, ...], *, earlier: bool) -> FloatArray:
    """[2, a] of the answer of others and of each family's: log odds against it, and how many quotes of an
    expiry it needs; smiles of their own as many as they have numbers.
    """
    more, least = (_AGAINST_EARLIER, 1) if earlier else (0.0, 0)
    own = [(each.against + more, _OWN_QUOTES if each.raw_svi else least) for each in families]
    return np.array([(0.0, 0), *own]).T


def _beside(
    axes: Surface,
    points: Points,
    values: FloatArray,
    known: Posterior,
    families: tuple[Family, ...],
    *,
    earlier: bool,
) -> tuple[Posterior, FloatArray]:
    """The same of surfaces [B, N] worth fits of these families."""
    quoted = np.isfinite(values)
    start = np.minimum(known.mean, np.log(MAX_VOL))
    whole, typical = np.where(quoted, values, start), _typical(known)
    at = _places(axes, points, whole)
    cells = Cells.of(points, at, whole, quoted)
    quotes = Quotes(at.some(cells.used), np.take_along_axis(whole, cells.used, 1), cells.known)
    level, answers = median_of(values), [_of_others(known, quoted)]
    prior = Prior.of(points.tenors, level, families[0])
    e, noise = prior.near(start[:, points.at_the_money], quotes), None
    for family in families:
        before, prior = prior, Prior.of(points.tenors, level, family)
        fits = fitted(prior, prior.started(before, e), quotes, typical, noise if family.raw_svi else None)
        e, noise = fits.e, fits.noise
        hopeless = (fits.noise > _HOPELESS * typical) | prior.too_bent(e)
        answers.append(_heard(fits, axes, points, cells, hopeless))
    asked = _asked_of(families, earlier=earlier)
    return _mixed(known, points, quoted, asked, *map(np.stack, zip(*answers, strict=True)))


def _of_others(known: Posterior, quoted: BoolArray) -> tuple[FloatArray, ...]:
    """What the others answer, as `_said` has it."""
    of_quotes = (np.where(quoted, each, 0.0) for each in (known.zscore, known.density))
    return known.mean, known.std, *of_quotes


def _heard(
    fits: Fits, axes: Surface, points: Points, cells: Cells, hopeless: BoolArray
) -> tuple[FloatArray, ...]:
    """`_said`, but of surfaces that are `hopeless` [B] nothing that is heard."""
    if hopeless.all():
        return tuple(np.full(cells.quoted.shape, number) for number in (0.0, 1.0, 0.0, _NEVER))
    mean, std, zscore, density = _said(fits, axes, points, cells)
    density[hopeless] = _NEVER
    return mean, std, zscore, density


def _said(fits: Fits, axes: Surface, points: Points, cells: Cells) -> tuple[FloatArray, ...]:
    """Mean and std [B, N] of what is missing, of quotes anything, and z-score and density of quotes."""
    found = _filled(fits, axes, points, cells)
    mean, std, zscore, density = np.zeros((4, *cells.quoted.shape))
    np.put_along_axis(mean, cells.missing, np.minimum(found.mean, np.log(MAX_VOL)), 1)
    np.put_along_axis(std, cells.missing, found.std, 1)
    np.put_along_axis(zscore, cells.used, found.zscore, 1)
    np.put_along_axis(density, cells.used, found.density, 1)
    return mean, std, zscore, density


def _typical(known: Posterior) -> FloatArray:
    """[B] root mean square of what the others leave of each quote."""
    return np.asarray(np.sqrt(np.nanmean((known.zscore * spread_of_quotes(known)) ** 2, axis=1)))


def _places(axes: Surface, points: Points, values: FloatArray) -> Places:
    """Where cells of log-vols `values` [F, N] lie."""
    if axes.deltas is None:
        moneyness = axes.log_moneyness
        assert moneyness is not None
        return Places(points.rows, np.broadcast_to(moneyness.ravel(), values.shape), points.u)
    total = np.exp(values + 0.5 * points.t)
    return Places(points.rows, total * (0.5 * total - _d1(axes)), points.u)


def _d1(axes: Surface) -> FloatArray:
    """[N] of the cells of a delta axis: N(d1) is the delta of the call."""
    assert axes.deltas is not None
    return np.tile(scipy.special.ndtri(axes.deltas), len(axes.tenors))


def _filled(fits: Fits, axes: Surface, points: Points, cells: Cells) -> Around:
    """Of all cells; on deltas, at the strikes of the fit itself."""
    values = cells.values
    if axes.deltas is not None:
        most, d1 = np.log(MAX_VOL), _d1(axes)
        for _ in range(_PASSES):
            x = 0.5 * np.exp(values + 0.5 * points.t) - d1
            values = np.where(cells.quoted, values, np.minimum(fits.at_own_deviations(points.rows, x), most))
    return mixed_with_process(fits, _places(axes, points, values), cells)


def _mixed(
    known: Posterior,
    points: Points,
    quoted: BoolArray,
    asked: FloatArray,
    mean: FloatArray,
    std: FloatArray,
    zscore: FloatArray,
    density: FloatArray,
) -> tuple[Posterior, FloatArray]:
    """Log odds of an answer in a cell: its gain in log density of the quotes, and how sure it is of the cell.

    Beyond the quotes of an expiry, only those count that are the outermost of theirs: who foretells these
    from the others knows how smiles go on. asked: `_asked_of`. mean, std, zscore, density: [a, B, N] of
    `known` and of each family's answer.
    """
    (end, beyond), (against, fewest) = _outermost(points, quoted), asked
    log, of_ends = (_log_odds(density, which) - against[:, None] for which in (quoted, end))
    sure = _PRECISION * np.log(np.where(quoted, 1.0, std))
    odds = np.where(beyond, of_ends[..., None], log[..., None]) - sure
    few = (quoted @ points.members)[:, points.rows] < fewest[:, None, None]
    weight = _weights(np.where(few, -np.inf, odds))
    middle = (weight * mean).sum(0)
    spread = np.sqrt((weight * (std**2 + (mean - middle) ** 2)).sum(0))
    of_quotes = _weights(log)[..., None]
    mixed = Posterior(
        mean=np.where(quoted, known.mean, middle),
        std=np.where(quoted, known.std, spread),
        zscore=np.where(quoted, (of_quotes * zscore).sum(0), known.zscore),
        unexplained=known.unexplained,
        density=np.where(quoted, (of_quotes * density).sum(0), known.density),
    )
    return mixed, np.where(quoted, 0.0, 1.0 - weight[0])


def _log_odds(density: FloatArray, which: BoolArray) -> FloatArray:
    """[a, B] of a answers, of their log densities [a, B, N] of some quotes; the first is the one they are
    beside.
    """
    gain = ((density - density[0]) * which).sum(-1)
    return np.asarray(gain / np.sqrt(np.maximum(which.sum(-1), 1)))


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
