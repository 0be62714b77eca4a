"""VOLIMPUTE: the same grid with its holes filled, the uncertainty of each cell, or its improbable quotes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.trades import cell_label
from ..cells import Cell, Cells, Grid, render
from ..errors import InputError
from ..imputation.filling import Imputation
from ..imputation.recent import Question, answer
from ..imputation.suspects import Suspect, any_suspect, suspects
from .arguments import (
    FORWARDS,
    MARKET,
    MODEL,
    STRIKES,
    SURFACE,
    TENORS,
    UNITS,
    AxisArguments,
    model_name,
    read_grid,
    warn,
    warn_later,
)
from .companions import bid_and_ask, companion, in_unit_of, require_inside
from .matrices import imputed_matrix, matrix_in
from .signature import Argument, Function, Pending, choice, number

FIELDS = {"fill": "filled", "mean": "mean", "std": "std", "low": "low", "high": "high", "zscore": "zscore"}
DRAW = "draw"  # one surface of many that the quotes allow
OUTPUTS = (*FIELDS, "moved", "disputed", "suspects", DRAW)
CLEAN = "no suspect quote"
_SUSPECTS = ("quote", "vol", "the others imply", "std", "zscore")
_NAMED = 3  # quotes in a warning


def _volimpute(*values: Any) -> Cells:
    begun = _begin(*values)
    return begun.then(answer(begun.question)) if isinstance(begun, Pending) else begun


def _begin(
    surface: Cells,
    output: Cell,
    prior: Cells | None,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
    prior_age: Cell,
    *others: Any,
) -> Cells | Pending:
    """What has to be imputed, and what is made of it; an ATM matrix's cells at once."""
    *market, covered, bid, ask, seed = others
    wanted = choice("output", output, OUTPUTS)
    axes = AxisArguments(tenors, strikes, units, forwards, *market)
    matrix = matrix_in(surface, axes, prior, bid, ask)
    if matrix is not None:
        return imputed_matrix(matrix, wanted, number("coverage", covered, 0.9))
    alone = prior is None and bid is None and ask is None
    grid = read_grid(surface, axes, quoted=", or a prior" if alone else None)
    earlier = None if prior is None else companion(grid, prior, axes)
    quoted = bid_and_ask(grid, bid, ask, axes)
    require_inside(grid, quoted)
    grid = in_unit_of(grid, quoted.bid, quoted.ask, earlier)
    age, coverage = number("prior_age", prior_age, 1.0), number("coverage", covered, 0.9)
    name, (low, high) = model_name(model), quoted.sides
    before = None if earlier is None else earlier.surface
    question = Question.of(
        grid.surface, prior=before, prior_age=age, model=name, coverage=coverage, bid=low, ask=high
    )
    return Pending(question, partial(_shown, grid, wanted, name, seed))


def _shown(grid: Grid, wanted: str, name: str | Path, seed: Cell, result: Imputation) -> Cells:
    """The answer as cells, with its warnings."""
    if " (" in result.model or "; " in result.model:  # more than names: a fallback, moved cells, bad quotes
        warn(f"surface: model {result.model}")
    if (quotes := result.disputed & grid.surface.observed).any():
        warn(f"surface: {_labels(grid, quotes)} can be arbitraged against more plausible quotes")
    if wanted == "suspects":
        return _suspects(grid, suspects(grid.surface, result.zscore, model=name))
    if any_suspect(grid.surface.vols, result.zscore):
        warn_later(partial(_improbable, grid, result.zscore, name))
    if wanted == DRAW:
        return render(grid, result.draws(1, _seed(seed))[0])
    return render(grid, _values(result, wanted), scale=wanted in ("fill", "mean", "std", "low", "high"))


def _seed(value: Cell) -> int:
    seed = number("seed", value, 0.0)
    if seed != int(seed) or not 0 <= seed < 2**53:
        raise InputError(f"seed is {value!r}; expected a whole number of at least 0")
    return int(seed)


def _values(result: Imputation, wanted: str) -> FloatArray:
    """[T, K]: what was asked; how far cells were moved in vol bp; 1 on disputed quotes, 0 on others."""
    if wanted == "moved":
        return np.asarray(np.where(np.isnan(result.zscore), 1e4 * (result.filled - result.mean), np.nan))
    if wanted == "disputed":
        return np.asarray(np.where(np.isnan(result.zscore), np.nan, result.disputed.astype(float)))
    return np.asarray(getattr(result, FIELDS[wanted]))


def _labels(grid: Grid, chosen: BoolArray) -> str:
    return ", ".join(cell_label(grid.surface, *cell) for cell in np.argwhere(chosen).tolist())


def _improbable(grid: Grid, zscore: FloatArray, model: str | Path) -> list[str]:
    """Such as "surface: 3M ATM is 9.6, and the other quotes imply 7.61 ± 0.18 (z-score 11)"."""
    found = suspects(grid.surface, zscore, model=model, most=_NAMED)
    return [f"surface: {cell_label(grid.surface, s.row, s.column)} {s.said(grid.unit)}" for s in found]


def _suspects(grid: Grid, found: list[Suspect]) -> Cells:
    """A row a quote, the farthest first, or one line where there is none."""
    if not found:
        return [[CLEAN]]
    unit = grid.unit
    rows: Cells = [list(_SUSPECTS)]
    for suspect in found:
        label = cell_label(grid.surface, suspect.row, suspect.column)
        vols = (unit * vol for vol in (suspect.quote, suspect.implied, suspect.std))
        rows.append([label, *vols, suspect.zscore])
    return rows


VOLIMPUTE = Function(
    "VOLIMPUTE",
    "The same grid of implied vols with its holes filled, or the uncertainty of each cell.",
    (
        SURFACE,
        Argument(
            "output",
            f"one of {', '.join(OUTPUTS)} (improbable quotes); fill unless told",
            "value",
            choices=OUTPUTS,
        ),
        Argument("prior", "an earlier grid with at least these labels, such as yesterday's", "range"),
        TENORS,
        STRIKES,
        MODEL,
        UNITS,
        FORWARDS,
        Argument("prior_age", "age of the prior in days; 1 unless told", "value"),
        *MARKET,
        Argument("coverage", "probability that a cell lies between low and high; 0.9 unless told", "value"),
        Argument("bid", "a grid of bid vols, with or without headers", "range"),
        Argument("ask", "a grid of ask vols", "range"),
        Argument("seed", "which surface to draw: 0, 1, 2, ...; 0 unless told", "value"),
    ),
    '=VOLIMPUTE(A1:F9, "std")',
    _volimpute,
    begin=_begin,
)
