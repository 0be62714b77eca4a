"""Fits on strikes as methods on deltas: a hidden cell's strike moves with its vol until both agree."""

from __future__ import annotations

import numpy as np

from voladdin import black
from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction
from .interpolators import Fit, Fitted, linear

PASSES, SETTLED = 12, 1e-8


class OfStrikes:
    """A fit to tenors [T], ln(K/F) [T, K] and vols [T, K] with NaN that gives vols at any strikes.

    Where it has no answer on a surface (NaN, or an error of its numerics), linear total variance stands in.
    """

    uses_prior = False

    def __init__(self, name: str, fit_surface: Fit) -> None:
        self.name, self.fit_surface = name, fit_surface

    def fit(self, history: History) -> None:
        """Nothing to learn: the model is fitted to the quotes of each surface."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        return Prediction(np.stack([self._surface(surface, axes) for surface in vols]))

    def _surface(self, vols: FloatArray, axes: DeltaAxes) -> FloatArray:
        order = np.argsort(axes.deltas)[::-1]  # strikes rise as call deltas fall
        found = self._at_deltas(vols[:, order], axes.tenors, axes.deltas[order])
        return found[:, np.argsort(order)]

    def _at_deltas(self, vols: FloatArray, tenors: FloatArray, deltas: FloatArray) -> FloatArray:
        seen, fill = np.isfinite(vols), np.full(vols.shape, np.nanmedian(vols))
        fitted: Fitted | None = None
        for _ in range(PASSES):
            s = np.where(seen, vols, fill) * np.sqrt(tenors)[:, None]
            moneyness = black.moneyness_from_delta(deltas, s)
            if not (np.diff(moneyness, axis=1) > 0).all():
                return fill
            plain = linear(tenors, moneyness, vols)
            try:
                fitted = fitted or self.fit_surface(tenors, moneyness, vols)
                found = fitted(moneyness)
            except (ValueError, RuntimeError, np.linalg.LinAlgError):
                found = plain
            before, fill = fill, np.where(np.isfinite(found) & (found > 0.0), found, plain)
            if np.abs(fill - before)[~seen].max(initial=0.0) < SETTLED:
                break
        return fill
