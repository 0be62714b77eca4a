"""Tenor labels: "1M", "18M", "ON", a date or a number of years, to year fractions and back."""

from __future__ import annotations

import math
import re
from datetime import date
from functools import lru_cache
from itertools import pairwise

from ..errors import LabelError
from .contracts import contract_expiry, parse_contract
from .dates import DAYS_PER_YEAR, date_of_number, date_of_text, years_between
from .strikes import HALF_WIDTH

LEAST_YEARS, MAX_YEARS = 1e-9, 100.0  # a thirtieth of a second; and a century

_EXPECTED = "expected a tenor such as ON, 1W, 1M, 18M, 1Y, a number of years, or a date with a valuation date"
_OVERNIGHT = {"ON": 1, "O/N": 1, "TN": 2, "T/N": 2, "SN": 3, "S/N": 3, "SW": 7, "S/W": 7}
YEARS_IN_A = {"days": 1 / DAYS_PER_YEAR, "weeks": 7 / DAYS_PER_YEAR, "months": 1 / 12, "years": 1.0}
_WORDS = {
    "days": "D DAY DAYS DTE TAG TAGE T JOUR JOURS DIA DIAS DAG DAGAR DAGE DAGEN GIORNO GIORNI",
    "weeks": "W WK WKS WEEK WEEKS WOCHE WOCHEN SEMAINE SEMAINES SEMANA SEMANAS VECKA VECKOR UGE UGER UKE "
    "UKER WEKEN SETTIMANA SETTIMANE",
    "months": "M MO MOS MON MONS MTH MTHS MONTH MONTHS MONAT MONATE MOIS MES MESES MAN MANAD MANADER MANEDER "
    "MND MESE MESI MAAND MAANDEN",
    "years": "Y YR YRS YEAR YEARS J JAHR JAHRE A AN ANS ANNEE ANNEES ANO ANOS AR ANNO ANNI JAAR JAREN",
}
TENOR_WORDS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_UNACCENTED = HALF_WIDTH | str.maketrans("ÄÅÁÀÉÈÊÍÑÓÖÜ", "AAAAEEEINOOU")
_EAST_ASIAN = {
    **dict.fromkeys(("个月", "個月", "ヶ月", "カ月", "か月", "ヵ月", "개월"), "M"),
    **dict.fromkeys(("週間", "周", "週", "주"), "W"),
    **dict.fromkeys(("天", "일"), "D"),
    **dict.fromkeys(("年", "년"), "Y"),
}
_UNIT = re.compile("|".join(_EAST_ASIAN))
_PART = re.compile(r"(\d+(?:[.,]\d*)?|\.\d+)([A-Z]+?)\.?(?=\d|$)", re.ASCII)


def parse_tenor(label: str | float | date, valuation: date | None = None) -> float:
    """Years to expiry of a tenor label, case and space insensitive.

    label: "ON" (1 day), "TN" (2), "SN" (3), "SW" (7), "3D", "1W" (7/365), "1M" (1/12), "1Y6M" (not "1Y1Y", a
        forward start), "1.5Y", "1J", "6 Monate", "3个月", "7 DTE"; a number or number text is years; a date
        is ACT/365 from `valuation`: "2026-03-20", "20-Mar-26", "20.03.2026", a date object, a serial number,
        or a datetime, which counts to the second. Dates such as 03/04/2026 are ambiguous and not accepted.
        With a valuation also a contract month: "Jan-27", "Z6", "CLF7", "IMM" (`contracts` has the rules).
    valuation: the date, or the moment, that dates are counted from.

    Raises LabelError where the label is none of these, is not in [1e-9, 100] years, or is a date without
    `valuation`.
    """
    years = _years(label, valuation)
    if years is None:
        raise LabelError(f"tenor {label!r} is not understood; {_EXPECTED}")
    if not LEAST_YEARS <= years <= MAX_YEARS:
        raise LabelError(f"tenor {label!r} is {years:g} years; expected above 0, at most {MAX_YEARS:g}")
    return years


def _years(label: object, valuation: date | None) -> float | None:
    if isinstance(label, str):
        return _years_of_text(label, valuation)
    if isinstance(label, date):
        return _years_to(label, valuation)
    if isinstance(label, bool):
        return None
    try:
        number = float(label)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return _years_of_number(number, valuation)


def _years_of_number(number: float, valuation: date | None) -> float | None:
    if not math.isfinite(number):
        return None
    expiry = None if valuation is None else date_of_number(number)
    return number if expiry is None else _years_to(expiry, valuation)


def _years_of_text(text: str, valuation: date | None) -> float | None:
    years = _years_of_label(text)
    if years is not None:
        return years
    expiry = date_of_text(text)
    if expiry is not None:
        return _years_to(expiry, valuation)
    contract = parse_contract(text)
    if contract is not None:
        if valuation is None:
            raise LabelError(f"tenor {text!r} is a contract month; expected a valuation date too")
        return _years_to(contract_expiry(contract, valuation), valuation)
    try:
        number = "".join(text.split())
        return _years_of_number(float(number), valuation) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _years_of_label(label: str) -> float | None:
    """Of "ON" or "1Y6M"; None of other text, and of a forward start such as "1Y1Y"."""
    text = "".join(label.upper().translate(_UNACCENTED).split())
    text = text if text.isascii() else _UNIT.sub(lambda unit: _EAST_ASIAN[unit.group()], text)
    if text in _OVERNIGHT:
        return _OVERNIGHT[text] / DAYS_PER_YEAR
    parts = list(_PART.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        return None
    if not all(part[2] in TENOR_WORDS for part in parts):
        return None
    units = [YEARS_IN_A[TENOR_WORDS[part[2]]] for part in parts]
    if any(left <= right for left, right in pairwise(units)):
        return None
    numbers = [float(part[1].replace(",", ".")) for part in parts]
    return sum(number * unit for number, unit in zip(numbers, units, strict=True))


def _years_to(expiry: date, valuation: date | None) -> float:
    if valuation is None:
        raise LabelError(f"tenor {expiry} is a date; expected a label such as 1M, or a valuation date too")
    return years_between(valuation, expiry)


def _standard_labels() -> dict[str, float]:
    labels = ["ON", *(f"{n}D" for n in range(2, 7)), *(f"{n}W" for n in range(1, 4))]
    labels += [f"{n}M" for n in (*range(1, 12), *range(13, 24))] + [f"{n}Y" for n in range(1, 101)]
    return {label: parse_tenor(label) for label in labels}


_STANDARD = _standard_labels()


def tenor_label(years: float, tolerance: float = 0.02) -> str:
    """The nearest standard label ("ON", "1W", "1M", "18M", "2Y") within a relative `tolerance`, or "0.37Y".

    Raises LabelError where years is not in [1e-9, 100].
    """
    years = parse_tenor(years)
    label = min(_STANDARD, key=lambda name: abs(math.log(years) - math.log(_STANDARD[name])))
    return label if abs(years / _STANDARD[label] - 1) <= tolerance else f"{years:.3g}Y"
