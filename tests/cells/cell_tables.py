"""The example grid of the tests of cells, and ways to write it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

DELTAS = ["10P", "25P", "ATM", "25C", "10C"]
CALL_DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
QUOTES = [
    [0.089, None, 0.081, None, None],
    [0.093, 0.086, 0.082, 0.083, None],
    [None, None, 0.089, None, 0.098],
]
TENORS = ["1W", "1M", "1Y"]
SIDE = [[tenor] for tenor in TENORS]
YEARS = [7 / 365, 1 / 12, 1.0]


def table(
    body: list[list[Any]] = QUOTES, side: list[Any] = TENORS, top: list[Any] = DELTAS, corner: Any = None
) -> list[list[Any]]:
    return [[corner, *top], *([label, *row] for label, row in zip(side, body, strict=True))]


def flip(cells: list[list[Any]]) -> list[list[Any]]:
    return [list(line) for line in zip(*cells, strict=True)]


def vols(body: list[list[Any]]) -> np.ndarray:
    return np.array([[math.nan if cell is None else cell for cell in row] for row in body], dtype=float)


def with_cell(cells: list[list[Any]], row: int, column: int, value: Any) -> list[list[Any]]:
    copy = [list(line) for line in cells]
    copy[row][column] = value
    return copy
