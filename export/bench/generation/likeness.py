"""How like held-out surfaces what a generator gives is: reconstruction, distances of distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import wasserstein_distance

from voladdin._typing import FloatArray
from voladdin.feature_map import NAMES

from .generators import Generates
from .training_surfaces import TrainingSurfaces

RECONSTRUCTION_COLUMNS = ("generator", "features", "latent", "RMSE, bp", "log10 MSE", "largest, bp")
NODES = ((0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 14))  # tenor, moneyness: the corners and the last ATM
_DIRECTIONS = 200
_MODES = 5


def reconstruction_row(name: str, generator: Generates, surfaces: TrainingSurfaces) -> list[str]:
    """Of held-out surfaces; a row of RECONSTRUCTION_COLUMNS."""
    targets = surfaces.held_features[:, list(generator.control)]
    errors = generator.reconstructed(surfaces.held, targets) - surfaces.held
    square = float((errors**2).mean())
    return [
        name,
        str(len(generator.control)),
        str(generator.latent_size),
        f"{1e4 * np.sqrt(square):.2f}",
        f"{np.log10(square):.1f}",
        f"{1e4 * np.abs(errors).max():.1f}",
    ]


def distance_columns(surfaces: TrainingSurfaces) -> list[str]:
    """Header of `Yardstick.row`."""
    nodes = [f"w({surfaces.tenors[t]:.2g}, {surfaces.moneyness[k]:.2g})" for t, k in NODES]
    return ["surfaces", *NAMES, *nodes, "surfaces, sliced", "residual, sliced"]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Statistics of a surface, each in standard deviations of the training surfaces, and random directions.

    residual: [N, M] readout of the first modes of what the features leave, of unit variance in training.
    """

    surfaces: TrainingSurfaces
    residual: FloatArray
    sliced: FloatArray
    sliced_residual: FloatArray

    @classmethod
    def of(cls, surfaces: TrainingSurfaces, rng: np.random.Generator) -> Yardstick:
        covariance = np.cov(surfaces.train.T)
        cross = covariance @ surfaces.weights.T
        gain = np.linalg.solve(surfaces.weights @ cross, cross.T).T
        values, vectors = np.linalg.eigh(covariance - gain @ cross.T)
        modes = vectors[:, : -_MODES - 1 : -1] / np.sqrt(values[: -_MODES - 1 : -1])
        readout = modes - surfaces.weights.T @ (gain.T @ modes)
        return cls(surfaces, readout, _directions(len(covariance), rng), _directions(_MODES, rng))

    def row(self, name: str, vols: FloatArray, truth: FloatArray) -> list[str]:
        """Wasserstein-1 distances of vols [B, N] from truth [C, N]; see `distance_columns`."""
        pairs = zip(self._marginals(vols).T, self._marginals(truth).T, strict=True)
        marginals = [wasserstein_distance(a, b) for a, b in pairs]
        centre, unit = self.surfaces.train.mean(axis=0), self.surfaces.train.std(axis=0)
        whole = _sliced((vols - centre) / unit, (truth - centre) / unit, self.sliced)
        rest = _sliced(vols @ self.residual, truth @ self.residual, self.sliced_residual)
        return [name, *(f"{distance:.3f}" for distance in (*marginals, whole, rest))]

    def _marginals(self, vols: FloatArray) -> FloatArray:
        """[B, 9] features and total variances, scaled."""
        return np.asarray((self._raw(vols)) / self._raw(self.surfaces.train).std(axis=0))

    def _raw(self, vols: FloatArray) -> FloatArray:
        grid = self.surfaces.grid(vols)
        w = [grid[:, t, k] ** 2 * self.surfaces.tenors[t] for t, k in NODES]
        return np.column_stack([vols @ self.surfaces.weights.T, *w])


def _directions(size: int, rng: np.random.Generator) -> FloatArray:
    """[size, 200] unit vectors, uniform."""
    raw = rng.standard_normal((size, _DIRECTIONS))
    return np.asarray(raw / np.linalg.norm(raw, axis=0))


def _sliced(a: FloatArray, b: FloatArray, directions: FloatArray) -> float:
    """Mean Wasserstein-1 distance over the directions."""
    pairs = zip((a @ directions).T, (b @ directions).T, strict=True)
    return float(np.mean([wasserstein_distance(one, other) for one, other in pairs]))
