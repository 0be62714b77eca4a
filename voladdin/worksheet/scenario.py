"""VOLSCENARIO: joint moves of today's surface over the next days, one grid below the other."""

from __future__ import annotations

from typing import Any

from ..bundles import load
from ..bundles.moves import Moves
from ..cells import Cell, Cells, Grid, is_blank, render
from ..errors import InputError
from ..generation.latents import whole_number
from ..generation.simulating import scenarios
from .arguments import AXES, MARKET, SURFACE, AxisArguments, model_name, read_grid, warn
from .signature import Argument, Function, number

_MOST_ROWS = 100_000  # of a sheet


def _volscenario(surface: Cells, n: Cell, seed: Cell, horizon: Cell, model: Cell, *axes: Any) -> Cells:
    grid = read_grid(surface, AxisArguments(*axes))
    count, days = (whole_number(*given) for given in _numbers(n=n, horizon=horizon))
    rows = count * (len(surface) + 1)
    if rows > _MOST_ROWS:
        raise InputError(f"n is {count}, {rows:,} rows in all; expected at most {_MOST_ROWS:,}")
    start, pair = whole_number("seed", number("seed", seed, 0)), grid.words.pair
    found = scenarios(grid.surface, count, start, days, model=model_name(model), underlying=pair)
    _say_whose(pair, load(model_name(model), Moves))
    if found.moved.any():
        touched = int((found.moved > 0).sum())
        warn(f"{touched} of {count} moved by up to {found.moved.max():.3g} bp to be free of arbitrage")
    blocks = [
        _named(grid, render(grid, vols), f"scenario {i} of {count}, {days} day{'s'[: days - 1]}")
        for i, vols in enumerate(found.vols, start=1)
    ]
    blank: Cells = [[""] * len(surface[0])]
    return [row for i, block in enumerate(blocks) for row in (blank if i else []) + block]


def _say_whose(pair: str | None, moves: Moves) -> None:
    if pair is not None and pair not in moves.underlyings:
        warn(f"{pair} is not in the model's history: the moves are those of {', '.join(moves.underlyings)}")


def _numbers(**given: Cell) -> list[tuple[str, float]]:
    """By name, 1 where one was omitted, which Calc also passes as 0."""
    return [(name, number(name, value or None, 1.0)) for name, value in given.items()]


def _named(grid: Grid, block: Cells, name: str) -> Cells:
    """The block with its name in a blank corner."""
    if grid.row_header and grid.column_header and is_blank(block[0][0]):
        block[0][0] = name
    return block


VOLSCENARIO = Function(
    "VOLSCENARIO",
    "Today's grid of implied vols after joint moves that surfaces like it made, free of arbitrage.",
    (
        SURFACE,
        Argument("n", "how many scenarios, stacked; 1 unless told", "value"),
        Argument("seed", "a whole number; the same seed gives the same scenarios, 0 unless told", "value"),
        Argument("horizon", "business days; 1 unless told", "value"),
        Argument("model", 'whose history, "fx" unless told', "value"),
        *AXES,
        *MARKET,
    ),
    "=VOLSCENARIO(A1:F9, 10, 1, 5)",
    _volscenario,
    kind=Moves,
)
