"""Header cells to axes: years, and deltas, strikes or log-moneyness."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from datetime import date

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import StrikeKind, parse_delta, parse_strike, parse_tenor
from ._values import Label, is_blank, is_thousands, read_date, read_number

TENORS_EXPECTED = "a tenor such as ON, 1W, 1M, 18M, 1Y, a number of years, or a date"
STRIKES_EXPECTED = "a delta such as 10P, ATM, 25C or 0.25, a strike K=1.085, or a log-moneyness m=-0.1"

_MAX_MONEYNESS = 5.0
_STRIKE_SPREAD = 4.0
_OFF_FORWARD = 1.25
_QUOTE = re.compile(r"RR|BF|FLY|STR", re.IGNORECASE)


def tenor_axis(labels: Sequence[Label], valuation: date | None) -> FloatArray:
    """[T] years of the header cells, increasing.

    Raises LabelError naming the cell, or the two cells that repeat or are out of order.
    """
    years = np.array([_tenor(label, valuation) for label in labels])
    _check_monotone(labels, years, "tenors", increasing=True)
    return years


def _tenor(label: Label, valuation: date | None) -> float:
    cell, expiry = label.cell, read_date(label.cell)
    if expiry is not None and valuation is None:
        raise LabelError(f"{label}, a date; expected the valuation date in the corner cell of the range")
    if isinstance(cell, bool) or is_blank(cell):
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}")
    number = None if expiry is not None else _plain(label)
    years: str | float | date = str(cell) if number is None else number
    try:
        return float(parse_tenor(expiry or years, valuation))
    except LabelError:
        if expiry is not None:
            raise LabelError(f"{label}; expected a date after the valuation date {valuation}") from None
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}") from None


def _plain(label: Label) -> float | None:
    """The label's number, or None; raises LabelError where it has two readings."""
    number = read_number(label.cell)
    if number is None:
        return None
    if is_thousands(label.cell):
        raise LabelError(f"{label}, a decimal comma or thousands; expected a number such as 1.085")
    if not math.isfinite(number.value):
        raise LabelError(f"{label}; expected a finite number")
    if number.percent:
        raise LabelError(f"{label}, a delta or K/F; expected one such as 25C, 10P or K/F=0.95")
    return number.value


def strike_axis(labels: Sequence[Label], forward: float | None) -> tuple[StrikeKind, FloatArray]:
    """Kind and [K] values of the header cells, strictly monotone either way.

    forward: a typical forward where forwards are known; plain numbers are then strikes.

    Raises LabelError naming the cell, or the two cells that mix kinds, repeat or are out of order.
    """
    kind, table = strike_table([labels], forward)
    return kind, table[0]


def strike_table(labels: Sequence[Sequence[Label]], forward: float | None) -> tuple[StrikeKind, FloatArray]:
    """Kind and [T, K] values of a table of strike cells, each row as in `strike_axis`."""
    flat = [label for row in labels for label in row]
    numbers = [_plain(label) for label in flat]
    texts = {i: _text_strike(label) for i, label in enumerate(flat) if numbers[i] is None}
    first = {kind: i for i, (kind, _) in reversed(texts.items())}
    if len(first) > 1:
        one, other = sorted(first.values())[:2]
        raise LabelError(
            f"{flat[one]} and {flat[other]}: mixed; expected all deltas, all strikes or all log-moneyness"
        )
    kind: StrikeKind = next(iter(first)) if first else _kind_of_numbers(numbers, len(labels[0]), forward)
    values = np.array(
        [texts[i][1] if x is None else _as_kind(kind, x, flat[i]) for i, x in enumerate(numbers)], dtype=float
    ).reshape(len(labels), -1)
    for row, axis in zip(labels, values, strict=True):
        _check_monotone(row, axis, "strikes")
    return kind, values


def _text_strike(label: Label) -> tuple[StrikeKind, float]:
    found = None if not isinstance(label.cell, str) or is_blank(label.cell) else parse_strike(label.cell)
    if found is None or not np.isfinite(found[1]):
        hint = " (VOLQUOTES reads risk reversals and butterflies)" if _QUOTE.search(str(label.cell)) else ""
        raise LabelError(f"{label}; expected {STRIKES_EXPECTED}{hint}")
    return found


def _kind_of_numbers(numbers: Sequence[float | None], columns: int, forward: float | None) -> StrikeKind:
    values = np.array(numbers, dtype=float)
    if forward is not None:
        return "delta" if _are_deltas(values, forward) else "strike"
    steps = np.diff(values[:columns])
    signed = (values <= 0).any() and (np.abs(values) < _MAX_MONEYNESS).all()
    return "moneyness" if signed and ((steps > 0).all() or (steps < 0).all()) else "delta"


def _are_deltas(values: FloatArray, forward: float) -> bool:
    """Whether numbers in (0, 1) are no strikes around this forward."""
    low, high = values.min(), values.max()
    around = low / _OFF_FORWARD <= forward <= high * _OFF_FORWARD
    return bool(low > 0 and high < 1 and not (around and high <= _STRIKE_SPREAD * low))


def _as_kind(kind: StrikeKind, number: float, label: Label) -> float:
    if kind == "delta":
        delta = parse_delta(number)
        if delta is None:
            hint = "plain strikes need forwards; K/F is written K/F=0.95"
            raise LabelError(f"{label}, no delta; expected {STRIKES_EXPECTED} ({hint})")
        return float(delta)
    if kind == "strike" and number <= 0:
        raise LabelError(f"{label}; expected a positive strike")
    return number


def _check_monotone(
    labels: Sequence[Label], axis: FloatArray, name: str, *, increasing: bool = False
) -> None:
    steps = axis[1:] - axis[:-1]
    sign = 1.0 if increasing or len(steps) == 0 or statistics.median(steps.tolist()) > 0 else -1.0
    bad = np.flatnonzero(steps * sign <= 0)
    if len(bad):
        one, other = next(iter(_twins(axis)), (int(bad[0]), int(bad[0]) + 1))
        first, second = labels[one], labels[other]
        why = "the same" if axis[one] == axis[other] else "out of order"
        order = "increasing" if increasing else "all increasing or all decreasing, each once"
        raise LabelError(f"{first} and {second}: {why}; expected {name} {order}")


def _twins(axis: FloatArray) -> list[tuple[int, int]]:
    """Places of equal values, in pairs, the first pair first."""
    order = np.argsort(axis, kind="stable")
    same = np.flatnonzero(np.diff(axis[order]) == 0)
    return sorted((int(order[i]), int(order[i + 1])) for i in same)
