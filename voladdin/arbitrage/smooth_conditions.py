"""The papers' conditions for a smooth surface, at the quotes, on splines through them.

A spline invents what lies between the quotes: a negative value shows where a smooth surface strains, not that
a trade exists. `voladdin.check` decides that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from .._typing import FloatArray
from ..black import call_delta, density
from ..surface import Surface

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

_LEAST_POINTS = 3
_STEP = 1e-5
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """[T, K] each, fine where at least 0.

    NaN where holes or too few quotes leave it open, and for the conditions in delta where delta does not fall
    with the strike.

    durrleman: f(m) of one tenor, whose sign is the density's (Wang, Liu, Vuik 2025, section 2).
    calendar: d w / d tau at fixed log-moneyness (same).
    delta_decreasing: -d d1 / d m, so that delta falls with the strike (Mama 2022, eq. 16, first line).
    distribution: -d mu / d delta, so that the distribution function rises (eq. 16, second line).
    calendar_delta: d sqrt(w) / d tau at fixed delta (eq. 18).
    calendar_step: w less that of the tenor before at the same delta (eq. 19); NaN at the first tenor.
    """

    durrleman: FloatArray
    calendar: FloatArray
    delta_decreasing: FloatArray
    distribution: FloatArray
    calendar_delta: FloatArray
    calendar_step: FloatArray

    def items(self) -> Iterator[tuple[str, FloatArray]]:
        """Names and values."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def diagnose(surface: Surface) -> Diagnostics:
    """The conditions at every quote of a surface.

    Splines (cubic, not-a-knot) run along strikes through at least three quotes, and along tenors through at
    least two tenors that reach the same strike or delta. Domain: vols whose total variance is a float.
    """
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    moneyness = np.where(surface.observed, surface.quoted_moneyness(), np.nan)
    with np.errstate(all="ignore"):
        if surface.deltas is not None:
            delta = np.where(surface.observed, surface.deltas, np.nan)
            falling = 1 / _stretch(delta, total, delta)
        else:
            delta = _falling_only(call_delta(moneyness, total), moneyness)
            falling = _falling(moneyness, total)
        return Diagnostics(
            durrleman=_durrleman(moneyness, total**2),
            calendar=_slope_in_time(surface.tenors, _profiles(moneyness, total**2)),
            delta_decreasing=falling,
            distribution=_rising(delta, total),
            calendar_delta=_slope_in_time(surface.tenors, _profiles(delta, total)),
            calendar_step=_step_in_time(_profiles(delta, total**2)),
        )


def _falling_only(delta: FloatArray, moneyness: FloatArray) -> FloatArray:
    """Deltas [T, K], NaN at tenors where they do not fall with the strike: no function of delta exists."""
    along = np.take_along_axis(delta, np.argsort(moneyness, axis=1), axis=1)
    return np.where((np.diff(along, axis=1) >= 0).any(axis=1, keepdims=True), np.nan, delta)


def _splines(x: FloatArray, y: FloatArray) -> Iterator[tuple[int, CubicSpline, NDArray[np.intp]]]:
    """(row, spline of y over x, where it stands) of every row with enough distinct finite points."""
    from scipy.interpolate import CubicSpline

    for row in range(len(x)):
        seen = np.flatnonzero(np.isfinite(x[row]) & np.isfinite(y[row]))
        order = seen[np.argsort(x[row, seen])]
        if len(order) >= _LEAST_POINTS and (np.diff(x[row, order]) > _SAME).all():
            yield row, CubicSpline(x[row, order], y[row, order]), order


def _along(x: FloatArray, y: FloatArray, at: FloatArray, order: int = 0) -> FloatArray:
    """[T, K]: derivatives of each row's spline of y over x, at `at` where it has points."""
    result = np.full(x.shape, np.nan)
    for row, spline, seen in _splines(x, y):
        result[row, seen] = spline(at[row, seen], order)
    return result


