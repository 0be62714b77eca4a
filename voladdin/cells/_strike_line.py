"""A line of header cells, or a table of them, to deltas, strikes or log-moneyness."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import StrikeKind, parse_delta
from ..labels.strikes import parse_strike_alone, sideless_delta
from ._axes import STRIKES_EXPECTED, check_monotone, plain_number
from ._notations import notation_of
from ._values import Label, is_blank, read_number
from ._words import Notation

_QUOTE = re.compile(r"RR|BF|FLY|STR|RISK|BUTTERFL", re.IGNORECASE)
PERCENT_FROM = 3.0  # K/F above it are percent


class Strikes(NamedTuple):
    """kind and values: [K] or [T, K]. notation: of the plain numbers, None without any.

    by_place: whether only their place says that the deltas on the left are puts.
    """

    kind: StrikeKind
    values: FloatArray
    notation: Notation | None
    by_place: bool = False


def strike_axis(labels: Sequence[Label], forward: float | None) -> tuple[StrikeKind, FloatArray]:
    """Kind and [K] values of one line of strike cells. Raises LabelError as `read_strikes`."""
    found = read_strikes([labels], forward)
    return found.kind, found.values[0]


def read_strikes(
    labels: Sequence[Sequence[Label]], forward: float | None, said: Notation | None = None
) -> Strikes:
    """Kind and [T, K] values of rows of strike cells, each strictly monotone either way.

    forward: a typical forward where forwards are known. said: what is said of plain numbers.

    Raises LabelError naming the cell, the two cells that mix kinds, repeat or are out of order, or the
    readings of plain numbers.
    """
    flat = [label for row in labels for label in row]
    numbers, said = _numbers(flat, said)
    texts = {i: _text_strike(label) for i, label in enumerate(flat) if numbers[i] is None}
    kinds = _one_kind(flat, texts)
    plain = [number for number in numbers if number is not None]
    notation = None if not plain else kinds or notation_of(plain, forward, said, rows=len(labels))
    scale = 0.01 if notation == "K/F" and statistics.median(plain) > PERCENT_FROM else 1.0
    read = [
        texts[i][1] if x is None or notation is None else _as_notation(notation, scale * x, flat[i])
        for i, x in enumerate(numbers)
    ]
    values = np.array(read, dtype=float).reshape(len(labels), -1)
    for row, axis in zip(labels, values, strict=True):
        check_monotone(row, axis, "strikes")
    return Strikes(_kind_of(texts, notation), values, notation, any(map(_by_its_place, numbers, flat)))


def _by_its_place(number: float | None, label: Label) -> bool:
    """Whether a put's minus is not in its cell."""
    return number is not None and number < 0 and not str(label.cell).lstrip().startswith(("-", "−", "–"))


def _kind_of(texts: dict[int, tuple[StrikeKind, float]], notation: Notation | None) -> StrikeKind:
    return next(iter(texts.values()))[0] if texts else _kind(notation or "delta")


def _numbers(flat: Sequence[Label], said: Notation | None) -> tuple[list[float | None], Notation | None]:
    """Plain numbers, None for labels, and what they are; "25Δ" among them says that they are deltas."""
    sideless = _sideless(flat, said)
    if sideless:
        by_place = _by_place(flat, sideless)
        found = [_number(label, said) if x is None else x for x, label in zip(by_place, flat, strict=True)]
        return found, "delta"
    if said in (None, "moneyness") and _beyond_deltas(flat):
        said = "K/F"
    return [_number(label, said) for label in flat], said


def _sideless(flat: Sequence[Label], said: Notation | None) -> list[float | None]:
    """Of 25Δ, and of plain numbers that come back; none where 50Δ is all."""
    found = [sideless_delta(label.cell) if _is_text(label) else None for label in flat]
    if any(number is not None and abs(number) != 50 for number in found):
        return found
    return _mirrored(flat) if said in (None, "delta") else []


