"""The ways to repair a surface: each takes a problem and gives its name, vols or None, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...black import call_price
from ...surface import MAX_VOL, Surface
from ..nodes import AtDeltas, Nodes
from ..prices import QuotedNodes, quoted_nodes, vols_around
from ..tolerances import INNER, INNER_LEAST, INNER_MOST, LEAST_VOL
from . import at_deltas, at_strikes
from .linear_program import INFEASIBLE, OPTIMAL
from .onto_hulls import placed
from .quote_moves import Limits, QuoteMoves

Attempt = tuple[str, FloatArray | None, str]
_ODD = np.log(2.0)  # of a vol over those around: beyond, a fat finger perhaps


@dataclass(frozen=True)
class Problem:
    """A surface with arbitrage. fixed: [T, K]. bid, ask: [T, K] vols, NaN where there is none."""

    surface: Surface
    fixed: BoolArray
    bid: FloatArray
    ask: FloatArray
    tolerance: float

    @property
    def inner(self) -> float:
        """Tolerance of the conditions, below that of `check`."""
        return min(max(INNER * self.tolerance, INNER_LEAST), INNER_MOST)

    @property
    def slack(self) -> float:
        """By how much fixed quotes may be off among themselves."""
        return self.tolerance - 1.5 * self.inner

    @property
    def stages(self) -> list[tuple[bool, float]]:
        """Whether bid and ask hold, and the slack of conditions: they hold where they can.

        Slack is the last resort, for fixed quotes that are themselves off by nearly the tolerance.
        """
        sided = np.isfinite(self.bid).any() or np.isfinite(self.ask).any()
        return [(True, 0.0)] * bool(sided) + [(False, 0.0)] + [(False, self.slack)] * bool(self.fixed.any())

    @cached_property
    def given(self) -> QuotedNodes:
        """The quotes as prices at strikes."""
        return quoted_nodes(self.surface, self.surface.vols)

    @cached_property
    def free(self) -> BoolArray:
        """[N] quotes that may move."""
        return np.asarray(~self.fixed[self.given.cells])

    @cached_property
    def sides(self) -> tuple[FloatArray, FloatArray]:
        """[N] bid and ask vols."""
        return self.bid[self.given.cells], self.ask[self.given.cells]

    @cached_property
    def nodes(self) -> Nodes:
        """The quotes as their vols may move: at their strikes, or along the deltas of a delta axis."""
        return self.given if self.surface.deltas is None else self.given.along(self.surface.deltas)

    def filled(self, vols: FloatArray) -> FloatArray:
        """[T, K] with vols [N] at the quotes."""
        grid = self.surface.vols.copy()
        grid[self.given.cells] = vols
        return grid

    def distance(self, vols: FloatArray) -> float:
        """How far vols [T, K] are from the given ones, in all."""
        return float(np.nansum(np.abs(vols - self.surface.vols)))


def by_program(problem: Problem, around: FloatArray | None = None) -> Attempt:
    """The L1 optimum, inside bid and ask where that is possible.

    around: [N] vols whose vegas count at strikes, in place of the quotes' own.
    """
    given, nodes = problem.given, problem.nodes
    if isinstance(nodes, AtDeltas):
        cost = np.ones_like(given.vols)
        done, limits = "vols", Limits(given.vols, LEAST_VOL, MAX_VOL, *problem.sides, cost)
    else:
        cost = 1 / given.unit(given.vols if around is None else around)
        bid, ask = (call_price(given.m, side * given.root) for side in problem.sides)
        done, limits = "prices", Limits(given.calls, given.intrinsic, given.most, bid, ask, cost)
    for hard, slack in problem.stages:
        moves, tolerance = QuoteMoves(limits, problem.free, hard=hard), problem.inner + slack
        if isinstance(nodes, AtDeltas):
            status, found = at_deltas.Search(nodes, given.vols, moves, problem.free, tolerance).run()
        else:
            status, found = at_strikes.solve(given, moves, tolerance, slack)
        if status != INFEASIBLE:
            break
    note = "" if status == OPTIMAL else f"the linear program ended with: {status}"
    return done, None if found is None else problem.filled(found), note


def by_nearest(problem: Problem) -> Attempt:
    """The same, or at strikes the optimum by the vegas around, where that moves the vols not half as far.

    The vega of a vol ten times too small makes its price dear to move; the others would all come down to it.
    """
    done, vols, note = by_program(problem)
    if vols is None or problem.surface.deltas is not None:
        return done, vols, note
    near = vols_around(problem.surface.vols)[problem.given.cells]
    if np.abs(np.log(problem.given.vols / near)).max() < _ODD:
        return done, vols, note
    other = by_program(problem, near)[1]
    if other is not None and 2 * problem.distance(other) < problem.distance(vols):
        return done, other, "vegas are those of the vols around each"
    return done, vols, note


def by_envelope(problem: Problem) -> Attempt:
    """Lower hulls; on a delta axis each point moves along its delta onto them."""
    vols = placed(problem.nodes, problem.given.vols, problem.free, problem.slack)
    return "envelope", problem.filled(vols), ""
