"""Linear conditions on call prices: no call is worth more than two others that cover it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..envelope import FORWARD, Excess
from ..surface import FloatArray

IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Covers:
    """R conditions c[sold] <= share c[left] + (1 - share) c[right], each [R]; FORWARD costs 1."""

    sold: IntArray
    left: IntArray
    right: IntArray
    share: FloatArray

    def excess(self, calls: FloatArray) -> FloatArray:
        """[R] what selling each locks in at prices [N]; above 0 the condition is broken."""
        price = np.append(calls, 1.0)  # FORWARD is -1
        cover = self.share * price[self.left] + (1 - self.share) * price[self.right]
        return np.asarray(price[self.sold] - cover)

    @property
    def nodes(self) -> IntArray:
        """[3, R] sold, left and right."""
        return np.stack([self.sold, self.left, self.right])

    @property
    def weights(self) -> FloatArray:
        """[3, R] of the prices of `nodes` in each condition's slack."""
        return np.stack([-np.ones_like(self.share), self.share, 1 - self.share])

    def slope(self, strikes: FloatArray, calls: FloatArray) -> FloatArray:
        """[R] of the line through the two bought, in [-1, 0]; 0 where there is one."""
        price, place = np.append(calls, 1.0), np.append(strikes, 0.0)
        run = place[self.right] - place[self.left]
        rise = price[self.right] - price[self.left]
        return np.clip(np.where(run > 0, rise / np.where(run > 0, run, 1.0), 0.0), -1.0, 0.0)

    def at(self, strikes: FloatArray) -> Covers:
        """Those of them that still hold at other strikes [N]: the calls bought are on either side."""
        share = _share(self.sold, self.left, self.right, strikes)
        place = np.append(strikes, 0.0)
        holds = (place[self.left] <= strikes[self.sold]) & (share >= 0)
        return Covers(self.sold[holds], self.left[holds], self.right[holds], share[holds])


def from_excesses(found: Iterable[Excess]) -> Covers:
    """The conditions that trades break; those bought below intrinsic value are bounds and left out."""
    legs = [(e.node, e.legs[0], e.legs[-1]) for e in found if e.legs]
    return Covers(
        np.array([node for node, _, _ in legs], dtype=np.intp),
        np.array([left[0] for _, left, _ in legs], dtype=np.intp),
        np.array([right[0] for _, _, right in legs], dtype=np.intp),
        np.array([left[1] for _, left, _ in legs]),
    )


def neighbours(rows: list[int], strikes: FloatArray) -> Covers:
    """Each quote against those beside it in its tenor, and against those around it in the next tenor."""
    ranks = np.array(rows)
    parts: list[Covers] = []
    later: IntArray | None = None
    for rank in sorted(set(rows), reverse=True):
        nodes = np.flatnonzero(ranks == rank)
        nodes = nodes[np.argsort(strikes[nodes], kind="stable")]
        parts.append(_within(nodes, strikes))
        if later is not None:
            parts.append(_around(nodes, later, strikes))
        later = nodes
    return joined(parts)


def joined(parts: list[Covers]) -> Covers:
    """All of them."""
    return Covers(*(np.concatenate([getattr(p, name) for p in parts]) for name in Covers.__annotations__))


def _within(nodes: IntArray, strikes: FloatArray) -> Covers:
    """Butterflies, and the last call spread; `nodes` are sorted by strike."""
    left = np.concatenate(([FORWARD], nodes[:-1]))
    right = np.concatenate((nodes[1:], left[-1:]))
    return Covers(nodes, left, right, _share(nodes, left, right, strikes))


def _around(nodes: IntArray, later: IntArray, strikes: FloatArray) -> Covers:
    """Against the strikes of a later tenor on either side; beyond its last, against that."""
    padded = np.concatenate(([FORWARD], later))
    place = np.searchsorted(strikes[later], strikes[nodes], side="right")
    left = padded[place]
    right = padded[np.minimum(place + 1, len(later))]
    return Covers(nodes, left, right, _share(nodes, left, right, strikes))


def _share(nodes: IntArray, left: IntArray, right: IntArray, strikes: FloatArray) -> FloatArray:
    """Of the left call; 1 where there is no right one."""
    at = np.append(strikes, 0.0)
    run = at[right] - at[left]
    alone = run <= 0
    share = (at[right] - at[nodes]) / np.where(alone, 1.0, run)
    return np.asarray(np.where(alone, 1.0, share))
