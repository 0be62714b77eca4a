"""The moves of quotes as columns of a linear program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditions import NoArbitrageConditions
from .linear_program import Program

_SCALE = 1e-4  # 1 in the program is 1 bp of forward, or of vol: its numbers are of order 1
INSIDE = 1e-3  # cost of a move inside bid and ask, in that of one outside


@dataclass(frozen=True)
class Limits:
    """How far each quote may move, all [N] and at least 0; `cost` is for a move of 1.

    down, up: to the ends of what it can be. bid, ask: inside these a move costs `INSIDE` of that.
    """

    down: FloatArray
    up: FloatArray
    bid: FloatArray
    ask: FloatArray
    cost: FloatArray


@dataclass(frozen=True)
class _Columns:
    """C columns of moves, those of a quote side by side.

    quote: its place. sign: up or down. start: of the way that the quote has then moved. size: of the column.
    cost: of a move of 1.
    """

    quote: IntArray
    sign: FloatArray
    start: FloatArray
    size: FloatArray
    cost: FloatArray


def _columns(limits: Limits, free: BoolArray, *, hard: bool) -> _Columns:
    """Up and down, inside bid and ask and beyond (unless `hard`); none that has no room, or is not free."""
    number = len(limits.cost)
    none = np.zeros(number)
    ask, bid = np.minimum(limits.ask, limits.up), np.minimum(limits.bid, limits.down)
    parts = [(1.0, none, ask, INSIDE), (-1.0, none, bid, INSIDE)]
    if not hard:
        parts += [(1.0, ask, limits.up, 1.0), (-1.0, bid, limits.down, 1.0)]
    sign = np.repeat([part[0] for part in parts], number)
    start, end = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
    cost = np.concatenate([part[3] * limits.cost for part in parts])
    used = np.flatnonzero((end > start) & np.tile(free, len(parts)))
    used = used[np.argsort(used % number, kind="stable")]
    return _Columns(used % number, sign[used], start[used], (end - start)[used], cost[used])


class Moves:
    """What quotes can do in a linear program. hard: not beyond bid and ask."""

    def __init__(self, limits: Limits, free: BoolArray, *, hard: bool) -> None:
        from scipy.sparse import csr_array

        self._columns, self._free = _columns(limits, free, hard=hard), np.append(free, False)  # FORWARD is -1
        places = self._columns.quote, np.arange(len(self._columns.quote))
        self._signs = csr_array((self._columns.sign, places), shape=(len(free), len(places[0])))

    def concerns(self, conditions: NoArbitrageConditions) -> bool:
        """Whether a quote that is free takes part in any."""
        return bool(self._free[conditions.nodes].any())

    def program(self, least: FloatArray | None = None, most: FloatArray | None = None) -> Program:
        """Without rows; least, most: [N] ends of each quote's whole move, signed."""
        columns = self._columns
        lower, upper = np.zeros_like(columns.size), columns.size
        if least is not None and most is not None:
            ends = np.sort(columns.sign * np.stack([least, most])[:, columns.quote], axis=0) - columns.start
            lower, upper = np.clip(ends, 0.0, columns.size)
        return Program(columns.cost, lower / _SCALE, upper / _SCALE)

    def read(self, x: FloatArray) -> FloatArray:
        """[N] each quote's move, 0 exactly where its columns are."""
        return np.asarray(self._signs @ x * _SCALE)

    def cost(self, move: FloatArray) -> float:
        """Of a whole move [N]; infinite where it is beyond the limits."""
        columns = self._columns
        size = np.clip(columns.sign * move[columns.quote] - columns.start, 0.0, columns.size)
        reached = abs(self._signs) @ size
        beyond = (np.abs(move) - reached).max(initial=0.0) > 1e-12
        return np.inf if beyond else float(columns.cost @ size)

    def add(
        self, program: Program, conditions: NoArbitrageConditions, values: FloatArray, least: FloatArray
    ) -> int:
        """Rows sum of values [3, R] times the moves of sold, left and right >= least [R]; how many there are.

        Those in which nothing can move are left out.
        """
        rows = conditions.matrix(values, len(self._free) - 1) @ self._signs
        live = np.flatnonzero(np.diff(rows.indptr))
        program.add(rows[live], least[live] / _SCALE)
        return len(live)
