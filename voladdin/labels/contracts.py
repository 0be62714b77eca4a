"""Contract months as expiries: "Jan-27", "JAN27", "Z6", "CLF7", "IMM", "IMM Dec-26", "IMM2".

A month alone, a month's letter and IMM count to the third Wednesday of the month. The root of an equity index
(ESZ6) counts to its third Friday; of crude oil (CLF7) to where its options end: three business days before
the future does, which is three before the 25th of the month before (contract specifications of CME; of
holidays only Christmas and New Year's Day are known here). A year of one digit is the next that ends in it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from ..errors import LabelError
from .dates import day_of, month_named

_LETTERS = {letter: month for month, letter in enumerate("FGHJKMNQUVXZ", start=1)}
_EQUITY = ("ES", "MES", "NQ", "MNQ", "RTY", "YM", "SPX", "NDX", "OESX", "FESX", "ODAX", "FDAX")
_RATES = ("SR1", "SR3", "SFR", "ED", "GE", "ER", "FEI", "IMM")
_CRUDE = ("CL", "LO", "WTI")
_ROOT = "|".join(sorted((*_EQUITY, *_RATES, *_CRUDE), key=len, reverse=True))
_CODE = re.compile(rf"(?:({_ROOT})\s*)?([FGHJKMNQUVXZ])(\d|[0-5]\d|20\d\d)")
_MONTH = re.compile(rf"(?:({_ROOT})\s+)?([A-ZÄÉÛ]{{3,10}})\.?[-/ '’]?([0-5]\d|20\d\d)")
_IMM = re.compile(r"IMM\s*(\d{0,2})")
_DAY_OR_YEAR = re.compile(r"(\d\d)[-/ ]?([A-ZÄÉÛ]{3,10})\.?")
_NO_CODE = {"Q": "a quarter", "H": "a half-year"}
_WEDNESDAY, _FRIDAY, _SATURDAY = 2, 4, 5
_QUARTERS = (3, 6, 9, 12)


class Contract(NamedTuple):
    """root: "" for a month alone. month: 0 where `number` counts IMM dates. year: one digit, or in full."""

    root: str
    month: int
    year: int
    number: int = 0

    @property
    def rule(self) -> str:
        """The day of the month that it counts to, in words."""
        if self.root in _CRUDE:
            return "the end of its options, three business days before the future's"
        return "the third Friday" if self.root in _EQUITY else "the third Wednesday"


@lru_cache(maxsize=4096)
def parse_contract(text: str) -> Contract | None:
    """The contract that a label names, None where it names none.

    Raises LabelError for "Q1" and "H2", which are parts of a year too, and for "27-Jan", a day or a year.
    """
    plain = " ".join(text.split()).upper()
    if found := _IMM.fullmatch(plain):
        return Contract("IMM", 0, 0, int(found[1] or 1) or 1)
    if found := _CODE.fullmatch(plain):
        if not found[1] and found[2] in _NO_CODE and found[3] in "1234"[: 4 if found[2] == "Q" else 2]:
            raise LabelError(f"{text!r} is {_NO_CODE[found[2]]} or a contract month; expected such as Aug-31")
        return Contract(found[1] or "", _LETTERS[found[2]], _year(found[3]))
    if (found := _MONTH.fullmatch(plain)) and (month := month_named(found[2])):
        return Contract(found[1] or "", month, _year(found[3]))
    if (found := _DAY_OR_YEAR.fullmatch(plain)) and month_named(found[2]):
        raise LabelError(
            f"{text!r} is a day without its year or a month of 20{found[1]}; expected such as Jan-27"
        )
    return None


def is_contract(text: str) -> bool:
    """Whether a label names a contract month, be it one that is refused."""
    try:
        return parse_contract(text) is not None
    except LabelError:
        return True


def contract_expiry(contract: Contract, valuation: date) -> date:
    """The day that a contract counts to.

    A one-digit year is the first whose day is not before the valuation; IMM dates count after it.
    """
    today = day_of(valuation)
    if contract.month == 0:
        return _imm_date(today, contract.number)
    if contract.year >= 10:
        return _expiry(contract, contract.year)
    first = today.year - today.year % 10 + contract.year
    years = (first - 10, first, first + 10)
    return next(day for year in years if (day := _expiry(contract, year)) >= today)


def _year(text: str) -> int:
    return int(text) if len(text) != 2 else 2000 + int(text)


def _imm_date(today: date, number: int) -> date:
    days = [_third(today.year + n // 4, _QUARTERS[n % 4], _WEDNESDAY) for n in range(4 * (number // 4 + 2))]
    return [day for day in days if day > today][number - 1]


def _expiry(contract: Contract, year: int) -> date:
    if contract.root in _CRUDE:
        before = date(year - (contract.month == 1), (contract.month - 2) % 12 + 1, 25)
        return _business_days_before(before if _is_business(before) else _business_days_before(before, 1), 6)
    return _third(year, contract.month, _FRIDAY if contract.root in _EQUITY else _WEDNESDAY)


def _third(year: int, month: int, weekday: int) -> date:
    """The third such weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 14)


def _is_business(day: date) -> bool:
    return day.weekday() < _SATURDAY and (day.month, day.day) not in ((12, 25), (1, 1))


def _business_days_before(day: date, count: int) -> date:
    while count:
        day -= timedelta(days=1)
        count -= _is_business(day)
    return day
