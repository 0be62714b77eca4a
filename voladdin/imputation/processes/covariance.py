"""Covariances of the processes, some pairs of points at a time, and of trends beside them.

What some candidates say of so many pairs stays in the cache; of two points of one surface once, not twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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


def covariance_between(
    hyper: Mapping[str, FloatArray], a: Points, b: Points, left: FloatArray, right: FloatArray
) -> FloatArray:
    """[G, N, M] between points a [N] and b [M] of one surface; hyper: each [G].

    left: [G, N, f] and right: [G, M, f], factors of the trends there.
    """
    one = a.own_tenors
    other = one if a is b else b.own_tenors
    found, times = np.empty((len(left), len(a), len(b))), _by_tenor(hyper, one.tenors, other.tenors)
    flat = found.reshape(len(left), -1)
    for pairs, places in _lower(one) if a is b else _rows(one, other):
        size = max(_IN_CACHE // pairs.gap.size, 1)
        for some in (slice(first, first + size) for first in range(0, len(left), size)):
            own = {name: value[some] for name, value in hyper.items()}
            values = pairs.covariance(own, *(time[some] for time in times))
            for place in places:
                flat[some, place] = values.reshape(len(values), -1)
    for here, of_a, of_b in zip(found, left, right, strict=True):
        here += of_a @ of_b.T
    return found


def _lower(points: Points) -> Iterator[tuple[PointPairs, list[IntArray]]]:
    """The lower triangle's pairs, and where each and its mirror image stand in [N * N]."""
    i, j = _triangle(len(points))
    for part in (slice(first, first + _IN_CACHE) for first in range(0, len(i), _IN_CACHE)):
        early, late = j[part], i[part]
        both = [late * len(points) + early, early * len(points) + late]
        yield ListedPairs.of(points, late, early), both


def _rows(a: Points, b: Points) -> Iterator[tuple[PointPairs, list[slice]]]:
    """All pairs, some rows at a time, and where they stand in [N * M]."""
    size, m = max(_IN_CACHE // max(len(b), 1), 1), len(b)
    for first in range(0, len(a), size):
        yield CrossedPairs(a[first : first + size], b), [slice(first * m, (first + size) * m)]


def _triangle(n: int) -> tuple[IntArray, IntArray]:
    """Row and column of the lower triangle's places."""
    count = np.arange(1, n + 1)
    i = np.repeat(count - 1, count)
    return i, np.arange(len(i)) - (i * (i + 1)) // 2


class PointPairs(ABC):
    """Pairs of points, [P] or [n, m]. tenors: which of [R * Q] pairs of tenors; gap: in u."""

    tenors: IntArray
    gap: FloatArray

    @abstractmethod
    def across(self, weights: FloatArray) -> FloatArray:
        """The products of what the smile's processes are multiplied by, weighed [..., 3]."""

    @abstractmethod
    def growth(self, wings: FloatArray | float) -> FloatArray:
        """Of a covariance whose deviations rise by so much for each unit of |u|."""

    def covariance(
        self, hyper: Mapping[str, FloatArray], level: FloatArray, smile: FloatArray, *between: FloatArray
    ) -> FloatArray:
        """[G, ...] of candidates; hyper: each [G]; level, smile and between: [G, R * Q], of processes in
        time.
        """
        shape = -1, *(1 for _ in self.gap.shape)
        found = smile.take(self.tenors, axis=1)
        found *= self.across(np.stack([hyper[name] ** 2 for name in _SMILE], axis=-1))
        found += level.take(self.tenors, axis=1)
        for name, time in zip(("residual", "rough"), between, strict=True):
            width, wings = (hyper[f"{name}_{number}"].reshape(shape) for number in ("width", "wings"))
            part = _matern52(self.gap * (-np.sqrt(5.0) / width))
            part *= self.growth(wings)
            part *= (hyper[f"{name}_std"][:, None] ** 2 * time).take(self.tenors, axis=1)
            found += part
        return found


@dataclass(frozen=True)
class ListedPairs(PointPairs):
    """P pairs of points i and j [P]. total, product: [P] of both |u|; smile: [3, P]."""

    i: IntArray
    j: IntArray
    tenors: IntArray
    gap: FloatArray
    total: FloatArray
    product: FloatArray
    smile: FloatArray

    @classmethod
    def among(cls, points: Points) -> ListedPairs:
        """Each pair once."""
        return cls.of(points, *_triangle(len(points)))

    @classmethod
    def of(cls, points: Points, i: IntArray, j: IntArray) -> ListedPairs:
        tenors, size = (points.rows * len(points.tenors))[i] + points.rows[j], np.abs(points.u)
        gap, (one, other) = np.abs(points.u[i] - points.u[j]), (size[i], size[j])
        smile = np.stack([x[i] * x[j] for x in points.smile])
        return cls(i, j, tenors, gap, one + other, one * other, smile)

    def across(self, weights: FloatArray) -> FloatArray:
        return np.asarray(weights @ self.smile)

    def growth(self, wings: FloatArray | float) -> FloatArray:
        size = self.product * wings
        size += self.total
        size *= wings
        size += 1.0
        return size


class CrossedPairs(PointPairs):
    """Each of n points with each of m others."""

    def __init__(self, a: Points, b: Points) -> None:
        self.tenors = (a.rows * len(b.tenors))[:, None] + b.rows
        self.gap = np.abs(a.u[:, None] - b.u)
        self._sizes = np.abs(a.u)[:, None], np.abs(b.u)
        self._smiles = np.stack(a.smile), np.stack(b.smile)

    def across(self, weights: FloatArray) -> FloatArray:
        left, right = self._smiles
        return np.asarray((left.T * weights[..., None, :]) @ right)

    def growth(self, wings: FloatArray | float) -> FloatArray:
        one, other = self._sizes
        return np.asarray((1.0 + wings * one) * (1.0 + wings * other))


def _by_tenor(hyper: Mapping[str, FloatArray], a: FloatArray, b: FloatArray) -> tuple[FloatArray, ...]:
    """[G, R * Q] of level and event, smile, residual, rough residual, between ln T `a` [R] and b [Q]."""
    h = {k: v[:, None] for k, v in hyper.items()}
    gap, late = np.abs(a[:, None] - b).ravel(), (a[:, None] + b + 2.0).ravel()
    level = h["level_std"] ** 2 * matern32(gap / h["level_length"])
    level += h["event_std"] ** 2 * np.exp(h["event_growth"] * late - gap / h["event_length"])
    smile = matern52(gap / h["smile_length"]) * np.exp(h["smile_growth"] * late)
    residual = matern32(gap / h["residual_length"]) * np.exp(h["residual_growth"] * late)
    return level, smile, residual, np.exp(-gap / h["rough_length"])
