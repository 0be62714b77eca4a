"""Principal components of the history's log-vols: least squares on them, and with noise (PPCA)."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction
from .gaussian import Gaussian
from .grid import interpolation

COMPONENTS = 6


class Pca(Gaussian):
    """Scores by least squares on the quoted cells (Avellaneda et al. 2020 reconstruct surfaces so).

    Where quotes are fewer than components, the scores least far from the mean in deviations.
    """

    def __init__(self, components: int = COMPONENTS) -> None:
        super().__init__(name="PCA")
        self.components = components

    def fit(self, history: History) -> None:
        super().fit(history)
        leading, vectors, _ = _modes(self.plain, self.components)
        self.loadings = vectors * np.sqrt(leading)

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        mean, loadings = self.mean, self.loadings
        if not axes.same(self.axes):
            weights = interpolation(self.axes, axes)[0]
            mean, loadings = weights @ mean, weights @ loadings
        logs = [self._fill(row, mean, loadings) for row in np.log(vols).reshape(len(vols), -1)]
        return Prediction.from_log(np.reshape(logs, vols.shape), None)

    def _fill(self, values: FloatArray, mean: FloatArray, loadings: FloatArray) -> FloatArray:
        seen = np.isfinite(values)
        scores = np.linalg.lstsq(loadings[seen], (values - mean)[seen], rcond=None)[0]
        return np.asarray(mean + loadings @ scores)


class Ppca(Gaussian):
    """The Gaussian of probabilistic principal components, at its likeliest in closed form.

    Tipping and Bishop (1999), section 3.2: sigma² is the mean of the eigenvalues left. A trained linear VAE
    is the same model.
    """

    def __init__(self, components: int = COMPONENTS) -> None:
        super().__init__(name="PPCA")
        self.components = components

    def fit(self, history: History) -> None:
        super().fit(history)
        leading, vectors, rest = _modes(self.plain, self.components)
        noise = rest.mean()
        self.cov = (vectors * (leading - noise)) @ vectors.T + noise * np.eye(len(vectors))


def _modes(covariance: FloatArray, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The `count` largest eigenvalues and their vectors [c, count], and the other eigenvalues."""
    values, vectors = np.linalg.eigh(covariance)
    return values[-count:], vectors[:, -count:], values[:-count]
