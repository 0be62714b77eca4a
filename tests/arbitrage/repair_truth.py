"""Ground truth for `repair` at strikes that stay: the least change over all price functions, without cuts."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

import voladdin as va
from export.bench.repair.truth import prices
from voladdin.black import vega


def vega_weighted(before: va.Surface, after: va.Surface) -> float:
    """sum |c - c0| / vega, in vol."""
    moved = np.abs(prices(after)[2] - prices(before)[2])
    return float((moved / _vegas(before)).sum())


def least_change(surface: va.Surface, fixed: np.ndarray | None = None) -> float:
    """The least sum |c - c0| / vega, in vol; infinite where the fixed quotes leave none.

    Variables: the weights a of C_t(x) = 1 - x + sum of a_ti (x - x_i)+ over all strikes x_i and 0, which take
    in all convex, decreasing functions at those strikes, and each quote's move up and down.
    """
    ranks, strikes, calls = prices(surface)
    grid, place = np.unique([0.0, *strikes], return_inverse=True)
    ranks = np.unique(ranks, return_inverse=True)[1]
    number, quotes = int(ranks.max()) + 1, len(strikes)
    ramps = np.maximum(grid[:, None] - grid, 0.0)
    at_quote = np.zeros((quotes, number, len(grid)))
    at_quote[np.arange(quotes), ranks] = ramps[place[1:]]
    unit = _vegas(surface)
    equal = np.hstack([at_quote.reshape(quotes, -1), -np.diag(unit), np.diag(unit)])
    upper = np.vstack(
        [
            np.kron(np.eye(number), np.ones(len(grid))),
            -np.kron(np.eye(number), ramps[-1:]),
            np.kron(np.eye(number)[:-1] - np.eye(number)[1:], ramps),
        ]
    )
    limits = np.concatenate(
        [np.ones(number), np.full(number, 1 - grid[-1]), np.zeros(len(upper) - 2 * number)]
    )
    upper = np.hstack([upper, np.zeros((len(upper), 2 * quotes))])
    cost = np.concatenate([np.zeros(number * len(grid)), np.ones(2 * quotes)])
    most = np.full(len(cost), np.inf)
    if fixed is not None:
        most[number * len(grid) :] = np.tile(np.where(fixed[surface.observed], 0.0, np.inf), 2)
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    bounds = np.column_stack([np.zeros(len(cost)), most])
    result = linprog(
        cost,
        csr_array(upper),
        limits,
        csr_array(equal),
        calls - (1 - strikes),
        bounds,
        "highs-ds",
        options=tight,
    )
    if result.status == 2:
        return np.inf
    assert result.status == 0, result.message
    return float(result.fun)


def _vegas(surface: va.Surface) -> np.ndarray:
    root = np.broadcast_to(np.sqrt(surface.tenors)[:, None], surface.shape)[surface.observed]
    _, strikes, _ = prices(surface)
    return np.asarray(vega(np.log(strikes), surface.vols[surface.observed] * root) * root)
