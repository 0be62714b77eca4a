"""The matrix functions of a spreadsheet, which the engine does not have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..cells import Cell, Cells


def _matrix(argument: Cell | Cells) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Numbers, or None where a cell is none."""
    rows = argument if isinstance(argument, list) else [[argument]]
    if not all(isinstance(cell, float) and not isinstance(cell, bool) for row in rows for cell in row):
        return None
    return np.array(rows, dtype=np.float64)


def _product(arguments: list[Cell | Cells]) -> Cell | Cells:
    left, right = (_matrix(argument) for argument in arguments)
    if left is None or right is None or left.shape[1] != right.shape[0]:
        return "#VALUE!"
    return [list(map(float, row)) for row in left @ right]


def _of_square(function: Callable[..., object]) -> Callable[[list[Cell | Cells]], Cell | Cells]:
    def call(arguments: list[Cell | Cells]) -> Cell | Cells:
        matrix = _matrix(arguments[0])
        if matrix is None or matrix.shape[0] != matrix.shape[1]:
            return "#VALUE!"
        try:
            found = np.asarray(function(matrix))
        except np.linalg.LinAlgError:
            return "#NUM!"
        return float(found) if not found.ndim else [list(map(float, row)) for row in found]

    return call


MATRICES: dict[str, Callable[[list[Cell | Cells]], Cell | Cells]] = {
    "MMULT": _product,
    "MINVERSE": _of_square(np.linalg.inv),
    "MDETERM": _of_square(np.linalg.det),
}
