"""What a model says of every cell of a grid, on deltas or strikes, alone or after an earlier surface."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

import numpy as np

from .._typing import FloatArray
from ..black import call_delta
from ..surface import Surface
from .fixed_point import Anderson
from .history.observation import Observation
from .history.posterior import Posterior, from_prior, from_quotes, log_density, mix, prior_share
from .model import Bundle, UniversalBundle
from .processes import coordinates
from .processes.moments import Moments
from .processes.points import Points

_CHUNK = 50  # surfaces at a time: the working set stays in the cache
_FIXED_POINT = 12  # answers at most; 4 to 8 do
_SETTLED = 1e-5  # of ln vol
_DELTA_RANGE = (1e-3, 1.0 - 1e-3)


def by_universal(
    loaded: UniversalBundle,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: Moments,
) -> tuple[Posterior, FloatArray]:
    """The universal model's, and the weight [B, n] in it of other kinds of market than its candidates'.

    alone: `levels_alone`.
    """
    flat = cells.reshape(len(cells), -1)
    stretch, quoted = float(loaded.arrays["level_stretch"]), np.isfinite(flat)
    if prior is None:
        zscore = alone.zscore / stretch
        moments = alone.mean, alone.std * stretch, zscore, log_density(zscore, alone.left_out * stretch)
        return _all_explained(*moments), alone.foreign
    earlier, widen = np.log(prior).reshape(flat.shape), float(loaded.arrays["change_stretch"])
    moved = _changes(loaded, axes, flat, earlier, age ** float(loaded.arrays["growth"]))
    mean, std, zscore = earlier + moved.mean, moved.std * widen, moved.zscore / widen
    beside = np.where(quoted, 1.0, alone.std * stretch)
    share = prior_share(std, beside, float(loaded.arrays["sharpness"]))
    mixed = mix(alone.mean, alone.std * stretch, mean, std, share)
    some = quoted.any(1, keepdims=True)
    mean, std = (np.where(some, *pair) for pair in zip(mixed, (mean, std), strict=True))
    return _all_explained(mean, std, zscore, log_density(zscore, moved.left_out * widen)), np.zeros_like(mean)


def _all_explained(mean: FloatArray, std: FloatArray, zscore: FloatArray, density: FloatArray) -> Posterior:
    return Posterior(mean, std, zscore, np.zeros(len(mean), dtype=np.bool_), density)


def levels_alone(loaded: UniversalBundle, axes: Surface, cells: FloatArray) -> Moments:
    """By the quotes alone; NaN where a surface has none."""
    flat = cells.reshape(len(cells), -1)
    some = np.flatnonzero(np.isfinite(flat).any(1))
    if axes.deltas is not None and len(some):
        said = loaded.levels.each_at_deltas(axes.tenors, axes.deltas, flat[some])
    elif len(some):
        levels = loaded.levels_of(axes.vol_type)
        said = Moments.stack([levels.at(points_of(axes, one), one) for one in flat[some]])
    if len(some) == len(flat):
        return said
    found = Moments(*(np.full_like(flat, np.nan) for _ in fields(Moments)))
    for part in fields(Moments) if len(some) else ():
        getattr(found, part.name)[some] = getattr(said, part.name)
    return found


def _changes(
    loaded: UniversalBundle, axes: Surface, flat: FloatArray, earlier: FloatArray, growth: float
) -> Moments:
    """Since an earlier surface, by all that is quoted now."""
    change = flat - earlier
    if axes.deltas is not None:
        return loaded.changes.each_since(axes.tenors, axes.deltas, change, growth)
    known = np.where(np.isfinite(flat), flat, earlier)
    return Moments.stack(
        [
            loaded.changes.since(points_of(axes, place), one, growth)
            for place, one in zip(known, change, strict=True)
        ]
    )


def points_of(axes: Surface, values: FloatArray) -> Points:
    """Where the cells of a surface lie; values: [n] log-vols, NaN where missing, which strikes need."""
    if axes.deltas is not None:
        return _points_at_deltas(axes.tenors.tobytes(), axes.deltas.tobytes())
    return _points(axes, values.tobytes())


@lru_cache(maxsize=8)
def _points_at_deltas(tenors: bytes, deltas: bytes) -> Points:
    """Kept, as surfaces share their axes."""
    return coordinates.from_deltas(np.frombuffer(tenors), np.frombuffer(deltas))


@lru_cache(maxsize=8)
def _points(axes: Surface, quotes: bytes) -> Points:
    """Kept, as each answer asks some times."""
    values = np.frombuffer(quotes)
    if axes.vol_type == "normal":
        return coordinates.from_distances(axes.tenors, axes.distances, values)
    moneyness = axes.log_moneyness
    assert moneyness is not None
    return coordinates.from_moneyness(axes.tenors, moneyness, values)


def by_history(
    loaded: Bundle,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: Posterior | None = None,
) -> Posterior:
    """The history model's. alone: without a prior, where it is known; it saves time on deltas."""
    if prior is None and alone is not None:
        return alone
    flat = cells.reshape(len(cells), -1)
    earlier = None if prior is None else np.log(prior).reshape(len(flat), -1)
    size = _CHUNK if axes.deltas is not None else 1
    solve = _at_deltas if axes.deltas is not None else _at_strikes
    parts = []
    for first in range(0, len(flat), size):
        rows = slice(first, first + size)
        chunk = None if earlier is None else earlier[rows]
        known = None if alone is None else alone.of(rows)
        parts.append(solve(loaded, axes, flat[rows], chunk, age, known))
    return Posterior.joined(parts)


