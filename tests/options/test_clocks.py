"""AM and PM settlement, calendar and business days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from voladdin.cells import Cells, ExpiryClock, parse_options
from voladdin.errors import InputError
from voladdin.worksheet.registry import evaluate

FRIDAY = date(2026, 1, 2)
EXPIRY = date(2026, 1, 16)


def rows(*heads: str, expiry: Any = EXPIRY, **columns: Any) -> Cells:
    table: Cells = [["Expiry", "Strike", "Type", "Bid", "Ask", *heads]]
    for strike, call, put in ((99.0, 3.1, 2.0), (100.0, 2.5, 2.4), (101.0, 2.0, 2.9)):
        for side, price in (("C", call), ("P", put)):
            table.append([expiry, strike, side, price, price + 0.1, *(columns[head] for head in heads)])
    return table


def years(table: Cells, valuation: date = FRIDAY, **clock: Any) -> float:
    return float(parse_options(table, valuation, clock=ExpiryClock(**clock)).options.years[0])


def test_an_expiry_at_the_open_is_a_session_nearer() -> None:
    assert years(rows()) == 14 / 365
    assert years(rows(), am=True) == pytest.approx((14 - 6.5 / 24) / 365, rel=1e-12)
    assert years(rows("AM/PM", **{"AM/PM": "AM"})) == years(rows(), am=True)
    assert years(rows("AM/PM", **{"AM/PM": "pm"}), am=True) == 14 / 365


def test_a_valuation_with_a_time_counts_to_the_minute() -> None:
    noon = datetime(2026, 1, 2, 12)
    assert years(rows(), noon) == pytest.approx((14 + 4 / 24) / 365, rel=1e-12)
    assert years(rows(), noon, am=True) == pytest.approx((14 - 2.5 / 24) / 365, rel=1e-12)
    timed = datetime(2026, 1, 16, 13)
    assert years(rows(expiry=timed), noon, am=True) == pytest.approx((14 + 1 / 24) / 365, rel=1e-12)


def test_business_days_over_252() -> None:
    assert years(rows(), clock="business") == 10 / 252
    assert years(rows(), clock="business", am=True) == 9 / 252
    assert years(rows(expiry=date(2026, 1, 5)), clock="business") == 1 / 252


def test_the_arguments_of_volgrid() -> None:
    plain = evaluate("VOLGRID", [rows(), "forwards", FRIDAY])
    said = evaluate("VOLGRID", [rows(), "forwards", FRIDAY, *[None] * 7, "AM", "business"])
    assert plain[1][1] == 14 / 365 and said[1][1] == 9 / 252
    days = [["Days", *row[1:]] if i == 0 else [14.0, *row[1:]] for i, row in enumerate(rows())]
    assert evaluate("VOLGRID", [days, "forwards", *[None] * 8, "am"])[1][1] < 14 / 365
    with pytest.raises(InputError, match="clock is 'business', and the list has days; expected dates"):
        evaluate("VOLGRID", [days, "forwards", *[None] * 9, "business"])
    with pytest.raises(InputError, match="settlement is 'noon'; expected one of pm, am"):
        evaluate("VOLGRID", [rows(), None, FRIDAY, *[None] * 7, "noon"])
    with pytest.raises(InputError, match=r"cell F2 .* is 'noon'; expected AM or PM"):
        evaluate("VOLGRID", [rows("AM/PM", **{"AM/PM": "noon"}), None, FRIDAY])
