"""The generator on one grid of tenors and moneyness: vols with exactly the features asked for.

On the trained nodes  x = mean + G (y - centre) + B u,  y the features and u what the decoder says. On
another grid mean, G and B are those functions of (tau, m), by splines, and the features are P x with the P of
that grid. One projection makes them exact there too:

    x = x0 + D (y - P x0),   x0 = mean + G (y - centre) + B u,   D = G (P G)^-1.

Everything is linear in (y, u), so that a surface is one product of matrices, in float64. On a grid whose P is
so large that rounding shows, what is left of y is put right again, by sums that are rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import FloatArray
from ..arbitrage.nodes import Rectangle
from ..bundles.generator import Generator
from ..errors import InputError
from ..feature_map import NAMES, exact_sums, feature_weights
from .axes import along

_FINE = 1e-12  # of a feature: what rounding may leave of it
_STEPS = 4


@dataclass(frozen=True, eq=False)
class Frame:
    """A grid, T x K cells in row order. weights: P [4, N] of this grid. matrix: [4 + U, N], base: [N]."""

    tenors: FloatArray
    moneyness: FloatArray
    weights: FloatArray
    matrix: FloatArray
    base: FloatArray

    @cached_property
    def axes(self) -> Rectangle:
        """Without vols."""
        return Rectangle(self.tenors, self.moneyness)

    @classmethod
    def of(cls, generator: Generator, tenors: FloatArray, moneyness: FloatArray) -> Frame:
        """The generator on these tenors and moneyness, within the reach of its splines.

        Raises InputError where the grid cannot identify a feature.
        """
        weights = feature_weights(tenors[:, None], moneyness)
        _refuse_unidentified(weights, len(tenors), len(moneyness))
        there = _evaluated(generator, tenors, moneyness)
        gain, modes, mean = there[:, :4], there[:, 4:-1], there[:, -1]
        directions = np.linalg.solve((weights @ gain).T, gain.T).T
        modes = modes - directions @ (weights @ modes)
        start = mean - gain @ generator.centre
        base = start - directions @ (weights @ start)
        return cls(tenors, moneyness, weights, np.vstack([directions.T, modes.T]), base)

    def vols(self, features: FloatArray, coefficients: FloatArray) -> FloatArray:
        """[B, T, K] for features [B, 4] and coefficients [B, U]; nothing keeps them above 0."""
        flat = np.column_stack([features, coefficients]) @ self.matrix
        flat += self.base
        if self.coarse:
            flat = np.stack([self._refined(x, y) for x, y in zip(flat, features, strict=True)])
        return flat.reshape(-1, len(self.tenors), len(self.moneyness))

    @cached_property
    def coarse(self) -> bool:
        """Whether the rounding of vols shows in a feature: tenors or strikes very near to each other."""
        return bool(np.abs(self.weights).sum(1).max() * np.finfo(float).eps > _FINE)

    def left(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        """[4] what vols [T, K], or in row order, lack of these features."""
        return np.asarray(features - np.array(exact_sums(self.weights, vols.ravel())))

    def _refined(self, flat: FloatArray, features: FloatArray) -> FloatArray:
        best, lacking = flat, self.left(flat, features)
        for _ in range(_STEPS):
            flat = best + lacking @ self.matrix[:4]
            left = self.left(flat, features)
            if np.abs(left).max() >= np.abs(lacking).max():
                break
            best, lacking = flat, left
        return best


def _evaluated(generator: Generator, tenors: FloatArray, moneyness: FloatArray) -> FloatArray:
    """[T * K, 4 + U + 1] G, B and the mean on a grid."""
    columns = np.column_stack([generator.gain, generator.modes, generator.mean])
    nodes = columns.reshape(len(generator.tenors), len(generator.moneyness), -1)
    rows, across = along(generator.tenors, tenors), along(generator.moneyness, moneyness)
    there = np.einsum("ta,kb,abc->tkc", rows, across, nodes, optimize=True)
    return np.asarray(there.reshape(len(tenors) * len(moneyness), -1))


def _refuse_unidentified(weights: FloatArray, tenors: int, strikes: int) -> None:
    unknown = [name for name, row in zip(NAMES, weights, strict=True) if np.isnan(row).any()]
    if unknown:
        raise InputError(
            f"a grid of {tenors} tenor{'s'[: tenors - 1]} and {strikes} moneyness cannot tell "
            f"{', '.join(unknown)}; expected at least 2 tenors and 3 moneyness"
        )
