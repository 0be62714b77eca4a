"""Body cells to decimal vols: percent against decimal, missing marks, vols beyond belief."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .._typing import FloatArray
from ..conventions.quotes import PERCENT_ABOVE
from ..errors import InputError, UnitsError
from ..surface import MAX_VOL, Surface
from ._values import Label, Number, is_missing, read_number
from ._vol_units import Unit, UnitEvidence, decide_unit

BASIS_POINTS = ("bp", "bps", "basis points", "normal")
MIXED = 10.0
MIN_VOL = 1e-5
FAR = 5.0  # times the other vols of row and column, from which a quote is named
_MOST_WARNINGS = 10  # of one kind
VOL_EXPECTED = "expected a vol such as 0.0825 or 8.25, blank or n/a where missing"


class GridVols(NamedTuple):
    """vols: [T, K] decimals, NaN where missing; written: the same to the last bit in the grid's unit."""

    vols: FloatArray
    written: FloatArray
    percent: bool
    warnings: list[str]


class _Quote(NamedTuple):
    row: int
    column: int
    label: Label
    number: Number


def read_units(units: object) -> Unit | None:
    """ "percent" or "decimal", or None where blank; raises UnitsError for anything else."""
    text = "" if units is None else str(units).strip().lower()
    if text in ("percent", "decimal"):
        return "percent" if text == "percent" else "decimal"
    if text:
        raise UnitsError(f'units is {units!r}; expected "percent", "decimal", "bp" (normal vols) or nothing')
    return None


def read_grid_vols(
    body: Sequence[Sequence[Label]],
    units: Unit | None,
    evidence: UnitEvidence,
    surface_of: Callable[[FloatArray], Surface],
) -> GridVols:
    """The vols of the body cells [T][K]; `cells` states the rules.

    evidence: what words, the pair and another grid say. surface_of: the surface of vols [T, K].

    Raises InputError for TRUE, FALSE or nothing but text, UnitsError where percent and decimals mix, both
    readings remain, or a vol is beyond any volatility.
    """
    warnings: list[str] = []
    quotes = [
        _Quote(i, j, label, number)
        for i, row in enumerate(body)
        for j, label in enumerate(row)
        if (number := _positive(label, warnings)) is not None
    ]
    shorten(warnings, "cells are read as missing")
    if not quotes:
        _refuse_text_only(body)
    shape = len(body), len(body[0])
    percent = _is_percent(
        quotes, units, evidence, lambda share: surface_of(_vols(quotes, shape, share)), warnings
    )
    vols, written = np.full(shape, np.nan), np.full(shape, np.nan)
    for i, j, label, number in quotes:
        vols[i, j] = _decimal(label, number, percent=percent)
        written[i, j] = number.fraction if not percent else number.value
    far = _far_from_neighbours(quotes, vols)
    shorten(far, "vols far from those beside them: kept")
    warnings += far
    return GridVols(vols, written, percent, warnings)


def shorten(warnings: list[str], what: str) -> None:
    """Leaves ten warnings of one kind, and the number of the others: "5 more", and `what`."""
    if len(warnings) > _MOST_WARNINGS:
        warnings[_MOST_WARNINGS:] = [f"{len(warnings) - _MOST_WARNINGS} more {what}"]


def _positive(label: Label, warnings: list[str]) -> Number | None:
    if isinstance(label.cell, bool):
        raise InputError(f"{label}; {VOL_EXPECTED}")
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
    texts = (x for row in body for x in row if not is_missing(x.cell) and read_number(x.cell) is None)
    first = next(texts, None)
    if first is not None:
        raise InputError(f"no cell of the grid is a vol: {first}; {VOL_EXPECTED}")


def _is_percent(
    quotes: Sequence[_Quote],
    units: Unit | None,
    evidence: UnitEvidence,
    surface_at: Callable[[float], Surface],
    warnings: list[str],
) -> bool:
    """Whether plain numbers are percent points; raises UnitsError naming a cell of either unit."""
    plain = [quote for quote in quotes if not quote.number.percent]
    if units is not None or not plain:
        return units == "percent"
    explicit = [quote.number.fraction for quote in quotes if quote.number.percent]
    median = statistics.median(quote.number.value for quote in plain)
    if explicit and evidence.like is None:
        evidence = evidence._replace(like=statistics.median(explicit))
    decision = decide_unit(median, evidence, surface_at)
    low, high = (choose(plain, key=lambda quote: quote.number.value) for choose in (min, max))
    far = low.number.value * MIXED < median if decision.percent else high.number.value > MIXED * median
    if far and low.number.value <= PERCENT_ABOVE < high.number.value:
        raise UnitsError(
            f"{low.label} (a decimal?) and {high.label} (percent points?) differ in unit; expected one unit, "
            'or the argument units "percent" or "decimal"'
        )
    if decision.assumed:
        warnings.insert(0, decision.assumed)
    return decision.percent


def _vols(quotes: Sequence[_Quote], shape: tuple[int, int], share: float) -> FloatArray:
    """[T, K] vols where each is this share of its plain number."""
    vols = np.full(shape, np.nan)
    for i, j, _, number in quotes:
        vols[i, j] = number.fraction if number.percent else number.value * share
    return vols


def _far_from_neighbours(quotes: Sequence[_Quote], vols: FloatArray) -> list[str]:
    """Quotes of vols [T, K] a factor of 5 off the others of their row and of their column, in words.

    Such as 999 or 0.01 in the place of a quote that a feed has not.
    """
    logs = np.log(vols)
    middle, notes = statistics.median(logs[np.isfinite(logs)]) if quotes else 0.0, []
    for i, j, label, _ in quotes:
        if abs(logs[i, j] - middle) > np.log(FAR) / 2:
            lines = [np.delete(logs[i], j), np.delete(logs[:, j], i)]
            away = [logs[i, j] - np.median(x) for line in lines if len(x := line[np.isfinite(line)]) > 1]
            nearest = min(away, key=abs, default=0.0)
            if abs(nearest) > np.log(FAR) and len({x > 0 for x in away}) == 1:
                notes.append(f"{label}, {np.exp(nearest):.2g} times the vols beside it: kept")
    return notes


def _decimal(label: Label, number: Number, *, percent: bool) -> float:
    in_percent = percent or number.percent
    vol = number.value / 100 if in_percent else number.value
    if not MIN_VOL <= vol <= MAX_VOL:
        unit = "percent" if in_percent else "a decimal"
        bounds = f"{MIN_VOL:.3%} to {MAX_VOL:.0%}"
        raise UnitsError(f"{label}, a vol of {100 * vol:g}% (read as {unit}); expected {bounds}")
    return vol
