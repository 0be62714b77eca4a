"""The least change of vols under conditions that are linear in it: a sparse quadratic program.

Solved by an interior-point method, Clarabel (Goulart and Chen 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditions import NoArbitrageConditions

if TYPE_CHECKING:
    from scipy.sparse import csc_array

_UNIT = 1e-2  # of vol: what 1 is in the program
_NO_RATE = 1e-10  # vols cannot mend a condition whose price moves by less for a vol of 1
_ITERATIONS = 60
_ACCURACY = 1e-10
_SOLVED = ("Solved", "AlmostSolved")


class Quadratic:
    """min |away + d|^2 over d [N], 0 where not `free`. away: [N] the present vols less the quoted ones."""

    def __init__(self, away: FloatArray, free: BoolArray) -> None:
        self._free, self._gradient = free, away[free] / _UNIT
        self._missing = np.zeros(0)  # cost of each column, at least 0, of what equations are missed by
        self._blocks: list[tuple[str, csc_array, FloatArray]] = []  # cone, matrix, limits

    def equal(self, slopes: FloatArray, change: FloatArray, cost: FloatArray) -> None:
        """slopes [F, N] @ d = change [F]; where the cost [F] of 1 is finite, as near as that is worth."""
        live = slopes[:, self._free]
        lengths = np.linalg.norm(live, axis=1)
        scale = 1.0 / np.where(lengths > 0, lengths, 1.0)
        soft = np.isfinite(cost)
        miss = np.eye(len(cost))[:, soft]
        self._missing = np.tile((cost * _UNIT / scale)[soft], 2)
        self._add("zero", np.hstack([live * scale[:, None], miss, -miss]), scale * change)

    def at_least(self, conditions: NoArbitrageConditions, values: FloatArray, slack: FloatArray) -> None:
        """slack [R] + values [3, R] of their nodes @ d >= 0; rows that nothing moves are left out."""
        matrix = conditions.matrix(values, len(self._free))[:, np.flatnonzero(self._free)]
        size = np.sqrt(matrix.power(2).sum(axis=1))
        kept = np.flatnonzero(size > _NO_RATE)
        scaled = matrix[kept].multiply(-1.0 / size[kept][:, None])
        self._add("positive", scaled, slack[kept] / size[kept])

    def lowest(self, bound: FloatArray) -> None:
        """d >= bound [N], each at most 0."""
        limit = -bound[self._free]
        self._add("positive", -np.eye(len(limit)), limit)

    def solve(self) -> FloatArray | None:
        """d [N], or None where none was found in `_ITERATIONS`."""
        import clarabel
        from scipy.sparse import diags_array, vstack

        number, missing = len(self._gradient), len(self._missing)
        if missing:
            self._add("positive", -np.eye(missing, number + missing, number), np.zeros(missing))
        for _, matrix, _ in self._blocks:
            matrix.resize((matrix.shape[0], number + missing))
        kinds = {"zero": clarabel.ZeroConeT, "positive": clarabel.NonnegativeConeT}
        settings = clarabel.DefaultSettings()
        settings.verbose, settings.max_iter = False, _ITERATIONS
        settings.tol_feas, settings.tol_gap_abs, settings.tol_gap_rel = _ACCURACY, 1e-9, 1e-9
        found = clarabel.DefaultSolver(
            diags_array(np.repeat([1.0, 0.0], [number, missing]), format="csc"),
            np.append(self._gradient, self._missing),
            vstack([matrix for _, matrix, _ in self._blocks], format="csc"),
            np.concatenate([limits for _, _, limits in self._blocks]) / _UNIT,
            [kinds[cone](len(limits)) for cone, _, limits in self._blocks],
            settings,
        ).solve()
        if str(found.status) not in _SOLVED:
            return None
        change = np.zeros(len(self._free))
        change[self._free] = np.array(found.x)[:number] * _UNIT
        return change

    def _add(self, cone: str, matrix: FloatArray | csc_array, limits: FloatArray) -> None:
        from scipy.sparse import csc_array

        self._blocks.append((cone, csc_array(matrix), limits))
