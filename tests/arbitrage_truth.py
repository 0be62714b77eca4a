"""Ground truth for `check`: a linear program over all convex, decreasing price functions ordered in tenor.

`python -m tests.arbitrage_truth 2000` compares verdicts and sizes on that many random grids.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

import voladdin as va
from voladdin.black import call_price, moneyness_from_delta

TOLERANCE = 2e-8  # well above the solver's


def prices(surface: va.Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tenor ranks, strikes K/F and call prices of the quotes."""
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    moneyness = surface.log_moneyness
    if moneyness is None:
        moneyness = moneyness_from_delta(surface.deltas, total)
    seen = surface.observed
    return np.argwhere(seen)[:, 0], np.exp(moneyness[seen]), call_price(moneyness[seen], total[seen])


def least_slack(tenors: np.ndarray, strikes: np.ndarray, bid: np.ndarray, ask: np.ndarray) -> float:
    """The least z such that functions C_t with bid - z <= C_t <= ask at the quotes exist.

    C_t(x) = 1 - x + sum of a_ti (x - x_i)+ over all strikes x_i and 0, with a >= 0 and each tenor's sum at
    most 1: every convex, decreasing function with slope of at least -1 takes these values at the strikes.
    Infinite where no z will do.
    """
    equal = [float(f"{strike:.11e}") for strike in strikes]  # by rounding
    grid, place = np.unique([0.0, *equal], return_inverse=True)
    ranks = np.unique(tenors, return_inverse=True)[1]
    number, nodes = int(ranks.max()) + 1, np.arange(len(strikes))
    ramps = np.maximum(grid[:, None] - grid, 0.0)
    at_quote = np.zeros((len(strikes), number, len(grid)))
    at_quote[nodes, ranks] = ramps[place[1:]]
    at_quote = at_quote.reshape(len(strikes), -1)
    base = 1.0 - grid[place[1:]]
    order = np.kron(np.eye(number)[:-1] - np.eye(number)[1:], ramps)
    blocks = [
        (np.kron(np.eye(number), np.ones(len(grid))), np.ones(number), 0.0),
        (-np.kron(np.eye(number), ramps[-1:]), np.full(number, 1.0 - grid[-1]), 0.0),
        (order, np.zeros(len(order)), 0.0),
        (at_quote[np.isfinite(ask)], (ask - base)[np.isfinite(ask)], 0.0),
        (-at_quote[np.isfinite(bid)], (base - bid)[np.isfinite(bid)], -1.0),
    ]
    matrix = np.vstack([np.column_stack([rows, np.full(len(rows), slack)]) for rows, _, slack in blocks])
    return _solve(matrix, np.concatenate([limits for _, limits, _ in blocks]))


def _solve(matrix: np.ndarray, limits: np.ndarray) -> float:
    cost = np.zeros(matrix.shape[1])
    cost[-1] = 1.0
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    result = linprog(cost, csr_array(matrix), limits, method="highs-ds", options=tight)
    if result.status == 2:
        return np.inf
    assert result.status == 0, result.message
    return float(result.fun)


def random_surface(rng: np.random.Generator, near: bool) -> va.Surface:
    """Any axis, 1 to 6 tenors by 1 to 8 strikes, with holes; `near` the boundary of no arbitrage."""
    shape = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    if near:
        shape = max(shape[0], 2), max(shape[1], 2)
    tenors = np.cumsum(rng.uniform(0.02, 0.8, shape[0]))
    axes = _axes(rng, shape, tenors)
    clean = va.Surface(_smile(rng, shape, tenors, axes), tenors, **axes)
    holes = rng.random(shape) < rng.choice([0.0, 0.2, 0.5])
    holes.flat[rng.integers(holes.size)] = False
    clean = clean.replace(np.where(holes, np.nan, clean.vols))
    noise = rng.choice([0.003, 0.02, 0.1, 0.3])
    wild = clean.replace(clean.vols * np.exp(noise * rng.standard_normal(shape)))
    return _near_boundary(rng, clean, wild) if near else [clean, wild][int(rng.random() < 0.7)]


