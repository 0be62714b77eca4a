"""What the words of a sheet say: the corner and the titles name units, axes and the currency pair."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from ..conventions.pairs import parse_pair
from ..errors import InputError, LabelError
from ..labels.tenors import TENOR_WORDS

TenorUnit = Literal["days", "weeks", "months", "years"]
Notation = Literal["delta", "put delta", "strike", "moneyness", "log-moneyness", "K/F", "K/S"]
VolUnit = Literal["percent", "decimal", "basis points"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TENOR_AXIS = _set(
    "tenor tenors term terms exp expiry expiries expiration expirations expiring maturity maturities mat "
    "ttm tte tau time verfall verfallstag laufzeit laufzeiten falligkeit restlaufzeit ablauf echeance "
    "echeances maturite terme vencimiento vencimientos plazo plazos loptid loptider forfall forfallodag "
    "scadenza scadenze durata looptijd looptijden vervaldatum prazo prazos dte dtm t"
)
_DELTAS = frozenset(["delta", "deltas", "δ"])
_STRIKES = _set(
    "strike strikes basispreis basispreise ausubungspreis exercice ejercicio losenpris losenkurs prezzo "
    "esercizio k"
)
_PUTS, _CALLS = frozenset(["put", "puts", "p"]), frozenset(["call", "calls", "c"])
_MONEYNESS = _set("moneyness mny moneynes geldnahe")
_VOLS = _set("vol vols volatility volatilities iv ivs implied sigma vola volas volatilitat volatilite")
_PERCENT = _set("% pct percent prozent procent pourcent porcentaje percento volpts volpoints")
_BASIS = _set("bp bps")
_DECIMALS = _set("decimal decimals dezimal decimales decimaux decimaler")
_RATIO = re.compile(r"k/f\b|k/fwd\b|%\s*(?:of )?(?:fwd|forward|atm)\b|strike\s*/\s*(?:fwd|forward)")
_OF_SPOT = re.compile(
    r"\bk\s*/\s*s(?:0|pot)?\b|strikes?\s*/\s*spot|%\s*(?:of )?spot\b|spot[ -]*(?:moneyness|mny)|"
    r"(?:moneyness|mny|strikes?)\W+(?:in |to |vs |v |% |of |the )*spot\b(?!\W*\d)"
)
_LOG = re.compile(r"\bln\b|\blog\b|log-?moneyness")
_BUSINESS = re.compile(
    r"\b(business|trading|working|bus|bd|bdays?|handelstage[n]?|geschaftstage[n]?|(?:bank)?arbeitstage[n]?|"
    r"werktage[n]?|werkdagen|ouvres|ouvrables|habiles|uteis|lavorativi|bankdagar|virkedager|robocze)\b"
)
_DAYS = re.compile(r"day|dag|dias|jours|giorni|tage|\bbd\b")
_YEAR_FRACTION = re.compile(r"year ?frac|/\s?36[05]|^[yj]$")  # "Days/365", "ACT/365", "Y"
_LINKS = _set("act in to of per bis en zu axis put puts call calls p c k f fwd forward s spot %")
_POINTS = re.compile(r"\b(?:vol|vola|volatility|volatilitats)[ -]?(?:pts|points|punkte|puntos|poang)\b")
_TOKEN = re.compile(r"[a-zδ]+|%")
_BRACKETED = re.compile(r"[(\[,/]\s*([a-z])\.?\s*[)\]]?\s*$|[(\[]\s*([a-z])\.?\s*[)\]]")
_PAIR = re.compile(r"(?<![A-Za-z])([A-Z]{3})\s?[/ .-]?\s?([A-Z]{3})(?![A-Za-z])")
_LONGEST = 200


class Words(NamedTuple):
    """What is said, None where nothing is. axis: which axis the corner names first. text: the corner's.
    valuation: of a title."""

    tenor_unit: TenorUnit | None = None
    notation: Notation | None = None
    vol_unit: VolUnit | None = None
    pair: str | None = None
    axis: Literal["tenor", "strike"] | None = None
    text: str = ""
    valuation: date | None = None

    def over(self, other: Words) -> Words:
        """These words, and the other's where these say nothing."""
        mine = {name: value for name, value in self._asdict().items() if value}
        return other._replace(**mine)


