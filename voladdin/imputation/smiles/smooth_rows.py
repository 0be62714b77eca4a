"""The smooth smiles of several tenors at once: what each `SmileCurve` is where its prices are convex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray
from .smile_curve import SmileCurve


@dataclass(frozen=True)
class SmoothRows:
    """R tenors with n intervals at most. ends: [2, R, 1], first and last node k; inner: [n - 1, R, 1], those
    between, infinite where there are fewer; first: [R, 1], each tenor's first column of pieces [5, R * n]:
    coefficients by falling power of what goes beyond where an interval begins, which is the fifth; least:
    [R, 1] total vol.

    Beyond the ends, [2, R, 1]: total variance, how it rises with distance, by how much it falls at most, and
    the length of the fall.
    """

    ends: FloatArray
    inner: FloatArray
    first: IntArray
    pieces: FloatArray
    least: FloatArray
    wings: FloatArray

    @classmethod
    def of(cls, curves: Sequence[SmileCurve]) -> SmoothRows:
        most = max(len(curve.k) for curve in curves) - 1
        inner = np.full((max(most - 1, 0), len(curves), 1), np.inf)
        pieces = np.zeros((5, len(curves), max(most, 1)))
        for row, curve in enumerate(curves):
            inner[: max(len(curve.k) - 2, 0), row, 0] = curve.k[1:-1]
            own = curve.polynomials / curve.scale ** np.arange(3, -1, -1)
            pieces[:4, row, : len(own)], pieces[4, row, : len(own)] = own.T, curve.k[: len(own)]
        ends = np.array([curve.k[[0, -1]] for curve in curves]).T[..., None]
        least = np.array([[curve.least] for curve in curves])
        wings = np.array([curve.wings for curve in curves]).transpose(2, 1, 0)[..., None]
        first = np.arange(len(curves))[:, None] * pieces.shape[2]
        return cls(ends, inner, first, pieces.reshape(5, -1), least, wings)

    def variance(self, k: FloatArray) -> FloatArray:
        """[R, m] total variances at ln(K/F) k [m]."""
        first, last = self.ends
        inside = np.minimum(np.maximum(k, first), last)
        piece = (inside >= self.inner).sum(0) + self.first
        cubic, square, slope, level, start = self.pieces.take(piece, axis=1)
        step = inside - start
        total = np.maximum(((cubic * step + square) * step + slope) * step + level, self.least)
        found = np.asarray(total * total)
        out = inside != k
        if out.any():
            found[out] = self._beyond(np.abs(inside - k), k < first)[out]
        return found

    def _beyond(self, away: FloatArray, left: FloatArray) -> FloatArray:
        at_end, rise, fall, length = (np.where(left, *pair) for pair in self.wings)
        with np.errstate(over="ignore"):
            return np.asarray(at_end + rise * away + fall * np.expm1(-away / length))
