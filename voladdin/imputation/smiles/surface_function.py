"""The whole surface as a function of tenor and strike: through its nodes, free of arbitrage where they are.

Each tenor has a smile curve whose prices are convex and at later tenors' strikes below these tenors'
prices. The running maximum of the curves over tenors is then convex, increases with tenor, and passes
through every node. Between tenors (the first of them is now) total variance is linear in time at equal K/F;
where that is not convex in strike, the prices of both tenors are mixed so that ATM total variance is
linear. After the last tenor the forward variance at the money goes on: added to total variance or, where
that is not convex, as an independent lognormal factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy

from ..._typing import BoolArray, FloatArray, IntArray
from ...arbitrage.tolerances import LEAST_VOL
from ...arbitrage.verdicts import arbitrage_free
from ...black import otm_price
from ...surface import MAX_LOG_STRIKE, MAX_VOL, Surface
from .convex_pieces import total_vols
from .delta_roots import total_vols_at
from .smile_curve import SmileCurve, concave
from .smooth_rows import SmoothRows

_ROUNDS = 8
_ABOVE = 1e-12  # price of an earlier tenor over a later one's node, from which it is taken down
_SHARES = (0.25, 0.5, 0.75)
_MESH = 160
_REACH = 3.0  # deviations beyond the nodes to which a mesh of deltas goes
_SAME = 1e-12  # relative: this tenor is that one
_HERMITE = 20
_STEEPEST = 3.0  # forward vol over the last tenor's: more is the noise of two tenors that are close


class _Among(NamedTuple):
    """Where tenors [n] years lie among those of the nodes: before or at which `row`, at which share of the
    way from the row before; whether prices are mixed there; whether after the last, and total variance more.
    """

    years: FloatArray
    row: IntArray
    share: FloatArray
    mixed: BoolArray
    after: BoolArray
    more: FloatArray

    def of(self, at: IntArray) -> _Among:
        """Some of them, or some of them several times."""
        parts: Iterator[Any] = (part[at] for part in self)
        return _Among(*parts)


@dataclass(frozen=True, eq=False)
class SurfaceFunction:
    """Nodes ln(K/F) k [T, K], ascending in each row, with vols [T, K]; tenors [T] years. NaN is no node."""

    tenors: FloatArray
    k: FloatArray
    vols: FloatArray

    def vol(self, tenors: FloatArray, k: FloatArray) -> FloatArray:
        """[n] vols at tenors [n] years and ln(K/F) k [n], from `LEAST_VOL` to `MAX_VOL`."""
        return self._vol(self._among(tenors), k)

    def vol_at_delta(self, tenors: FloatArray, deltas: FloatArray) -> FloatArray:
        """[n] vols at forward call deltas [n]: where d1(k, vol(k)) = N^-1(delta)."""
        target, root, among = scipy.special.ndtri(deltas), np.sqrt(tenors), self._among(tenors)

        def total_vol(at: IntArray, k: FloatArray) -> FloatArray:
            whole = len(at) == len(tenors)
            return self._vol(among if whole else among.of(at), k) * (root if whole else root[at])

        near = self._near_delta(among, target)
        return _within(total_vols_at(total_vol, target, near) / root)

    def _vol(self, among: _Among, k: FloatArray) -> FloatArray:
        return _within(np.sqrt(self._bounded(self._variance(among, k) / among.years)))

    def _bounded(self, variance: FloatArray) -> FloatArray:
        """Variances a year, near `MAX_VOL` where they would go beyond: a bound alone is a kink in price."""
        free = max(0.5 * MAX_VOL**2, self._highest**2)
        over, room = variance - free, MAX_VOL**2 - free
        if room <= 0 or over.max() <= 0:
            return variance
        return np.where(over > 0, free - room * np.expm1(-np.maximum(over, 0.0) / room), variance)

    @cached_property
    def _highest(self) -> float:
        return float(np.nanmax(self.vols))

    def _near_delta(self, among: _Among, target: FloatArray) -> FloatArray:
        """[n] total vols about where d1 is target [n]: linear in variance between those of the tenors."""
        low, high = np.zeros((2, len(target)))
        for row in set(among.row.tolist()):
            mine = among.row == row
            high[mine] = np.interp(target[mine], *self._of_d1(row))
            low[mine] = np.interp(target[mine], *self._of_d1(row - 1)) if row else 0.0
        return np.sqrt(low**2 + among.share * (high**2 - low**2) + among.more)

    @cached_property
    def _known_of_d1(self) -> dict[int, tuple[FloatArray, FloatArray]]:
        return {}

    def _of_d1(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Of a tenor d1, ascending, and total vol there."""
        if row not in self._known_of_d1:
            nodes, total = self._rows[row]
            k = np.linspace(nodes[0] - _REACH * total[0], nodes[-1] + _REACH * total[-1], _MESH)
            s = np.sqrt(self._at_rows(k, row)[-1])
            self._known_of_d1[row] = (0.5 * s - k / s)[::-1], s[::-1]
        return self._known_of_d1[row]

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

    def _among(self, tenors: FloatArray) -> _Among:
        """Where tenors [n] lie."""
        count = len(self.tenors)
        right = np.searchsorted(self.tenors, tenors * (1.0 - _SAME))
        row = np.minimum(right, count - 1)
        start = np.where(row > 0, self.tenors[row - 1], 0.0)
        share = np.minimum((tenors - start) / (self.tenors[row] - start), 1.0)
        after = right == count
        more = np.where(after, tenors - self.tenors[-1], 0.0)
        if after.any():
            more *= self._forward_variance
        return _Among(tenors, row, share, self._mixes(row, share < 1.0), after, more)

    def _variance(self, among: _Among, k: FloatArray) -> FloatArray:
        rows, at, i = self._at_rows(k, int(among.row.max())), np.arange(len(k)), among.row
        low, high = rows[i - 1, at] * (i > 0), rows[i, at]
        found = np.where(among.share == 1.0, high, low + among.share * (high - low)) + among.more
        if among.mixed.any():
            some = np.flatnonzero(among.mixed)
            found[some] = self._mix(low[some], high[some], k[some], among.share[some], i[some])
        if among.after.any() and self._mixed_at(len(self.tenors)):
            some = np.flatnonzero(among.after)
            found[some] = self._convolved(k[some], among.more[some], found[some])
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
        at_money = np.minimum(self._at_money(len(self.tenors) - 1), MAX_VOL**2 * self.tenors)
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

    def _mixes(self, row: IntArray, between: BoolArray) -> BoolArray:
        """[n] of points before those tenors, where they lie between two."""
        rows = np.where(between, row, -1).tolist()
        there = {i: i >= 0 and self._mixed_at(i) for i in set(rows)}
        return np.array([there[i] for i in rows], dtype=np.bool_)

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

    def _convolved(self, k: FloatArray, variance: FloatArray, added: FloatArray) -> FloatArray:
        """Total variances of the last tenor's smile times an independent lognormal factor of that variance,
        `added` to it where prices are no floats.

        C(K) = sum of w_j g_j C_last(K / g_j) over Hermite's nodes y_j, with g_j = exp(v y_j) over its mean.
        """
        nodes, weights = np.polynomial.hermite_e.hermegauss(_HERMITE)
        log_factor = np.sqrt(variance)[:, None] * nodes
        log_weight = log_factor + np.log(weights / weights.sum())
        log_mean = scipy.special.logsumexp(log_weight, axis=1, keepdims=True)
        weight, moved = np.exp(log_weight - log_mean), k[:, None] - log_factor + log_mean
        total = np.sqrt(self._at_rows(moved.ravel(), len(self.tenors) - 1)[-1])
        puts = k[:, None] < 0
        parity = np.where(puts, 1.0, -1.0) * np.expm1(
            np.where(puts == (moved > 0), np.minimum(moved, MAX_LOG_STRIKE), 0.0)
        )
        price = (weight * (otm_price(moved.ravel(), total).reshape(moved.shape) + parity)).sum(1)
        return np.asarray(total_vols(price, k, np.sqrt(added)) ** 2)

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
        return np.asarray(total_vols(prices, k, np.sqrt(low + share * (high - low))) ** 2)


def _within(vols: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(np.maximum(vols, LEAST_VOL), MAX_VOL))


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
