"""VOLIMPUTE: the same grid with its holes filled, or the uncertainty of each cell."""

from __future__ import annotations

from typing import Any

from ..cells import Cell, Cells, render
from ..imputation.filling import impute
from .arguments import (
    FORWARDS,
    MARKET,
    MODEL,
    STRIKES,
    SURFACE,
    TENORS,
    UNITS,
    Axes,
    companion,
    model_name,
    read_grid,
    warn,
)
from .signature import Argument, Function, choice, number

OUTPUTS = {"fill": "filled", "mean": "mean", "std": "std", "low": "low", "high": "high", "zscore": "zscore"}


def _volimpute(
    surface: Cells,
    output: Cell,
    prior: Cells | None,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
    prior_age: Cell,
    *market: Any,
) -> Cells:
    wanted = choice("output", output, list(OUTPUTS))
    axes = Axes(tenors, strikes, units, forwards, *market)
    grid = read_grid(surface, axes, quoted=", or a prior" if prior is None else None)
    earlier = None if prior is None else companion(grid, prior, axes)
    age = number("prior_age", prior_age, 1.0)
    result = impute(grid.surface, prior=earlier, prior_age=age, model=model_name(model))
    if " (" in result.model:  # more than its name: a fallback, moved cells, quotes that violate
        warn(f"surface: model {result.model}")
    return render(grid, getattr(result, OUTPUTS[wanted]), scale=wanted != "zscore")


VOLIMPUTE = Function(
    "VOLIMPUTE",
    "The same grid of implied vols with its holes filled, or the uncertainty of each cell.",
    (
        SURFACE,
        Argument("output", f"one of {', '.join(OUTPUTS)}; fill unless told", "value"),
        Argument("prior", "an earlier grid with at least these labels, such as yesterday's", "range"),
        TENORS,
        STRIKES,
        MODEL,
        UNITS,
        FORWARDS,
        Argument("prior_age", "age of the prior in days; 1 unless told", "value"),
        *MARKET,
    ),
    '=VOLIMPUTE(A1:F9, "std")',
    _volimpute,
)
