"""Rows and columns of cells as tenors, quotes and rates."""

from __future__ import annotations

import math

import numpy as np

from .._typing import FloatArray
from ..cells import Cells, Label, is_missing, labels_of, read_date, read_number, tenor_axis
from ..errors import InputError, LabelError, UnitsError

MAX_RATE = 0.5


def line_of(name: str, cells: Cells) -> list[Label]:
    """The cells of a row or column with their places. Raises InputError where it is neither."""
    if len(cells) > 1 and len(cells[0]) > 1:
        shape = f"{len(cells)} x {len(cells[0])}"
        raise InputError(f"{name} is a range of {shape} cells; expected one row or column")
    return [label for row in labels_of(cells, name) for label in row]


def years_of(labels: list[Label]) -> FloatArray:
    """[T] years. Raises LabelError naming the cells; there is no valuation date for dates."""
    for label in labels:
        if read_date(label.cell) is not None:
            raise LabelError(f"{label}, a date; expected a tenor such as 1M, or years")
    return tenor_axis(labels, None)


def quotes_by_tenor(name: str, cells: Cells, count: int, warnings: list[str]) -> FloatArray:
    """[count] quotes, one a tenor, of an argument that is one line of cells; `numbers_in` reads them."""
    line = line_of(name, cells)
    if len(line) != count:
        raise InputError(f"{name} has {len(line)} cells; expected {count}, one for each tenor")
    return numbers_in(name, line, warnings)


def numbers_in(name: str, line: list[Label], warnings: list[str]) -> FloatArray:
    """[n] quotes or rates, NaN where missing; other text is missing too, with a warning.

    Raises UnitsError where some have % and some not, InputError for a truth value or an infinite number.
    """
    found = [read_number(label.cell) for label in line]
    for label, quote in zip(line, found, strict=True):
        if isinstance(label.cell, bool) or (quote is not None and not math.isfinite(quote.value)):
            raise InputError(f"{label}; expected a quote such as 0.0825, or a blank")
        if quote is None and not is_missing(label.cell):
            warnings.append(f"{label}, no number: read as missing")
    if {quote.percent for quote in found if quote is not None} == {True, False}:
        raise UnitsError(
            f"{name} mixes {[label.cell for label in line]!r}; expected all quotes with % or none"
        )
    return np.array([math.nan if quote is None else quote.fraction for quote in found])


def rates_of(name: str, cells: Cells, count: int) -> FloatArray:
    """[count] rates, one a tenor, of one cell for all or a line. Raises InputError, UnitsError."""
    line = line_of(name, cells)
    rates = numbers_in(name, line, [])
    if len(line) not in (1, count):
        raise InputError(f"{name} has {len(line)} cells; expected one, or {count}, one for each tenor")
    for label, rate in zip(line, rates, strict=True):
        if not abs(rate) <= MAX_RATE:
            raise UnitsError(f"{label}; expected a continuous decimal rate such as 0.0294")
    return np.broadcast_to(rates, (count,)).copy()
