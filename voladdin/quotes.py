"""VOLQUOTES: rows or columns of ATM, risk-reversal and butterfly quotes to a headed delta grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .black import moneyness_from_delta
from .cells import Cell, Cells, address, read_number
from .conventions import surface_from_quotes
from .errors import InputError, UnitsError
from .surface import Surface

PERCENT_MEDIAN = 2.0  # a median ATM above this is in percent points, as in a grid
MAX_RATE = 0.5
HEADERS = ("10P", "25P", "ATM", "25C", "10C")

FloatArray = NDArray[np.float64]


def volquotes(
    quotes: dict[str, Cells | None],
    tenors: Cells,
    rates: dict[str, Cells | None],
    *,
    strikes: bool = False,
    **market: Any,
) -> Cells:
    """Smile vols at forward deltas, tenors down (across, where ATM lies in a row), in the quotes' units.

    quotes: atm, rr25, bf25, rr10, bf10, each one quote a tenor; blank is missing, and 0 is a quote, except
        for ATM. What cannot be told from the quotes stays blank, for VOLIMPUTE to fill.
    rates: domestic_rates, foreign_rates, one or one a tenor, continuous decimals. strikes: the strikes at
        these deltas instead of the vols. market: pair, spot, butterfly, as for `surface_from_quotes`.

    Raises InputError (lengths, TRUE), UnitsError (rates), LabelError (tenors, pair), InfeasibleError.
    """
    atm = quotes["atm"] or []
    labels = _line("tenors", tenors)
    columns, scale = _columns(quotes, len(labels))
    known: dict[str, Any] = {
        name: _rates(name, cells, len(labels)) for name, cells in rates.items() if cells is not None
    }
    surface = surface_from_quotes(_tenors(labels), **columns, **known, **market)
    values = _strikes(surface) if strikes else surface.vols * scale
    wings = slice(None) if {"rr10", "bf10"} <= columns.keys() else slice(1, 4)
    grid: Cells = [["", *HEADERS[wings]]]
    for label, row in zip(labels, values[:, wings].tolist(), strict=True):
        grid.append([label, *("" if math.isnan(value) else value for value in row)])
    across = len(atm) == 1 and len(atm[0]) > 1
    return [list(line) for line in zip(*grid, strict=True)] if across else grid


def _columns(quotes: dict[str, Cells | None], count: int) -> tuple[dict[str, Any], float]:
    """Decimal quotes [T] by name, and what they were divided by."""
    columns = {name: _numbers(name, cells, count) for name, cells in quotes.items() if cells is not None}
    atm = columns["atm"]
    atm[atm == 0] = np.nan
    if not np.isfinite(atm).any():
        raise InputError("atm holds no vol; expected one for at least one tenor")
    scale = 100.0 if np.nanmedian(atm) > PERCENT_MEDIAN else 1.0
    return {name: column / scale for name, column in columns.items()}, scale


def _strikes(surface: Surface) -> FloatArray:
    if surface.forwards is None or surface.deltas is None:
        raise InputError("output is 'strike'; expected spot, domestic and foreign with it")
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    return np.asarray(surface.forwards[:, None] * np.exp(moneyness_from_delta(surface.deltas, total)))


def _line(name: str, cells: Cells) -> list[Cell]:
    if len(cells) > 1 and len(cells[0]) > 1:
        shape = f"{len(cells)} x {len(cells[0])}"
        raise InputError(f"{name} is a range of {shape} cells; expected one row or column")
    return [cell for row in cells for cell in row]


def _tenors(labels: list[Cell]) -> list[Any]:
    """Labels, with number text as numbers."""
    found = [(label, read_number(label)) for label in labels]
    return [label if number is None else number.fraction for label, number in found]


def _numbers(name: str, cells: Cells, count: int) -> FloatArray:
    line = _line(name, cells)
    if len(line) != count:
        raise InputError(f"{name} has {len(line)} cells; expected {count}, one for each tenor")
    for index, cell in enumerate(line):
        if isinstance(cell, bool):
            where = address(index, 0) if len(cells) > 1 else address(0, index)
            raise InputError(
                f"cell {where} of {name} is {cell!r}; expected a quote such as 0.0825, or a blank"
            )
    found = [read_number(cell) for cell in line]
    if {number.percent for number in found if number is not None} == {True, False}:
        raise UnitsError(f"{name} mixes {line!r}; expected all quotes with % or none")
    return np.array([math.nan if number is None else number.fraction for number in found])


def _rates(name: str, cells: Cells, count: int) -> FloatArray:
    line = _line(name, cells)
    rates = _numbers(name, cells, len(line))
    if len(line) not in (1, count):
        raise InputError(f"{name} has {len(line)} cells; expected one, or {count}, one for each tenor")
    for cell, rate in zip(line, rates, strict=True):
        if not abs(rate) <= MAX_RATE:
            raise UnitsError(f"{name} holds {cell!r}; expected a continuous decimal rate such as 0.0294")
    return np.broadcast_to(rates, (count,)).copy()
