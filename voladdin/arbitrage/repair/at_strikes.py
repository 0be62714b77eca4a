"""The smallest change of prices at given strikes: a linear program with cutting planes.

min sum |c - c0| / vega such that convex, decreasing price functions through c exist that increase with tenor.
Those are infinitely many conditions "no call is worth more than calls that cover it". The program starts from
each quote's neighbours; whatever trade is left at its solution (`hulls.arbitrage_trades` finds every one) is
added, and the program goes on from its last basis. The last solution is optimal for fewer conditions and
satisfies all, so it is the optimum. Inside bid and ask a move costs little (Cohen, Reisinger and Wang 2020).
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ..conditions import broken, neighbours
from ..prices import QuotedNodes
from .linear_program import INFEASIBLE, OPTIMAL
from .quote_moves import QuoteMoves

_ROUNDS = 200


def solve(
    quotes: QuotedNodes, moves: QuoteMoves, tolerance: float, slack: float
) -> tuple[str, FloatArray | None]:
    """The solver's status and vols [N] that leave no trade of more than `tolerance`, if it is optimal.

    slack: of the conditions, below `tolerance`. Trades among quotes that cannot move are left.
    """
    program, calls = moves.program(), quotes.calls
    conditions = neighbours(quotes.rows, quotes.strikes)
    for number in range(_ROUNDS):
        added = moves.add(program, conditions, conditions.weights, conditions.gain(quotes.calls) - slack)
        if number and not added:
            return (INFEASIBLE, None) if moves.concerns(conditions) else (OPTIMAL, quotes.vols_at(calls))
        status, x = program.solve()
        if status != OPTIMAL:
            return status, None
        calls = np.clip(quotes.calls + moves.read(x), quotes.intrinsic, quotes.most)
        conditions = broken(quotes.rows, quotes.strikes, calls, tolerance)
    return "too many rounds", None
