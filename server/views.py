"""A surface as the page draws it: plain numbers and texts, NaN as None."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from voladdin.arbitrage.check import Check, check
from voladdin.arbitrage.repair import repair
from voladdin.arbitrage.trades import cell_label
from voladdin.cells import Cells, Grid
from voladdin.imputation.filling import Imputation, impute
from voladdin.imputation.suspects import suspects
from voladdin.surface import Surface
from voladdin.worksheet.arguments import WARNINGS, AxisArguments
from voladdin.worksheet.arguments import read_grid as read
from voladdin.worksheet.companions import companion

from .places import axis_of, fine_axes, kind_of_axis, labels, positions

MOST_TRADES = 100
Drawn = dict[str, Any]


def view(grid: Grid, prior: Surface | None) -> Drawn:
    """Quotes, fills and their bands, the smooth surface through them, trades and suspects; the prior's vols.

    Raises VoladdinError as `impute` does.
    """
    surface = grid.surface
    answer = impute(surface, prior=prior)
    arrays = {name: rows(getattr(answer, name)) for name in ("filled", "low", "high", "std", "zscore")}
    drawn = frame(surface) | arrays | {"model": answer.model, "percent": grid.percent}
    drawn |= {"quotes": rows(surface.vols), "warnings": list(grid.warnings)}
    drawn |= {"smooth": smooth(answer), "trades": trades(check(surface))}
    drawn["suspects"] = _suspects(surface, answer)
    drawn["yesterday"] = None if prior is None else rows(prior.vols)
    return drawn


def frame(surface: Surface) -> Drawn:
    """Labels and places of the cells."""
    tenors, strikes = labels(surface)
    return {
        "tenors": tenors,
        "strikes": strikes,
        "years": surface.tenors.tolist(),
        "axis": kind_of_axis(surface),
        "positions": rows(positions(surface, axis_of(surface))),
    }


def smooth(answer: Imputation) -> Drawn:
    """The surface's own function between its nodes: [R] years, [R, N] places, vols and band."""
    assert answer.asked is not None
    surface = answer.asked.surface
    years, axis = fine_axes(surface)
    kind = {"delta": "deltas", "strike": "strikes", "moneyness": "moneyness"}[kind_of_axis(surface)]
    found = answer.at(years, **{kind: axis})
    return {
        "years": years.tolist(),
        "positions": rows(positions(surface, axis)),
        "rows": np.searchsorted(years, surface.tenors * (1 - 1e-9)).tolist(),
        "vols": rows(found.mean),
        "low": rows(found.low),
        "high": rows(found.high),
    }


def trades(found: Check) -> list[Drawn]:
    """Static arbitrage, the largest first: kind, cells, vol bp and the trade in words."""
    kept = found.violations[:MOST_TRADES]
    return [{"kind": v.kind, "cells": v.cells, "bp": v.vol_bp, "trade": v.message} for v in kept]


def repaired(surface: Surface) -> Drawn:
    """The nearest surface without static arbitrage and the change of each quote in bp."""
    found = repair(surface)
    left = trades(found.check)
    return {
        "vols": rows(found.surface.vols),
        "change": rows(found.change),
        "said": f"{found.method}: {found.message}",
        "trades": left,
    }


def read_grids(
    cells: Cells, prior: Cells | None = None, units: str | None = None
) -> tuple[Grid, Surface | None]:
    """A range as a grid, and an earlier one on its axes. Raises VoladdinError naming the cell."""
    axes, token = AxisArguments(units=units), WARNINGS.set([])
    try:
        grid = read(cells, axes)
        return grid, None if prior is None else companion(grid, prior, axes).surface
    finally:
        WARNINGS.reset(token)


def _suspects(surface: Surface, answer: Imputation) -> list[Drawn]:
    return [
        {"cell": (s.row, s.column), "implied": s.implied, "std": s.std, "z": s.zscore}
        | {"label": cell_label(surface, s.row, s.column)}
        for s in suspects(surface, answer.zscore)
    ]


def rows(array: ArrayLike) -> list[list[float | None]]:
    """Rows of numbers, NaN as None."""
    values = np.asarray(array, dtype=float)
    return [[None if x != x else x for x in row] for row in values.tolist()]
