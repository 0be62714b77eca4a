"""The least change of vols under conditions that are linear in it: a sparse quadratic program.

Solved by an interior-point method, Clarabel (Goulart and Chen 2024).
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditions import NoArbitrageConditions

_UNIT = 1e-2  # of vol: what 1 is in the program
_NO_RATE = 1e-10  # vols cannot mend a condition whose price moves by less for a vol of 1
_ITERATIONS = 60
_ACCURACY = 1e-10
_SOLVED = ("Solved", "AlmostSolved")


class Quadratic:
    """min |away + d|^2 over d [N], 0 where not `free`. away: [N] the present vols less the quoted ones."""

    def __init__(self, away: FloatArray, free: BoolArray) -> None:
        self._free, self._place = free, np.cumsum(free) - 1
        self._gradient = away[free] / _UNIT
        self._curvature = np.ones(len(self._gradient))
        self._entries: list[tuple[IntArray, IntArray, FloatArray]] = []  # row, column, value
        self._limits: list[FloatArray] = []
        self._cones: list[tuple[str, int]] = []
        self._rows = 0

    def equal(self, slopes: FloatArray, change: FloatArray, cost: FloatArray) -> None:
        """slopes [F, N] @ d = change [F]; where the cost [F] of 1 is finite, as near as that is worth."""
        live = slopes[:, self._free]
        lengths = np.linalg.norm(live, axis=1)
        scale = 1.0 / np.where(lengths > 0, lengths, 1.0)
        row, column = np.indices(live.shape).reshape(2, -1)
        value = (live * scale[:, None]).ravel()
        soft = np.tile(np.flatnonzero(np.isfinite(cost)), 2)
        if len(soft):
            row = np.concatenate([row, soft])
            column = np.concatenate([column, len(self._curvature) + np.arange(len(soft))])
            value = np.concatenate([value, np.repeat([1.0, -1.0], len(soft) // 2)])
            self._misses(cost[soft] * _UNIT / scale[soft])
        self._add("zero", row, column, value, scale * change / _UNIT)

    def at_least(self, conditions: NoArbitrageConditions, values: FloatArray, slack: FloatArray) -> None:
        """slack [R] + values [3, R] of their nodes @ d >= 0; rows that nothing moves are left out."""
        nodes = conditions.nodes
        moves = (nodes >= 0) & self._free[nodes] & (values != 0)
        size = np.sqrt((np.where(moves, values, 0.0) ** 2).sum(axis=0))
        kept = size > _NO_RATE
        moves &= kept
        row = np.broadcast_to(np.cumsum(kept) - 1, nodes.shape)[moves]
        scale = np.where(kept, 1.0 / np.where(kept, size, 1.0), 0.0)
        self._add(
            "positive",
            row,
            self._place[nodes[moves]],
            -(values[moves] * np.broadcast_to(scale, values.shape)[moves]),
            (slack * scale)[kept] / _UNIT,
        )

    def lowest(self, bound: FloatArray) -> None:
        """d >= bound [N], each at most 0."""
        limit = -bound[self._free]
        index = np.flatnonzero(np.isfinite(limit))
        self._add("positive", np.arange(len(index)), index, -np.ones(len(index)), limit[index] / _UNIT)

    def solve(self) -> FloatArray | None:
        """d [N], or None where none was found in `_ITERATIONS`."""
        import clarabel
        from scipy.sparse import csc_array, diags_array

        row, column, value = (np.concatenate([entry[k] for entry in self._entries]) for k in range(3))
        matrix = csc_array((value, (row, column)), shape=(self._rows, len(self._curvature)))
        kinds = {"zero": clarabel.ZeroConeT, "positive": clarabel.NonnegativeConeT}
        settings = clarabel.DefaultSettings()
        settings.verbose, settings.max_iter = False, _ITERATIONS
        settings.tol_feas, settings.tol_gap_abs, settings.tol_gap_rel = _ACCURACY, 1e-9, 1e-9
        found = clarabel.DefaultSolver(
            diags_array(self._curvature, format="csc"),
            self._gradient,
            matrix,
            np.concatenate(self._limits),
            [kinds[kind](size) for kind, size in self._cones],
            settings,
        ).solve()
        if str(found.status) not in _SOLVED:
            return None
        change = np.zeros(len(self._free))
        change[self._free] = np.array(found.x)[: int(self._free.sum())] * _UNIT
        return change

    def _misses(self, cost: FloatArray) -> None:
        """Columns, at least 0, of what equations are missed by."""
        count = len(cost)
        columns = len(self._curvature) + np.arange(count)
        self._curvature = np.concatenate([self._curvature, np.zeros(count)])
        self._gradient = np.concatenate([self._gradient, cost])
        self._add("positive", np.arange(count), columns, -np.ones(count), np.zeros(count))

    def _add(self, cone: str, row: IntArray, column: IntArray, value: FloatArray, limit: FloatArray) -> None:
        self._entries.append((row + self._rows, column, value))
        self._limits.append(limit)
        self._cones.append((cone, len(limit)))
        self._rows += len(limit)
