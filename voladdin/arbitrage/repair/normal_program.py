"""The nearest normal vols without static arbitrage: a linear program over call prices on all strikes.

Each tenor has a price at each distance K - F of any tenor: convex, falling with a slope of at least -1, at
least intrinsic, and rising with tenor. The sum of price moves over vega is least: to first order the sum of
the moves of vols. Moving between bid and ask costs next to nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...options.bachelier import normal_vega
from ...surface import Surface
from ..check import check
from ..normal_prices import NormalQuotes, normal_quotes
from .methods import Attempt, Problem

_MARGINS = (0.0, 1e-9, 1e-8, 1e-7, 1e-6)
_FREE = 1e-3  # of a move inside bid and ask
_FLAT = 1e-4  # of the largest vega: below, a vol moves by much for nothing
_STILL = 1e-9  # of a price: as good as not moved
_SAME = 1e-10  # strikes
_MOST_PRICES = 100_000  # of tenors times distances


def by_normal(problem: Problem) -> Attempt:
    """The linear program, with the least margin at which its vols pass `check`."""
    given = normal_quotes(problem.surface)
    prices = len(np.unique(given.rows)) * len(_grid(given.k)[0])
    if prices > _MOST_PRICES:
        return "normal", None, f"a linear program of {prices:,} prices; at most {_MOST_PRICES:,} are solved"
    for margin in _MARGINS:
        vols = nearest_normal(problem.surface, problem.fixed, problem.bid, problem.ask, margin)
        if vols is not None and check(problem.surface.replace(vols), tolerance=problem.tolerance).ok:
            return "normal", vols, ""
    return "normal", vols, "" if vols is not None else "the linear program has no solution"


def nearest_normal(
    surface: Surface, fixed: BoolArray, low: FloatArray, high: FloatArray, margin: float
) -> FloatArray | None:
    """[T, K] vols, NaN where there is no quote; None where no vols beside the fixed ones do.

    fixed: [T, K]. low, high: [T, K] vols, NaN where there is none. margin: by which each condition is kept.
    """
    from scipy.optimize import linprog  # slow to import

    given = normal_quotes(surface)
    vols = surface.vols[given.cells]
    calls = given.at(vols)[1]
    keys, column_of = _grid(given.k)
    place = np.unique(given.rows, return_inverse=True)[1] * len(keys) + column_of
    prices = int(place.max() // len(keys) + 1) * len(keys)
    weight = np.maximum(normal_vega(given.k, vols * given.root / given.scale), _FLAT)
    bounds = _sides(given, low[given.cells], high[given.cells], calls)
    program = _Program(prices, len(calls))
    matrix, right = _conditions(prices // len(keys), keys, margin)
    program.add(matrix, right)
    program.add_moves(place, calls, bounds)
    held = fixed[given.cells]
    found = linprog(
        np.concatenate([np.zeros(prices), _FREE / weight, 1.0 / weight]),
        A_ub=program.matrix(),
        b_ub=program.right(),
        A_eq=_pinned(program.width, place[held]),
        b_eq=calls[held],
        bounds=(None, None),
        method="highs",
    )
    if found.x is None:
        return None
    moved = found.x[place]
    mended = np.where(held | (np.abs(moved - calls) <= _STILL), vols, given.vols(moved))
    result = np.full(surface.shape, np.nan)
    result[given.cells] = np.where(mended > 0, mended, vols)
    return result


def _grid(k: FloatArray) -> tuple[FloatArray, IntArray]:
    """All distances once, and the place of each quote's."""
    order = np.argsort(k)
    new = np.concatenate([[True], np.diff(k[order]) > _SAME])
    place = np.empty(len(k), dtype=np.intp)
    place[order] = np.cumsum(new) - 1
    return k[order][new], place


def _sides(
    given: NormalQuotes, low: FloatArray, high: FloatArray, calls: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Prices between which a quote moves freely: its own where it has no market."""
    bid, ask = given.at(low)[1], given.at(high)[1]
    return np.where(np.isfinite(bid), bid, calls), np.where(np.isfinite(ask), ask, calls)


def _conditions(tenors: int, k: FloatArray, margin: float) -> tuple[Any, FloatArray]:
    """Rows of A x <= b for prices x [tenors * K]; A is sparse."""
    from scipy import sparse  # slow to import

    size, every = len(k), sparse.eye_array(len(k), format="csr")
    blocks, rights = [-every], [-np.maximum(-k, 0.0)]
    if size > 1:
        slopes = (every[1:] - every[:-1]).multiply(1.0 / np.diff(k)[:, None]).tocsr()
        blocks += [slopes[:-1] - slopes[1:], -slopes[:1], slopes[-1:]]
        rights += [np.full(size - 2, -margin), np.array([1.0 - margin]), np.array([-margin])]
    each = sparse.eye_array(tenors, format="csr")
    matrix = [sparse.kron(each, sparse.vstack(blocks), format="csr")]
    right = [np.tile(np.concatenate(rights), tenors)]
    if tenors > 1:
        matrix.append(sparse.kron(each[:-1] - each[1:], every, format="csr"))
        right.append(np.full((tenors - 1) * size, -margin))
    return sparse.vstack(matrix), np.concatenate(right)


def _pinned(width: int, places: IntArray) -> Any:
    """[places, width] sparse: a one in each row."""
    from scipy import sparse  # slow to import

    rows = np.arange(len(places))
    return sparse.csr_array((np.ones(len(places)), (rows, places)), shape=(len(places), width))


class _Program:
    """Prices, then for each quote its move and how far it goes beyond bid or ask."""

    def __init__(self, prices: int, quotes: int) -> None:
        self.prices, self.quotes, self.width = prices, quotes, prices + 2 * quotes
        self._rows: list[Any] = []
        self._right: list[FloatArray] = []

    def add(self, matrix: Any, right: FloatArray) -> None:
        """Conditions on the prices alone."""
        from scipy import sparse  # slow to import

        self._rows.append(sparse.hstack([matrix, sparse.csr_array((len(right), 2 * self.quotes))]))
        self._right.append(right)

    def add_moves(self, place: IntArray, calls: FloatArray, sides: tuple[FloatArray, FloatArray]) -> None:
        """Moves are at least what a price moves, up and down, from the quote and beyond its sides."""
        from scipy import sparse  # slow to import

        at, every = _pinned(self.prices, place), sparse.eye_array(self.quotes, format="csr")
        none = sparse.csr_array((self.quotes, self.quotes))
        for sign, (move, beyond) in (
            (1.0, (calls, sides[1])),
            (-1.0, (calls, sides[0])),
        ):
            self._rows += [sparse.hstack([sign * at, -every, none]), sparse.hstack([sign * at, none, -every])]
            self._right += [sign * move, sign * beyond]

    def matrix(self) -> Any:
        """Sparse."""
        from scipy import sparse  # slow to import

        return sparse.vstack(self._rows, format="csr")

    def right(self) -> FloatArray:
        return np.concatenate(self._right)
