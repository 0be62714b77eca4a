"""The moves of quotes as columns of a linear program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditions import Covers
from .linear_program import Program

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


class Moves:
    """Up to four columns a quote: up and down, inside bid and ask and beyond (unless `hard`).

    scale: what 1 is in the program, so that its numbers are of order 1.
    """

    def __init__(self, limits: Limits, free: BoolArray, hard: bool, scale: float) -> None:
        number = len(limits.cost)
        ask, bid = np.minimum(limits.ask, limits.up), np.minimum(limits.bid, limits.down)
        none = np.zeros(number)
        parts = [(1.0, none, ask, INSIDE), (-1.0, none, bid, INSIDE)]
        if not hard:
            parts += [(1.0, ask, limits.up, 1.0), (-1.0, bid, limits.down, 1.0)]
        first, last = np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
        used = np.flatnonzero((last > first) & np.tile(free, len(parts)))
        used = used[np.argsort(used % number, kind="stable")]
        self._scale, self._number = scale, number
        self._free = np.append(free, False)  # FORWARD is -1
        self._node = used % number
        self._sign = np.repeat([p[0] for p in parts], number)[used]
        self._from, self._size = first[used], (last - first)[used]
        self._cost = np.concatenate([p[3] * limits.cost for p in parts])[used]
        self._first = np.searchsorted(self._node, np.arange(number + 2))

    def concerns(self, covers: Covers) -> bool:
        """Whether a quote that is free takes part in any."""
        return bool(self._free[covers.nodes].any())

    def program(self, least: FloatArray | None = None, most: FloatArray | None = None) -> Program:
        """Without rows; least, most: [N] ends of each quote's whole move, signed."""
        lower, upper = np.zeros_like(self._size), self._size
        if least is not None and most is not None:
            ends = np.sort(self._sign * np.stack([least, most])[:, self._node], axis=0) - self._from
            lower, upper = np.clip(ends, 0.0, self._size)
        return Program(self._cost, lower / self._scale, upper / self._scale)

    def read(self, x: FloatArray) -> FloatArray:
        """[N] each quote's move, 0 exactly where its columns are."""
        return np.asarray(np.bincount(self._node, self._sign * x, minlength=self._number) * self._scale)

    def cost(self, move: FloatArray) -> float:
        """Of a whole move [N]; infinite where it is beyond the limits."""
        size = np.clip(self._sign * move[self._node] - self._from, 0.0, self._size)
        reached = np.bincount(self._node, size, minlength=self._number)
        beyond = (np.abs(move) - reached).max(initial=0.0) > 1e-12
        return np.inf if beyond else float(self._cost @ size)

    def add(self, program: Program, covers: Covers, values: FloatArray, least: FloatArray) -> int:
        """Rows sum of values [3, R] times the moves of sold, left and right >= least [R]; how many there are.

        Those in which nothing can move are left out.
        """
        number = len(covers.sold)
        row, value, node = np.tile(np.arange(number), 3), values.ravel(), covers.nodes.ravel()
        count = (self._first[node + 1] - self._first[node]) * ((node >= 0) & (value != 0))
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        column = np.repeat(self._first[node], count) + offset
        row, value = np.repeat(row, count), np.repeat(value, count) * self._sign[column]
        order = np.argsort(row, kind="stable")
        live, starts = np.unique(row[order], return_index=True)
        program.add(starts, column[order], value[order], least[live] / self._scale)
        return len(live)
