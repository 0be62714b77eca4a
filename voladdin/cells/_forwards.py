"""Forwards of a grid: an argument, a line of the range, or spot and two rates."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import numpy as np

from .._typing import FloatArray
from ..errors import InputError, UnitsError
from ._table import Table, line_of_argument
from ._values import Cells, Label, is_thousands, read_number

MAX_RATE = 0.5


class MarketCells(NamedTuple):
    """forwards, domestic, foreign: one cell a tenor, or one for all; rates are continuous decimals."""

    forwards: Cells | None = None
    spot: float | None = None
    domestic: Cells | None = None
    foreign: Cells | None = None


def typical_forward(market: MarketCells) -> float | None:
    """The median of the argument forwards, 1 where none is readable; without it the spot, if any."""
    if market.forwards is None:
        return market.spot
    cells = (cell for row in market.forwards for cell in row)
    numbers = [number.value for cell in cells if (number := read_number(cell)) is not None]
    positive = [value for value in numbers if 0 < value < np.inf]
    return float(median(positive)) if positive else 1.0


def read_forwards(table: Table, market: MarketCells, years: FloatArray) -> FloatArray | None:
    """[T] forwards from the argument, else the range's own, else spot exp((domestic - foreign) T), else None.

    Raises InputError naming the cell or argument at fault, UnitsError for rates beyond 50%.
    """
    if market.forwards is not None:
        return _column(market.forwards, "forwards", years)
    if table.forwards is not None:
        return np.array([_forward(label) for label in table.forwards])
    rates = {"domestic": market.domestic, "foreign": market.foreign}
    if market.spot is None and not any(rates.values()):
        return None
    lacking = [name for name, cells in {"spot": market.spot, **rates}.items() if cells is None]
    if lacking or market.spot is None:
        raise InputError(
            f"{lacking[0]} is missing; expected spot, domestic and foreign together, or forwards"
        )
    if not 0 < market.spot < np.inf:
        raise InputError(f"spot is {market.spot:g}; expected a positive number")
    domestic, foreign = (_column(cells or [], name, years) for name, cells in rates.items())
    return np.asarray(market.spot * np.exp((domestic - foreign) * years))


def _column(cells: Cells, name: str, years: FloatArray) -> FloatArray:
    labels = line_of_argument(cells, name, 1 if len(cells) * len(cells[0]) == 1 else len(years))
    read = _forward if name == "forwards" else _rate
    return np.broadcast_to(np.array([read(label) for label in labels]), years.shape).copy()


def _forward(label: Label) -> float:
    number = read_number(label.cell)
    if is_thousands(label.cell):
        raise InputError(f"{label}, a decimal comma or thousands; expected a positive forward such as 1.085")
    if number is None or number.percent or not 0 < number.value < np.inf:
        raise InputError(f"{label}; expected a positive forward")
    return number.value


def _rate(label: Label) -> float:
    number = read_number(label.cell)
    if number is None or not abs(number.fraction) <= MAX_RATE:
        raise UnitsError(f"{label}; expected a continuous decimal rate such as 0.0294")
    return number.fraction
