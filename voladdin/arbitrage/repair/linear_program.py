"""A linear program that grows by rows: HiGHS (Huangfu and Hall 2018), started again from its last basis."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import FloatArray

OPTIMAL = "optimal"
INFEASIBLE = "infeasible"
TIME_LIMIT = "time limit"

_OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}


_STATUSES = {"Infeasible": INFEASIBLE, "ModelEmpty": INFEASIBLE, "TimeLimit": TIME_LIMIT}


class Program:
    """min cost . x subject to lower <= x <= upper and the rows added: sum of values x >= least."""

    def __init__(self, cost: FloatArray, lower: FloatArray, upper: FloatArray, deadline: float) -> None:
        import highspy

        solver: Any = highspy.Highs  # its methods carry no types
        self._highs = solver()
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._deadline = deadline
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(cost), 0
        model.col_cost_, model.col_lower_, model.col_upper_ = cost, lower, upper
        self._highs.passModel(model)

    def add(
        self, starts: NDArray[np.intp], columns: NDArray[np.intp], values: FloatArray, least: FloatArray
    ) -> None:
        """Rows in compressed form: starts [R], columns and values [nonzeros], least [R]."""
        self._highs.addRows(
            len(least),
            least,
            np.full(len(least), np.inf),
            len(values),
            starts.astype(np.int32),
            columns.astype(np.int32),
            values,
        )

    def solve(self) -> tuple[str, FloatArray]:
        """The status ("optimal", "infeasible", "time limit" or the solver's word) and x."""
        left = self._deadline - time.perf_counter()
        if left <= 0:
            return TIME_LIMIT, np.empty(0)
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
        self._highs.run()
        status = self._highs.getModelStatus().name.removeprefix("k")
        if status == "Optimal":
            return OPTIMAL, np.array(self._highs.getSolution().col_value)
        return _STATUSES.get(status, status), np.empty(0)
