"""Methods without training: yesterday's surface, and two interpolations."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.special import ndtri

from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction


class Yesterday:
    """Yesterday's vol, unchanged."""

    name, uses_prior = "yesterday unchanged", True

    def fit(self, history: History) -> None:
        """Nothing to learn."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        if prior is None:
            raise ValueError("needs yesterday's full surface")
        return Prediction(prior)


class LinearVariance:
    """Linear in total variance in tenor at fixed delta, then linear in delta; flat vol beyond the quotes.

    Where a delta has no quote at any tenor its column comes from the neighbouring deltas' filled columns.
    """

    name, uses_prior = "linear in variance", False

    def fit(self, history: History) -> None:
        """Nothing to learn."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        return Prediction(np.stack([self._fill(surface, axes) for surface in vols]))

    def _fill(self, vols: FloatArray, axes: DeltaAxes) -> FloatArray:
        columns = np.full(vols.shape, np.nan)
        for k, column in enumerate(vols.T):
            quoted = np.isfinite(column)
            if quoted.any():
                columns[:, k] = _linear_in_variance(axes.tenors, axes.tenors[quoted], column[quoted])
        known = np.isfinite(columns[0])
        order = np.argsort(axes.deltas[known])
        nodes = axes.deltas[known][order]
        return np.stack([np.interp(axes.deltas, nodes, row[known][order]) for row in columns])


def _linear_in_variance(tenors: FloatArray, quoted: FloatArray, vols: FloatArray) -> FloatArray:
    inside = np.interp(tenors, quoted, vols**2 * quoted)
    flat = np.where(tenors < quoted[0], vols[0], vols[-1])
    return np.where((tenors < quoted[0]) | (tenors > quoted[-1]), flat, np.sqrt(inside / tenors))


class ThinPlate:
    """Thin-plate spline of log-vol over (inverse normal of delta / 1.28, log tenor / 1.5)."""

    name, uses_prior = "thin-plate spline", False

    def fit(self, history: History) -> None:
        """Nothing to learn."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        tenor, delta = np.meshgrid(np.log(axes.tenors) / 1.5, ndtri(axes.deltas) / 1.28, indexing="ij")
        nodes = np.column_stack([delta.ravel(), tenor.ravel()])
        filled = [self._fill(surface.ravel(), nodes) for surface in np.log(vols)]
        return Prediction.from_log(np.reshape(filled, vols.shape), None)

    def _fill(self, values: FloatArray, nodes: FloatArray) -> FloatArray:
        quoted = np.isfinite(values)
        points = nodes[quoted]
        plane = len(points) >= 6 and np.linalg.matrix_rank(points - points[0]) == 2
        if len(points) == 1:
            return np.full(len(values), values[quoted][0])
        kernel, degree = ("thin_plate_spline", 1) if plane else ("linear", 0)
        return np.asarray(RBFInterpolator(points, values[quoted], kernel=kernel, degree=degree)(nodes))
