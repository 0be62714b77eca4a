"""The vol, and how sure it is, at any tenor and strike of a filled surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from .. import bundles
from .._typing import BoolArray, FloatArray
from ..errors import InputError
from ..labels.tenors import parse_tenor
from ..surface import MAX_VOL, Surface
from . import coordinates
from .answers import points_of
from .model import UniversalBundle
from .points import Points
from .posterior import factor_of_band
from .through_cells import Fill, vols_at

_LEAST, _MOST = 0.3, 5.0  # of the answer's spread over the universal model's


@dataclass(frozen=True)
class Inputs:
    """What an answer was asked of: quotes, the full earlier vols [T, K], and how.

    bid, ask: [T, K], NaN where there is none.
    """

    surface: Surface
    prior: FloatArray | None
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
    at = np.atleast_1d(np.asarray(place, dtype=float))
    if at.ndim > 2 or (at.ndim == 2 and len(at) != len(years)):
        raise InputError(f"the strikes have shape {at.shape}; expected [K], or [{len(years)}, K]")
    at = np.broadcast_to(at, (len(years), at.shape[-1]))
    each = np.repeat(years, at.shape[1])
    ahead = None if forwards is None else np.repeat(np.broadcast_to(forwards, years.shape), at.shape[1])
    whole = asked.surface.replace(filled)
    mean = vols_at(fill, whole, each, at.ravel(), kind=kind, forwards=ahead, model=asked.model)
    u = _u(whole, kind, each, at.ravel(), mean, ahead)
    relative = _relative(asked, filled, std, each, u)
    reach = factor_of_band(relative, asked.coverage)
    shape = at.shape
    low, high = mean / reach, np.minimum(mean * reach, np.maximum(mean, MAX_VOL))
    return Anywhere(*(a.reshape(shape) for a in (mean, mean * relative, low, high)))


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
        normal = -ndtri(at) if kind == "delta" else at / total - total / 2
        return coordinates.compressed(normal)
    moneyness = surface.log_moneyness
    assert moneyness is not None
    t = np.repeat(np.log(surface.tenors), moneyness.shape[1])
    atm = coordinates.atm_term(t, moneyness.ravel(), np.log(surface.vols).ravel(), np.log(years))
    m = total * (total / 2 - ndtri(at)) if kind == "delta" else at
    return coordinates.standardised(m, atm, np.log(years))


def _relative(
    asked: Inputs, filled: FloatArray, std: FloatArray, years: FloatArray, u: FloatArray
) -> FloatArray:
    """[N] std of ln vol: the universal model's, 0 at the quotes, at the scale of the answer's own."""
    loaded = bundles.load("universal", UniversalBundle)
    surface, universal = asked.surface, loaded.levels
    every, logs = np.log(filled).ravel(), np.log(surface.vols).ravel()
    logs = logs if np.isfinite(logs).any() else every
    points = points_of(surface, every)
    answer = universal.at(points, logs)
    assert answer.given is not None
    rows = np.searchsorted(unique := np.unique(years), years)
    ahead = Points(np.log(unique), rows, u, surface.deltas is not None)
    both = _joined(points[answer.used], ahead)
    count = len(answer.used)
    _, variance = universal.ask(answer.given, both[:count], both[count:], noise=False)
    own = np.where(surface.observed, np.nan, std / filled).ravel() / np.where(
        answer.std > 0, answer.std, np.nan
    )
    known = own[np.isfinite(own)]
    scale = float(np.clip(np.median(known), _LEAST, _MOST)) if len(known) else 1.0
    return np.where(_on_quotes(points, surface.observed.ravel(), ahead), 0.0, scale * np.sqrt(variance))


def _on_quotes(points: Points, observed: BoolArray, ahead: Points) -> BoolArray:
    near = np.abs(points.t[observed] - ahead.t[:, None]) + np.abs(points.u[observed] - ahead.u[:, None])
    return np.asarray((near < 1e-9).any(1))


def _joined(first: Points, second: Points) -> Points:
    """Both as points of one surface."""
    rows = np.concatenate([first.rows, second.rows + len(first.tenors)])
    u = np.concatenate([first.u, second.u])
    return Points(np.concatenate([first.tenors, second.tenors]), rows, u, first.own)
