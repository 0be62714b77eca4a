"""The linear part of the generator: what the features say of a surface, and principal modes of the rest.

    x = mean + G (y - P mean) + B u,    G = S P' (P S P')^-1,    P B = 0

x are the vols of a grid, S their covariance over the data and y = P x the features. G (y - P mean) is the
regression of x on y; the columns of B are the principal directions of its residual, scaled to unit variance
of u. Since P G = 1 and P B = 0 the features of x are y whatever u a network puts there: the projection
x + G (y - P x) of a decoded surface x, done once for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voladdin._typing import FloatArray


@dataclass(frozen=True)
class Basis:
    """P, mean, G and B of a data set; N cells, F features, U modes.

    weights: P [F, N]. mean: [N]. gain: G [N, F]. modes: B [N, U]. centre, spread: [F] mean and standard
    deviation of y.
    """

    weights: FloatArray
    mean: FloatArray
    gain: FloatArray
    modes: FloatArray
    centre: FloatArray
    spread: FloatArray

    @classmethod
    def fit(cls, vols: FloatArray, weights: FloatArray, modes: int) -> Basis:
        """Of vols [n, N] and features P [F, N]."""
        mean = vols.mean(axis=0)
        covariance = np.cov(vols.T)
        cross = covariance @ weights.T
        inner = weights @ cross
        gain = np.linalg.solve(inner, cross.T).T
        values, vectors = np.linalg.eigh(covariance - gain @ cross.T)
        directions = vectors[:, : -modes - 1 : -1]
        directions = directions - gain @ (weights @ directions)  # rounding only: P B = 0 already
        scaled = directions * np.sqrt(values[: -modes - 1 : -1])
        return cls(weights, mean, np.asarray(gain, float), scaled, weights @ mean, np.sqrt(np.diag(inner)))

    def split(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Features y [n, F] and mode coefficients u [n, U] of vols [n, N]."""
        y = vols @ self.weights.T
        rest = vols - self.mean - (y - self.centre) @ self.gain.T
        return y, rest @ np.linalg.pinv(self.modes).T

    def join(self, y: FloatArray, u: FloatArray) -> FloatArray:
        """Vols [n, N] whose features are y."""
        return self.mean + (y - self.centre) @ self.gain.T + u @ self.modes.T
