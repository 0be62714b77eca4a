"""Surfaces of SVI smiles about points of their parameters, where log-vols are linear in these.

A cell's log-vol depends on e by the few numbers of its expiry's smile alone: all that least squares ask of
quotes are sums of products expiry by expiry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..._typing import FloatArray, IntArray
from .fitted_quotes import Places, Quotes


@dataclass(frozen=True)
class Linearised:
    """ln vol `value` [F, n] of cells; by_number: j of [F, n], its derivatives by the numbers of the smile as
    `Prior.numbers` has them; turns: [R, j, p] what each e turns of these.
    """

    at: Places
    value: FloatArray
    by_number: tuple[FloatArray, ...]
    turns: FloatArray

    @cached_property
    def by_e(self) -> FloatArray:
        """[F, n, p] derivatives."""
        members = self.at.members(len(self.turns))
        each = np.stack(self.by_number, axis=-1)[:, :, None] * members[..., None]
        return np.asarray(each.reshape(*self.value.shape, -1) @ self.all_turns)

    @property
    def all_turns(self) -> FloatArray:
        """View [R j, p]."""
        return self.turns.reshape(-1, self.turns.shape[2])

    def sums(self, quotes: Quotes, members: FloatArray) -> FloatArray:
        """[F, R, j + 1, j + 1] of the products, over the quotes of each expiry, of derivatives by its numbers
        and of what is left; members: of their places.
        """
        each = np.array([*self.by_number, quotes.values - self.value])
        first, second, back = _pairs(len(each))
        products = (each * quotes.trust).take(first, axis=0)
        products *= each.take(second, axis=0)
        return (products.swapaxes(0, 1) @ members).swapaxes(1, 2).take(back, axis=2)

    def spread(self, root: FloatArray) -> FloatArray:
        """[F, n] variance, of the inverse root [F, p, p] of e's precision."""
        white = (self.all_turns @ root.swapaxes(1, 2)).reshape(len(root), *self.turns.shape)
        each, (first, second, back) = np.array(self.by_number), _pairs(len(self.by_number))
        covariance = (white @ white.swapaxes(2, 3)).reshape(*white.shape[:2], -1)
        pairs = self.at.expand(covariance.transpose(2, 0, 1)[first * len(back) + second])
        pairs *= each.take(first, axis=0)
        pairs *= each.take(second, axis=0)
        return np.asarray(2.0 * pairs.sum(0) - pairs[np.diagonal(back)].sum(0))


@lru_cache
def _pairs(count: int) -> tuple[IntArray, IntArray, IntArray]:
    """The two of each pair, once, and [count, count] which pair each two are."""
    first, second = np.tril_indices(count)
    back = np.zeros((count, count), dtype=int)
    back[first, second] = back[second, first] = np.arange(len(first))
    return first, second, back
