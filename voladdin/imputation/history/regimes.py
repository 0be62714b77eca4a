"""History as a few hundred numbers per regime: the locally weighted Gaussian without the history.

A locally weighted Gaussian weighs each past day by its nearness to today's surface. Its moments are sums
over days, so days that lie close together can be summed once and for all: a bundle keeps the weight, mean and
covariance of each cluster of days (a regime), and the kernel weighs clusters instead of days. Weights carry
recency, and a small share of mirrored history (delta to 1 - delta: the pair quoted the other way round).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..._typing import FloatArray, IntArray


@dataclass(frozen=True)
class Regimes:
    """K regimes over c core nodes (log-vols).

    weight: [K], sums to 1. mean: [K, c]. scatter: [K, c, c], second moments about the regime's own mean.
    origin: [c], scores: [c, q]: whitened principal scores (x - origin) @ scores, the measure of nearness.
    width: of the Gaussian kernel, in score units. floor: the kernel's least value, so that a surface far from
    all history is met by all of it. shrink: the share of the whole history in every answer.
    """

    weight: FloatArray
    mean: FloatArray
    scatter: FloatArray
    origin: FloatArray
    scores: FloatArray
    width: float
    floor: float
    shrink: float

    @classmethod
    def of(cls, arrays: Mapping[str, FloatArray], kind: str) -> Regimes:
        """The regimes in a bundle's arrays; kind: "level" or "change", whose scatter and kernel they have."""
        width, floor, shrink = (float(value) for value in arrays[f"{kind}_kernel"])
        weight, mean, scatter = arrays["level_weight"], arrays["level_mean"], arrays[f"{kind}_scatter"]
        return cls(weight, mean, scatter, arrays["origin"], arrays["scores"], width, floor, shrink)

    @cached_property
    def whole(self) -> tuple[FloatArray, FloatArray]:
        """Mean [c] and covariance [c, c] of the whole history."""
        mean, covariance = self._moments(self.weight[None])
        return mean[0], covariance[0]

    def near(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean [B, c] and covariance [B, c, c] of the history near surfaces x [B, c]."""
        return self._moments(self.kernel(x))

    def scatter_near(self, x: FloatArray) -> FloatArray:
        """Scatter [B, c, c] within the regimes near surfaces x [B, c], without that between them."""
        weight = self.kernel(x)
        return (weight @ self.scatter.reshape(len(self.weight), -1)).reshape(len(x), *self.scatter.shape[1:])

    def kernel(self, x: FloatArray) -> FloatArray:
        """Weights [B, K] of the regimes near surfaces x [B, c]."""
        place = (x - self.origin) @ self.scores
        distance = ((place[:, None] - self._centres) ** 2).sum(-1)
        weight = self.weight * (np.exp(-0.5 * distance / self.width**2) + self.floor)
        weight /= weight.sum(1, keepdims=True)
        kernel: FloatArray = (1.0 - self.shrink) * weight + self.shrink * self.weight
        return kernel

    @cached_property
    def _centres(self) -> FloatArray:
        """[K, q] scores of the regimes' means."""
        return np.asarray((self.mean - self.origin) @ self.scores)

    @cached_property
    def _triangle(self) -> tuple[IntArray, IntArray]:
        """Where the upper triangle's places lie in [c * c], and [c * c] which of them each place is."""
        nodes = self.mean.shape[1]
        down, right = np.triu_indices(nodes)
        place = np.empty((nodes, nodes), dtype=np.intp)
        place[down, right] = place[right, down] = np.arange(len(down))
        return down * nodes + right, place.ravel()

    @cached_property
    def _second(self) -> FloatArray:
        """[K, c (c + 1) / 2]: second moments about zero, each once."""
        second = self.scatter + self.mean[:, :, None] * self.mean[:, None, :]
        return np.ascontiguousarray(second.reshape(len(second), -1)[:, self._triangle[0]])

    def _moments(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        nodes = self.mean.shape[1]
        mean = weight @ self.mean
        total = (weight @ self._second).take(self._triangle[1], axis=1).reshape(-1, nodes, nodes)
        total -= mean[:, :, None] * mean[:, None, :]
        return mean, total
