"""Fuzz of the worksheet functions with cells as sheets have them, and worse."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from voladdin.worksheet import registry

from .trial import Trial

_TEXTS = (
    *("", "  ", "ATM", "25P", "10C", "25D Call", "K=1.08", "m=-0.1", "K/F=0.95", "ON", "1W", "18M", "2Y"),
    *("n/a", "#N/A", "#VALUE!", "-", "8.25%", "8,25", "abc", "fill", "std", "report", "ok", "map", "fx"),
    *("equity", "../../etc/passwd", "\\\\host\\share", "percent", "decimal", "EURUSD", "USDJPY", "XXXYYY"),
    *("\x00", "\ud83d\ude00", "𝟙", "é" * 50, "1e400", "nan", "inf", "-inf", "0x10", "1_000", "٣", "TRUE"),
    *("=1+1", "1M" * 400, "level", "broker", "smile", "all", "none", "hull", "error", "models", "CON"),
)
_NUMBERS = (
    *(0, 0.0, -0.0, 1, -1, 0.1, 0.25, 0.5, 0.9, 1e-300, 5e-324, 1e308, 1.7976931348623157e308, 2**53),
    *(10**30, 45000, 44927.5, 1e-4, 9.9, 100, 2, 2.0000001, -0.3, 1e15, 1e-15, math.nan, math.inf, -math.inf),
)
_HEADERS: tuple[tuple[Any, ...], ...] = (
    ("10P", "25P", "ATM", "25C", "10C", "5C"),
    (0.9, 0.75, 0.5, 0.25, 0.1, 0.05),
    ("m=-0.2", "m=-0.1", "m=0", "m=0.1", "m=0.2", "m=0.3"),
    (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3),
)
_TENORS: tuple[tuple[Any, ...], ...] = (("1W", "1M", "3M", "6M", "1Y", "2Y"), (0.02, 0.08, 0.25, 0.5, 1, 2))
_LINES = ("tenors", "strikes", "forwards", "domestic", "foreign", "atm", "rr25", "bf25", "rr10", "bf10")
_USUAL: dict[str, Any] = {
    "output": "std",
    "model": "fx",
    "units": "percent",
    "pair": "EURUSD",
    "butterfly": "smile",
    "tenor": "4M",
    "strike": "25P",
    "prior_age": 2.0,
    "level": 0.2,
    "skew": -0.3,
    "curv": 0.5,
    "term": 0.02,
    "scenario": 1,
}
_EMPTY: tuple[Any, ...] = ([], [[]], [[], [1]], [[None]], [[1], [1, 2]])


def evaluate(rng: np.random.Generator, trial: Trial) -> None:
    """Any function with any arguments: a rectangle of finite cells, or a documented error."""
    draw = random.Random(int(rng.integers(2**62)))
    name = draw.choice(list(registry.FUNCTIONS))
    arguments = [_argument(draw, argument) for argument in registry.FUNCTIONS[name].arguments]
    if draw.random() < 0.03:
        arguments.append(1)
    shown = f"{name} {arguments!r}"
    try:
        cells = trial.call(name, registry.evaluate, name, arguments)
    finally:
        _note(trial, shown)
    trial.counts["answered"] += 1
    rectangle = bool(cells) and bool(cells[0]) and len({len(row) for row in cells}) == 1
    trial.expect(rectangle, f"{name}: no rectangle of cells", shown)
    for cell in (cell for row in cells for cell in row):
        kind = cell is None or isinstance(cell, bool | int | float | str)
        trial.expect(kind, f"{name} returns {type(cell).__name__}", shown)
        finite = not isinstance(cell, float) or math.isfinite(cell)
        trial.expect(finite, f"{name} returns {cell}", shown)
    if draw.random() < 0.1 and registry.FUNCTIONS[name].cached:
        registry.clear_cache()
        again = trial.call(name, registry.evaluate, name, arguments)
        trial.expect(repr(again) == repr(cells), f"{name} differs when repeated", shown)


def _note(trial: Trial, shown: str) -> None:
    """The arguments, beside the newest failure of this seed."""
    for seen in trial.failures.values():
        if seen[-1].startswith(f"seed {trial.seed}:") and shown[:20] not in seen[-1]:
            seen[-1] += f" | {shown[:600]}"


def _argument(draw: random.Random, argument: registry.Argument) -> Any:
    if argument.optional and draw.random() < 0.85:
        return None
    if draw.random() < 0.06:
        rows = [[_cell(draw) for _ in range(draw.randint(1, 5))] for _ in range(draw.randint(1, 5))]
        return rows if draw.random() < 0.6 else draw.choice(_EMPTY)
    if argument.kind == "value":
        return draw.choice([_cell(draw), _cell(draw), _USUAL.get(argument.name, 0.01)])
    if argument.name in _LINES or draw.random() < 0.1:
        line = [
            draw.choice([_cell(draw), draw.uniform(0.01, 2), 0.1, "1M"]) for _ in range(draw.randint(1, 6))
        ]
        return [line] if draw.random() < 0.4 else [[cell] for cell in line]
    return _grid(draw)


def _grid(draw: random.Random) -> list[list[Any]]:
    """A grid with headers, in which a few cells are anything."""
    rows, columns = draw.randint(1, 6), draw.randint(1, 6)
    unit = draw.choice([1, 100])
    grid: list[list[Any]] = [[draw.choice([None, "EURUSD", ""]), *draw.choice(_HEADERS)[:columns]]]
    for tenor in draw.choice(_TENORS)[:rows]:
        vols = [unit * abs(0.1 + 0.02 * draw.gauss(0, 1)) for _ in range(columns)]
        grid.append([tenor, *(None if draw.random() < 0.3 else vol for vol in vols)])
    if draw.random() < 0.2:
        grid = [list(line) for line in zip(*grid, strict=True)]
    for _ in range(draw.choice([0, 0, 0, 1, 1, 2, 5])):
        row = draw.choice(grid)
        row[draw.randrange(len(row))] = _cell(draw)
    return grid


def _cell(draw: random.Random) -> Any:
    kind = draw.random()
    if kind < 0.35:
        return draw.choice(_NUMBERS)
    if kind < 0.55:
        return draw.uniform(-1, 1) * 10 ** draw.randint(-6, 4)
    if kind < 0.8:
        return draw.choice(_TEXTS)
    if kind < 0.9:
        return None
    if kind < 0.95:
        return draw.choice([True, False])
    letters = [chr(draw.choice([draw.randint(32, 126), draw.randint(0, 0xD7FF)])) for _ in range(12)]
    return "".join(letters[: draw.randint(0, 12)])
