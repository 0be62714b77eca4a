"""Linear conditions on call prices: no call is worth more than two others that cover it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray, IntArray
from .hulls import FORWARD, arbitrage_trades
from .nodes import Nodes

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class NoArbitrageConditions:
    """R conditions c[sold] <= share c[left] + (1 - share) c[right], each [R]; FORWARD costs 1."""

    sold: IntArray
    left: IntArray
    right: IntArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.sold)

    def gain(self, calls: FloatArray) -> FloatArray:
        """[..., R] what selling each locks in at prices [..., N]; above 0 the condition is broken."""
        price = np.concatenate([calls, np.ones((*calls.shape[:-1], 1))], axis=-1)  # FORWARD is -1
        cover = self.share * price[..., self.left] + (1 - self.share) * price[..., self.right]
        return np.asarray(price[..., self.sold] - cover)

    @property
    def nodes(self) -> IntArray:
        """[3, R] sold, left and right."""
        return np.stack([self.sold, self.left, self.right])

    @property
    def weights(self) -> FloatArray:
        """[3, R] of the prices of `nodes` in each condition's slack."""
        return np.stack([-np.ones_like(self.share), self.share, 1 - self.share])

    def matrix(self, values: FloatArray, number: int) -> csr_array:
        """[R, N] of values [3, R] at their `nodes`, for N = `number` columns; FORWARD has none."""
        from scipy.sparse import csr_array

        used = (self.nodes != FORWARD) & (values != 0)
        row = np.broadcast_to(np.arange(len(self)), used.shape)[used]
        return csr_array((values[used], (row, self.nodes[used])), shape=(len(self), number))

    def linear(self, quotes: Nodes, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[R] gains at vols [N], and [3, R] how fast each slack grows with those of its nodes.

        d slack / d vol = weight (c' - slope K'), slope that of the line through the two calls bought.
        """
        strikes, calls = quotes.at(vols)
        rate = quotes.rate(vols, self._slope(strikes, calls), self.nodes)
        return self.gain(calls), self.weights * rate

    def _slope(self, strikes: FloatArray, calls: FloatArray) -> FloatArray:
        """[R] of the line through the two bought, in [-1, 0]; 0 where there is one."""
        price, place = np.append(calls, 1.0), np.append(strikes, 0.0)
        run = place[self.right] - place[self.left]
        rise = price[self.right] - price[self.left]
        return np.clip(np.where(run > 0, rise / np.where(run > 0, run, 1.0), 0.0), -1.0, 0.0)

    def at(self, strikes: FloatArray) -> NoArbitrageConditions:
        """Those of them that still hold at other strikes [N]: the calls bought are on either side."""
        share = _share(self.sold, self.left, self.right, strikes)
        place = np.append(strikes, 0.0)
        holds = (place[self.left] <= strikes[self.sold]) & (share >= 0)
        return NoArbitrageConditions(self.sold[holds], self.left[holds], self.right[holds], share[holds])


_NOBODY = np.zeros(0, dtype=np.intp)
NONE = NoArbitrageConditions(_NOBODY, _NOBODY, _NOBODY, np.zeros(0))


def broken(
    rows: IntArray, strikes: FloatArray, calls: FloatArray, tolerance: float, slack: FloatArray | float = 0.0
) -> NoArbitrageConditions:
    """The conditions that calls [N] of at least intrinsic value break by more than `tolerance`.

    slack: [N] what each call may be sold at less than its price; no call of price NaN takes part.
    """
    found = arbitrage_trades(rows, strikes, calls - slack, calls, tolerance)
    legs = [(trade.node, trade.legs[0], trade.legs[-1]) for trade in found if trade.legs]
    return NoArbitrageConditions(
        np.array([node for node, _, _ in legs], dtype=np.intp),
        np.array([left[0] for _, left, _ in legs], dtype=np.intp),
        np.array([right[0] for _, _, right in legs], dtype=np.intp),
        np.array([left[1] for _, left, _ in legs]),
    )


def neighbours(rows: IntArray, strikes: FloatArray) -> NoArbitrageConditions:
    """Each quote against those beside it in its tenor, and against those around it in the next tenor."""
    number = len(rows)
    ranks = np.unique(rows, return_inverse=True)[1]
    height = np.unique(strikes, return_inverse=True)[1]
    keys = ranks * number + height  # by tenor, then by strike
    order = np.argsort(keys, kind="stable")
    ends = np.searchsorted(ranks[order], np.arange(ranks.max() + 2))  # of each tenor in `order`
    beside = _beside(np.arange(number), order, ends, ranks[order], own=True)
    earlier = order[: ends[-2]]
    rank = ranks[earlier] + 1
    place = np.searchsorted(keys[order], rank * number + height[earlier], side="right") - 1
    around = _beside(place, order, ends, rank, own=False)
    parts = [(order, *beside), (earlier, *around)]
    return joined([NoArbitrageConditions(*part, _share(*part, strikes)) for part in parts])


def _beside(
    place: IntArray, order: IntArray, ends: IntArray, rank: IntArray, *, own: bool
) -> tuple[IntArray, IntArray]:
    """Those left and right of places in `order`, within a tenor; the last has none right of it.

    own: left of the place, not at it.
    """
    left, right = place - own, place + 1
    padded = np.append(order, FORWARD)
    lefts = padded[np.where(left >= ends[rank], left, len(order))]
    return lefts, np.where(right < ends[rank + 1], padded[right], lefts)


def joined(parts: list[NoArbitrageConditions]) -> NoArbitrageConditions:
    """All of them."""
    names = NoArbitrageConditions.__annotations__
    return NoArbitrageConditions(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _share(nodes: IntArray, left: IntArray, right: IntArray, strikes: FloatArray) -> FloatArray:
    """Of the left call; 1 where there is no right one."""
    at = np.append(strikes, 0.0)
    run = at[right] - at[left]
    alone = run <= 0
    share = (at[right] - at[nodes]) / np.where(alone, 1.0, run)
    return np.asarray(np.where(alone, 1.0, share))