def words_of(corner: object, titles: Iterable[object] = ()) -> Words:
    """What the corner says of axes and units, and where it is silent, the titles of vols and pair."""
    said = _read(corner[:_LONGEST]) if isinstance(corner, str) else Words()
    for cell in titles:
        if isinstance(cell, str) and cell.strip():
            title = _read(cell[:_LONGEST])
            heading = title if _is_heading(cell) else Words()
            said = said.over(heading._replace(vol_unit=title.vol_unit, pair=title.pair, axis=None))
    return said


def _is_heading(title: str) -> bool:
    """Whether a title only names an axis: "Maturity (years)", "Days to expiry"; not "1 year ago"."""
    plain = unaccented(title)
    words, axes = set(_TOKEN.findall(plain)), _TENOR_AXIS | _DELTAS | _STRIKES | _MONEYNESS
    units = {word for word in words if _singular(word) in TENOR_WORDS}
    named = bool(words & axes) or units == words or _YEAR_FRACTION.search(plain.strip()) is not None
    return named and words <= axes | units | _LINKS


@lru_cache(maxsize=1024)
def _read(text: str) -> Words:
    plain = unaccented(text)
    tokens = _TOKEN.findall(plain.replace("'", " "))
    said = Words(
        _tenor_unit(plain, tokens), _notation(text, plain, tokens), None, pair_in(text), _axis(tokens)
    )
    said = said._replace(vol_unit=_vol_unit(plain, tokens, said))
    return said._replace(text=text.strip()) if any(said) else said


def unaccented(text: str) -> str:
    """In lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("∆", "Δ").replace("ß", "ss")).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _tenor_unit(plain: str, tokens: list[str]) -> TenorUnit | None:
    """Of "DTE", "Days to expiry", "Tenor (d)", "T [yrs]", "Laufzeit in Tagen", "Days/365"."""
    if _YEAR_FRACTION.search(plain.strip()):
        return "years"
    letters = {letter for found in _BRACKETED.findall(plain) for letter in found if letter}
    named = bool(_TENOR_AXIS & set(tokens))
    found = {
        TENOR_WORDS[word]
        for token in tokens
        if (word := _singular(token)) in TENOR_WORDS and (len(token) > 1 or (named and token in letters))
    }
    found |= {"days"} if "dtm" in tokens else set()
    return found.pop() if len(found) == 1 else None  # type: ignore[return-value]


def _singular(token: str) -> str:
    upper = token.upper()
    return upper if upper in TENOR_WORDS else upper.removesuffix("N")  # Tagen, Jahren, Monaten


def _notation(text: str, plain: str, tokens: list[str]) -> Notation | None:
    said = set(tokens)
    if text.strip() == "k":  # Gatheral's log-moneyness; K is the strike
        return "log-moneyness"
    if _OF_SPOT.search(plain):
        return "K/S"
    if _RATIO.search(plain) and not _LOG.search(plain):
        return "K/F"
    if _LOG.search(plain):
        return "log-moneyness"
    if said & _DELTAS:
        return "put delta" if said & _PUTS and not said & _CALLS else "delta"
    if said & _STRIKES:
        return "strike"
    return "moneyness" if said & _MONEYNESS else None


def _vol_unit(plain: str, tokens: list[str], said: Words) -> VolUnit | None:
    """Of "Vol (%)", "vol pts", "in %"; "Delta %" says it of the deltas, not of the vols."""
    words = set(tokens)
    axes = (said.notation or said.axis) and not words & _VOLS
    if words & _BASIS or {"normal", "vol"} <= words or {"basis", "points"} <= words:
        return "basis points"
    if _POINTS.search(plain) or (words & _PERCENT and not axes):
        return "percent"
    return "decimal" if words & _DECIMALS else None


def _axis(tokens: list[str]) -> Literal["tenor", "strike"] | None:
    for token in tokens:
        if token in _TENOR_AXIS or (len(token) > 1 and _singular(token) in TENOR_WORDS):
            return "tenor"
        if token in _DELTAS or (len(token) > 1 and token in _STRIKES) or token in _MONEYNESS:
            return "strike"
    return None


def pair_in(text: str) -> str | None:
    """The currency pair in a text such as "USDHKD vols" or "EUR/USD", or None."""
    for found in _PAIR.finditer(text.upper() if len(text.strip()) <= len("EUR / USD") else text):
        try:
            return "".join(parse_pair(found[1] + found[2]))
        except LabelError:
            continue
    return None


def refuse_business_days(text: str) -> None:
    """Raises InputError where the tenors count business days."""
    plain = unaccented(text)
    if _BUSINESS.search(plain) and _DAYS.search(plain):
        raise InputError(f"{text!r}: business days; expected calendar days, or labels such as 1W, or dates")
