"""A PCA-Gaussian generator: principal components of the vols, jointly Gaussian with the features.

    x = mean + V (A (y - centre) + L z),   z ~ N(0, I)

V are the first principal directions, A the regression of their scores on the features, L the root of what it
leaves. The truncation and L z move the features; the projection x + G (y - P x) makes them exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voladdin._typing import FloatArray

COMPONENTS = 9  # as many numbers as four features and a latent of five


@dataclass(frozen=True, eq=False)
class Projection:
    """x + G (y - P x). weights: P [F, N] of the controlled features. gain: G [N, F], P G = 1."""

    weights: FloatArray
    gain: FloatArray

    def __call__(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        return np.asarray(vols + (features - vols @ self.weights.T) @ self.gain.T)


@dataclass(frozen=True, eq=False)
class PcaGaussian:
    """See the module. directions: V [N, E], slope: A [E, F], root: L [E, E], projection: where it is used."""

    control: tuple[int, ...]
    mean: FloatArray
    centre: FloatArray
    directions: FloatArray
    slope: FloatArray
    root: FloatArray
    projection: Projection | None

    @property
    def latent_size(self) -> int:
        return int(self.directions.shape[1])

    def vols(self, features: FloatArray, z: FloatArray) -> FloatArray:
        scores = (features - self.centre) @ self.slope.T + z @ self.root.T
        return self._projected(self.mean + scores @ self.directions.T, features)

    def reconstructed(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        kept = (vols - self.mean) @ self.directions @ self.directions.T
        return self._projected(self.mean + kept, features)

    def _projected(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        return vols if self.projection is None else self.projection(vols, features)


def fit_gaussian(
    vols: FloatArray,
    weights: FloatArray,
    control: tuple[int, ...],
    *,
    components: int = COMPONENTS,
    projected: bool,
) -> PcaGaussian:
    """Of vols [n, N], weights [4, N] and the rows of them that are controlled."""
    mean, covariance = vols.mean(axis=0), np.cov(vols.T)
    directions = np.linalg.eigh(covariance)[1][:, : -components - 1 : -1]
    chosen = weights[list(control)]
    cross = covariance @ chosen.T
    gain = np.linalg.solve(chosen @ cross, cross.T).T
    slope = directions.T @ gain
    left = directions.T @ covariance @ directions - slope @ cross.T @ directions
    values, vectors = np.linalg.eigh((left + left.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    projection = Projection(chosen, np.asarray(gain, float)) if projected else None
    return PcaGaussian(control, mean, chosen @ mean, directions, slope, root, projection)
