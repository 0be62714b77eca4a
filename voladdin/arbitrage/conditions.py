"""Linear conditions on call prices: no call is worth more than two others that cover it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray, IntArray
from .hulls import FORWARD, arbitrage_trades
from .nodes import Nodes

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class NoArbitrageConditions:
    """R conditions c[sold] <= share c[left] + (1 - share) c[right]; FORWARD costs 1.

    nodes: [3, R] sold, left and right. share: [R].
    """

    nodes: IntArray
    share: FloatArray

    def __len__(self) -> int:
        return len(self.share)

    def gain(self, calls: FloatArray) -> FloatArray:
        """[..., R] what selling each locks in at prices [..., N]; above 0 the condition is broken."""
        price = np.concatenate([calls, np.ones((*calls.shape[:-1], 1))], axis=-1)  # FORWARD is -1
        sold, left, right = (price[..., nodes] for nodes in self.nodes)
        return np.asarray(sold - (self.share * left + (1 - self.share) * right))

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
        run = np.diff(np.append(strikes, 0.0)[self.nodes[1:]], axis=0)[0]
        rise = np.diff(np.append(calls, 1.0)[self.nodes[1:]], axis=0)[0]
        return np.clip(np.where(run > 0, rise, 0.0) / np.where(run > 0, run, 1.0), -1.0, 0.0)


def standing(nodes: IntArray, strikes: FloatArray) -> NoArbitrageConditions:
    """Those of conditions on `nodes` [3, R] that hold at strikes [N]: the calls bought are on either side."""
    sold, left, right = np.append(strikes, 0.0)[nodes]
    run = right - left
    share = np.where(run > 0, (right - sold) / np.where(run > 0, run, 1.0), 1.0)
    holds = (left <= sold) & (share >= 0)
    return NoArbitrageConditions(nodes[:, holds], share[holds])


def broken(
    rows: IntArray, strikes: FloatArray, calls: FloatArray, tolerance: float, slack: FloatArray | float = 0.0
) -> NoArbitrageConditions:
    """The conditions that calls [N] of at least intrinsic value break by more than `tolerance`.

    slack: [N] what each call may be sold at less than its price; no call of price NaN takes part.
    """
    found = arbitrage_trades(rows, strikes, calls - slack, calls, tolerance)
    legs = [(trade.node, trade.legs[0], trade.legs[-1]) for trade in found if trade.legs]
    nodes = np.array([(sold, left[0], right[0]) for sold, left, right in legs], dtype=np.intp)
    return NoArbitrageConditions(nodes.reshape(-1, 3).T, np.array([left[1] for _, left, _ in legs]))


def neighbours(rows: IntArray, strikes: FloatArray) -> NoArbitrageConditions:
    """Each quote against those beside it in its tenor, and against those around it in the next tenor."""
    tenors = [np.flatnonzero(rows == row) for row in np.unique(rows)]
    smiles = [smile[np.argsort(strikes[smile], kind="stable")] for smile in tenors]
    own = [_beside(smile, np.arange(len(smile)), smile, skipped=1) for smile in smiles]
    next_tenor = [
        _beside(smile, np.searchsorted(strikes[later], strikes[smile], side="right"), later, skipped=0)
        for smile, later in pairwise(smiles)
    ]
    return standing(np.concatenate(own + next_tenor, axis=1), strikes)


def _beside(sold: IntArray, place: IntArray, smile: IntArray, *, skipped: int) -> IntArray:
    """[3, R] the calls sold, and those of a smile before `place` and from there on; the last has no right.

    skipped: how many at `place` are left out.
    """
    padded = np.append(smile, FORWARD)  # before the first, at -1, too
    left, right = padded[place - 1], padded[np.minimum(place + skipped, len(smile))]
    return np.stack([sold, left, np.where(place + skipped < len(smile), right, left)])


def joined(parts: list[NoArbitrageConditions]) -> NoArbitrageConditions:
    """All of them."""
    nodes = np.concatenate([part.nodes for part in parts], axis=1)
    return NoArbitrageConditions(nodes, np.concatenate([part.share for part in parts]))


NONE = standing(np.zeros((3, 0), dtype=np.intp), np.zeros(0))
