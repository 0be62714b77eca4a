"""Where smiles have given deltas: roots of d1(k, s(k)) = x, by secants between ends that close in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..._typing import FloatArray, IntArray

_STEPS = 60
_SETTLED = 1e-14
_ROUNDING = 1e-15  # a step of less than this share moves nothing
_SHORT = 1e-10  # of total vol: along such a step a smile is a line
_FEW = 12  # points that cost as little several times as once
_AROUND = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])  # of total vol, where those are asked at first
_MIDDLE, _ITSELF = len(_AROUND) // 2, np.eye(len(_AROUND), dtype=np.bool_)

TotalVol = Callable[[IntArray, FloatArray], FloatArray]  # total vols of the smiles `at` [m], at their k [m]


def total_vols_at(total_vol: TotalVol, target: FloatArray, near: FloatArray) -> FloatArray:
    """[n] total vols of n smiles where d1 is `target` [n]; near: [n] about what they are."""
    search, left = _Secants(near, target), np.arange(len(near))
    if len(near) <= _FEW:
        search.look_around(total_vol)
    for _ in range(_STEPS):
        left = search.step(left, total_vol(left, search.k[left]))
        if not len(left):
            break
    return search.s


class _Secants:
    """Points k [n] on the way to the roots, and the last ones before them."""

    def __init__(self, near: FloatArray, target: FloatArray) -> None:
        self.k, self.s, self._target = near * (0.5 * near - target), near.copy(), target
        self._before, self._gap = np.zeros_like(near), 0.5 * near - target
        self._low, self._high = np.full_like(near, -np.inf), np.full_like(near, np.inf)

    def look_around(self, total_vol: TotalVol) -> None:
        """Moves each point to the root of the polynomial k(gap) through several beside it (Lagrange's)."""
        each = np.repeat(np.arange(len(self.k)), len(_AROUND))
        k = self.k[:, None] + self.s[:, None] * _AROUND
        s = total_vol(each, k.ravel()).reshape(k.shape)
        gap = 0.5 * s - k / s - self._target[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(_ITSELF, 1.0, gap[:, None] / (gap[:, None] - gap[:, :, None]))
            root = (share.prod(2) * k).sum(1)
        self._before, self._gap, self.s = k[:, _MIDDLE], gap[:, _MIDDLE], s[:, _MIDDLE]
        near = np.abs(root - self._before) <= self.s
        self.k = np.where(near, root, k[:, 0])

    def step(self, at: IntArray, s: FloatArray) -> IntArray:
        """Moves the points `at`, of total vols s; gives those that are not settled."""
        k, target = self.k[at], self._target[at]
        gap, away = 0.5 * s - k / s - target, k - self._before[at]  # the gap falls with k
        with np.errstate(divide="ignore", invalid="ignore"):
            slope, rise = (gap - self._gap[at]) / away, (s - self.s[at]) / away
        slope = np.where(slope < -0.2 / s, slope, -1.0 / s)  # also where there is none
        step = -gap / slope
        size, small = np.abs(step), np.abs(gap) <= _SETTLED * (1.0 + np.abs(target))
        near = size <= _SHORT * s
        self.s[at] = s + np.where(near & np.isfinite(rise), rise, 0.0) * step
        left = ~(near | small | (size <= _ROUNDING * (np.abs(k) + s)))
        if left.any():
            self._before[at], self._gap[at] = k, gap
            self._move(at[left], k[left], gap[left], step[left])
        return at[left]

    def _move(self, at: IntArray, k: FloatArray, gap: FloatArray, step: FloatArray) -> None:
        """By a step, or to the middle of the ends where it leads outside."""
        low = np.where(gap > 0, np.maximum(self._low[at], k), self._low[at])
        high = np.where(gap <= 0, np.minimum(self._high[at], k), self._high[at])
        moved, middle = k + step, 0.5 * (low + high)
        inside = (moved > low) & (moved < high) | ~np.isfinite(middle)
        self._low[at], self._high[at], self.k[at] = low, high, np.where(inside, moved, middle)