def _axes(rng: np.random.Generator, shape: tuple[int, int], tenors: np.ndarray) -> dict[str, np.ndarray]:
    kind = rng.choice(["deltas", "moneyness", "ragged", "strikes"])
    if kind == "deltas":
        return {"deltas": np.sort(rng.choice(np.arange(2, 99), shape[1], replace=False))[::-1] / 100}
    ladder = np.sort(rng.choice(np.linspace(-0.6, 0.6, 49), shape[1], replace=False))
    if kind == "moneyness":
        return {"moneyness": ladder}
    forwards = 1.1 * np.exp(rng.choice([0.0, 0.04]) * tenors)
    if kind == "strikes":
        return {"strikes": 1.1 * np.exp(ladder), "forwards": forwards}
    return {"strikes": forwards[:, None] * np.exp(np.sqrt(tenors)[:, None] * ladder), "forwards": forwards}


def _smile(
    rng: np.random.Generator, shape: tuple[int, int], tenors: np.ndarray, axes: dict[str, np.ndarray]
) -> np.ndarray:
    """Flat in strike, or a mild SVI (deltas: a mild parabola); w grows with tenor or stays."""
    level = rng.uniform(0.05, 0.5) * np.exp(0.1 * rng.standard_normal())
    decay = 0.0 if rng.random() < 0.8 else 0.5
    vols = np.broadcast_to(level * tenors[:, None] ** -decay, shape).copy()
    if rng.random() < 0.5:
        return vols
    if "deltas" in axes:
        return np.asarray(vols * (1 + 0.1 * (2 * axes["deltas"] - 1) ** 2))
    moneyness = va.Surface(vols, tenors, **axes).log_moneyness
    assert moneyness is not None
    root = np.sqrt(moneyness**2 + 0.04)
    w = level**2 * tenors[:, None] * (0.6 + rng.uniform(-0.4, 0.4) * moneyness + 2 * root)
    return np.asarray(np.sqrt(w / tenors[:, None]))


def _near_boundary(rng: np.random.Generator, clean: va.Surface, wild: va.Surface) -> va.Surface:
    """A mix of the two that is about 1e-7 to 1e-4 inside or outside of where `check` changes its verdict."""

    def mixed(share: float) -> va.Surface:
        return clean.replace(clean.vols * (wild.vols / clean.vols) ** share)

    for _ in range(3):
        if va.check(wild).ok:
            wild = wild.replace(np.minimum(clean.vols * (wild.vols / clean.vols) ** 4, 5.0))
    if not va.check(clean).ok or va.check(wild).ok:
        return wild
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if va.check(mixed(middle)).ok else (low, middle)
    return mixed(high * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-5, -2)))


def compare(rng: np.random.Generator, near: bool) -> tuple[bool, float, float]:
    """The verdict of `check`, its largest size, and the linear program's."""
    surface = random_surface(rng, near)
    found = va.check(surface, tolerance=TOLERANCE)
    size = max((violation.size for violation in found.violations), default=0.0)
    tenors, strikes, calls = prices(surface)
    return found.ok, size, least_slack(tenors, strikes, calls, calls)


def main(count: int) -> None:
    """Prints agreement on `count` grids, half of them near the boundary."""
    rng = np.random.default_rng(20)
    agreed, bad, close, worst = 0, 0, 0, 0.0
    for number in range(count):
        ok, size, slack = compare(rng, near=number % 2 == 1)
        agreed += ok == (slack <= TOLERANCE)
        bad += not ok
        close += 1e-10 < slack < 1e-4
        worst = max(worst, abs(size - slack) if not ok else 0.0)
    print(
        f"{agreed} of {count} verdicts agree, {bad} with arbitrage, {close} of them by less than 1e-4; ",
        end="",
    )
    print(f"sizes differ by at most {worst:.1e}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
