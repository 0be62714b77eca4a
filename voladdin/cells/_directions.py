"""Two headers of numbers: which holds the tenors, by what the numbers, the corner and the forwards say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import parse_delta
from ._notations import call_deltas, clearly_deltas, spans_one
from ._tenor_units import possible_units
from ._values import Label, Line, is_blank, is_date, read_number
from ._words import Notation, TenorUnit, Words

_NEAR = 1.25
_STRIKE_SPREAD = 4.0
_RATIO_SPREAD = 2.5
_LATEST_FIRST = 3650.0  # days; no line of tenors begins later


class Direction(NamedTuple):
    """across: whether tenors run across. assumed: a warning, "" where the evidence is plain."""

    across: bool
    assumed: str = ""


def direction_of(corner: Label, lines: tuple[Line, Line], words: Words, forward: float | None) -> Direction:
    """Tenors run down, or across, where only that can be read, and otherwise:

    neither way can be read             down, so that the message names the cell
    dates in one line, and the corner   it holds the tenors
    usual deltas in one line, or
    the forwards about one line, or
    K/F about 1 where these are said    it holds the strikes, where these agree
    corner "Days", "Expiry"             down where these agree, with a warning where it alone says so

    lines: the first row and column, without the corner. words: of corner and titles. forward: a typical one
    where forwards are an argument.

    Raises LabelError where both ways round remain.
    """
    row, column = lines
    down = _may_be_tenors(column) and _may_be_strikes(row)
    across = _may_be_tenors(row) and _may_be_strikes(column)
    if down != across or not down:
        return Direction(across)
    said = _ways_across(corner, lines, words.notation, forward)
    named = words.axis == "tenor" and words.notation is None
    if named and not said:
        said = _against_corner(lines, words.tenor_unit, forward)
    if named and not said:
        return Direction(across=False, assumed=f"tenors read down, as the corner is {words.text!r}")
    said |= {False} if named else set()
    ratios = (
        not named and words.notation is None and any(_may_be_ratios(lines[not across]) for across in said)
    )
    if len(said) == 1 and not ratios:  # 0.25 0.5 0.75 beside 0.9 1 1.1 are quarters of a year, or deltas
        return Direction(said.pop())
    raise LabelError(
        f"{row[0]} and {column[0]}: tenors across and strikes down, or strikes across and tenors down; "
        "expected labels such as 1M and 25C, or the arguments tenors and strikes"
    )


def _ways_across(
    corner: Label, lines: tuple[Line, Line], notation: Notation | None, forward: float | None
) -> set[bool]:
    """Whether tenors run across, by each piece of evidence that can tell. notation: said of strikes."""
    dates = [_are_dates(line) for line in lines]
    if is_date(corner.cell) and dates[0] != dates[1]:
        return {dates[0]}
    said: set[bool] = set()
    if notation in (None, "delta", "put delta"):
        said |= _only_column([_usual_deltas(line) for line in lines])
    if notation in ("K/F", "moneyness"):
        said |= _only_column([spans_one(line_numbers(line)) for line in lines])
    if notation in (None, "strike") and forward is not None:
        said |= _forward_says(lines, lambda line: _is_about(line, forward))
    return said


def _against_corner(lines: Sequence[Line], unit: TenorUnit | None, forward: float | None) -> set[bool]:
    """Whether tenors run across, by evidence that counts only where nothing but the corner says: down."""
    said: set[bool] = set()
    if forward is not None:
        said |= _forward_says(lines, lambda line: _is_among(line, forward))
    if unit in ("days", "weeks", "months"):
        whole = [bool((line_numbers(line) % 1 == line_numbers(line)[0] % 1).all()) for line in lines]
        said |= _only_column([not one for one in whole])
    return said


def _forward_says(lines: Sequence[Line], is_near: Callable[[Line], bool]) -> set[bool]:
    """That tenors run across where the forward is near the numbers of the column alone, or down.

    Nothing where the other line may be K/F.
    """
    near = [is_near(line) for line in lines]
    return set() if _may_be_ratios(lines[near[0]]) else _only_column(near)


def _only_column(strikes: Sequence[bool]) -> set[bool]:
    """That tenors run across where of row and column the latter alone is like strikes, or down."""
    return {strikes[1]} if strikes[0] != strikes[1] else set()


def _may_be_tenors(line: Line) -> bool:
    """Whether numbers and dates increase as tenors do."""
    values = _plain(line)
    if values is None or (np.diff(values) <= 0).any() or values[0] < 0:
        return False
    dates = [is_date(label.cell) for label in line if not is_blank(label.cell)]
    if any(dates):
        return all(dates)
    units = possible_units(values.tolist())
    return units != ["days"] or values[0] <= _LATEST_FIRST


def _may_be_strikes(line: Line) -> bool:
    """Whether numbers are in order, or are deltas in order."""
    values = _plain(line)
    if values is None:
        return False
    deltas = [parse_delta(value) for value in values.tolist()]
    orders = [values] if None in deltas else [values, np.array(deltas, dtype=float)]
    return any((np.diff(order) > 0).all() or (np.diff(order) < 0).all() for order in orders)


def _usual_deltas(line: Line) -> bool:
    deltas = call_deltas(line_numbers(line))
    return deltas is not None and clearly_deltas(deltas, usual=True)


def _plain(line: Line) -> FloatArray | None:
    """The finite numbers of a line, blanks left out; None where anything else is in it."""
    used = [label for label in line if not is_blank(label.cell)]
    values = line_numbers(used)
    return values if len(values) == len(used) > 0 and np.isfinite(values).all() else None


def _are_dates(line: Line) -> bool:
    return all(is_date(label.cell) for label in line if not is_blank(label.cell))


def _may_be_ratios(line: Line) -> bool:
    """Whether the numbers may be K/F."""
    values = line_numbers(line)
    return bool(values.min() < 1 < values.max() <= _RATIO_SPREAD * values.min())


def _is_about(line: Line, forward: float) -> bool:
    """Whether a forward lies among the numbers of a line, or near them, and these near each other."""
    values = line_numbers(line)
    return _is_among(line, forward) and bool(values.max() <= _STRIKE_SPREAD * values.min())


def _is_among(line: Line, forward: float) -> bool:
    values = line_numbers(line)
    return bool(values.min() / _NEAR <= forward <= values.max() * _NEAR)


def line_numbers(line: Line) -> FloatArray:
    """The numbers of a line, others left out."""
    return np.array([number.value for label in line if (number := read_number(label.cell)) is not None])
