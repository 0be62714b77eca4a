"""The normal vol anywhere on a filled surface: smiles through its cells, total variance linear in time.

A tenor's smile is a monotone cubic in K - F that flattens beyond the last strikes; where its call prices are
not convex, prices linear between the strikes take its place. Between tenors total variance is linear in time
at equal K - F; before the first and after the last the vol stays at equal (K - F) / sqrt(T).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..._typing import FloatArray
from ...errors import InputError
from ...options.bachelier import implied_normal_vol, normal_call_price
from ...surface import Surface

_MESH = 200
_REACH = 4.0  # deviations beyond the last strikes at which convexity is looked at
_ROUNDING = 1e-12
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class NormalSmile:
    """Total normal vols s [n] at distances k [n], increasing."""

    k: FloatArray
    s: FloatArray

    def total(self, k: FloatArray) -> FloatArray:
        """[m] total vols."""
        smooth = self._smooth(k)
        if not self._bent:
            return smooth
        inside = (k > self.k[0]) & (k < self.k[-1])
        calls = np.interp(k, self.k, normal_call_price(self.k, self.s))
        chord = implied_normal_vol(np.maximum(calls - np.maximum(-k, 0.0), 0.0), k)
        flat = np.where(k <= self.k[0], self.s[0], self.s[-1])
        return np.where(inside, np.where(chord > 0, chord, smooth), flat)

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import PchipInterpolator  # slow to import

        return PchipInterpolator(self.k, self.s) if len(self.k) > 1 else None

    def _smooth(self, k: FloatArray) -> FloatArray:
        if self._spline is None:
            return np.full(k.shape, self.s[0])
        total = np.asarray(self._spline(np.clip(k, self.k[0], self.k[-1])))
        for end, out in ((0, self.k[0] - k), (-1, k - self.k[-1])):
            slope = float(self._spline(self.k[end], 1)) * (-1.0 if end == 0 else 1.0)
            length = self.s[end] if slope >= 0 else min(self.s[end], 0.5 * self.s[end] / -slope)
            total = total + slope * length * -np.expm1(-np.maximum(out, 0.0) / length)
        return total

    @cached_property
    def _bent(self) -> bool:
        """Whether the smooth smile's call prices are not convex somewhere."""
        reach = _REACH * float(np.median(self.s))
        k = np.linspace(self.k[0] - reach, self.k[-1] + reach, _MESH)
        bends = np.diff(normal_call_price(k, self._smooth(k)), 2)
        return bool((bends < -_ROUNDING * np.abs(k).max()).any())


def normal_vols_at(
    surface: Surface, years: FloatArray, strikes: FloatArray, forwards: FloatArray | None
) -> FloatArray:
    """[n] vols of a full surface at tenors [n] years and strikes [n].

    forwards: [n] of these tenors; the surface's own, linear in time, unless told. Raises InputError.
    """
    if not (years > 0).all():
        raise InputError(f"tenor is {float(years.min()):g} years; expected above 0")
    if not np.isfinite(strikes).all():
        raise InputError(f"strike is {float(strikes[~np.isfinite(strikes)][0])}; expected a finite strike")
    assert surface.forwards is not None
    ahead = np.interp(years, surface.tenors, surface.forwards) if forwards is None else forwards
    inside = np.clip(years, surface.tenors[0], surface.tenors[-1])
    k = np.asarray((strikes - ahead) * np.sqrt(inside / years))
    rows = np.array([smile.total(k) ** 2 for smile in _smiles(surface)])
    rows = np.maximum.accumulate(rows, axis=0)
    return np.asarray(np.sqrt(_between(surface.tenors, rows, inside) / inside))


def _between(tenors: FloatArray, rows: FloatArray, years: FloatArray) -> FloatArray:
    """[n] total variances at years [n] within the tenors [T], linear between rows [T, n]; 0 at time 0."""
    knots = np.concatenate([[0.0], tenors])
    right = np.searchsorted(tenors * (1 + _SAME), years).clip(0, len(tenors) - 1)
    at = np.arange(len(years))
    low = np.where(right > 0, rows[right - 1, at], 0.0)
    share = (years - knots[right]) / (knots[right + 1] - knots[right])
    return np.asarray(low + np.minimum(share, 1.0) * (rows[right, at] - low))


def _smiles(surface: Surface) -> list[NormalSmile]:
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    found = []
    for k, s in zip(surface.distances, total, strict=True):
        order = np.argsort(k)
        found.append(NormalSmile(k[order], s[order]))
    return found
