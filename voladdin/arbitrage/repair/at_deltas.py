"""The smallest change of vols on a delta axis, where a strike moves with its vol (`nodes.AtDeltas`).

Each condition "no call is worth more than calls that cover it" is linearised at the present vols; a linear
program in vols takes the step. Every iterate is then moved onto ordered lower hulls of its own prices, each
point along its own path, so that it has no arbitrage, and the nearest to the quotes is kept.
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...surface import MAX_VOL
from ..conditions import NONE, broken, joined, neighbours, standing
from ..nodes import AtDeltas
from ..tolerances import LEAST_VOL
from .linear_program import INFEASIBLE, OPTIMAL
from .onto_hulls import placed
from .quote_moves import QuoteMoves

_STEPS = 10
_GAIN = 1e-4  # of the cost: less is not worth another step
_RADIUS = 0.25  # of the median vol
_FACTOR = 2.0  # a step at most halves or doubles a vol


class Search:
    """Steps of linear programs from the quotes to the nearest vols without arbitrage."""

    def __init__(
        self, quotes: AtDeltas, quoted: FloatArray, moves: QuoteMoves, free: BoolArray, tolerance: float
    ) -> None:
        self._quotes, self._quoted, self._moves, self._free = quotes, quoted, moves, free
        self._tolerance = tolerance
        self._found = NONE
        self._best, self._least = quoted, np.inf

    def run(self) -> tuple[str, FloatArray | None]:
        """The last program's status, and the nearest vols [N] without arbitrage and within limits.

        Vols also where the search was cut short, but none before a program was solved: on lower hulls only.

        The first program is around the quotes, the next ones around the best vols so far, within a radius
        that shrinks where a program promised what its step did not keep.
        """
        centre, radius, status, solved = self._quoted, np.inf, OPTIMAL, False
        self._take(centre)
        for _ in range(_STEPS):
            first = centre is self._quoted
            status, stepped = self._program(centre, radius)
            solved = solved or status == OPTIMAL
            if status == INFEASIBLE and first and np.isfinite(self._least):
                centre, radius = self._best, _RADIUS * float(np.median(self._quoted))
                continue
            if status != OPTIMAL or not (first or self._cost(stepped) <= self._least * (1 - _GAIN)):
                break
            promised, before = self._cost(stepped), self._least
            self._take(stepped)
            kept_promise = self._least - promised < 0.5 * (before - promised)
            radius = float(np.abs(stepped - centre).max()) * (2 if kept_promise else 0.25)
            centre = self._best if np.isfinite(self._least) else stepped
        if np.isfinite(self._least):
            return status, self._best if solved else None
        return INFEASIBLE if status == OPTIMAL else status, None

    def _cost(self, vols: FloatArray) -> float:
        return self._moves.cost(vols - self._quoted)

    def _take(self, stepped: FloatArray) -> None:
        """Keep what a step leads to if it is nearer, and the trades it left as conditions."""
        left = broken(self._quotes.rows, *self._quotes.at(stepped), self._tolerance)
        self._found = joined([self._found, left])
        vols = placed(self._quotes, stepped, self._free, self._tolerance) if len(left) else stepped
        cost = self._cost(vols)
        if cost < self._least:
            self._best, self._least = vols, cost

    def _program(self, now: FloatArray, radius: float) -> tuple[str, FloatArray]:
        """The linear program around the vols `now`."""
        quoted, strikes = self._quoted, self._quotes.at(now)[0]
        conditions = joined([neighbours(self._quotes.rows, strikes), standing(self._found.nodes, strikes)])
        gain, rates = conditions.linear(self._quotes, now)
        gain[(gain > 0) & (gain <= self._tolerance)] = 0.0
        away = np.append(now - quoted, 0.0)
        least = gain + (rates * away[conditions.nodes]).sum(axis=0)
        low, high = np.maximum(now / _FACTOR, now - radius), np.minimum(now * _FACTOR, now + radius)
        program = self._moves.program(low - quoted, high - quoted)
        self._moves.add(program, conditions, rates, least)
        status, x = program.solve()
        if status != OPTIMAL:
            return status, now
        change = self._moves.read(x)
        return status, np.where(change == 0, quoted, np.clip(quoted + change, LEAST_VOL, MAX_VOL))
