"""Names of market quotes: "ATM", "25RR", "10D Fly", "25Δ Risk Reversal", "MS 10", "25RR Bid"."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from .strikes import parse_delta

QuoteKind = Literal["atm", "rr", "bf"]
Strangle = Literal["broker", "smile"]

_WORDS = {
    "atm": "atm atmf atmv dns dn zds straddle",
    "rr": "rr riskreversal riskreversals riskrev reversal reversals rev risikoumkehr renversement reversion "
    "inversione",
    "bf": "bf bfly fly flies butterfly butterflies papillon papillons schmetterling schmetterlinge mariposa "
    "mariposas farfalla farfalle fjaril str strg strangle strangles ms mstr ss sstr",
}
_KINDS: dict[str, QuoteKind] = {
    word: kind  # type: ignore[misc]
    for kind, words in _WORDS.items()
    for word in words.split()
}
_LETTERS: dict[str, QuoteKind] = {"r": "rr", "b": "bf"}  # 25R, 25B beside a delta
_STRANGLES: dict[str, Strangle] = {
    "ms": "broker", "mstr": "broker", "market": "broker", "broker": "broker", "brokers": "broker",
    "ss": "smile", "sstr": "smile", "smile": "smile",
}  # fmt: skip
_AS_VOLS = frozenset(["str", "strg", "strangle", "strangles", "ms", "mstr", "ss", "sstr"])
_SIDES = {"bid": "bid", "ask": "ask", "offer": "ask", "geld": "bid", "brief": "ask"}
_SILENT = """
d delta deltas δ vol vols volatility volatilities iv ivs implied sigma vola volatilitat volatilite mid mids
quote quotes % pct percent prozent pts points bp the of de der du di del risk risque riesgo rischio at money
am geld dem la monnaie al dinero alla pari neutral zero forward fwd spot spread one two vega weighted
"""
_AT_THE_MONEY = re.compile(r"at[ -]the[ -]money|am geld|a la monnaie|al dinero|alla pari|delta[ -]neutral")
_LONGEST = 60
_TOKEN = re.compile(r"[a-zδ]+|\d+(?:[.,]\d+)?|%")
_OPTION = {"put": -1, "puts": -1, "p": -1, "call": 1, "calls": 1, "c": 1}


_KNOWN = frozenset(_SILENT.split()).union(_KINDS, _LETTERS, _STRANGLES, _SIDES, _OPTION)


class QuoteName(NamedTuple):
    """What a heading names. wing: absolute delta, None for ATM or where none is written. side: "bid", "ask"
    or "mid". strangle: how butterflies are quoted, None where not said. sign: -1 for put less call. as_vol:
    whether the word is one for the strangle's vol as well as for its excess over ATM."""

    kind: QuoteKind
    wing: float | None = None
    side: str = "mid"
    strangle: Strangle | None = None
    sign: int = 1
    as_vol: bool = False


@lru_cache(maxsize=4096)
def parse_quote(text: str) -> QuoteName | None:
    """The quote that a heading names, case, space and accent insensitive; None where it names none."""
    if len(text) > _LONGEST:
        return None
    if parse_delta(text) == 0.5:
        return QuoteName("atm")
    tokens = _TOKEN.findall(_AT_THE_MONEY.sub(" atm ", _plain(text)))
    words = [token for token in tokens if not token[0].isdigit()]
    numbers = [float(token.replace(",", ".")) for token in tokens if token[0].isdigit()]
    kind = _kind(words, beside_number=bool(numbers))
    if kind is None or len(numbers) > 1 or not _KNOWN.issuperset(words):
        return None
    wing = _wing(numbers[0]) if numbers else None
    if kind == "atm":
        return QuoteName("atm", None, _side(words)) if not numbers else None
    return None if numbers and wing is None else _named(kind, wing, words)


def _kind(words: list[str], *, beside_number: bool) -> QuoteKind | None:
    kinds = {_KINDS[word] for word in words if word in _KINDS}
    if not kinds and beside_number:
        kinds = {_LETTERS[word] for word in words if word in _LETTERS}
    return kinds.pop() if len(kinds) == 1 else None


def _named(kind: QuoteKind, wing: float | None, words: list[str]) -> QuoteName | None:
    """None where an option is named, and not call and put of a risk reversal."""
    options = [_OPTION[word] for word in words if word in _OPTION]
    if options and (kind != "rr" or sorted(options) != [-1, 1]):
        return None
    strangles = {_STRANGLES[word] for word in words if word in _STRANGLES and kind == "bf"}
    strangle = strangles.pop() if len(strangles) == 1 else None
    as_vol = kind == "bf" and bool(_AS_VOLS & set(words))
    return QuoteName(kind, wing, _side(words), strangle, options[0] if options else 1, as_vol)


def _side(words: list[str]) -> str:
    return next((_SIDES[word] for word in words if word in _SIDES), "mid")


def _wing(number: float) -> float | None:
    delta = number / 100 if number >= 1 else number
    return delta if 0 < delta < 0.5 else None


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("∆", "Δ")).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    plain = re.sub(r"\b([rb])\s*[/.]\s*([rf])\b", r"\1\2", plain)  # R/R, B.F.
    plain = re.sub(r"risk\s*-?\s*rev(?:ersal)?s?\b", "rr", plain)
    return re.sub(r"(?<=\d)d(?=[a-z])", " ", plain)  # 25dRR
