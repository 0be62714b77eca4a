"""Ground truth for `check` and `repair`: linear programs over all price functions without arbitrage.

Of N quotes: ranks [N] of their tenors, in order; strikes [N], K/F; prices of calls [N] over the forward.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.black import call_price

TOLERANCE = 2e-8  # well above the solver's
_FINE = 1e4  # `least_change` counts in bp of the forward, so that the solver's tolerance is 1e-14 of it
_TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


def prices(surface: va.Surface) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Tenor ranks, strikes K/F and call prices of the quotes."""
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    moneyness = surface.quoted_moneyness()
    seen = surface.observed
    return np.argwhere(seen)[:, 0], np.exp(moneyness[seen]), call_price(moneyness[seen], total[seen])


def least_slack(ranks: NDArray[np.intp], strikes: FloatArray, bid: FloatArray, ask: FloatArray) -> float:
    """The least z such that functions C_t with bid - z <= C_t <= ask at the quotes exist.

    Infinite where no z will do.
    """
    functions = _CallFunctions(ranks, strikes)
    at, base = functions.at_quotes, functions.base
    low, high = np.isfinite(bid), np.isfinite(ask)
    matrix, limits = functions.constraints
    rows = np.vstack([matrix, at[high], -at[low]])
    slack = np.concatenate([np.zeros(len(matrix) + high.sum()), -np.ones(low.sum())])
    cost = np.zeros(rows.shape[1] + 1)
    cost[-1] = 1.0
    bounds = np.concatenate([limits, (ask - base)[high], (base - bid)[low]])
    result = linprog(
        cost, csr_array(np.column_stack([rows, slack])), bounds, method="highs-ds", options=_TIGHT
    )
    if result.status == 2:
        return np.inf
    assert result.status == 0, result.message
    return float(result.fun)


def least_distance(ranks: NDArray[np.intp], strikes: FloatArray, calls: FloatArray) -> float:
    """The least z such that functions C_t with |C_t - calls| <= z at the quotes exist."""
    functions = _CallFunctions(ranks, strikes)
    at, gap = functions.at_quotes, calls - functions.base
    matrix, limits = functions.constraints
    rows = np.vstack([matrix, at, -at])
    slack = -np.concatenate([np.zeros(len(matrix)), np.ones(2 * len(calls))])
    cost = np.zeros(rows.shape[1] + 1)
    cost[-1] = 1.0
    bounds = np.concatenate([limits, gap, -gap])
    result = linprog(
        cost, csr_array(np.column_stack([rows, slack])), bounds, method="highs-ds", options=_TIGHT
    )
    assert result.status == 0, result.message
    return float(result.fun)


def least_change(
    ranks: NDArray[np.intp], strikes: FloatArray, calls: FloatArray, weights: FloatArray
) -> tuple[float, FloatArray]:
    """The least sum of weights |c - calls| over prices c [N] that functions C_t pass through, and c."""
    functions = _CallFunctions(ranks, strikes)
    matrix, limits = functions.constraints
    count, free = len(calls), matrix.shape[1]
    cost = np.concatenate([np.zeros(free), weights, weights])
    moves = np.eye(count)
    equal = csr_array(np.hstack([_FINE * functions.at_quotes, -moves, moves]))
    unequal = csr_array(np.hstack([_FINE * matrix, np.zeros((len(matrix), 2 * count))]))
    ends = _FINE * limits, _FINE * (calls - functions.base)
    result = linprog(cost, unequal, ends[0], equal, ends[1], method="highs-ds", options=_TIGHT)
    assert result.status == 0, result.message
    up, down = np.maximum(result.x[free:], 0.0).reshape(2, count) / _FINE
    return float(weights @ (up + down)), calls + up - down


class _CallFunctions:
    """C_t(x) = 1 - x + sum of a_ti (x - x_i)+ over all strikes x_i and 0, with a >= 0 of sum at most 1.

    Every convex, decreasing function with slope of at least -1 takes these values at the strikes.
    `at_quotes` a + `base` are the prices of the quotes; `constraints` are (A, b) of A a <= b: slopes, C_t at
    least 0, and C_t at most C of the next tenor.
    """

    def __init__(self, ranks: NDArray[np.intp], strikes: FloatArray) -> None:
        equal = [float(f"{strike:.11e}") for strike in strikes]  # by rounding
        grid, place = np.unique([0.0, *equal], return_inverse=True)
        ranks = np.unique(ranks, return_inverse=True)[1]  # among tenors with quotes
        number, nodes = int(ranks.max()) + 1, np.arange(len(strikes))
        ramps = np.maximum(grid[:, None] - grid, 0.0)
        at_quote = np.zeros((len(strikes), number, len(grid)))
        at_quote[nodes, ranks] = ramps[place[1:]]
        self.at_quotes = at_quote.reshape(len(strikes), -1)
        self.base = 1.0 - grid[place[1:]]
        order = np.kron(np.eye(number)[:-1] - np.eye(number)[1:], ramps)
        slopes = np.kron(np.eye(number), np.ones(len(grid)))
        lowest = -np.kron(np.eye(number), ramps[-1:])
        limits = [np.ones(number), np.full(number, 1.0 - grid[-1]), np.zeros(len(order))]
        self.constraints = np.vstack([slopes, lowest, order]), np.concatenate(limits)
