"""Body cells to decimal vols: percent against decimal, missing marks, vols beyond belief."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UnitsError
from ..surface import MAX_VOL
from ._axes import Label
from ._values import Number, is_missing, read_number

FloatArray = NDArray[np.float64]
Units = Literal["percent", "decimal"]

PERCENT_ABOVE = 2.0  # a median over this is percent points
MIXED = 10.0  # a plain number this many times off the median, on the other unit's side, is in the other unit
MIN_VOL = 1e-5

EXPECTED = "expected a vol such as 0.0825 or 8.25, blank or n/a where missing"


class Quotes(NamedTuple):
    """vols: [T, K] decimals, NaN where missing; written: the same in the unit of the grid, to the last bit."""

    vols: FloatArray
    written: FloatArray
    percent: bool
    warnings: list[str]


class _Quote(NamedTuple):
    row: int
    column: int
    label: Label
    number: Number


def read_units(units: object) -> Units | None:
    """ "percent" or "decimal" of an argument, or None where it is blank; raises UnitsError otherwise."""
    text = "" if units is None else str(units).strip().lower()
    if text in ("percent", "decimal"):
        return "percent" if text == "percent" else "decimal"
    if text == "":
        return None
    raise UnitsError(f'units is {units!r}; expected "percent", "decimal" or nothing')


def read_quotes(body: Sequence[Sequence[Label]], units: Units | None) -> Quotes:
    """The vols of the body cells [T][K].

    Raises InputError for TRUE, FALSE or text only, UnitsError where percent and decimals mix or a vol is
    beyond any volatility.
    """
    warnings: list[str] = []
    quotes = [
        _Quote(i, j, label, number)
        for i, row in enumerate(body)
        for j, label in enumerate(row)
        if (number := _positive(label, warnings)) is not None
    ]
    if not quotes:
        _refuse_text_only(body)
    percent = _is_percent(quotes) if units is None else units == "percent"
    vols = np.full((len(body), len(body[0])), np.nan)
    written = vols.copy()
    for quote in quotes:
        vols[quote.row, quote.column] = _decimal(quote, percent)
        written[quote.row, quote.column] = _written(quote.number, percent)
    return Quotes(vols, written, percent, warnings)


def _positive(label: Label, warnings: list[str]) -> Number | None:
    if isinstance(label.cell, bool):
        raise InputError(f"{label}; {EXPECTED}")
    number = read_number(label.cell)
    if number is None:
        if not is_missing(label.cell):
            warnings.append(f"{label}, no number: read as missing")
        return None
    if number.value <= 0:
        warnings.append(f"{label}, not above 0: read as missing")
        return None
    return number


def _refuse_text_only(body: Sequence[Sequence[Label]]) -> None:
    for row in body:
        for label in row:
            if not is_missing(label.cell) and read_number(label.cell) is None:
                raise InputError(f"no cell of the grid is a vol; {label}; {EXPECTED}")


def _is_percent(quotes: Sequence[_Quote]) -> bool:
    """Whether plain numbers are percent points; raises UnitsError naming a cell of either unit."""
    plain = sorted((quote for quote in quotes if not quote.number.percent), key=lambda q: q.number.value)
    if not plain:
        return False
    median = float(np.median([quote.number.value for quote in plain]))
    low, high = plain[0], plain[-1]
    percent = median > PERCENT_ABOVE
    mixed = low.number.value <= PERCENT_ABOVE < high.number.value and (
        low.number.value * MIXED < median if percent else high.number.value > MIXED * median
    )
    if mixed:
        raise UnitsError(
            f"{low.label} (a decimal?) and {high.label} (percent points?) mix two units; expected all vols as "
            'decimals or all in percent points, or units "percent" or "decimal"'
        )
    return percent


def _decimal(quote: _Quote, percent: bool) -> float:
    number = quote.number
    vol = number.value / 100 if percent or number.percent else number.value
    if not MIN_VOL <= vol <= MAX_VOL:
        unit = "percent" if percent or number.percent else "as a decimal"
        raise UnitsError(
            f"{quote.label}, {100 * vol:g}% vol when read {'in ' if unit == 'percent' else ''}{unit}; "
            f"expected {100 * MIN_VOL:g}% to {100 * MAX_VOL:g}%"
        )
    return vol


def _written(number: Number, percent: bool) -> float:
    if number.percent == percent or not math.isfinite(number.value):
        return number.value
    return number.fraction if number.percent else number.value
