"""The ways to repair a surface, each a function of the problem: its name, vols [T, K] or None, and why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..surface import FloatArray, Surface
from . import _prices
from ._envelope import lower
from ._moves import BoolArray, Moves
from ._program import INFEASIBLE, OPTIMAL
from ._quotes import Quotes, quotes

Attempt = tuple[str, FloatArray | None, str]


@dataclass(frozen=True)
class Problem:
    """A surface with arbitrage. fixed: [T, K]. bid, ask: [T, K] vols, NaN where there is none.

    deadline: of the linear programs, in `time.perf_counter` seconds.
    """

    surface: Surface
    fixed: BoolArray
    bid: FloatArray
    ask: FloatArray
    tolerance: float
    deadline: float

    @property
    def inner(self) -> float:
        """Tolerance of the conditions, below that of `check`."""
        return min(1e-11, self.tolerance / 10)


def by_program(problem: Problem) -> Attempt:
    """The L1 optimum, inside bid and ask where that is possible."""
    given = quotes(problem.surface)
    rows, columns = given.cells.T
    limits = _prices.limits(given, problem.bid[rows, columns], problem.ask[rows, columns])
    free = ~problem.fixed[rows, columns]
    sided = bool(np.isfinite(problem.bid).any() or np.isfinite(problem.ask).any())
    status, calls = INFEASIBLE, given.calls
    for hard, slack in _stages(sided, bool(problem.fixed.any()), problem.tolerance):
        moves = Moves(limits, free, hard, _prices.SCALE)
        status, calls = _prices.solve(given, moves, problem.inner + slack, problem.deadline, slack)
        if status != INFEASIBLE:
            break
    if status != OPTIMAL:
        return "prices", None, f"the linear program ended with: {status}"
    return "prices", _placed(problem, given, given.vols_at(calls)), ""


def by_envelope(problem: Problem) -> Attempt:
    """Lower hulls."""
    given = quotes(problem.surface)
    rows, columns = given.cells.T
    calls = lower(given, ~problem.fixed[rows, columns])
    return "envelope", _placed(problem, given, given.vols_at(calls)), ""


def _stages(sided: bool, fixed: bool, tolerance: float) -> list[tuple[bool, float]]:
    """(bid and ask are hard, slack): fixed quotes may themselves be off by the tolerance."""
    stages = [(True, 0.0)] if sided else []
    stages.append((False, 0.0))
    return [*stages, (False, tolerance / 2)] if fixed else stages


def _placed(problem: Problem, given: Quotes, vols: FloatArray) -> FloatArray:
    moved = problem.surface.vols.copy()
    moved[given.cells[:, 0], given.cells[:, 1]] = vols
    return moved
