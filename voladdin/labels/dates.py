"""Dates as a desk writes them: text in many languages, serial numbers, ACT/365."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from ..errors import LabelError

DAYS_PER_YEAR = 365.0

DayOrder = Literal["day first", "month first"]

_EPOCH = datetime(1899, 12, 30)
_MONTHS = (
    "jan janv janvier january januar januari ene enero gen gennaio",
    "feb fev fevr fevrier february februar februari febrero febbraio",
    "mar mars march mrz marz maerz marts marzo",
    "apr avr avril april abr abril aprile",
    "may mai maj mayo mag maggio",
    "jun juin june juni junio giu giugno",
    "jul juil juillet july juli julio lug luglio",
    "aug aout august augusti ago agosto",
    "sep sept september septembre septiembre set settembre",
    "oct okt october oktober octobre octubre ott ottobre",
    "nov november novembre noviembre",
    "dec dez december dezember decembre dic diciembre dicembre des desember",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_TIME = r"(?:[ t]*(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d*)?)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))" + _TIME, re.ASCII)
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)" + _TIME, re.ASCII)
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]+)[-/., ]*(\d{4}|\d\d)" + _TIME, re.ASCII)
_MONTH_FIRST = re.compile(r"([a-z]+)[-/. ]+(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d\d)" + _TIME, re.ASCII)
_EAST_ASIAN = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
_WEEKDAY = re.compile(
    r"^(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
    r"montag|dienstag|mittwoch|donnerstag|freitag|lundi|mardi|mercredi|jeudi|vendredi|lunes|martes|miercoles|"
    r"jueves|viernes)[.,]*[ -]+(?=\d)"
)
_SHORT_YEAR = 100


def month_named(word: str) -> int | None:
    """1 to 12 of a month's name in the usual languages, or None."""
    return _MONTH.get(_plain(word))


def date_of_serial(number: float) -> date:
    """The date of a serial number of the 1900 system; a datetime where it has a time of day."""
    return without_midnight(_EPOCH + timedelta(seconds=round(number * 86_400)))


def serial_of_date(moment: date) -> float:
    """The serial number of a date in the 1900 system, whose fraction is a datetime's time of day."""
    return (at_midnight(moment).replace(tzinfo=None) - _EPOCH).total_seconds() / 86_400


def without_midnight(moment: date) -> date:
    """A datetime at midnight as the date, anything else as it is."""
    if isinstance(moment, datetime):
        moment = moment.replace(tzinfo=None)
        return moment.date() if moment.time() == time() else moment
    return moment


def at_midnight(day: date) -> datetime:
    """A date as a datetime; a datetime as it is."""
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def day_of(moment: date) -> date:
    """The date of a datetime."""
    return moment.date() if isinstance(moment, datetime) else moment


def years_between(valuation: date, expiry: date) -> float:
    """ACT/365 of whole days; of the moments where the expiry is one (a datetime)."""
    if isinstance(expiry, datetime):
        return (expiry - at_midnight(valuation)).total_seconds() / (86_400 * DAYS_PER_YEAR)
    return (expiry - day_of(valuation)).days / DAYS_PER_YEAR


@lru_cache(maxsize=4096)
def date_of_text(text: str, order: DayOrder | None = None) -> date | None:
    """The date that a text writes, or None; a datetime where it has a time of day.

    text: "2026-03-20", "20260320", "20-Mar-26", "20. März 2026", "March 20, 2026", "2026年3月20日",
        "20.03.2026" (with dots the day is first); a weekday before it, a time such as "16:30" behind.
        "03/04/2026" only with its order; "20/03/2026" has but one.
    """
    plain = _plain(text)
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, day = found[1], found[3] or found[5], found[4] or found[6]
        return _date(int(year), int(month), int(day), found.groups()[-3:])
    if (found := _NAMED.fullmatch(plain)) and found[2] in _MONTH:
        return _date(int(found[3]), _MONTH[found[2]], int(found[1]), found.groups()[-3:])
    if (found := _MONTH_FIRST.fullmatch(plain)) and found[1] in _MONTH:
        return _date(int(found[3]), _MONTH[found[1]], int(found[2]), found.groups()[-3:])
    if found := _NUMBERS.fullmatch(plain):
        orders = [order] if order else day_orders(text)
        if len(orders) == 1:
            one, other = int(found[1]), int(found[3])
            day, month = (one, other) if orders[0] == "day first" else (other, one)
            return _date(int(found[4]), month, day, found.groups()[-3:])
    return None


def day_orders(text: str) -> list[DayOrder]:
    """The orders in which a text such as "03/04/2026" is a date; none where it is no such text."""
    found = _NUMBERS.fullmatch(_plain(text))
    if found is None:
        return []
    one, other = int(found[1]), int(found[3])
    orders: list[DayOrder] = []
    if one <= 31 and 1 <= other <= 12:
        orders.append("day first")
    if other <= 31 and 1 <= one <= 12 and found[2] != "." and one != other:
        orders.append("month first")
    return orders


def common_order(texts: Iterable[str]) -> DayOrder | None:
    """The one order in which all texts such as "03/04/2026" are dates; None where both remain, or none."""
    orders = [set(found) for text in texts if (found := day_orders(text)) and not _same_either_way(text)]
    common = set.intersection(*orders) if orders else set()
    return common.pop() if len(common) == 1 else None


def _same_either_way(text: str) -> bool:
    found = _NUMBERS.fullmatch(_plain(text))
    return found is not None and int(found[1]) == int(found[3])


def date_of_number(number: float) -> date | None:
    """The date of a serial number from 10000 to 99999, or of a number such as 20260320; None for others."""
    if 10_000 <= number < 100_000:
        return date_of_serial(number)
    whole = 19_000_101 <= number < 22_000_000 and number == int(number)
    return date_of_text(str(int(number))) if whole else None


def refuse_ambiguous(text: str) -> None:
    """Raises LabelError naming both dates of a text such as "03/04/2026"."""
    days = [date_of_text(text, order) for order in day_orders(text)]
    if len(days) == 2:
        both = " or ".join(f"{day.day} {day:%B %Y}" for day in days if day is not None)
        raise LabelError(f"{text!r} is {both}; expected a date such as 2026-04-03 or 3-Apr-26")


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    plain = " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
    plain = plain if plain[:1].isdigit() else _WEEKDAY.sub("", plain, count=1)
    return _EAST_ASIAN.sub(r"\1-\2-\3", plain)


def _date(year: int, month: int, day: int, clock: tuple[str | None, ...]) -> date | None:
    year = year if year >= _SHORT_YEAR else year + 2000
    hour, minute, second = (int(part or 0) for part in clock)
    try:
        return without_midnight(datetime(year, month, day, hour, minute, second))
    except ValueError:
        return None
