"""Strike labels: "25P", "ATM", "10C", "K=1.085", "m=-0.1"."""

from __future__ import annotations

import math
import re
from typing import Literal

from ..errors import LabelError

StrikeKind = Literal["delta", "strike", "moneyness"]

MAX_MONEYNESS = 5.0  # and above, no desk's ln(K/F)
_NUMBER = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_MARK = r"(?:D|DELTA|Δ|%)?"
_WITH_NUMBER = re.compile(r"([^0-9.]*)" + _NUMBER + r"([^0-9.]*)")
_SIDE = re.compile(_MARK + r"(PUT|CALL|P|C)S?" + _MARK)
_SIDELESS = re.compile(r"([+-]?)" + _NUMBER + r"(?:D|DELTA|DELTAS|Δ)|(?:D|DELTA|Δ)([+-]?)" + _NUMBER)
_BARE = re.compile(r"([+-]?)" + _NUMBER)
_ATM_LABELS = (
    "ATM DNS ATMDNS ATMDN DN ATMF ATMFWD ATMFORWARD STRADDLE ATMV ATMVOL ATMSTRADDLE DNSTRADDLE ATTHEMONEY "
    "ATM50 ATM50D ATM50Δ 50DATM 50ΔATM 50Δ 50DELTA Δ50 DELTA50 0.5Δ"
)
_ATM = frozenset(_ATM_LABELS.split())
_NAMED_VALUE = re.compile(r"(K/F|K|k|M|m|X|x)=([+-]?)" + _NUMBER + r"(%?)")
HALF_WIDTH = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}  # of "２５Ｐ"
_SIGNS = HALF_WIDTH | str.maketrans({"−": "-", "–": "-", "﹣": "-", "∆": "Δ", "'": "", "’": ""})
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")


def _unified(text: str) -> str:
    """One sign for each of minus, delta and decimal point."""
    text = text.translate(_SIGNS)
    return text if _THOUSANDS.search(text) else re.sub(r"(?<=[0-9]),(?=[0-9])", ".", text)


def parse_delta(label: object) -> float | None:
    """Forward call delta of a delta label, or None where it is not one; case and space insensitive.

    label: "10P", "P10", "10DP", "25 put", "10-delta put" (a p-delta put is 1 - p); "25C", "25C Δ"; "ATM",
        "DNS", "ATMF", "50Δ" (0.5); a bare number or number text: 0.25, 25 (whole percent, 2 to 99), -0.25 or
        -25 for puts.
    """
    if isinstance(label, bool):
        return None
    text = re.sub(r"[\s_]", "", _unified(str(label))).upper()
    compact = re.sub(r"[-()]", "", text)
    if compact.replace("/", "") in _ATM:
        return 0.5
    found = _WITH_NUMBER.fullmatch(compact)
    if found and (side := _SIDE.fullmatch(found[1] + found[3])):
        return _call_delta(found[2], side[1])
    if found := _BARE.fullmatch(text):
        return _bare_delta(float(found[2]), put=found[1] == "-")
    return None


def sideless_delta(label: object) -> float | None:
    """The number of "25Δ", "-25 delta" or "25D", which says neither put nor call; None for other labels."""
    text = re.sub(r"[\s_]", "", _unified(label)).upper() if isinstance(label, str) else ""
    found = _SIDELESS.fullmatch(text.replace("DELTA-", "DELTA") if text[:1] != "-" else text)
    return float((found[1] or found[3] or "") + (found[2] or found[4])) if found else None


def _call_delta(number: str, side: str) -> float | None:
    value = float(number)
    delta = value / 100 if value >= 1 else value
    if not 0 < delta < 1:
        return None
    return delta if side.startswith("C") else 1 - delta


def _bare_delta(value: float, *, put: bool) -> float | None:
    if value >= 1 and not (2 <= value < 100 and value.is_integer()):
        return None
    return _call_delta(str(value), "P" if put else "C")


def parse_strike(label: object) -> tuple[StrikeKind, float] | None:
    """Kind and value of a strike label, or None where it is not one.

    label: a delta label gives ("delta", forward call delta); "K=1.085" ("strike", 1.085); "m=-0.1" or
        "k=-10%" ("moneyness", ln(K/F)); "K/F=0.95" or "K=95%" ("moneyness", ln 0.95). Upper-case K is the
        strike, lower-case k the log-moneyness, as in Gatheral's notation; "k=1.2" (above 1 without a sign)
        is taken for a slip: None. A bare positive number that is no delta is a strike.
    """
    delta = parse_delta(label)
    if delta is not None:
        return "delta", delta
    text = "" if isinstance(label, bool) else "".join(_unified(str(label)).split())
    if found := _NAMED_VALUE.fullmatch(text):
        return _named(found[1], found[2], found[3], percent=bool(found[4]))
    found = _BARE.fullmatch(text)
    if found and found[1] != "-" and 0 < float(found[2]) < math.inf:
        return "strike", float(found[2])
    return None


def parse_strike_alone(label: object) -> tuple[StrikeKind, float] | None:
    """`parse_strike` of what cannot be a tenor: "50D" is at the money then, and not 50 days."""
    return ("delta", 0.5) if sideless_delta(label) == 50 else parse_strike(label)


def _named(name: str, sign: str, number: str, *, percent: bool) -> tuple[StrikeKind, float] | None:
    value = float(sign + number) / (100 if percent else 1)
    if math.isinf(value):
        return None
    if name == "K/F" or (name == "K" and percent and not sign):
        return ("moneyness", math.log(value)) if value > 0 else None
    if name == "K" and not percent:
        return ("strike", value) if value > 0 else None
    if name == "k" and not sign and value > 1:
        return None
    return "moneyness", value


def delta_of(label: object) -> object:
    """A delta label such as "25P" as a forward call delta; numbers as they are. Raises LabelError."""
    if not isinstance(label, str):
        return label
    delta = parse_delta(label)
    if delta is None:
        raise LabelError(f"deltas has {label!r}; expected a delta such as 10P, 25P, ATM, 25C, or 0.25")
    return delta
