"""Quotes that surfaces are fitted to, and the cells that fits are asked of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..._typing import FloatArray, IntArray

_WING = 0.1  # growth of the noise's variance with u²


@dataclass(frozen=True)
class Places:
    """Cells of F surfaces on the same tenors: rows of expiries, ln(K/F) `k` [F, n] and u, moneyness in
    deviations of the ATM vol; rows and u are [n], or [F, n] where each surface has cells of its own.
    """

    rows: IntArray
    k: FloatArray
    u: FloatArray

    @cached_property
    def noise(self) -> FloatArray:
        """[F, n] or [n] how a quote's variance grows with u."""
        return 1.0 + _WING * self.u * self.u

    def of(self, fits: IntArray) -> Places:
        """Some surfaces'."""
        if self.rows.ndim == 1:
            return replace(self, k=self.k[fits])
        return Places(self.rows[fits], self.k[fits], self.u[fits])

    def some(self, cells: IntArray) -> Places:
        """Some cells [F, m] of each."""
        k = np.take_along_axis(self.k, cells, 1)
        return Places(self.rows[cells], k, self.u[cells])

    def expand(self, each: FloatArray) -> FloatArray:
        """[..., F, n] of numbers [..., F, R] of expiries."""
        if self.rows.ndim == 1 or len(self.rows) == 1:
            return np.asarray(each.take(self.rows.ravel(), axis=-1))
        first = np.arange(0, each.size, each.shape[-1]).reshape(*each.shape[:-1], 1)
        return np.asarray(each.take(first + self.rows))

    def members(self, expiries: int) -> FloatArray:
        """[F, n, R] or [n, R] of R expiries, 1 where a cell is of one."""
        return np.eye(expiries).take(self.rows, axis=0)


@dataclass(frozen=True)
class Quotes:
    """Ln vols `values` [F, n] at places; weight: [F, n], 0 where there is none."""

    at: Places
    values: FloatArray
    weight: FloatArray

    @cached_property
    def trust(self) -> FloatArray:
        """[F, n] one over a quote's variance, of one at the money."""
        return np.asarray(self.weight / self.at.noise)

    @cached_property
    def count(self) -> IntArray:
        """[F] of quotes."""
        return np.asarray((self.weight > 0).sum(1))

    def of(self, fits: IntArray) -> Quotes:
        """Some surfaces'."""
        return Quotes(self.at.of(fits), self.values[fits], self.weight[fits])
