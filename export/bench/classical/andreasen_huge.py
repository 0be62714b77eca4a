"""Andreasen and Huge (2011), "Volatility interpolation": local volatility by implicit steps between expiries.

Prices at an expiry follow from those before by implicit finite differences, whose matrix has a positive
inverse: no fit has arbitrage, between expiries neither, where part of the same step is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_banded
from scipy.optimize import least_squares

from voladdin import black
from voladdin._typing import FloatArray, IntArray

from .interpolators import Fitted

_NODES, _REACH = 201, 6.0  # of the grid, and its ends in deviations of the last expiry
_MOST = 40  # quotes of an expiry
_RIDGE, _LEAST = 1e-3, 0.05  # of the search; of a variance that would fall, as a share of its expiry's
_WIDE = 4.0  # deviations of its expiry within which a price tells a vol


@dataclass(frozen=True, eq=False)
class Lattice:
    """A grid x [G] of ln(K/F), denser at the money, and the bands [3, G] of C'' - C' on it."""

    x: FloatArray
    bands: FloatArray

    @classmethod
    def of(cls, narrow: float, wide: float) -> Lattice:
        """For deviations ln(K/F) from `narrow`, of the first expiry, to `wide`, of the last."""
        bend = np.log(2.0 * _REACH * wide / narrow)
        x = _REACH * wide * np.sinh(bend * np.linspace(-1.0, 1.0, _NODES)) / np.sinh(bend)
        down, up = np.diff(x)[:-1], np.diff(x)[1:]
        bands = np.zeros((3, len(x)))
        bands[0, 2:] = (2.0 - down) / (up * (down + up))
        bands[2, :-2] = (2.0 + up) / (down * (down + up))
        bands[1, 1:-1] = -bands[0, 2:] - bands[2, :-2]
        return cls(x, bands)

    @property
    def payoff(self) -> FloatArray:
        """[G] calls on a forward of 1 that expire now."""
        return np.maximum(1.0 - np.exp(self.x), 0.0)

    def after(self, calls: FloatArray, variance: FloatArray) -> FloatArray:
        """[G] calls after local variances [G] more, from calls [G]."""
        half = 0.5 * variance
        matrix = -self.bands * half
        matrix[0, 1:], matrix[2, :-1] = -self.bands[0, 1:] * half[:-1], -self.bands[2, :-1] * half[1:]
        matrix[1] += 1.0
        return np.asarray(solve_banded((1, 1), matrix, calls, check_finite=False))

    def at(self, calls: FloatArray, k: FloatArray, s: FloatArray) -> FloatArray:
        """Calls at k less those of total vols s there, which is smooth between nodes."""
        place = np.clip(np.searchsorted(self.x, k), 1, len(self.x) - 1)
        gaps = [calls[node] - black.call_price(self.x[node], s) for node in (place - 1, place)]
        share = (k - self.x[place - 1]) / (self.x[place] - self.x[place - 1])
        return np.asarray((1.0 - share) * gaps[0] + share * gaps[1])

    def total_vols(self, calls: FloatArray, k: FloatArray, level: float) -> FloatArray:
        """Total vols at k, those of the grid interpolated, as at the ends of what prices tell beyond."""
        near = np.abs(self.x) < _WIDE * level
        x = self.x[near]
        s = black.implied_total_vol(np.where(x >= 0.0, calls[near], calls[near] - 1.0 + np.exp(x)), x)
        told = np.isfinite(s)
        return np.interp(k, x[told], s[told])


@dataclass(frozen=True, eq=False)
class LocalVol:
    """tenors [N] with quotes; variances [N][G], what each adds; calls [1 + N][G], from now on; levels [N]."""

    lattice: Lattice
    tenors: FloatArray
    variances: list[FloatArray]
    calls: list[FloatArray]
    levels: FloatArray

    def vols(self, tenors: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[T, K]."""
        rows = zip(tenors, moneyness, strict=True)
        return np.stack([self._total(float(year), k) / np.sqrt(year) for year, k in rows])

    def _total(self, year: float, k: FloatArray) -> FloatArray:
        """Part of the next expiry's variance, or more of the last one's."""
        before = int(np.searchsorted(self.tenors, year, side="right"))
        calls = self.calls[before]
        starts = np.append(0.0, self.tenors)
        step = min(before, len(self.tenors) - 1)
        share = (year - starts[before]) / (starts[step + 1] - starts[step])
        if share > 0.0:
            calls = self.lattice.after(calls, share * self.variances[step])
        level = float(np.interp(year, self.tenors, self.levels)) * np.sqrt(year)
        return self.lattice.total_vols(calls, k, level)


def andreasen_huge(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """Vols [T, K] at any ln(K/F) [T, K] of these tenors, fitted expiry by expiry."""
    fitted = fit(tenors, moneyness, vols)
    return lambda at: fitted.vols(tenors, at)


def fit(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> LocalVol:
    """To vols [T, K], NaN where hidden, at ln(K/F) [T, K]."""
    seen = np.isfinite(vols)
    rows = np.flatnonzero(seen.any(axis=1))
    levels = np.array([vols[row][seen[row]].mean() for row in rows])
    totals = levels * np.sqrt(tenors[rows])
    lattice = Lattice.of(float(totals[0]), float(totals.max()))
    variances: list[FloatArray] = []
    calls = [lattice.payoff]
    for row, level in zip(rows, np.append(0.0, totals), strict=False):
        some = _spread(np.flatnonzero(seen[row]))
        k, w = moneyness[row, some], vols[row, some] ** 2 * tenors[row]
        passed = lattice.total_vols(calls[-1], k, level) ** 2 if level else 0.0
        start = np.log(np.maximum(w - passed, _LEAST * w / len(rows)))
        variances.append(_variances(lattice, calls[-1], k, np.sqrt(w), start))
        calls.append(lattice.after(calls[-1], variances[-1]))
    return LocalVol(lattice, tenors[rows], variances, calls, levels)


def _spread(found: IntArray) -> IntArray:
    """At most so many of an expiry's quotes, spread over all."""
    return found if len(found) <= _MOST else found[np.linspace(0, len(found) - 1, _MOST).astype(int)]


def _variances(
    lattice: Lattice, before: FloatArray, k: FloatArray, s: FloatArray, start: FloatArray
) -> FloatArray:
    """[G] the local variance to the next expiry that prices total vols s at k, linear between these."""
    unit = 1.0 / (black.vega(k, s) * s)

    def across(p: FloatArray) -> FloatArray:
        return np.asarray(np.interp(lattice.x, k, np.exp(np.clip(p, -30.0, 5.0))))

    def miss(p: FloatArray) -> FloatArray:
        gap = lattice.at(lattice.after(before, across(p)), k, s)
        return np.append(gap * unit, _RIDGE * (p - start))

    return across(least_squares(miss, start, method="trf", max_nfev=40).x)
