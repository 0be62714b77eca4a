"""The vol, and how sure it is, at any tenor and strike of a filled surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .. import bundles
from .._typing import FloatArray, IntArray
from ..errors import InputError
from ..labels.tenors import parse_tenor
from ..surface import MAX_VOL, Surface, numbers
from .answers import points_of
from .history.posterior import factor_of_band
from .model import UniversalBundle
from .processes import coordinates
from .processes.evidence import mixture
from .processes.points import Points
from .smiles.places_asked import strikes_of
from .smiles.through_cells import Fill, vols_at

_WITHIN = 1e-3, 1e3  # of the answer's spread over the universal model's
_NEAR = 8  # filled cells
_HERE, _SAME = 1e-9, 1e-18  # distance, and its square


@dataclass(frozen=True)
class Inputs:
    """What an answer was asked of: quotes, the full earlier vols [T, K], their age in days, and how.

    bid, ask: [T, K], NaN where there is none.
    """

    surface: Surface
    prior: FloatArray | None
    age: float
    model: str
    coverage: float
    arbitrage_free: bool
    bid: FloatArray | float = np.nan
    ask: FloatArray | float = np.nan


@dataclass(frozen=True, eq=False)
class Anywhere:
    """Vols at points [T, K]: mean, std of the vol, and the band of the coverage asked, decimals."""

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray


def anywhere(
    fill: Fill,
    asked: Inputs,
    filled: FloatArray,
    std: FloatArray,
    tenors: ArrayLike,
    places: Mapping[str, ArrayLike | None],
    forwards: ArrayLike | None,
) -> Anywhere:
    """At tenors x the one kind of `places` given; filled, std: the answer's [T, K]; fill: beyond."""
    given = [(kind, place) for kind, place in places.items() if place is not None]
    if len(given) != 1:
        raise InputError(f"give exactly one of deltas, strikes or moneyness; got {len(given)}")
    kind, place = given[0]
    years = np.array([parse_tenor(t) for t in np.atleast_1d(np.asarray(tenors, dtype=object)).tolist()])
    at = np.atleast_1d(strikes_of(kind, place))
    if not (years.size and at.size):
        raise InputError(f"{years.size} tenors and {at.size} strikes are asked; expected one of each")
    if at.ndim > 2 or (at.ndim == 2 and len(at) != len(years)):
        raise InputError(f"the strikes have shape {at.shape}; expected [K], or [{len(years)}, K]")
    at = np.broadcast_to(at, (len(years), at.shape[-1]))
    each = np.repeat(years, at.shape[1])
    ahead = None if forwards is None else np.repeat(_forwards(forwards, len(years)), at.shape[1])
    whole = asked.surface.replace(filled)
    mean = vols_at(fill, whole, each, at.ravel(), kind=kind, forwards=ahead, model=asked.model)
    u = _u(whole, kind, each, at.ravel(), mean, ahead)
    relative = _relative(asked, filled, std, each, u)
    reach = factor_of_band(relative, asked.coverage)
    shape = at.shape
    low, high = mean / reach, np.minimum(mean * reach, np.maximum(mean, MAX_VOL))
    spread = np.minimum(mean * relative, MAX_VOL)
    return Anywhere(*(a.reshape(shape) for a in (mean, spread, low, high)))


def _forwards(forwards: ArrayLike, tenors: int) -> FloatArray:
    """[T] of one or as many. Raises InputError."""
    found = numbers("forwards", forwards)
    if found.shape not in ((), (1,), (tenors,)):
        raise InputError(f"forwards has shape {found.shape}; expected one, or ({tenors},) as the tenors")
    return np.broadcast_to(found, (tenors,))


