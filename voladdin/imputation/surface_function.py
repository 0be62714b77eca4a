"""The whole surface as a function of tenor and strike: through its nodes, free of arbitrage where they are.

Each tenor has a smile curve whose prices are convex and at later tenors' strikes below these tenors'
prices. The running maximum of the curves over tenors is then convex, increases with tenor, and passes
through every node. Between tenors (the first of them is now) total variance is linear in time at equal K/F;
where that is not convex in strike, the prices of both tenors are mixed so that ATM total variance is
linear. After the last tenor the forward variance at the money goes on: added to total variance or, where
that is not convex, as an independent lognormal factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from .._typing import BoolArray, FloatArray, IntArray
from ..arbitrage.tolerances import LEAST_VOL
from ..arbitrage.verdicts import arbitrage_free
from ..black import implied_total_vol, otm_price
from ..surface import MAX_VOL, Surface
from .smile_curve import SmileCurve, concave
from .smooth_rows import SmoothRows

_ROUNDS = 8
_ABOVE = 1e-12  # price of an earlier tenor over a later one's node, from which it is taken down
_SHARES = (0.25, 0.5, 0.75)
_MESH = 160
_STEPS = 60
_SAME = 1e-12  # relative: this tenor is that one
_HERMITE = 20
_SETTLED = 1e-14
_ROUNDING = 1e-15  # a step of less than this share moves nothing
_STEEPEST = 3.0  # forward vol over the last tenor's: more is the noise of two tenors that are close


@dataclass(frozen=True, eq=False)
class SurfaceFunction:
    """Nodes ln(K/F) k [T, K], ascending in each row, with vols [T, K]; tenors [T] years. NaN is no node."""

    tenors: FloatArray
    k: FloatArray
    vols: FloatArray

    def vol(self, tenors: FloatArray, k: FloatArray) -> FloatArray:
        """[n] vols at tenors [n] years and ln(K/F) k [n], from `LEAST_VOL` to `MAX_VOL`."""
        return np.clip(np.sqrt(self._variance(tenors, k) / tenors), LEAST_VOL, MAX_VOL)

    def vol_at_delta(self, tenors: FloatArray, deltas: FloatArray) -> FloatArray:
        """[n] vols at forward call deltas [n]: roots of d1(k, vol(k)) = N^-1(delta), by secants."""
        target, root = ndtri(deltas), np.sqrt(tenors)
        s = self.vol(tenors, np.zeros_like(tenors)) * root
        search = _Secants(s, target)
        left = np.arange(len(s))
        for _ in range(_STEPS):
            s[left] = self.vol(tenors[left], search.k[left]) * root[left]
            left = search.step(left, s[left])
            if not len(left):
                break
        return np.clip(s / root, LEAST_VOL, MAX_VOL)

    @cached_property
    def _rows(self) -> list[tuple[FloatArray, FloatArray]]:
        """Nodes k and total vols of each tenor."""
        there = np.isfinite(self.vols)
        total = self.vols * np.sqrt(self.tenors)[:, None]
        return [(k[seen], s[seen]) for k, s, seen in zip(self.k, total, there, strict=True)]

    @cached_property
    def _made(self) -> dict[int, SmileCurve]:
        return {}

    def _curve(self, row: int) -> SmileCurve:
        """The smile of a tenor, below the later ones' nodes; made where it is asked for."""
        if row not in self._made:
            later = self._rows[row + 1 :] if self._clean else []
            self._made[row] = _below(*self._rows[row], later, convexity=self._clean)
        return self._made[row]

    @cached_property
    def _clean(self) -> bool:
        """Whether the nodes are free of arbitrage, and may be asked to stay so between them."""
        axes = Surface(self.vols, self.tenors.tolist(), moneyness=self.k)
        return bool(arbitrage_free(axes, self.vols[None])[0])

    @cached_property
    def _known_smooth(self) -> dict[int, tuple[SmoothRows, list[int]]]:
        return {}

    def _smooth(self, last: int) -> tuple[SmoothRows, list[int]]:
        """The tenors up to `last`, and those of them whose curves are not smooth everywhere."""
        if last not in self._known_smooth:
            curves = [self._curve(row) for row in range(last + 1)]
            bent = [row for row, curve in enumerate(curves) if curve.bent.any()]
            self._known_smooth[last] = SmoothRows.of(curves), bent
        return self._known_smooth[last]

    def _at_rows(self, k: FloatArray, last: int) -> FloatArray:
        """[last + 1, n] total variances of the tenors up to `last`, increasing where nodes are clean."""
        smooth, bent = self._smooth(last)
        found = smooth.variance(k)
        for row in bent:
            found[row] = self._curve(row).replaced(k, np.sqrt(found[row])) ** 2
        return np.maximum.accumulate(found, axis=0) if self._clean else found

    def _variance(self, tenors: FloatArray, k: FloatArray) -> FloatArray:
        count = len(self.tenors)
        right = np.searchsorted(self.tenors, tenors * (1.0 - _SAME))
        rows = self._at_rows(k, min(int(right.max()), count - 1))
        at, i = np.arange(len(k)), np.minimum(right, count - 1)
        start = np.where(i > 0, self.tenors[i - 1], 0.0)
        low, high = np.where(i > 0, rows[i - 1, at], 0.0), rows[i, at]
        share = np.minimum((tenors - start) / (self.tenors[i] - start), 1.0)
        found = np.where(share == 1.0, high, low + share * (high - low))
        mixed = np.flatnonzero(share < 1.0)
        mixed = mixed[self._mixes(i[mixed])]
        if len(mixed):
            found[mixed] = self._mix(low[mixed], high[mixed], k[mixed], share[mixed], i[mixed])
        after = right == count
        if after.any():
            more = (tenors[after] - self.tenors[-1]) * self._forward_variance
            found[after] = high[after] + more
            if self._mixed_at(count):
                total = self._convolved(k[after], more)
                found[after] = np.where(total > 0, total, found[after])
        return np.asarray(found)

    @cached_property
    def _known_at_money(self) -> dict[int, FloatArray]:
        return {}

    def _at_money(self, last: int) -> FloatArray:
        """[last + 1] total variances at K = F of the tenors up to `last`."""
        if last not in self._known_at_money:
            self._known_at_money[last] = self._at_rows(np.zeros(1), last)[:, 0]
        return self._known_at_money[last]

    @cached_property
    def _forward_variance(self) -> float:
        """At the money, over the last two tenors: a vol of 0 to `_STEEPEST` times the last tenor's."""
        at_money = self._at_money(len(self.tenors) - 1)
        last = float(at_money[-1] / self.tenors[-1])
        steps = np.diff(at_money[-2:]) / np.diff(self.tenors[-2:])
        return float(np.clip(steps[0], 0.0, _STEEPEST**2 * last)) if len(steps) else last

    @cached_property
    def _known_mixed(self) -> dict[int, bool]:
        return {}

    def _mixed_at(self, i: int) -> bool:
        """Whether prices are mixed before tenor i, T after the last: others are convex as is."""
        if i not in self._known_mixed:
            self._known_mixed[i] = self._clean and self._bends(i)
        return self._known_mixed[i]

    def _mixes(self, right: IntArray) -> BoolArray:
        """[n] of points before those tenors."""
        there = {i: self._mixed_at(i) for i in np.unique(right).tolist()}
        return np.array([there[i] for i in right.tolist()], dtype=np.bool_)

    def _bends(self, i: int) -> bool:
        """Whether total variances between tenor i - 1 and i are not convex in strike somewhere."""
        count = len(self.tenors)
        curves = [self._curve(row) for row in range(max(i - 1, 0), min(i + 1, count))]
        if any(curve.bent.any() for curve in curves):
            return True  # prices with steps in their second derivative: sums in variance keep nothing
        ends = np.concatenate([curve.k for curve in curves])
        reach = 2.0 * float(np.sqrt(self._at_money(min(i, count - 1))[-1]))
        mesh = np.linspace(ends.min() - reach, ends.max() + reach, _MESH)
        rows = self._at_rows(mesh, min(i, count - 1))
        low = rows[i - 1] if i else np.zeros(_MESH)
        high = rows[i] if i < count else rows[-1] + self._forward_variance * self.tenors[-1]
        slices = np.array([np.sqrt(low + share * (high - low)) for share in _SHARES])
        return bool(concave(np.tile(mesh, (len(_SHARES), 1)), slices).any())

    def _convolved(self, k: FloatArray, variance: FloatArray) -> FloatArray:
        """Total variances of the last tenor's smile times an independent lognormal factor of that variance.

        C(K) = sum of w_j g_j C_last(K / g_j) over Hermite's nodes y_j, with g_j = exp(v y_j) over its mean.
        """
        nodes, weights = np.polynomial.hermite_e.hermegauss(_HERMITE)
        factor = np.exp(np.sqrt(variance)[:, None] * nodes)
        weight = weights / weights.sum() * factor
        weight /= weight.sum(1, keepdims=True)
        moved = k[:, None] - np.log(factor) + np.log((factor * weights / weights.sum()).sum(1))[:, None]
        total = np.sqrt(self._at_rows(moved.ravel(), len(self.tenors) - 1)[-1])
        calls = otm_price(moved.ravel(), total) - np.expm1(np.minimum(moved.ravel(), 0.0))
        price = (weight * calls.reshape(moved.shape)).sum(1) + np.expm1(np.minimum(k, 0.0))
        return np.asarray(implied_total_vol(np.maximum(price, 0.0), k) ** 2)

    def _mix(
        self, low: FloatArray, high: FloatArray, k: FloatArray, share: FloatArray, right: IntArray
    ) -> FloatArray:
        """Total variances of mixed prices; the weights make those at the money linear in time."""
        zero = np.zeros_like(k)
        at_money = self._at_money(int(right.max()))
        w0, w1 = np.where(right > 0, at_money[right - 1], 0.0), at_money[right]
        atm = [otm_price(zero, np.sqrt(w)) for w in (w0, w0 + share * (w1 - w0), w1)]
        weight = np.where(atm[2] > atm[0], (atm[1] - atm[0]) / np.maximum(atm[2] - atm[0], 1e-300), share)
        prices = (1.0 - weight) * otm_price(k, np.sqrt(low)) + weight * otm_price(k, np.sqrt(high))
        total = implied_total_vol(prices, k)
        return np.asarray(np.where(total > 0, total**2, low + share * (high - low)))


