"""`voladdin bench scenarios`: its tables on a simulated history, and on random targets."""

from __future__ import annotations

import numpy as np

from export.bench.generation.given_numbers import grids, table
from export.bench.generation.history_moves import compare
from export.history import Days


def simulated(days: int) -> Days:
    rng = np.random.default_rng(0)
    tenors, deltas = np.array([1 / 12, 0.25, 1.0]), np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    shape = 1 + 0.05 * (np.abs(deltas - 0.5) * 4) ** 2
    level = 0.1 * np.exp(0.02 * np.cumsum(rng.normal(size=(days, 1, 1)), axis=0) * tenors[:, None] ** -0.3)
    vols = level * shape * np.exp(0.001 * rng.normal(size=(days, 3, 5)))
    dates = np.datetime64("2016-06-01") + np.arange(days)
    return Days(vols, np.full(days, "AAABBB"), dates.astype("datetime64[D]"), tenors, deltas)


def test_tables_of_a_year() -> None:
    tests, correlations, arbitrage = compare(simulated(300), 2017, 5)
    assert "| tenor | AAABBB ATM | AAABBB RR | AAABBB BF |" in tests and "of 3 |" in tests
    assert "| 1M, 3M |" in correlations and "| AAABBB |" in arbitrage


def test_targets_are_exact_and_free_of_arbitrage() -> None:
    text = table(10)
    rows = [line.split("|") for line in text.splitlines()[4:]]
    assert len(rows) == len(grids())
    for row in rows:
        assert float(row[4]) <= 1e-10 and int(row[5]) == 0 and float(row[6]) > 100
