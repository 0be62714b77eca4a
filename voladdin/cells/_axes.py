"""Header cells to axes: years, and deltas, strikes or log-moneyness."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conventions import StrikeKind, parse_delta, parse_strike, parse_tenor
from ..errors import LabelError
from ._values import Cell, Place, is_blank, is_thousands, read_date, read_number

FloatArray = NDArray[np.float64]

TENORS_EXPECTED = "a tenor such as ON, 1W, 1M, 18M, 1Y, a number of years, or a date"
STRIKES_EXPECTED = "a delta such as 10P, ATM, 25C or 0.25, a strike K=1.085, or a log-moneyness m=-0.1"


class Label(NamedTuple):
    """A header cell and where it is."""

    cell: Cell
    place: Place

    def __str__(self) -> str:
        return f"{self.place} is {self.cell!r}"


def label_kind(cell: Cell) -> str:
    """ "blank", "number", "tenor", "strike" or "other", by what is written in the cell alone.

    A number, also as text, is only "number": years, a delta, a strike, a date's serial or a vol.
    """
    if is_blank(cell):
        return "blank"
    if isinstance(cell, date):
        return "tenor"
    if isinstance(cell, bool):
        return "other"
    if read_number(cell) is not None:
        return "number"
    if parse_strike(cell) is not None:
        return "strike"
    return "tenor" if _is_tenor(cell) else "other"


def _is_tenor(cell: Cell) -> bool:
    try:
        parse_tenor(cell, date(1900, 1, 1))  # type: ignore[arg-type]
    except LabelError:
        return read_date(cell) is not None
    return True


def tenor_axis(labels: Sequence[Label], valuation: date | None) -> FloatArray:
    """[T] years of the header cells, increasing.

    Raises LabelError naming the cell, or the two cells that repeat or are out of order.
    """
    years = np.array([_tenor(label, valuation) for label in labels])
    check_monotone(labels, years, "tenors", increasing=True)
    return years


def _tenor(label: Label, valuation: date | None) -> float:
    number = _plain(label)
    is_date = read_date(label.cell) is not None
    if is_date and valuation is None:
        raise LabelError(
            f"{label}, a date; expected {TENORS_EXPECTED} with the valuation date in the corner cell of the range"
        )
    if isinstance(label.cell, bool) or is_blank(label.cell):
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}")
    try:
        return parse_tenor(label.cell if number is None else number, valuation)  # type: ignore[arg-type]
    except LabelError as error:
        why = f" ({error})" if is_date or number is not None else ""
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}{why}") from None


def _plain(label: Label) -> float | None:
    number = read_number(label.cell)
    if number is not None and is_thousands(label.cell):
        raise LabelError(f"{label}, thousands or a decimal comma; expected a number such as 1.085")
    return None if number is None else number.fraction


def strike_axis(labels: Sequence[Label], forwards: bool) -> tuple[StrikeKind, FloatArray]:
    """Kind and [K] values of the header cells, strictly monotone either way.

    forwards: whether forwards are known; plain numbers are then strikes.

    Raises LabelError naming the cell, or the two cells that mix kinds, repeat or are out of order.
    """
    kind, values = read_strikes(labels, forwards)
    check_monotone(labels, values, "strikes")
    return kind, values


def read_strikes(labels: Sequence[Label], forwards: bool, ragged: int = 0) -> tuple[StrikeKind, FloatArray]:
    """Kind and values of strike cells in any order; `ragged`: labels a tenor, where each tenor has its own."""
    numbers = [_plain(label) for label in labels]
    texts = {i: _text_strike(label) for i, label in enumerate(labels) if numbers[i] is None}
    kinds = {kind: i for i, (kind, _) in reversed(texts.items())}
    if len(kinds) > 1:
        first, second = sorted(kinds.values())[:2]
        raise LabelError(
            f"{labels[first]} and {labels[second]} are of two kinds; expected only deltas, only "
            "strikes or only log-moneyness"
        )
    kind: StrikeKind = next(iter(kinds)) if kinds else _number_kind(numbers, forwards, ragged)
    values = [
        texts[i][1] if number is None else _as_kind(kind, number, labels[i])
        for i, number in enumerate(numbers)
    ]
    return kind, np.array(values, dtype=float)


def _text_strike(label: Label) -> tuple[StrikeKind, float]:
    cell = label.cell
    found = None if isinstance(cell, bool | date) or is_blank(cell) else parse_strike(cell)
    if found is None or not np.isfinite(found[1]):
        raise LabelError(f"{label}; expected {STRIKES_EXPECTED}")
    return found


def _number_kind(numbers: Sequence[float | None], forwards: bool, ragged: int) -> StrikeKind:
    values = np.array(numbers, dtype=float)
    if forwards:
        return "strike"
    steps = np.diff(values[:ragged] if ragged else values)
    if (values <= 0).any() and ((steps > 0).all() or (steps < 0).all()) and (np.abs(values) < 5).all():
        return "moneyness"
    return "delta"


def _as_kind(kind: StrikeKind, number: float, label: Label) -> float:
    if kind == "moneyness" and np.isfinite(number):
        return number
    if kind == "strike":
        if not 0 < number < np.inf:
            raise LabelError(f"{label}; expected a positive strike")
        return number
    delta = parse_delta(number)
    if delta is None:
        raise LabelError(
            f"{label}, no delta; expected {STRIKES_EXPECTED} (plain strikes need the forwards of each tenor)"
        )
    return delta


def check_monotone(labels: Sequence[Label], axis: FloatArray, name: str, *, increasing: bool = False) -> None:
    """Raises LabelError naming the two neighbours that repeat or are out of order."""
    steps = np.diff(axis)
    sign = 1.0 if increasing or len(steps) == 0 or np.median(steps) > 0 else -1.0
    bad = np.flatnonzero(steps * sign <= 0)
    if len(bad):
        first, second = labels[bad[0]], labels[bad[0] + 1]
        why = "the same" if axis[bad[0]] == axis[bad[0] + 1] else "out of order"
        order = "increasing" if increasing else "all increasing or all decreasing, each once"
        raise LabelError(f"{first} and {second}: {why}; expected {name} {order}")
