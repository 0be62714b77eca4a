"""What lines of tenors and of strikes share: plain numbers, and a strict order."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ._values import Label, is_thousands, read_number

TENORS_EXPECTED = "a tenor such as ON, 1W, 1M, 18M, 1Y, a number of years, or a date"
STRIKES_EXPECTED = "a delta such as 10P, ATM, 25C or 0.25, a strike K=1.085, or a log-moneyness m=-0.1"


def plain_number(label: Label) -> float | None:
    """The label's number, or None; raises LabelError where it has two readings."""
    number = read_number(label.cell)
    if number is None:
        return None
    if is_thousands(label.cell):
        raise LabelError(f"{label}, a decimal comma or thousands; expected a number such as 1.085")
    if not math.isfinite(number.value):
        raise LabelError(f"{label}; expected a finite number")
    if number.percent:
        raise LabelError(
            f"{label}, a delta or K/F; expected one such as 25C, 10P or K/F=0.95, or the argument strikes "
            '"delta" or "K/F"'
        )
    return number.value


def check_monotone(labels: Sequence[Label], axis: FloatArray, name: str, *, increasing: bool = False) -> None:
    """Raises LabelError naming two labels that repeat, else the first two that are out of order."""
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