def _at_deltas(
    loaded: Bundle,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: Posterior | None,
) -> Posterior:
    assert axes.deltas is not None
    return _solve(loaded, axes, np.tile(axes.deltas, len(axes.tenors)), cells, prior, age, alone)


def _at_strikes(
    loaded: Bundle,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: Posterior | None,  # noqa: ARG001  at the strikes' own deltas, not at those of the answer
) -> Posterior:
    """Strikes map to deltas through the vol itself: iterate to the fixed point (one surface)."""
    moneyness = axes.log_moneyness
    assert moneyness is not None
    years = np.repeat(axes.tenors, moneyness.shape[1])
    quoted = np.isfinite(cells)
    guess = np.where(quoted, cells, np.median(cells[quoted]) if quoted.any() else np.median(prior))  # type: ignore[arg-type]
    answer, search = None, Anderson()
    for _ in range(_FIXED_POINT):
        deltas = clipped_deltas(moneyness.ravel(), np.exp(guess[0]), years)
        answer = _solve(loaded, axes, deltas, cells, prior, age)
        step = np.where(quoted, 0.0, answer.mean - guess)
        if np.abs(step).max() < _SETTLED:
            break
        guess = search.next(guess[0], step[0])[None]
    assert answer is not None
    return answer


def clipped_deltas(moneyness: FloatArray, vols: FloatArray, years: FloatArray | float) -> FloatArray:
    """Forward call deltas of log-moneyness, kept where the model can be asked (0.1 to 99.9 delta)."""
    return np.clip(call_delta(moneyness, vols * np.sqrt(years)), *_DELTA_RANGE)


def observation_of(loaded: Bundle, axes: Surface, deltas: FloatArray) -> Observation:
    """How a history sees the cells of a surface, expiry by expiry, at deltas [n]."""
    years = np.repeat(axes.tenors, len(deltas) // len(axes.tenors))
    return loaded.observation(tuple(years.tolist()), tuple(deltas.tolist()))


def _solve(
    loaded: Bundle,
    axes: Surface,
    deltas: FloatArray,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: Posterior | None = None,
) -> Posterior:
    observation, observed = observation_of(loaded, axes, deltas), np.isfinite(cells)
    values = np.where(observed, cells, 0.0)
    if prior is None:
        return from_quotes(loaded, observation, values, observed)
    return from_prior(loaded, observation, values, observed, prior, age, alone)
