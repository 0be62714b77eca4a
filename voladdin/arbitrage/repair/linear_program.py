"""A linear program that grows by rows: HiGHS (Huangfu and Hall 2018), started again from its last basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

OPTIMAL = "optimal"
INFEASIBLE = "infeasible"
ITERATION_LIMIT = "iteration limit"
PIVOTS = 20  # of the simplex, for each row and column, in all: usual programs take one

_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}
_STATUSES = {"Infeasible": INFEASIBLE, "ModelEmpty": INFEASIBLE, "IterationLimit": ITERATION_LIMIT}


class LinearProgram:
    """min cost . x subject to lower <= x <= upper and the rows added: sum of values x >= least."""

    def __init__(self, cost: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
        import highspy  # not at import, which is to be light

        self._highs = _silent()
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._spent = 0
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(cost), 0
        model.col_cost_, model.col_lower_, model.col_upper_ = cost, lower, upper
        self._highs.passModel(model)

    def add(self, rows: csr_array, least: FloatArray) -> None:
        """rows [R, columns] @ x >= least [R]."""
        most = np.full(len(least), np.inf)
        self._highs.addRows(len(least), least, most, rows.nnz, rows.indptr[:-1], rows.indices, rows.data)

    def solve(self) -> tuple[str, FloatArray]:
        """The status ("optimal", "infeasible", "iteration limit" or the solver's word) and x."""
        left = PIVOTS * (self._highs.getNumCol() + self._highs.getNumRow()) - self._spent
        if left <= 0:
            return ITERATION_LIMIT, np.empty(0)
        self._highs.setOptionValue("simplex_iteration_limit", left)
        self._highs.run()
        self._spent += self._highs.getInfo().simplex_iteration_count
        status = self._highs.getModelStatus().name.removeprefix("k")
        if status == "Optimal":
            return OPTIMAL, np.array(self._highs.getSolution().col_value)
        return _STATUSES.get(status, status), np.empty(0)


def _silent() -> Any:
    """A solver that never prints: its constructor would, when it sets its callbacks."""
    import highspy

    solver: Any = highspy.Highs  # its methods carry no types

    def enable(self: Any) -> None:
        self.silent()
        solver.enableCallbacks(self)

    return type("Silent", (solver,), {"enableCallbacks": enable})()
