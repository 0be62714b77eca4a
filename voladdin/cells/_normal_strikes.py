"""Strikes of normal vols: absolute (K=0.03, 3%, -0.25%) or relative to the forward (ATM-50, +25bp)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import LabelError
from ..labels import parse_delta
from ._values import Label, is_thousands, read_number

_EXPECTED = (
    "a strike such as 0.03, 3% or K=-0.25%, or one relative to the forward such as ATM, ATM-50 or +25bp"
)
BASIS_POINT = 1e-4
_RELATIVE = re.compile(
    r"(?:(?:ATM[A-Z]*|F|FWD)\s*([+-]\s*[0-9]+(?:[.,][0-9]+)?)|([+-]?\s*[0-9]+(?:[.,][0-9]+)?)(?=\s*BP))\s*(BPS?|%)?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[Kk]\s*=\s*(.*)")
_LEAST_OFFSET = 10.0  # bp of the outermost of a line of offsets: -1 0 1 2 are percent
_WIDTHS = (0.03, 15.0)  # |K - F| in standard deviations, half of the quotes


class Strike(NamedTuple):
    """value: in bp of K - F where `relative`, a rate where `exact` (written with %), else as written."""

    value: float
    relative: bool
    exact: bool


class NormalNotation(NamedTuple):
    """How a grid's plain numbers are written. relative: in bp of K - F. scale: of absolute
    strikes without %, to rates."""

    relative: bool
    scale: float


def read_normal_strike(label: Label) -> Strike | None:
    """One label; None where a number may be absolute or relative. Raises LabelError naming the cell."""
    cell = label.cell
    text = cell.strip().replace("−", "-") if isinstance(cell, str) else ""
    if found := _RELATIVE.fullmatch(text):  # before ATM: "ATM-50" is no 50-delta
        value = float("".join((found[1] or found[2]).split()).replace(",", "."))
        return Strike(100 * value if (found[3] or "") == "%" else value, relative=True, exact=True)
    if text and parse_delta(text) == 0.5 and not text.replace(".", "").isdigit():
        return Strike(0.0, relative=True, exact=True)
    named = _NAMED.fullmatch(text)
    number = read_number(named[1] if named else cell)
    if number is None or not np.isfinite(number.value) or is_thousands(cell):
        raise LabelError(f"{label}; expected {_EXPECTED}")
    if named or number.percent:
        return Strike(number.fraction, relative=False, exact=number.percent)
    return None


def read_normal_strikes(labels: Sequence[Label]) -> tuple[FloatArray, bool, BoolArray]:
    """Values [K], whether they are relative (in bp), and [K] which are exact (rates).

    Raises LabelError where absolute and relative ones mix.
    """
    found = [read_normal_strike(label) for label in labels]
    known = [strike for strike in found if strike is not None]
    if len({strike.relative for strike in known}) > 1:
        one = next(label for label, s in zip(labels, found, strict=True) if s is not None and s.relative)
        raise LabelError(f"{one}, relative to the forward, among absolute strikes; expected one kind")
    plain = np.array([number.value for label in labels if (number := read_number(label.cell)) is not None])
    relative = known[0].relative if known else _are_offsets(plain)
    values = [_value(label, strike) for label, strike in zip(labels, found, strict=True)]
    exact = np.array([strike is not None and strike.exact for strike in found], dtype=np.bool_)
    return np.array(values), relative, exact


def _value(label: Label, strike: Strike | None) -> float:
    if strike is not None:
        return strike.value
    number = read_number(label.cell)
    assert number is not None
    return number.value


def _are_offsets(values: FloatArray) -> bool:
    """-100 -50 0 50 100 are basis points from the forward, -1 0 1 2 are strikes."""
    whole = bool((values == np.round(values)).all())
    return whole and 0.0 in values and float(np.abs(values).max()) >= _LEAST_OFFSET


def scale_of(distances: FloatArray, total: FloatArray) -> float:
    """1 where strikes are rates, 0.01 where they are percent points; both [n], total vols in rates.

    Raises LabelError where neither, or either, is some standard deviations from the forward.
    """
    away = np.abs(distances)[np.abs(distances) > 0]
    if not len(away):
        return 1.0
    widths = {scale: float(np.median(scale * np.abs(distances) / total)) for scale in (1.0, 0.01)}
    fitting = [scale for scale, width in widths.items() if _WIDTHS[0] <= width <= _WIDTHS[1]]
    if len(fitting) != 1:
        raise LabelError(
            f"strikes about {np.median(away):.4g} from their forwards may be rates or percent points, "
            f"{widths[1.0]:.2g} or {widths[0.01]:.2g} standard deviations; expected strikes such as K=3% and "
            "forwards such as 2.9%"
        )
    return fitting[0]
