"""The smooth smiles of several tenors at once: what each `SmileCurve` is where its prices are convex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from .smile_curve import SmileCurve


@dataclass(frozen=True)
class SmoothRows:
    """R tenors with n intervals at most. ends: [2, R, 1], first and last node k; inner: [R, 1, n - 1], those
    between, infinite where there are fewer; left: [R, n], where an interval begins, of coefficients
    [R, n, 4] by falling power of what goes beyond it in scales [R, 1]; least: [R, 1] total vol.

    Beyond the ends, [2, R, 1]: total variance, how it rises with distance, by how much it falls at most, and
    the length of the fall.
    """

    ends: FloatArray
    inner: FloatArray
    left: FloatArray
    coefficients: FloatArray
    scale: FloatArray
    least: FloatArray
    wings: FloatArray

    @classmethod
    def of(cls, curves: Sequence[SmileCurve]) -> SmoothRows:
        most = max(len(curve.k) for curve in curves) - 1
        inner, left = (
            np.full((len(curves), 1, max(most - 1, 0)), np.inf),
            np.zeros((len(curves), max(most, 1))),
        )
        coefficients = np.zeros((*left.shape, 4))
        for row, curve in enumerate(curves):
            inner[row, 0, : max(len(curve.k) - 2, 0)] = curve.k[1:-1]
            pieces = curve.polynomials
            left[row, : len(pieces)], coefficients[row, : len(pieces)] = curve.k[: len(pieces)], pieces
        ends = np.array([curve.k[[0, -1]] for curve in curves]).T[..., None]
        scale, least = np.array([[curve.scale, curve.least] for curve in curves]).T[..., None]
        wings = np.array([curve.wings for curve in curves]).transpose(2, 1, 0)[..., None]
        return cls(ends, inner, left, coefficients, scale, least, wings)

    def variance(self, k: FloatArray) -> FloatArray:
        """[R, m] total variances at ln(K/F) k [m]."""
        first, last = self.ends
        inside, rows = np.minimum(np.maximum(k, first), last), np.arange(len(self.left))[:, None]
        piece = (inside[..., None] >= self.inner).sum(-1)
        step = (inside - self.left[rows, piece]) / self.scale
        cubic, square, slope, level = np.moveaxis(self.coefficients[rows, piece], -1, 0)
        total = np.maximum(((cubic * step + square) * step + slope) * step + level, self.least)
        found = np.asarray(total * total)
        away = np.maximum(first - k, k - last)
        out = away > 0
        if out.any():
            found[out] = self._beyond(away, k < first)[out]
        return found

    def _beyond(self, away: FloatArray, left: FloatArray) -> FloatArray:
        at_end, rise, fall, length = (np.where(left, *pair) for pair in self.wings)
        with np.errstate(over="ignore"):
            return np.asarray(at_end + rise * away + fall * np.expm1(-np.maximum(away, 0.0) / length))
