"""Plain numbers in a line of strikes: deltas, strikes, log-moneyness or K/F, as evidence decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import parse_delta
from ..labels.strikes import MAX_MONEYNESS
from ._words import Notation

_STRIKE_SPREAD = 4.0  # numbers below 1 that span more are no strikes of one forward
_OFF_FORWARD = 1.25
_DELTA_SPREAD = 10.0
_RATIO_REACH = 10.0  # K/F half of which lie further from 1 are none
_FEW = 4
_ROUND_DELTAS = frozenset([0.01, 0.02, 0.03, *(n / 20 for n in range(1, 20)), 0.97, 0.98, 0.99])
USUAL_DELTAS = frozenset([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
_READINGS: dict[Notation, str] = {
    "delta": "deltas (written 25C, 10P or headed Delta)",
    "put delta": "put deltas (written 10P or headed Put delta)",
    "strike": "strikes (written K=1.085 or headed Strike, with the argument forwards)",
    "log-moneyness": "log-moneyness (written m=-0.1 or headed ln(K/F))",
    "K/F": "K/F (written K/F=0.95 or headed K/F)",
}


def notation_of(
    numbers: Sequence[float], forward: float | None, said: Notation | None = None, *, rows: int = 1
) -> Notation:
    """What the plain numbers of a line (of `rows` such lines) are.

    said: what the corner or an argument says. forward: a typical forward, None where none is known.

    Raises LabelError naming the readings that remain.
    """
    values = np.array(numbers, dtype=float)
    if said == "K/S":
        raise LabelError(
            f"strikes {_shown(values)} are said to be of spot; expected K/F such as K/F=0.95, or strikes "
            "such as K=4200 with forwards"
        )
    if said == "K/F" and not _about_one(values):
        raise LabelError(f"strikes {_shown(values)} are said to be K/F; expected these about 1, or 100%")
    if said == "moneyness":
        said = _moneyness(values)
    if said == "log-moneyness" and np.abs(values).max() >= MAX_MONEYNESS:
        _refuse_moneyness(values)
    if said is not None:
        return said
    possible = possible_notations(values[: len(values) // rows] if rows > 1 else values, values, forward)
    if len(possible) == 1:
        return possible[0]
    if not possible:
        return "delta" if forward is None else "strike"  # whose reading names the cell
    raise LabelError(
        f"strikes {_shown(values)} may be {' or '.join(_READINGS[reading] for reading in possible)}; "
        f'expected one of these, or the argument strikes "{possible[0]}" or "{possible[-1]}"'
    )


def possible_notations(line: FloatArray, values: FloatArray, forward: float | None) -> list[Notation]:
    """The readings that remain, the most usual first."""
    if (values <= 0).any():
        return _signed(line)
    deltas, ratio = call_deltas(line), spans_one(line)
    if forward is None:
        if deltas is not None and clearly_deltas(deltas):
            return ["delta"]
        return [*_if("delta", where=deltas is not None), "strike", *_if("K/F", where=ratio)]
    near = bool(values.min() / _OFF_FORWARD <= forward <= values.max() * _OFF_FORWARD)
    if near:
        narrow = deltas is None or values.max() <= _STRIKE_SPREAD * values.min()
        clear = deltas is not None and clearly_deltas(deltas)
        beside = ratio and not values.min() <= forward <= values.max()
        return [
            *_if("delta", where=clear),
            *_if("strike", where=narrow or not clear),
            *_if("K/F", where=beside),
        ]
    if deltas is not None:
        return ["delta"] if 0.5 in deltas or clearly_deltas(deltas) else ["delta", "strike"]
    far = not values.min() / _STRIKE_SPREAD <= forward <= values.max() * _STRIKE_SPREAD
    return [*_if("strike", where=not (ratio and far)), *_if("K/F", where=ratio)]


def _signed(line: FloatArray) -> list[Notation]:
    """With 0 or negative numbers: log-moneyness, or deltas whose puts are negative."""
    steps, deltas = np.diff(line), call_deltas(line)
    moneyness = (np.abs(line) < MAX_MONEYNESS).all() and ((steps > 0).all() or (steps < 0).all())
    whole = (line == np.round(line)).all() and np.abs(line).max() > 1
    changes = np.array([]) if deltas is None else np.diff(deltas)
    put = deltas is not None and ((changes > 0).all() or (changes < 0).all())
    if whole and moneyness and not put:
        _refuse_moneyness(line)
    return [*_if("delta", where=bool(put)), *_if("log-moneyness", where=bool(moneyness))]


def _refuse_moneyness(line: FloatArray) -> NoReturn:
    raise LabelError(
        f"strikes {_shown(line)} may be log-moneyness, percent or standard deviations; expected ln(K/F) "
        "such as m=-0.1, or K/F=0.95"
    )


def call_deltas(line: FloatArray) -> FloatArray | None:
    """The line as forward call deltas, or None where a number is none, or these mix 0.25 and 25."""
    found = [parse_delta(value) for value in line.tolist()]
    whole = np.abs(line) >= 1
    if None in found or whole.any() != whole.all():
        return None
    return np.round(np.array(found, dtype=float), 10)


def clearly_deltas(deltas: FloatArray, *, usual: bool = False) -> bool:
    """Whether numbers of (0, 1) are deltas, not strikes near each other: usual ones, on a wide range.

    usual: whether they must be usual ones however wide the range.
    """
    low, high = float(deltas.min()), float(deltas.max())
    if high > max(_DELTA_SPREAD * low, 0.5) and len(deltas) > _FEW and not usual:
        return True
    if len(deltas) < 3:
        return USUAL_DELTAS.issuperset(deltas.tolist())
    wide = low <= 0.25 and (high >= 0.75 or high == 0.5)
    return wide and _ROUND_DELTAS.issuperset(deltas.tolist())


def spans_one(line: FloatArray) -> bool:
    """Whether the numbers lie about 1, or about 100 as percent."""
    return len(line) > 1 and any(
        one / 5 <= line.min() <= one <= line.max() <= 3 * one for one in (1.0, 100.0)
    )


def _about_one(values: FloatArray) -> bool:
    """Whether K/F of these, as they are or in percent, is what a desk quotes."""
    return any(one / _RATIO_REACH <= np.median(values) <= one * _RATIO_REACH for one in (1.0, 100.0))


def _moneyness(values: FloatArray) -> Notation:
    if (values <= 0).any():
        return "log-moneyness"
    if spans_one(values):
        return "K/F"
    raise LabelError(
        f"moneyness {_shown(values)} may be ln(K/F) or K/F; expected m=-0.1 or K/F=0.95, or one of these two "
        "words in the corner"
    )


def _if(reading: Notation, *, where: bool) -> list[Notation]:
    return [reading] if where else []


def _shown(values: FloatArray) -> str:
    return ", ".join(f"{value:g}" for value in values[:8].tolist())