def _durrleman(m: FloatArray, w: FloatArray) -> FloatArray:
    """(1 - m w' / 2w)^2 - w'^2 / 4 (1/w + 1/4) + w'' / 2."""
    first, second = _along(m, w, m, 1), _along(m, w, m, 2)
    slope = 1 - m * first / (2 * w)
    return np.asarray(slope**2 - first**2 / 4 * (1 / w + 0.25) + second / 2)


def _falling(m: FloatArray, s: FloatArray) -> FloatArray:
    """-d d1 / d m with d1 = -m/s + s/2."""
    slope = _along(m, s, m, 1)
    return np.asarray(1 / s - m * slope / s**2 - slope / 2)


def _rising(delta: FloatArray, total: FloatArray) -> FloatArray:
    """-d mu / d delta."""
    step = _STEP * np.minimum(delta, 1 - delta)
    low, high = (_mu(delta, total, at) for at in (delta - step, delta + step))
    return np.asarray((low - high) / (2 * step))


def _stretch(delta: FloatArray, total: FloatArray, at: FloatArray) -> FloatArray:
    """-d m / d d1 at deltas `at` (appendix A of the paper)."""
    d1 = scipy.special.ndtri(at)
    slope = _along(delta, total, at, 1) * density(d1)
    return np.asarray(_along(delta, total, at) * (1 - slope) + d1 * slope)


def _mu(delta: FloatArray, total: FloatArray, at: FloatArray) -> FloatArray:
    """Distribution function of ln(S/F) at the strikes of deltas `at` (eq. 16 and 26 of the paper)."""
    d1 = scipy.special.ndtri(at)
    f2 = _along(delta, total, at) - d1
    slope = -_along(delta, total, at, 1) * density(d1) / _stretch(delta, total, at)
    return np.asarray(scipy.special.ndtr(f2) + slope * density(f2))


def _profiles(x: FloatArray, y: FloatArray) -> FloatArray:
    """[S, T, K]: y of tenor S where tenor T's quotes stand on the axis x; NaN beyond its quotes."""
    profiles = np.full((len(x), *x.shape), np.nan)
    for row, spline, at in _splines(x, y):
        ends = x[row, at[[0, -1]]] + [-_SAME, _SAME]
        profiles[row] = np.where((x >= ends[0]) & (x <= ends[1]), spline(x), np.nan)
    return np.where(np.abs(x - x[:, None]) <= _SAME, y[:, None], profiles)


def _slope_in_time(tenors: FloatArray, profiles: FloatArray) -> FloatArray:
    """[T, K]: derivative in tenor at each quote, of the spline through the tenors that reach it."""
    from scipy.interpolate import CubicSpline

    shape = profiles.shape[1:]
    columns = profiles.reshape(len(tenors), -1)
    own = np.repeat(np.arange(len(tenors)), shape[1])
    slopes = np.full(columns.shape[1], np.nan)
    patterns, which = np.unique(np.isfinite(columns), axis=1, return_inverse=True)
    for number, seen in enumerate(patterns.T):
        if seen.sum() < 2:
            continue
        at = np.flatnonzero(which.ravel() == number)
        derivative = CubicSpline(tenors[seen], columns[np.ix_(seen, at)])(tenors, 1)
        slopes[at] = np.where(seen[own[at]], derivative[own[at], np.arange(len(at))], np.nan)
    return slopes.reshape(shape)


def _step_in_time(profiles: FloatArray) -> FloatArray:
    """[T, K]: value at each quote less that of the last tenor before which reaches it."""
    steps = np.full(profiles.shape[1:], np.nan)
    for row in range(1, len(profiles)):
        earlier = profiles[:row, row]
        last = row - 1 - np.isfinite(earlier[::-1]).argmax(0)
        steps[row] = profiles[row, row] - earlier[last, np.arange(earlier.shape[1])]
    return steps
