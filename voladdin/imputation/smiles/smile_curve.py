"""One tenor's smile as a function of strike: exact at its nodes, without butterflies where these have none.

Between nodes the vol is a natural cubic spline in x = k / s, s the smile's total vol, or a monotone one if
that overshoots; where call prices are not convex, Schumaker's quadratic spline of prices takes its place,
with the same slopes at the nodes. Beyond the nodes total variance is linear in k, or flattens where it falls;
where that is not convex either, or steeper than Lee allows, call prices are a power of K on the right, and
put prices on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from ..._typing import BoolArray, FloatArray, IntArray
from ...black import otm_price, vega
from ...surface import MAX_LOG_STRIKE
from .convex_pieces import ROUNDING, prices_after, prices_before, prices_between, total_vols

_MESH = 24  # points an interval at which convexity is looked at, close to the nodes in the wings
_STRAIGHT = 1e-2  # of the largest difference of two chords: next to none
_OVERSHOOT = (
    2.0  # of the nodes' total vols: a spline that goes further beyond them gives way to a monotone one
)
_INSIDE = 0.05  # of the difference of both chords, between which slopes stay
_WING = 4.0  # deviations beyond the nodes to which convexity is looked at
_FARTHEST = MAX_LOG_STRIKE + 5.0  # to which the mesh goes: K/F is a number still
_LEAST = 0.05  # of the lowest node's total vol
_LEE = 1.9  # largest slope of total variance in k


@dataclass(frozen=True, eq=False)
class SmileCurve:
    """Total vol s(k) of one tenor through nodes k [n] ascending, total vols s [n].

    convexity: whether pieces whose prices are not convex are replaced; it needs nodes free of arbitrage.
    """

    k: FloatArray
    s: FloatArray
    convexity: bool = True

    def total_vol(self, k: FloatArray) -> FloatArray:
        """[m] total vols at ln(K/F) k [m]."""
        return self.replaced(k, self._smooth(k))

    def replaced(self, k: FloatArray, total: FloatArray) -> FloatArray:
        """Smooth total vols [m] at k [m], in place where another curve has theirs."""
        piece = np.searchsorted(self.k, k)
        bent = self.bent[piece]
        if bent.any():
            total[bent] = self._convex(k[bent], piece[bent])
        return total

    @cached_property
    def scale(self) -> float:
        """In which its spline is."""
        return float(np.median(self.s))

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicSpline, PchipInterpolator  # slow to import

        if len(self.k) < 2:
            return None
        x = self.k / self.scale
        spline = CubicSpline(x, self.s, bc_type="natural")
        inside = spline(x[:-1, None] + np.diff(x)[:, None] * np.linspace(0, 1, _MESH))
        if inside.min() < self.s.min() / _OVERSHOOT or inside.max() > self.s.max() * _OVERSHOOT:
            with np.errstate(
                over="ignore"
            ):  # a slope between nodes beside each other is infinite, its mean is not
                return PchipInterpolator(x, self.s)
        return spline

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """ds/dk at the first and last node."""
        if self._spline is None:
            return 0.0, 0.0
        slopes = self._spline(self.k[[0, -1]] / self.scale, 1) / self.scale
        return float(slopes[0]), float(slopes[1])

    @property
    def polynomials(self) -> FloatArray:
        """[n - 1, 4] coefficients of its intervals, by falling power of k beyond their start in scales."""
        if self._spline is None:
            return np.array([[0.0, 0.0, 0.0, self.s[0]]])
        return np.asarray(self._spline.c.T)

    @property
    def least(self) -> float:
        """Total vol."""
        return float(_LEAST * self.s.min())

    @property
    def wings(self) -> FloatArray:
        """[2, 4] to the left and right: total variance, its rise, or by how much it falls in which length."""
        found = np.zeros((2, 4))
        for end, outward in ((0, -1.0), (-1, 1.0)):
            slope = 2.0 * self.s[end] * self._ends[end] * outward
            rise, length = min(max(slope, 0.0), _LEE), _fall(self.s[end], slope) if slope < 0 else 1.0
            found[end] = self.s[end] ** 2, rise, -min(slope, 0.0) * length, length
        return found

    def _smooth(self, k: FloatArray) -> FloatArray:
        inside = np.clip(k, self.k[0], self.k[-1])
        if self._spline is None:
            total = np.full(k.shape, self.s[0])
        else:
            total = np.asarray(self._spline(inside / self.scale))
        total = np.maximum(total, self.least)
        for out, end, outward in ((k < self.k[0], 0, -1.0), (k > self.k[-1], -1, 1.0)):
            if out.any():
                slope = 2.0 * self.s[end] * self._ends[end] * outward
                total[out] = np.sqrt(_wing(np.abs(k[out] - self.k[end]), self.s[end], slope))
        return np.asarray(total)

    @cached_property
    def _own_slopes(self) -> FloatArray:
        """dC/dK = -N(d2) + n(d1) s'(k) / K of the smooth curve at the nodes."""
        steep = np.zeros(1)
        if self._spline is not None:
            steep = np.asarray(self._spline(self.k / self.scale, 1)) / self.scale
        d2 = -self.k / self.s - 0.5 * self.s
        return np.asarray(vega(self.k, self.s) * steep / np.exp(self.k) - scipy.special.ndtr(d2))

    @cached_property
    def _slopes(self) -> FloatArray:
        """The same, strictly within the chords on both sides: no kinks."""
        strikes = np.exp(self.k)
        chords = np.diff(self._calls) / np.diff(strikes)
        low = np.concatenate([[(self._calls[0] - 1.0) / strikes[0]], chords])
        high = np.concatenate([chords, [0.0]])
        gap = np.maximum(high - low, 0.0)
        slope = np.clip(self._own_slopes, low + _INSIDE * gap, low + (1.0 - _INSIDE) * gap)
        for j in np.flatnonzero(gap <= _STRAIGHT * gap.max()):  # on a line up to the next nodes
            slope[max(j - 1, 0) : j + 1], slope[j + 1 : j + 2] = low[j], high[j]
        return np.asarray(slope)

    @cached_property
    def _otm(self) -> FloatArray:
        return otm_price(self.k, self.s)

    @cached_property
    def _calls(self) -> FloatArray:
        return np.asarray(self._otm - np.expm1(np.minimum(self.k, 0.0)))

    @cached_property
    def bent(self) -> BoolArray:
        """[n + 1]: pieces, wings among them, on which the smooth curve's prices are not convex.

        Where a node's slope is not the smooth curve's, both sides of it are bent or neither.
        """
        pieces = len(self.k) + 1
        if not self.convexity:
            return np.zeros(pieces, dtype=np.bool_)
        reach = _WING * self.scale
        first, last = max(self.k[0] - reach, -_FARTHEST), min(self.k[-1] + reach, _FARTHEST)
        knots = np.concatenate([[first], self.k, [last]])
        share = np.tile(np.arange(_MESH + 1) / _MESH, (pieces, 1))
        share[0], share[-1] = 1.0 - (1.0 - share[0]) ** 2, share[-1] ** 2
        mesh = knots[:-1, None] + np.diff(knots)[:, None] * share
        total = self._smooth(mesh.ravel()).reshape(mesh.shape)
        bent = concave(mesh, total)
        of_price = np.exp(np.maximum(self.k, 0.0)) * np.abs(self._slopes - self._own_slopes)
        turned = np.flatnonzero(of_price > ROUNDING)
        for nodes in (turned, turned[::-1]):
            for j in nodes:
                bent[j : j + 2] |= bent[j : j + 2].any()
        bent[[0, -1]] |= self._steep
        return bent

    @property
    def _steep(self) -> BoolArray:
        """[2] whether total variance rises faster at the first and last node than a wing may."""
        return np.array([-1.0, 1.0]) * self._ends * self.s[[0, -1]] > 0.5 * _LEE

    def _convex(self, k: FloatArray, piece: IntArray) -> FloatArray:
        """Total vols from prices that are convex on each piece."""
        strikes, nodes = (np.exp(np.minimum(at, MAX_LOG_STRIKE)) for at in (k, self.k))
        otm, ends = np.empty_like(k), self._otm
        left, right = piece == 0, piece == len(self.k)
        puts = ~left & ~right & (self.k[np.minimum(piece, len(self.k) - 1)] <= 0)
        calls = ~left & ~right & ~puts
        otm[left] = prices_before(k[left], float(self.k[0]), *self._first)
        otm[right] = prices_after(k[right], float(self.k[-1]), float(ends[-1]), float(self._slopes[-1]))
        otm[puts] = prices_between(strikes[puts], piece[puts] - 1, nodes, ends, self._slopes + 1.0)
        otm[calls] = prices_between(strikes[calls], piece[calls] - 1, nodes, self._calls, self._slopes)
        otm[calls] += np.expm1(np.minimum(k[calls], 0.0))  # below the forward the put is out of the money
        return total_vols(otm, k, self._smooth(k))

    @property
    def _first(self) -> tuple[float, float]:
        """Price of the first node and its slope in K: of the put below the forward, else of the call."""
        k, s = self.k[0], self.s[0]
        if k > 0:
            return float(self._calls[0]), float(self._slopes[0])
        own = scipy.special.ndtr(k / s + 0.5 * s) + vega(k, s) * self._ends[0] / np.exp(k)
        return float(self._otm[0]), float(own + self._slopes[0] - self._own_slopes[0])


def _wing(distance: FloatArray, s: float, slope: float) -> FloatArray:
    """Total variance beyond a node: linear where it rises, flattening where it falls."""
    if slope >= 0:
        return np.asarray(s * s + min(slope, _LEE) * distance)
    length = _fall(s, slope)
    return np.asarray(s * s + slope * length * -np.expm1(-distance / length))


def _fall(s: float, slope: float) -> float:
    return min(s, 0.5 * s * s / -slope)


def concave(mesh: FloatArray, total: FloatArray) -> BoolArray:
    """[pieces]: whether call prices on a row of the mesh bend down anywhere, or rise, or miss C(0) = 1."""
    strikes = np.exp(mesh)
    prices = otm_price(mesh, total) - np.expm1(np.minimum(mesh, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):  # strikes that are one have endless noise
        chords, noise = (part / np.diff(strikes, axis=1) for part in (np.diff(prices, axis=1), ROUNDING))
        bend = np.diff(chords, axis=1) < -(noise[:, 1:] + noise[:, :-1])
    from_zero = np.diff((prices - 1.0) / strikes, axis=1) < -2.0 * ROUNDING / strikes[:, 1:]
    return np.asarray(bend.any(1) | (chords > noise).any(1) | from_zero.any(1))
