"""Covariances of the processes but for the smile that bends, some pairs of points at a time.

What one candidate says of so many pairs stays in the cache; of two points of one surface once, not twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray
from .points import Points

_IN_CACHE = 2**13  # pairs
_SMILE = ("skew_std", "curvature_std", "wing_std")


def matern32(distance: FloatArray) -> FloatArray:
    """Correlation at a distance in lengths."""
    r = np.sqrt(3.0) * distance
    return np.asarray((1.0 + r) * np.exp(-r))


def matern52(distance: FloatArray) -> FloatArray:
    """Correlation at a distance in lengths, of a twice as smooth process."""
    return _matern52(-np.sqrt(5.0) * distance)


def _matern52(r: FloatArray) -> FloatArray:
    """Of minus the distance in lengths, times the root of 5; r is written over."""
    found = r * (1.0 / 3.0)
    found -= 1.0
    found *= r
    found += 1.0
    found *= np.exp(r, out=r)
    return found


def straight(hyper: Mapping[str, FloatArray], root: FloatArray, a: Points, b: Points) -> FloatArray:
    """[G, N, M] between points a [N] and b [M] of one surface; hyper: each [G], root: [G, 9, 9]."""
    found, times = np.empty((len(root), len(a), len(b))), _by_tenor(hyper, a.tenors)
    for i, j in _lower(len(a)) if a is b else _rows(len(a), len(b)):
        pairs, place, mirror = PointPairs.of(a, b, i, j), i * len(b) + j, j * len(b) + i
        for g, here in enumerate(found):
            own = {name: float(value[g]) for name, value in hyper.items()}
            values, flat = pairs.covariance(own, *(time[g] for time in times)), here.reshape(-1)
            flat[place] = values
            if a is b:
                flat[mirror] = values
    for here, of in zip(found, root, strict=True):
        left = a.basis @ of
        here += left @ (left if a is b else b.basis @ of).T
    return found


def _lower(n: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Row and column of the lower triangle's places."""
    count = np.arange(1, n + 1)
    i = np.repeat(count - 1, count)
    j = np.arange(len(i)) - (i * (i + 1)) // 2
    for first in range(0, len(i), _IN_CACHE):
        yield i[first : first + _IN_CACHE], j[first : first + _IN_CACHE]


def _rows(n: int, m: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Row and column of all places."""
    size = max(_IN_CACHE // max(m, 1), 1)
    for first in range(0, n, size):
        rows = np.arange(first, min(first + size, n))
        yield np.repeat(rows, m), np.tile(np.arange(m), len(rows))


@dataclass(frozen=True)
class PointPairs:
    """P pairs of points, i and j [P]. tenors: [P], which of [R * R]; gap: [P] in u; total, product: [P] of
    both |u|; smile: [3, P], products of what the smile's processes are multiplied by.
    """

    i: IntArray
    j: IntArray
    tenors: IntArray
    gap: FloatArray
    total: FloatArray
    product: FloatArray
    smile: FloatArray

    @classmethod
    def among(cls, points: Points) -> PointPairs:
        """Each pair once."""
        i, j = map(np.concatenate, zip(*_lower(len(points)), strict=True))
        return cls.of(points, points, i, j)

    @classmethod
    def of(cls, a: Points, b: Points, i: IntArray, j: IntArray) -> PointPairs:
        tenors = (a.rows * len(a.tenors))[i] + b.rows[j]
        gap, (one, other) = np.abs(a.u[i] - b.u[j]), (np.abs(a.u)[i], np.abs(b.u)[j])
        smile = np.stack([x[i] * y[j] for x, y in zip(a.smile, b.smile, strict=True)])
        return cls(i, j, tenors, gap, one + other, one * other, smile)

    def covariance(
        self, h: Mapping[str, float], level: FloatArray, smile: FloatArray, *between: FloatArray
    ) -> FloatArray:
        """[P] of one candidate; level, smile and between: [R * R], of its processes in time."""
        found = smile.take(self.tenors)
        found *= np.array([h[name] ** 2 for name in _SMILE]) @ self.smile
        found += level.take(self.tenors)
        for name, time in zip(("residual", "rough"), between, strict=True):
            part = _matern52(self.gap * (-np.sqrt(5.0) / h[f"{name}_width"]))
            part *= self.growth(h[f"{name}_wings"])
            part *= (h[f"{name}_std"] ** 2 * time).take(self.tenors)
            found += part
        return found

    def growth(self, wings: float) -> FloatArray:
        """[P] of a covariance whose deviations rise by so much for each unit of |u|."""
        size = self.product * wings
        size += self.total
        size *= wings
        size += 1.0
        return size


def _by_tenor(hyper: Mapping[str, FloatArray], tenors: FloatArray) -> tuple[FloatArray, ...]:
    """[G, R * R] of level and event, smile, residual, rough residual."""
    h = {k: v[:, None] for k, v in hyper.items()}
    gap, late = np.abs(tenors[:, None] - tenors).ravel(), (tenors[:, None] + tenors + 2.0).ravel()
    level = h["level_std"] ** 2 * matern32(gap / h["level_length"])
    level += h["event_std"] ** 2 * np.exp(h["event_growth"] * late - gap / h["event_length"])
    smile = matern52(gap / h["smile_length"]) * np.exp(h["smile_growth"] * late)
    residual = matern32(gap / h["residual_length"]) * np.exp(h["residual_growth"] * late)
    return level, smile, residual, np.exp(-gap / h["rough_length"])
