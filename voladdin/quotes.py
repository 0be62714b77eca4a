"""VOLQUOTES: rows or columns of ATM, risk-reversal and butterfly quotes to a headed delta grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .black import moneyness_from_delta
from .cells import Cells, Label, is_missing, labels_of, read_date, read_number, read_units, shown, tenor_axis
from .conventions import surface_from_quotes
from .conventions.quotes import PERCENT_ABOVE
from .errors import InputError, LabelError, UnitsError
from .surface import MAX_VOL, Surface

SMALLEST_WING = 1e-3  # a usual risk reversal or butterfly over ATM is above it
LARGEST_WING = 0.5  # and below it
MIN_VOL = 1e-5
MAX_RATE = 0.5
ATM = 2  # its column
HEADERS = ("10P", "25P", "ATM", "25C", "10C")

FloatArray = NDArray[np.float64]


def volquotes(
    quotes: dict[str, Cells | None],
    tenors: Cells,
    rates: dict[str, Cells | None],
    *,
    units: str | None,
    warnings: list[str],
    strikes: bool = False,
    **market: Any,
) -> Cells:
    """Smile vols at forward deltas, tenors down (across, where ATM lies in a row), in the quotes' units.

    quotes: atm, rr25, bf25, rr10, bf10, each one quote a tenor; blank is missing, and 0 is a quote, except
        for ATM. What cannot be told from the quotes stays blank, for VOLIMPUTE to fill.
    rates: domestic_rates, foreign_rates, one or one a tenor, continuous decimals. units: "percent", "decimal"
        or None (the median ATM tells). warnings: what was read as missing is added. strikes: the strikes at
        these deltas instead of the vols. market: pair, spot, butterfly, as for `surface_from_quotes`.

    Raises InputError (lengths, TRUE), UnitsError (quotes, rates), LabelError (tenors, pair),
    InfeasibleError.
    """
    labels = _line("tenors", tenors)
    years = _tenors(labels)
    columns = {
        name: _numbers(name, cells, len(labels), warnings)
        for name, cells in quotes.items()
        if cells is not None
    }
    _drop_impossible(columns["atm"], labels, warnings)
    scale = 100.0 if _is_percent(columns, read_units(units)) else 1.0
    known: dict[str, Any] = {
        name: _rates(name, cells, len(labels)) for name, cells in rates.items() if cells is not None
    }
    decimals: dict[str, Any] = {name: column / scale for name, column in columns.items()}
    surface = surface_from_quotes(years, **decimals, **known, **market)
    values = _strikes(surface) if strikes else _kept(surface.vols * scale, columns["atm"])
    wings = slice(None) if {"rr10", "bf10"} <= columns.keys() else slice(1, 4)
    grid: Cells = [["", *HEADERS[wings]]]
    for label, row in zip(labels, values[:, wings].tolist(), strict=True):
        grid.append([label.cell, *("" if math.isnan(value) else value for value in row)])
    across = _is_row(quotes["atm"] or [])
    return [list(line) for line in zip(*grid, strict=True)] if across else grid


def _is_row(cells: Cells) -> bool:
    return len(cells) == 1 and len(cells[0]) > 1


def _kept(vols: FloatArray, atm: FloatArray) -> FloatArray:
    """The vols with ATM to the last bit where the solved smile gives the quote back."""
    vols = vols.copy()
    same = np.isclose(vols[:, ATM], atm, rtol=1e-12, atol=0)
    vols[same, ATM] = atm[same]
    return vols


def _drop_impossible(atm: FloatArray, labels: Sequence[Label], warnings: list[str]) -> None:
    """Makes ATM vols that are not above 0 missing. Raises InputError where no vol is left."""
    for i in np.flatnonzero(atm <= 0).tolist():
        warnings.append(f"atm at {shown(labels[i].cell)} is {atm[i]:g}, not above 0: read as missing")
        atm[i] = np.nan
    if not np.isfinite(atm).any():
        raise InputError("atm holds no vol; expected one for at least one tenor")


def _is_percent(columns: dict[str, FloatArray], units: str | None) -> bool:
    """Whether the quotes are percent points. Raises UnitsError where they mix units or ATM is no vol."""
    atm = columns["atm"][np.isfinite(columns["atm"])]
    percent = bool(np.median(atm) > PERCENT_ABOVE) if units is None else units == "percent"
    for vol in atm / (100 if percent else 1):
        if not MIN_VOL <= vol <= MAX_VOL:
            raise UnitsError(f"atm holds a vol of {100 * vol:g}%; expected {MIN_VOL:.3%} to {MAX_VOL:.0%}")
    wings = np.concatenate([np.abs(column) for name, column in columns.items() if name != "atm"])
    wings = wings[wings > 0]
    if units is None and len(wings):
        share = np.median(wings) / np.median(atm)
        if share < SMALLEST_WING if percent else share > LARGEST_WING:
            raise UnitsError(
                f"atm of about {np.median(atm):g} and risk reversals and butterflies of about "
                f'{np.median(wings):g} differ in unit; expected one unit, or the argument units "percent" or '
                '"decimal"'
            )
    return percent


def _strikes(surface: Surface) -> FloatArray:
    if surface.forwards is None or surface.deltas is None:
        raise InputError("output is 'strike'; expected spot, domestic and foreign with it")
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    return np.asarray(surface.forwards[:, None] * np.exp(moneyness_from_delta(surface.deltas, total)))


def _line(name: str, cells: Cells) -> list[Label]:
    if len(cells) > 1 and len(cells[0]) > 1:
        shape = f"{len(cells)} x {len(cells[0])}"
        raise InputError(f"{name} is a range of {shape} cells; expected one row or column")
    return [label for row in labels_of(cells, name) for label in row]


def _tenors(labels: list[Label]) -> FloatArray:
    """[T] years. Raises LabelError naming the cells; there is no valuation date for dates."""
    for label in labels:
        if read_date(label.cell) is not None:
            raise LabelError(f"{label}, a date; expected a tenor such as 1M, or years")
    return tenor_axis(labels, None)


def _numbers(name: str, cells: Cells, count: int, warnings: list[str]) -> FloatArray:
    line = _line(name, cells)
    if len(line) != count:
        raise InputError(f"{name} has {len(line)} cells; expected {count}, one for each tenor")
    found = [read_number(label.cell) for label in line]
    for label, number in zip(line, found, strict=True):
        if isinstance(label.cell, bool) or (number is not None and not math.isfinite(number.value)):
            raise InputError(f"{label}; expected a quote such as 0.0825, or a blank")
        if number is None and not is_missing(label.cell):
            warnings.append(f"{label}, no number: read as missing")
    if {number.percent for number in found if number is not None} == {True, False}:
        raise UnitsError(
            f"{name} mixes {[label.cell for label in line]!r}; expected all quotes with % or none"
        )
    return np.array([math.nan if number is None else number.fraction for number in found])


def _rates(name: str, cells: Cells, count: int) -> FloatArray:
    line = _line(name, cells)
    rates = _numbers(name, cells, len(line), [])
    if len(line) not in (1, count):
        raise InputError(f"{name} has {len(line)} cells; expected one, or {count}, one for each tenor")
    for label, rate in zip(line, rates, strict=True):
        if not abs(rate) <= MAX_RATE:
            raise UnitsError(f"{label}; expected a continuous decimal rate such as 0.0294")
    return np.broadcast_to(rates, (count,)).copy()
