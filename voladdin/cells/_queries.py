"""A tenor and a strike asked of a grid: plain numbers in the grid's own notation, where this is plain."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from ..errors import LabelError
from ..labels import StrikeKind, parse_delta, parse_tenor
from ..labels.dates import at_midnight, day_of
from ..labels.strikes import parse_strike_alone
from ..labels.tenors import YEARS_IN_A
from ._grid import Grid
from ._notations import USUAL_DELTAS
from ._strike_line import PERCENT_FROM
from ._tenor_dates import expiry_of
from ._values import Cell, is_date, read_number, shown

_STRIKES_EXPECTED = "a label such as 25P, ATM, 0.25, K=1.085 or m=-0.1"
_NEAR = 2.0  # a strike's ratio to the forward, either way


class StrikeQuery(NamedTuple):
    """kind and value of a strike. note: how a number was read, "" where nothing else was possible."""

    kind: StrikeKind
    value: float
    note: str = ""


def tenor_asked(cell: Cell, grid: Grid) -> float:
    """Years of a tenor: a label, a date, or a number: of years, or of the unit of the grid's own numbers.

    Raises LabelError naming the value, and both readings of a number.
    """
    if is_date(cell):
        return _date_asked(cell, grid)
    number = None if isinstance(cell, bool) else read_number(cell)
    if number is None or number.percent:
        return parse_tenor(str(cell) if isinstance(cell, str) else cell, grid.valuation)  # type: ignore[arg-type]
    return _number_asked(cell, number.value, grid)


def _date_asked(cell: Cell, grid: Grid) -> float:
    if grid.valuation is None:
        raise LabelError(
            f"tenor is {shown(cell)}, a date; expected the valuation date in the corner cell of the "
            "surface, or the argument valuation"
        )
    return parse_tenor(_expiry(cell, grid.valuation), grid.valuation)


def _number_asked(cell: Cell, value: float, grid: Grid) -> float:
    """Years of a number: the reading that lies near the grid's own tenors."""
    unit = grid.tenor_unit or "years"
    other = "days" if unit == "years" else unit
    readings = {name: value * YEARS_IN_A[name] for name in dict.fromkeys(["years", other])}
    low, high = float(grid.surface.tenors[0]) / _NEAR, float(grid.surface.tenors[-1]) * _NEAR
    within = [name for name, years in readings.items() if low <= years <= high]
    if unit == "years" and (within != ["days"] or value != int(value)):
        return parse_tenor(value)
    if unit != "years" and len(within) == 1:
        return parse_tenor(readings[within[0]])
    raise LabelError(
        f"tenor is {shown(cell)}, {' or '.join(readings)}; expected a label such as "
        f"{' or '.join(f'{value:g}{name[0].upper()}' for name in readings)}"
    )


def _expiry(cell: Cell, valuation: date) -> date:
    expiry = expiry_of(cell, valuation)
    if expiry is None:
        raise LabelError(f"tenor is {shown(cell)}; expected a date such as 2026-04-03")
    return at_midnight(expiry) if isinstance(valuation, datetime) else day_of(expiry)


def strike_asked(cell: Cell, grid: Grid) -> StrikeQuery:
    """Kind and value of a strike: a label, or a number: of the grid's kind, a strike where it has forwards.

    Raises LabelError naming the value, and both readings of a number that may be a delta or a strike.
    """
    surface = grid.surface
    number = None if isinstance(cell, bool) else read_number(cell)
    plain = number is not None and not number.percent
    if number is not None and plain and surface.moneyness is not None:
        return _asked_moneyness(number.value, grid)
    if number is not None and plain and surface.strikes is not None:
        return StrikeQuery("strike", number.value)
    if number is not None and plain:
        return _delta_or_strike(cell, number.value, grid)
    found = parse_strike_alone(cell)
    if found is None:
        raise LabelError(f"strike is {shown(cell)}; expected {_STRIKES_EXPECTED}")
    return StrikeQuery(*found)


def _asked_moneyness(number: float, grid: Grid) -> StrikeQuery:
    """ln(K/F), or K/F where the headers are."""
    if grid.notation != "K/F":
        return StrikeQuery("moneyness", number)
    if number <= 0:
        raise LabelError(f"strike is {number:g}; expected K/F such as 0.95, or m=-0.1")
    return StrikeQuery("moneyness", math.log(number / 100 if number > PERCENT_FROM else number))


def _delta_or_strike(cell: Cell, number: float, grid: Grid) -> StrikeQuery:
    delta = parse_delta(-abs(number) if grid.notation == "put delta" else number)
    forwards = grid.surface.forwards
    forward = None if forwards is None else float(np.median(forwards))
    if delta is None and number <= 0:
        raise LabelError(f"strike is {shown(cell)}; expected {_STRIKES_EXPECTED}")
    near = forward is not None and number > 0 and 1 / _NEAR <= number / forward <= _NEAR
    if delta is None or (near and round(delta, 10) not in USUAL_DELTAS):
        note = "" if delta is None else f"strike {shown(cell)} read as a strike, as there are forwards"
        return StrikeQuery("strike", number, note)
    usual = grid.notation is not None or _is_round(delta)
    if usual and not near:
        return StrikeQuery("delta", delta)
    both = f"{_as_delta(delta)} or K={number:g}"
    raise LabelError(f"strike is {shown(cell)}, a delta or a strike; expected {both}")


def _is_round(delta: float) -> bool:
    return abs(20 * delta - round(20 * delta)) < 1e-9


def _as_delta(delta: float) -> str:
    return f"{100 * delta:g}C" if delta <= 0.5 else f"{100 * (1 - delta):g}P"
