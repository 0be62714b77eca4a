"""Sums and differences of cells: what joint draws must cover, and cell-by-cell bands cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .quoted import BoolArray, FloatArray, Quoted

_LEVEL = 0.90


@dataclass(frozen=True)
class CoveredFunctional:
    """Whether the 90% interval of the draws covers one combination of cells; `kind` names it."""

    kind: str
    covered: bool


def covered_functionals(surface: Quoted, hidden: BoolArray, draws: FloatArray) -> Iterator[CoveredFunctional]:
    """Of draws [n, T, K]: ATM spreads, forward variances of neighbouring expiries, risk reversals and
    averages of smiles.

    Only combinations of quoted cells of which at least one is hidden count.
    """
    for kind, cells, value in combinations(surface):
        if not any(hidden[cell] for cell in cells) or not all(np.isfinite(surface.truth[c]) for c in cells):
            continue
        drawn = value([draws[:, i, j] for i, j in cells])
        truth = float(value([surface.truth[cell] for cell in cells]))
        low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        yield CoveredFunctional(kind, bool(low <= truth <= high))


_Value = Callable[[list[FloatArray]], FloatArray]


def combinations(surface: Quoted) -> Iterator[tuple[str, list[tuple[int, int]], _Value]]:
    """Name, cells and value of every combination that the grid has."""
    deltas = np.where(surface.quoted, surface.deltas_of_quotes(), np.nan)
    rows = np.flatnonzero(surface.quoted.any(axis=1)).tolist()

    def nearest(row: int, delta: float) -> tuple[int, int]:
        return row, int(np.nanargmin(np.abs(deltas[row] - delta)))

    for row in rows:
        put, call = nearest(row, 0.75), nearest(row, 0.25)
        if put != call:
            yield "25-delta risk reversal", [call, put], lambda v: v[0] - v[1]
        smile = [(row, column) for column in np.flatnonzero(surface.quoted[row]).tolist()]
        yield "average of a smile", smile, lambda v: np.mean(v, axis=0)
    for first, second in pairwise(rows):
        cells = [nearest(first, 0.5), nearest(second, 0.5)]
        near, far = surface.tenors[first], surface.tenors[second]
        yield "ATM spread", cells, lambda v: v[1] - v[0]
        yield "forward variance", cells, _forward_variance(near, far)


def _forward_variance(near: float, far: float) -> _Value:
    return lambda v: (v[1] ** 2 * far - v[0] ** 2 * near) / (far - near)
