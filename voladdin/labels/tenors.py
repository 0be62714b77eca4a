"""Tenor labels: "1M", "18M", "ON", a date or a number of years, to year fractions and back."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from ..errors import LabelError

DAYS_PER_YEAR = 365.0
MAX_YEARS = 100.0

_EXPECTED = "expected a tenor such as ON, 1W, 1M, 18M, 1Y, a number of years, or a date with a valuation date"
_OVERNIGHT = {"ON": 1, "O/N": 1, "TN": 2, "T/N": 2, "SN": 3, "S/N": 3}
_UNITS = {
    "D": 1 / DAYS_PER_YEAR, "DAY": 1 / DAYS_PER_YEAR,
    "W": 7 / DAYS_PER_YEAR, "WK": 7 / DAYS_PER_YEAR, "WEEK": 7 / DAYS_PER_YEAR,
    "M": 1 / 12, "MO": 1 / 12, "MTH": 1 / 12, "MONTH": 1 / 12,
    "Y": 1.0, "YR": 1.0, "YEAR": 1.0,
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(DAY|D|WEEK|WK|W|MONTH|MTH|MO|M|YEAR|YR|Y)S?", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_TIME = r"(?:T?\d\d:\d\d(?::\d\d)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})(?:([-/])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))" + _TIME, re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})-?(" + "|".join(_MONTHS) + r")-?(\d{4}|\d\d)" + _TIME, re.ASCII)
_EXCEL_EPOCH = date(1899, 12, 30)


def parse_tenor(label: str | float | date, valuation: date | None = None) -> float:
    """Years to expiry of a tenor label, case and space insensitive.

    label: "ON" (1 day), "TN" (2), "SN" (3), "3D", "1W" (7/365), "1M" (1/12), "18M", "1Y6M" (not "1Y1Y", a
        forward start), "1.5Y"; a number or number text is years; a date ("2026-03-20", "20-Mar-26", a date
        object, or an Excel serial number) is ACT/365 from `valuation`. Dates such as 03/04/2026 are ambiguous
        and not accepted.
    valuation: the date that dates are counted from.

    Raises LabelError where the label is none of these, is not in (0, 100] years, or is a date without
    `valuation`.
    """
    years = _years(label, valuation)
    if years is None:
        raise LabelError(f"tenor {label!r} is not understood; {_EXPECTED}")
    if not 0 < years <= MAX_YEARS:
        raise LabelError(f"tenor {label!r} is {years:g} years; expected above 0, at most {MAX_YEARS:g}")
    return years


def _years(label: object, valuation: date | None) -> float | None:
    if isinstance(label, str):
        return _years_of_text("".join(label.split()).upper(), valuation)
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
    if valuation is not None and 10_000 <= number < 100_000:
        return _years_to(_EXCEL_EPOCH + timedelta(days=int(number)), valuation)
    return number


@lru_cache(maxsize=4096)
def _years_of_text(text: str, valuation: date | None) -> float | None:
    if text in _OVERNIGHT:
        return _OVERNIGHT[text] / DAYS_PER_YEAR
    parts = list(_PART.finditer(text))
    if parts and "".join(part.group() for part in parts) == text:
        units = [_UNITS[part[2]] for part in parts]
        if any(left <= right for left, right in pairwise(units)):
            return None
        return sum(float(part[1]) * unit for part, unit in zip(parts, units, strict=True))
    expiry = _date_of_text(text)
    if expiry is not None:
        return _years_to(expiry, valuation)
    try:
        return _years_of_number(float(text), valuation) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _date_of_text(text: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = int(found[1]), int(found[3] or found[5]), int(found[4] or found[6])
    elif found := _DAY_FIRST.fullmatch(text):
        year, month, day = int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1])
    else:
        return None
    try:
        return date(year if year >= 100 else year + 2000, month, day)
    except ValueError:
        return None


def _years_to(expiry: date, valuation: date | None) -> float:
    if valuation is None:
        raise LabelError(f"tenor {expiry} is a date; expected a label such as 1M, or a valuation date too")
    return (_day(expiry) - _day(valuation)).days / DAYS_PER_YEAR


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _standard_labels() -> dict[str, float]:
    labels = ["ON", *(f"{n}D" for n in range(2, 7)), *(f"{n}W" for n in range(1, 4))]
    labels += [f"{n}M" for n in (*range(1, 12), *range(13, 24))] + [f"{n}Y" for n in range(1, 101)]
    return {label: parse_tenor(label) for label in labels}


_STANDARD = _standard_labels()


def tenor_label(years: float, tolerance: float = 0.02) -> str:
    """The nearest standard label ("ON", "1W", "1M", "18M", "2Y") within a relative `tolerance`, or "0.37Y".

    Raises LabelError where years is not in (0, 100].
    """
    years = parse_tenor(years)
    label = min(_STANDARD, key=lambda name: abs(math.log(years) - math.log(_STANDARD[name])))
    return label if abs(years / _STANDARD[label] - 1) <= tolerance else f"{years:.3g}Y"