class _Secants:
    """Points k [n] on the way to d1(k, s(k)) = target [n], between the ends of an interval that shrinks."""

    def __init__(self, s: FloatArray, target: FloatArray) -> None:
        self._target, self.k = target, s * (0.5 * s - target)
        self._before, self._gap = np.zeros_like(s), 0.5 * s - target
        self._low, self._high = np.full_like(s, -np.inf), np.full_like(s, np.inf)

    def step(self, at: IntArray, s: FloatArray) -> IntArray:
        """Moves the points `at` of total vols s; gives those that are not settled."""
        k, before, target = self.k[at], self._before[at], self._target[at]
        gap = 0.5 * s - k / s - target  # falls with k
        low = np.where(gap > 0, np.maximum(self._low[at], k), self._low[at])
        high = np.where(gap <= 0, np.minimum(self._high[at], k), self._high[at])
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (gap - self._gap[at]) / (k - before)
        slope = np.where(np.isfinite(slope) & (slope < -0.2 / s), slope, -1.0 / s)
        step, middle = k - gap / slope, 0.5 * (low + high)
        inside = (step > low) & (step < high) | ~np.isfinite(middle)
        self._low[at], self._high[at], self._before[at], self._gap[at] = low, high, k, gap
        self.k[at] = np.where(inside, step, middle)
        still = np.abs(self.k[at] - k) > _ROUNDING * (np.abs(k) + s)
        left = (np.abs(gap) > _SETTLED * (1.0 + np.abs(target))) & still
        self.k[at[~left]] = k[~left]
        return at[left]


def _below(
    k: FloatArray, s: FloatArray, later: list[tuple[FloatArray, FloatArray]], *, convexity: bool
) -> SmileCurve:
    """The smile through its nodes whose prices at later nodes' strikes are at most the prices there."""
    curve = SmileCurve(k, s, convexity)
    if not later:
        return curve
    caps_k = np.concatenate([k_later for k_later, _ in later])
    caps_s = np.concatenate([s_later for _, s_later in later])
    for _ in range(_ROUNDS):
        over = otm_price(caps_k, curve.total_vol(caps_k)) - otm_price(caps_k, caps_s)
        over[np.isin(caps_k, curve.k)] = 0.0
        if over.max() <= _ABOVE:
            break
        worst = int(over.argmax())
        at = int(np.searchsorted(curve.k, caps_k[worst]))
        curve = SmileCurve(
            np.insert(curve.k, at, caps_k[worst]), np.insert(curve.s, at, caps_s[worst]), convexity
        )
    return curve
