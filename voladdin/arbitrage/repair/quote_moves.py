"""The moves of quotes as columns of a linear program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditions import NoArbitrageConditions
from .linear_program import LinearProgram

_SCALE = 1e-4  # 1 in the program is 1 bp of forward, or of vol: its numbers are of order 1
INSIDE = 1e-3  # cost of a move inside bid and ask, in that of one outside


@dataclass(frozen=True)
class Limits:
    """What each quote is and can be, [N], and what a move of 1 costs.

    least, most: beyond one `value` does not move that way. bid, ask: inside these, NaN where there is none, a
    move costs `INSIDE` of that.
    """

    value: FloatArray
    least: FloatArray | float
    most: FloatArray | float
    bid: FloatArray
    ask: FloatArray
    cost: FloatArray


class QuoteMoves:
    """What quotes can do in a linear program, whose columns are their moves, those of a quote side by side.

    A quote goes up or down, inside bid and ask and beyond; hard: not beyond. It has no column where there is
    no room, or it is not free.
    """

    def __init__(self, limits: Limits, free: BoolArray, *, hard: bool) -> None:
        from scipy.sparse import csr_array

        value, none = limits.value, np.zeros_like(limits.value)
        ends = np.maximum([limits.most - value, value - limits.least], 0.0)
        inside = np.minimum(np.fmax([limits.ask - value, value - limits.bid], 0.0), ends)
        start = np.column_stack([none, none, *inside])
        size = np.column_stack([*inside, *ends]) - start
        quote, kind = used = np.nonzero((size > 0) & free[:, None] & [True, True, not hard, not hard])
        self._quote, self._start, self._size = quote, start[used], size[used]  # start: how far it is then
        self._sign = np.where(kind % 2, -1.0, 1.0)
        self._cost = np.where(kind < 2, INSIDE, 1.0) * limits.cost[quote]
        self._free = np.append(free, False)  # FORWARD is -1
        self._signs = csr_array((self._sign, (quote, np.arange(len(quote)))), shape=(len(free), len(quote)))

    def concerns(self, conditions: NoArbitrageConditions) -> bool:
        """Whether a quote that is free takes part in any."""
        return bool(self._free[conditions.nodes].any())

    def program(self, least: FloatArray | None = None, most: FloatArray | None = None) -> LinearProgram:
        """Without rows; least, most: [N] ends of each quote's whole move, signed."""
        lower, upper = np.zeros_like(self._size), self._size
        if least is not None and most is not None:
            ends = np.sort(self._sign * np.stack([least, most])[:, self._quote], axis=0) - self._start
            lower, upper = np.clip(ends, 0.0, self._size)
        return LinearProgram(self._cost, lower / _SCALE, upper / _SCALE)

    def read(self, x: FloatArray) -> FloatArray:
        """[N] each quote's move, 0 exactly where its columns are."""
        return np.asarray(self._signs @ x * _SCALE)

    def cost(self, move: FloatArray) -> float:
        """Of a whole move [N]; infinite where it is beyond the limits."""
        size = np.clip(self._sign * move[self._quote] - self._start, 0.0, self._size)
        reached = abs(self._signs) @ size
        beyond = (np.abs(move) - reached).max(initial=0.0) > 1e-12
        return np.inf if beyond else float(self._cost @ size)

    def add(
        self, program: LinearProgram, conditions: NoArbitrageConditions, values: FloatArray, least: FloatArray
    ) -> int:
        """Rows sum of values [3, R] times the moves of sold, left and right >= least [R]; how many there are.

        Those in which nothing can move are left out.
        """
        rows = conditions.matrix(values, len(self._free) - 1) @ self._signs
        live = np.flatnonzero(np.diff(rows.indptr))
        program.add(rows[live], least[live] / _SCALE)
        return len(live)
