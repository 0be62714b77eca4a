"""Grids of few cells, on which the candidates' covariances are kept and many surfaces are answered at once.

Surfaces with as many quotes as each other, wherever they lie, are conditioned together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from .._typing import FloatArray, IntArray
from .evidence import condition
from .moments import Answer, Moments, assembled
from .process import Candidates, Points

MOST = 80  # cells
_IN_CACHE = 2**18  # numbers of a batch's covariances


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
        found = Moments(*(np.empty_like(values) for _ in fields(Moments)))
        for members in self._alike(np.isfinite(values).sum(1)):
            some = self.answer(values[members], centre)
            for part in fields(Moments):
                getattr(found, part.name)[members] = getattr(some, part.name)
        return found

    def _alike(self, counts: IntArray) -> Iterator[IntArray]:
        """Surfaces with as many quotes, so many at a time that their covariances stay in the cache."""
        for count in np.unique(counts).tolist():
            members = np.flatnonzero(counts == count)
            size = max(_IN_CACHE // (len(self.candidates) * count**2), 1)
            yield from np.split(members, range(size, len(members), size))

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
        return assembled(values, used, rest, moments, given, about)

    def _of(self, used: IntArray) -> FloatArray:
        """[S, G, n, n] of the quotes."""
        cells, (surfaces, count) = len(self.points), used.shape
        pick = used[:, :, None] * cells + used[:, None]
        flat = self.of_quotes.reshape(len(self.of_quotes), -1).take(pick.reshape(surfaces, -1), axis=1)
        return flat.swapaxes(0, 1).reshape(surfaces, -1, count, count)
