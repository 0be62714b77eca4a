"""Random targets, any subset of four numbers given, on any axes: error, arbitrage, refusals, diversity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.errors import InfeasibleError
from voladdin.generation.wording import Wording
from voladdin.surface import Surface

from ..report import rows_table

_TENORS = ["ON", "1W", "1M", "3M", "1Y", "5Y", "10Y"]
_YEARS = ["1M", "6M", "1Y", "3Y", "10Y"]
_DRAWS = 40  # of one level


@dataclass(frozen=True)
class GeneratorGrid:
    """Axes, words, model, and the range of each of the four numbers [4, 2]."""

    name: str
    axes: Surface
    words: str
    model: str
    ranges: FloatArray


def grids() -> list[GeneratorGrid]:
    """Deltas, ln(K/F) and strikes; the paper's words and the market's; both models."""
    paper = np.array([[0.08, 0.3], [-0.2, 0.05], [0.05, 0.5], [-0.01, 0.01]])
    market = np.array([[0.06, 0.3], [-0.02, 0.01], [0.001, 0.005], [-0.02, 0.02]])
    m = np.linspace(-0.3, 0.3, 7)
    deltas = Surface(np.full((7, 5), np.nan), _TENORS, deltas=["10P", "25P", "ATM", "25C", "10C"])
    flat = Surface(np.full((5, 7), np.nan), _YEARS, moneyness=m)
    forwards = 100 * 1.02 ** np.arange(5)
    strikes = Surface(np.full((5, 7), np.nan), _YEARS, strikes=100 * np.exp(m), forwards=forwards)
    return [
        GeneratorGrid("deltas ON to 10Y, market's words, markets", deltas, "market", "markets", market),
        GeneratorGrid("deltas ON to 10Y, market's words, fx", deltas, "market", "fx", market),
        GeneratorGrid("deltas ON to 10Y, paper's words, markets", deltas, "paper", "markets", paper),
        GeneratorGrid("ln(K/F) 1M to 10Y, paper's words, markets", flat, "paper", "markets", paper),
        GeneratorGrid("strikes 1M to 10Y, paper's words, markets", strikes, "paper", "markets", paper),
    ]


def table(targets: int, seed: int = 0) -> str:
    """One row a grid, `targets` among them all."""
    chosen = grids()
    rows = [_row(grid, targets // len(chosen), seed) for grid in chosen]
    header = ["axes, words, model", "targets", "refused", "largest error", "violations", "spread, bp"]
    return rows_table(
        f"Any subset of the four numbers given. Spread: median over {_DRAWS} draws of the largest difference "
        "of a cell from the mean, at a level of 20%",
        header,
        rows,
    )


def _row(grid: GeneratorGrid, targets: int, seed: int) -> list[str]:
    wording, worst, refused, violations = Wording.of(grid.axes, grid.words), 0.0, 0, 0
    for number, asked in enumerate(_targets(grid, targets, seed)):
        try:
            made = _made(grid, asked, number % 10)
        except InfeasibleError:
            refused += 1
            continue
        error = np.abs(wording.at(made)[0] - asked)[np.isfinite(asked)]
        worst = max(worst, float(error.max(initial=0.0)))
        violations += not va.check(grid.axes.replace(made)).ok
    spread = f"{_spread(grid):.0f}"
    return [grid.name, str(targets), str(refused), f"{worst:.1e}", str(violations), spread]


def _targets(grid: GeneratorGrid, count: int, seed: int) -> Iterator[FloatArray]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        low, high = grid.ranges.T
        yield np.where(rng.random(4) < 0.5, rng.uniform(low, high), np.nan)


def _made(grid: GeneratorGrid, asked: FloatArray, scenario: int) -> FloatArray:
    found = va.generate_on(grid.axes, asked, scenario, words=grid.words, model=grid.model)
    return np.asarray(found.vols[0])


def _spread(grid: GeneratorGrid) -> float:
    asked = np.array([0.2, np.nan, np.nan, np.nan])
    mean = _made(grid, asked, 0)
    gaps = [np.abs(_made(grid, asked, scenario) - mean).max() for scenario in range(1, _DRAWS + 1)]
    return float(1e4 * np.median(gaps))
