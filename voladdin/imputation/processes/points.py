"""Points of a surface, whatever its market: tenors, and compressed moneyness (`coordinates.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from .bending import bend, expanded

BEND = 12.0**0.5  # deviations beyond which u goes on as their logarithm


@dataclass(frozen=True, eq=False)
class Points:
    """N points of a surface: `tenors` [R] are ln T of its rows, `rows` [N] the row of each, u [N].

    Of several surfaces on the same tenors: rows and u [S, N]. Equal where all numbers are, to the last bit.

    own: u is in deviations of each point's own vol, as on a delta axis, not of its tenor's ATM vol.
    """

    tenors: FloatArray
    rows: IntArray
    u: FloatArray
    own: bool

    @cached_property
    def _exact(self) -> tuple[bytes, bytes, bytes, bool]:
        return self.tenors.tobytes(), self.rows.tobytes(), self.u.tobytes(), self.own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and self._exact == other._exact

    def __hash__(self) -> int:
        return hash(self._exact)

    def __getitem__(self, chosen: IntArray | BoolArray | slice) -> Points:
        return Points(self.tenors, self.rows[chosen], self.u[chosen], self.own)

    def __len__(self) -> int:
        return len(self.u)

    @cached_property
    def own_tenors(self) -> Points:
        """The same points [N] on no tenors but theirs."""
        tenors, rows = np.unique(self.rows, return_inverse=True)
        return (
            self if len(tenors) == len(self.tenors) else Points(self.tenors[tenors], rows, self.u, self.own)
        )

    def bend(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """S [G, N] and its derivatives [G, N, 4] for z [G, 4]."""
        return bend(z, *self._place, own=self.own)

    @cached_property
    def _place(self) -> tuple[FloatArray, FloatArray]:
        q, x = 0.5 * (self.t + 1.0), expanded(self.u, BEND)
        return q[..., None, :], x[..., None, :]

    @cached_property
    def t(self) -> FloatArray:
        """[N] ln T."""
        return self.tenors[self.rows]

    @cached_property
    def smile(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """u, h(u) and g(u): odd, even, and odd in the wings alone."""
        return self.u, np.sqrt(1.0 + self.u**2) - 1.0, self.u - np.tanh(self.u)

    @cached_property
    def basis(self) -> FloatArray:
        """[N, 9] trends."""
        u, h, g = self.smile
        q = (self.t + 1.0) / 2.0
        steep = np.minimum(np.exp(-0.5 * (self.t + 1.0)) / 4.0, 4.0)
        return np.stack([np.ones_like(q), q, q * q - 1.0, u, u * q, h, h * q, g, 0.5 * u * steep], axis=-1)

    @cached_property
    def members(self) -> FloatArray:
        """[N, R], 1 where a point is of an expiry."""
        return np.eye(len(self.tenors))[self.rows]

    @cached_property
    def _powers(self) -> FloatArray:
        """[3, N, R] powers 0 to 2 of a point's u in its expiry's column."""
        return np.asarray(self.u[:, None] ** np.arange(3.0)[:, None, None] * self.members)

    @cached_property
    def at_the_money(self) -> IntArray:
        """[R] the points of least |u| of each expiry."""
        order = np.lexsort((np.abs(self.u), self.rows))
        return order[np.searchsorted(self.rows[order], np.arange(len(self.tenors)))]

    def width_told(self, quoted: BoolArray) -> FloatArray:
        """[B] sum of squares of u about its mean within expiries, of masks [B, N]: it tells smiles apart."""
        count, first, second = quoted @ self._powers
        return np.asarray((second - first**2 / np.maximum(count, 1.0)).sum(1))