def _u(
    surface: Surface,
    kind: str,
    years: FloatArray,
    at: FloatArray,
    vols: FloatArray,
    forwards: FloatArray | None,
) -> FloatArray:
    """[N] coordinates of the points as the surface's own cells have them."""
    total = vols * np.sqrt(years)
    if kind == "strike":
        if forwards is None:
            assert surface.forwards is not None
            forwards = np.exp(np.interp(years, surface.tenors, np.log(surface.forwards)))
        at = np.log(at / forwards)
    if surface.deltas is not None:
        normal = -scipy.special.ndtri(at) if kind == "delta" else at / total - total / 2
        return coordinates.compressed(normal)
    moneyness = surface.log_moneyness
    assert moneyness is not None
    t = np.repeat(np.log(surface.tenors), moneyness.shape[1])
    atm = coordinates.atm_term(t, moneyness.ravel(), np.log(surface.vols).ravel(), np.log(years))
    m = total * (total / 2 - scipy.special.ndtri(at)) if kind == "delta" else at
    return coordinates.standardised(m, atm, np.log(years))


def _relative(
    asked: Inputs, filled: FloatArray, std: FloatArray, years: FloatArray, u: FloatArray
) -> FloatArray:
    """[N] std of ln vol: 0 at quotes, of filled cells theirs, elsewhere the universal model's at the scale
    of the filled cells near.
    """
    surface = asked.surface
    points = points_of(surface, np.log(filled).ravel())
    rows = np.searchsorted(unique := np.unique(years), years)
    ahead = Points(np.log(unique), rows, u, surface.deltas is not None)
    missing, quoted = (np.flatnonzero(surface.observed.ravel() == told) for told in (False, True))
    away, near = _nearest(points[missing], ahead, _NEAR)
    at_quote = (_nearest(points[quoted], ahead, 1)[0] < _HERE).any(1)
    cells, place = np.unique(near, return_inverse=True)
    spread = _universal(asked, points, _joined(ahead, points[missing[cells]]))
    scale = np.ones(len(years))
    if len(cells):
        own = (std / filled).ravel()[missing[cells]]
        log = np.log(np.clip(own / spread[len(years) :], *_WITHIN))[place.reshape(near.shape)]
        weight = 1.0 / (away**2 + _SAME)
        scale = np.exp((weight * log).sum(1) / weight.sum(1))
    return np.where(at_quote, 0.0, scale * spread[: len(years)])


def _nearest(cells: Points, ahead: Points, most: int) -> tuple[FloatArray, IntArray]:
    """[N, k] distance, in ln T and u, and number of the cells, `most` or all, that are nearest to points."""
    from scipy.spatial import KDTree  # not at import, which is to be light

    count = min(most, len(cells))
    if not count:
        return np.zeros((len(ahead), 0)), np.zeros((len(ahead), 0), dtype=np.intp)
    here, there = (np.stack([points.t, points.u], axis=1) for points in (cells, ahead))
    away, near = KDTree(here).query(there, k=range(1, count + 1))
    return np.asarray(away), np.asarray(near)


def _universal(asked: Inputs, points: Points, at: Points) -> FloatArray:
    """[N] std of ln vol that the universal model has at points, after the quotes and an earlier surface."""
    loaded, centre = bundles.load("universal", UniversalBundle), None
    universal, values = loaded.levels, np.log(asked.surface.vols).ravel()
    if asked.prior is not None:
        universal, values, centre = loaded.changes, values - np.log(asked.prior).ravel(), 0.0
    if not np.isfinite(values).any():
        chosen = universal.candidates
        return np.sqrt(mixture(chosen.weight, chosen.mean(at), chosen.variance(at))[1])
    answer = universal.at(points, values, centre)
    both, count = _joined(points[answer.used], at), len(answer.used)
    return np.sqrt(universal.ask(answer.given, both[:count], both[count:])[1])


def _joined(first: Points, second: Points) -> Points:
    """Both as points of one surface."""
    rows = np.concatenate([first.rows, second.rows + len(first.tenors)])
    u = np.concatenate([first.u, second.u])
    return Points(np.concatenate([first.tenors, second.tenors]), rows, u, first.own)