def _beyond_deltas(flat: Sequence[Label]) -> bool:
    """Whether all labels are percentages, and one is of 100% or more, which no delta is."""
    numbers = [read_number(label.cell) for label in flat]
    percent = [number.fraction for number in numbers if number is not None and number.percent]
    return len(percent) == len(flat) and max(percent, default=0.0) >= 1.0


def _mirrored(flat: Sequence[Label]) -> list[float | None]:
    """10 25 ATM 25 10, or 0.1 0.25 0.5 0.25 0.1, in percent, as strikes do not come back; or none."""
    read = [parse_delta(label.cell) for label in flat]
    plain = sum(read_number(label.cell) is not None for label in flat)
    if len(flat) < 3 or plain < len(flat) - 1 or None in read or read != read[::-1] or read.count(0.5) != 1:
        return []
    return [100 * (delta or 0.0) for delta in read]


def _by_place(flat: Sequence[Label], sideless: Sequence[float | None]) -> list[float | None]:
    """10Δ 25Δ 50Δ 25Δ 10Δ are puts on the left; 10Δ 25Δ 50Δ 75Δ 90Δ are calls.

    Raises LabelError where these may be puts or calls.
    """
    found = [
        50.0 if one is None and parse_delta(label.cell) == 0.5 else one
        for one, label in zip(sideless, flat, strict=True)
    ]
    if found == found[::-1] and found.count(50.0) == 1:
        return _puts_first(found, found.index(50.0))
    known = [one for one in found if one is not None]
    if min(known) > 0 and max(known) <= 50:
        label = next(label for one, label in zip(sideless, flat, strict=True) if one is not None)
        raise LabelError(f"{label}, a put or a call; expected one such as 25P or 25C")
    return found


def _puts_first(found: list[float | None], middle: int) -> list[float | None]:
    return [None if one is None else -one if i < middle else one for i, one in enumerate(found)]


def _is_text(label: Label) -> bool:
    return isinstance(label.cell, str) and not is_blank(label.cell)


def _number(label: Label, said: Notation | None) -> float | None:
    number = read_number(label.cell)
    if number is not None and number.percent and said in ("delta", "put delta", "K/F", "K/S"):
        return number.fraction
    return plain_number(label)


def _text_strike(label: Label) -> tuple[StrikeKind, float]:
    found = parse_strike_alone(label.cell) if _is_text(label) else None
    if found is None or not np.isfinite(found[1]):
        hint = " (VOLQUOTES reads risk reversals and butterflies)" if _QUOTE.search(str(label.cell)) else ""
        raise LabelError(f"{label}; expected {STRIKES_EXPECTED}{hint}")
    return found


def _one_kind(flat: Sequence[Label], texts: dict[int, tuple[StrikeKind, float]]) -> Notation | None:
    """What plain numbers beside labels are: of the labels' kind. Raises LabelError where these mix."""
    first = {kind: i for i, (kind, _) in reversed(texts.items())}
    if len(first) > 1:
        one, other = sorted(first.values())[:2]
        raise LabelError(
            f"{flat[one]} and {flat[other]}: mixed; expected all deltas, all strikes or all log-moneyness"
        )
    kind = next(iter(first), None)
    return "log-moneyness" if kind == "moneyness" else kind


def _kind(notation: Notation) -> StrikeKind:
    if notation in ("delta", "put delta"):
        return "delta"
    return "strike" if notation == "strike" else "moneyness"


def _as_notation(notation: Notation, number: float, label: Label) -> float:
    if notation in ("delta", "put delta"):
        delta = parse_delta(-abs(number) if notation == "put delta" else number)
        if delta is None:
            hint = "plain strikes need forwards; K/F is written K/F=0.95"
            raise LabelError(f"{label}, no delta; expected {STRIKES_EXPECTED} ({hint})")
        return float(delta)
    if notation in ("strike", "K/F") and number <= 0:
        raise LabelError(f"{label}; expected a positive strike")
    return math.log(number) if notation == "K/F" else number
