"""Linear conditions on call prices: no call is worth more than two others that cover it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from .hulls import FORWARD, Excess


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
    number = len(rows)
    ranks = np.unique(rows, return_inverse=True)[1]
    height = np.unique(strikes, return_inverse=True)[1]
    keys = ranks * number + height  # by tenor, then by strike
    order = np.argsort(keys, kind="stable")
    ends = np.searchsorted(ranks[order], np.arange(ranks.max() + 2))  # of each tenor in `order`
    beside = _beside(np.arange(number), order, ends, ranks[order])
    earlier = order[: ends[-2]]
    rank = ranks[earlier] + 1
    place = np.searchsorted(keys[order], rank * number + height[earlier], side="right") - 1
    around = _beside(place, order, ends, rank, own=False)
    parts = [(order, *beside), (earlier, *around)]
    return joined([Covers(*part, _share(*part, strikes)) for part in parts])


def _beside(
    place: IntArray, order: IntArray, ends: IntArray, rank: IntArray, own: bool = True
) -> tuple[IntArray, IntArray]:
    """Those left and right of places in `order`, within a tenor; the last has none right of it.

    own: left of the place, not at it.
    """
    left, right = place - own, place + 1
    padded = np.append(order, FORWARD)
    lefts = padded[np.where(left >= ends[rank], left, len(order))]
    return lefts, np.where(right < ends[rank + 1], padded[right], lefts)


def joined(parts: list[Covers]) -> Covers:
    """All of them."""
    return Covers(*(np.concatenate([getattr(p, name) for p in parts]) for name in Covers.__annotations__))


def _share(nodes: IntArray, left: IntArray, right: IntArray, strikes: FloatArray) -> FloatArray:
    """Of the left call; 1 where there is no right one."""
    at = np.append(strikes, 0.0)
    run = at[right] - at[left]
    alone = run <= 0
    share = (at[right] - at[nodes]) / np.where(alone, 1.0, run)
    return np.asarray(np.where(alone, 1.0, share))
