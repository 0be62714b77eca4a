"""Fixed points of maps that contract slowly (Anderson 1965, Iterative procedures for nonlinear equations)."""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray

_DEPTH = 3
_RANK = 1e-8  # differences of steps below this share of the largest tell nothing
_FURTHEST = 1.0  # from the plain step: beyond, the plain step is taken


class Anderson:
    """The next point to try from each point x [n] and its step g(x) - x, by the last few of them."""

    def __init__(self) -> None:
        self._steps: list[FloatArray] = []
        self._ends: list[FloatArray] = []

    def next(self, point: FloatArray, step: FloatArray) -> FloatArray:
        """[n]; the plain g(x) at first, and after a step that grew."""
        if self._steps and np.abs(step).max() > np.abs(self._steps[-1]).max():
            self._steps, self._ends = [], []
        self._steps, self._ends = (
            [*self._steps, step][-_DEPTH - 1 :],
            [*self._ends, point + step][-_DEPTH - 1 :],
        )
        plain = self._ends[-1]
        if len(self._steps) == 1:
            return plain
        mix = np.linalg.lstsq(np.diff(self._steps, axis=0).T, step, rcond=_RANK)[0]
        mixed = plain - mix @ np.diff(self._ends, axis=0)
        return mixed if np.abs(mixed - plain).max() < _FURTHEST else plain
