"""A line of header cells to tenors in years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import parse_tenor
from ..labels.contracts import contract_expiry, is_contract, parse_contract
from ..labels.dates import day_of
from ..labels.tenors import YEARS_IN_A
from ._axes import TENORS_EXPECTED, check_monotone, plain_number
from ._tenor_dates import dated, expiry_of, valuation_for
from ._tenor_units import read_unit
from ._values import Cell, Label, is_blank, is_date, read_date
from ._words import TenorUnit

_SHOWN = 8


class Tenors(NamedTuple):
    """years: [T], 0 or less where the expiry is today. unit: of the plain numbers, None without any.
    valuation: a moment where the expiries have times of day, else a date. notes: what contract months count
    to, and dates that may be months."""

    years: FloatArray
    unit: TenorUnit | None
    valuation: date | None
    notes: tuple[str, ...] = ()

    def said(self, unit: TenorUnit | None) -> list[str]:
        """The notes, and what plain numbers were read as where `unit`, of the sheet, does not say it."""
        if self.unit in (None, "years") or unit is not None:
            return list(self.notes)
        corner = 'a corner such as "Years" or the argument tenors says otherwise'
        return [*self.notes, f"tenors read as {self.unit}; {corner}"]


def tenor_axis(
    labels: Sequence[Label],
    valuation: date | None,
    unit: TenorUnit | None = None,
    notes: list[str] | None = None,
) -> FloatArray:
    """[T] years of the header cells, above 0 and increasing. unit: what is said of plain numbers; notes: gets
    what was assumed.

    Raises LabelError naming the cell, the two cells that repeat or are out of order, or the readings of plain
    numbers.
    """
    line = read_tenor_line(labels, valuation, unit)
    years = line.years
    if notes is not None:
        notes += line.said(unit)
    for label, number in zip(labels, years.tolist(), strict=True):
        if number <= 0:
            raise LabelError(f"{_as_date(label)}, today; expected a later expiry")
    return years


def read_tenor_line(labels: Sequence[Label], valuation: date | None, unit: TenorUnit | None = None) -> Tenors:
    """Years of a line of tenors; unit: what is said of its plain numbers.

    Raises LabelError as `tenor_axis`, but an expiry of today is 0.
    """
    labels = dated(labels)
    valuation = valuation_for(labels, valuation)
    plain = {i: number for i, label in enumerate(labels) if (number := _plain_tenor(label)) is not None}
    years = {i: _tenor(label, valuation) for i, label in enumerate(labels) if i not in plain}
    found = read_unit(plain, years, unit) if plain else None
    for i, number in plain.items():
        years[i] = _scaled(labels[i], number, YEARS_IN_A[found or "years"])
    axis = np.array([years[i] for i in range(len(labels))])
    check_monotone([_as_date(label) for label in labels], axis, "tenors", increasing=True)
    return Tenors(axis, found, valuation, expiry_notes([label.cell for label in labels], valuation))


def expiry_notes(cells: Sequence[Cell], valuation: date | None) -> tuple[str, ...]:
    """What the contract months among tenors count to, and dates that a sheet may have made of months."""
    if valuation is None:
        return ()
    some = list(dict.fromkeys(cells))
    return (*_contract_notes(some, valuation), *_month_notes(some, day_of(valuation)))


def _month_notes(cells: Sequence[Cell], today: date) -> list[str]:
    """Of one day of the month, 1 or that of a year: what a sheet makes of Mar-2027, or of Mar-27."""
    days = [day_of(found) for cell in cells if (found := read_date(cell)) is not None]
    common = {day.day for day in days}
    years = {today.year % 100, today.year % 100 + 1} if len(days) > 2 else set()
    if len(days) < 2 or len(common) > 1 or common == {today.day} or not common <= {1, *years}:
        return []
    return [
        f"every expiry is on day {common.pop()} of its month, which a sheet makes of a month: read as that "
        "day; text such as IMM Mar-27 is a contract month"
    ]


def _contract_notes(cells: Sequence[Cell], valuation: date) -> tuple[str, ...]:
    """A note for each rule."""
    days: dict[str, list[str]] = {}
    for cell in (cell for cell in cells if isinstance(cell, str) and is_contract(cell)):
        contract = parse_contract(cell)
        if contract is not None:
            days.setdefault(contract.rule, []).append(f"{cell} to {contract_expiry(contract, valuation)}")
    return tuple(
        f"contract months count to {rule} ({', '.join(each[:_SHOWN])}); a date in the cell says otherwise"
        for rule, each in days.items()
    )


def _plain_tenor(label: Label) -> float | None:
    """The label's number where it is neither a date nor negative; raises LabelError where it is none."""
    if isinstance(label.cell, bool) or is_blank(label.cell):
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}")
    number = None if is_date(label.cell) else plain_number(label)
    if number is not None and number < 0:
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}")
    return number


def _scaled(label: Label, number: float, years: float) -> float:
    if number == 0:
        return 0.0
    try:
        return parse_tenor(number * years)
    except LabelError:
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}") from None


def _tenor(label: Label, valuation: date | None) -> float:
    """Years of a label or a date."""
    expiry = expiry_of(label.cell, valuation) if is_date(label.cell) else None
    if expiry is not None and valuation is None:
        raise LabelError(
            f"{_as_date(label)}, a date; expected the valuation date in the corner cell of the range"
        )
    if expiry is not None and valuation is not None and day_of(expiry) == day_of(valuation):
        return _today(expiry, valuation)
    if valuation is None and isinstance(label.cell, str) and is_contract(label.cell):
        parse_contract(label.cell)
        raise LabelError(
            f"{label}, a contract month; expected the valuation date in the corner cell of the range"
        )
    try:
        return float(parse_tenor(expiry or str(label.cell), valuation))
    except LabelError as error:
        if isinstance(label.cell, str) and is_contract(label.cell):
            raise LabelError(f"{label}: {error}") from None
        if expiry is not None:
            raise LabelError(
                f"{_as_date(label)}; expected a date after the valuation date {valuation}"
            ) from None
        raise LabelError(f"{label}; expected {TENORS_EXPECTED}") from None


def _as_date(label: Label) -> Label:
    """A serial number as the sheet shows it."""
    return label._replace(cell=read_date(label.cell) or label.cell)


def _today(expiry: date, valuation: date) -> float:
    try:
        return float(parse_tenor(expiry, valuation))
    except LabelError:
        return 0.0
