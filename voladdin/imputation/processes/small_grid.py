"""Grids of few cells, on which the candidates' covariances are kept and many surfaces are answered at once.

Surfaces with as many quotes as each other, wherever they lie, are conditioned together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from .evidence import ENOUGH, condition
from .left_out import errors_of_expiries
from .moments import Answer, Moments, assembled
from .points import Points
from .process import Candidates
from .whole_grid import WholeGrid

MOST = 80  # cells
_IN_CACHE = 2**19  # numbers of a batch's covariances
_PAIRS = 12  # of a surface and a candidate, about, that come to matter
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SmallGrid:
    """What the candidates say of all cells, but for smiles that bend, before a quote is seen.

    mean, variance: [G, N]; covariance, of_quotes: [G, N, N], without and with the noise.
    """

    candidates: Candidates
    points: Points
    mean: FloatArray
    variance: FloatArray
    covariance: FloatArray
    of_quotes: FloatArray

    @classmethod
    def of(cls, candidates: Candidates, points: Points) -> SmallGrid:
        """The grid of points, of which there are at most `MOST`."""
        index, covariance = np.arange(len(points)), candidates.straight_covariance(points, points)
        of_quotes = covariance.copy()
        of_quotes[:, index, index] += candidates.noise(points)
        mean, variance = candidates.straight_mean(points), of_quotes[:, index, index]
        return cls(candidates, points, mean, variance, covariance, of_quotes)

    def each(self, values: FloatArray, centre: float | None = None) -> Moments:
        """Of surfaces one by one; values: [B, N] log-vols, NaN where missing, some quote in each."""
        found, missing = np.empty((len(fields(Moments)), *values.shape)), np.isnan(values)
        order, count = np.argsort(~missing, axis=1, kind="stable"), missing.sum(1)
        few = (2 * count <= values.shape[1]) & ~self._thin(~missing) & ~self._lacking(~missing)
        for members in self._alike(count, few):
            if few[members[0]]:
                some = self._whole.each(values[members], order[members, : count[members[0]]], centre)
            else:
                some = self.answer(values[members], centre)
            if len(members) == len(values):
                return some
            for into, part in zip(found, fields(Moments), strict=True):
                into[members] = getattr(some, part.name)
        return Moments(*found)

    @cached_property
    def _whole(self) -> WholeGrid:
        return WholeGrid.of(self.candidates, self.points, self.mean, self.of_quotes)

    def _lacking(self, quoted: BoolArray) -> BoolArray:
        """[B] of masks [B, N]: whether some expiry has no quote, which asks how the others are foretold."""
        return np.asarray((quoted @ self.points.members == 0).any(1))

    def _thin(self, quoted: BoolArray) -> BoolArray:
        """[B] of masks [B, N]: whether kinds of market may matter (`evidence.thin`)."""
        if self.candidates.kinds is None:
            return np.zeros(len(quoted), dtype=np.bool_)
        return np.asarray(self.points.width_told(quoted) < ENOUGH + _ROUNDING)

    def _alike(self, missing: IntArray, few: BoolArray) -> Iterator[IntArray]:
        """Surfaces with as many missing cells, so many at a time that what is large stays in the cache."""
        for most, count in set(zip(few.tolist(), missing.tolist(), strict=True)):
            members, cells = np.flatnonzero((few == most) & (missing == count)), len(self.points)
            each = cells**2 * _PAIRS if most else len(self.candidates) * (cells - count) ** 2
            size = max(_IN_CACHE // each, 1)
            yield from (members[first : first + size] for first in range(0, len(members), size))

    def answer(self, values: FloatArray, centre: float | None = None) -> Answer:
        """Of S surfaces with as many quotes each; values: [S, N]. centre: as `Universal.at` takes it."""
        order, count = np.argsort(np.isnan(values), axis=1, kind="stable"), int(np.isfinite(values[0]).sum())
        used, rest = order[:, :count], order[:, count:]
        quotes = np.take_along_axis(values, used, 1)
        about = np.median(quotes, axis=1) if centre is None else np.full(len(values), centre)
        given = condition(self.candidates, self.points[used], self._of(used), quotes - about[:, None], about)
        moved, factor = given.candidates.bent(self.points)
        of, left, right = given.kept[:, :, None], rest[:, None], used[:, None]
        cross = self.covariance[of[..., None], left[..., None], right[:, :, None]]
        variance = self.variance[of, left]
        ahead, behind = (np.take_along_axis(factor, at[..., None], 2) for at in (left, right))
        cross += ahead @ behind.swapaxes(-1, -2)
        if given.others:
            change = given.candidates.trends - self.candidates.trends[given.kept]
            turned = self.points.basis[rest][:, None] @ change
            cross += turned @ self.points.basis[used][:, None].swapaxes(-1, -2)
            variance += (turned * self.points.basis[rest][:, None]).sum(-1)
        mean = given.candidates.straight_mean(self.points) + moved
        moments = given.answer(np.take_along_axis(mean, left, 2), cross, variance + (ahead**2).sum(-1))
        expiries = errors_of_expiries(given, self.points, used)
        return assembled(values, used, rest, moments, given, about, expiries)

    def _of(self, used: IntArray) -> FloatArray:
        """[S, G, n, n] of the quotes."""
        cells, (surfaces, count) = len(self.points), used.shape
        pick = used[:, :, None] * cells + used[:, None]
        flat = self.of_quotes.reshape(len(self.of_quotes), -1).take(pick.reshape(surfaces, -1), axis=1)
        return flat.swapaxes(0, 1).reshape(surfaces, -1, count, count)
