"""Contract months as tenors: the day each counts to, published expiries, and what is refused by name."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voladdin.cells import Cells, parse
from voladdin.errors import InputError, LabelError
from voladdin.labels import parse_tenor
from voladdin.labels.contracts import contract_expiry, parse_contract
from voladdin.worksheet.registry import evaluate

DAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("label", "expiry"),
    [
        ("Jan-27", date(2027, 1, 20)),
        ("JAN27", date(2027, 1, 20)),
        ("janv. 2027", date(2027, 1, 20)),
        ("Dez-26", date(2026, 12, 16)),
        ("Z6", date(2026, 12, 16)),
        ("Z26", date(2026, 12, 16)),
        ("h7", date(2027, 3, 17)),
        ("X6", date(2036, 11, 19)),  # of 2026 it is over
        ("IMM", date(2026, 12, 16)),
        ("IMM3", date(2027, 6, 16)),
        ("IMM Dec-26", date(2026, 12, 16)),
        ("IMM H7", date(2027, 3, 17)),
        ("ESZ6", date(2026, 12, 18)),  # the third Friday
        ("SR3H27", date(2027, 3, 17)),
        ("CLF7", date(2026, 12, 16)),
        ("CLZ26", date(2026, 11, 17)),
        ("CL Jan-27", date(2026, 12, 16)),
        ("CLQ25", date(2025, 7, 17)),  # the future ends on 22 July 2025
    ],
)
def test_the_day_that_a_contract_counts_to(label: str, expiry: date) -> None:
    contract = parse_contract(label)
    assert contract is not None and contract_expiry(contract, DAY) == expiry
    if expiry > DAY:
        assert parse_tenor(label, DAY) == (expiry - DAY).days / 365
        assert parse_tenor(label, datetime(2026, 11, 28, 15)) == (expiry - DAY).days / 365


@given(st.dates(date(2020, 1, 1), date(2055, 12, 31)), st.sampled_from("FGHJKMNQUVXZ"), st.integers(0, 9))
def test_a_year_of_one_digit_is_the_next_that_ends_in_it(day: date, letter: str, digit: int) -> None:
    try:
        contract = parse_contract(f"{letter}{digit}")
    except LabelError:
        assert letter in "QH"
        return
    assert contract is not None
    expiry = contract_expiry(contract, day)
    assert expiry >= day and expiry.year % 10 == digit and (expiry.year - day.year) <= 10
    assert expiry.weekday() == 2 and 15 <= expiry.day <= 21


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("Q1", "'Q1' is a quarter or a contract month"),
        ("H2", "'H2' is a half-year or a contract month"),
        ("27-Jan", "'27-Jan' is a day without its year or a month of 2027"),
        ("NGF7", "'NGF7' is not understood"),
        ("Dec", "'Dec' is not understood"),
        ("Nov-26", "expected above 0"),
    ],
)
def test_what_is_refused_by_name(label: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        parse_tenor(label, DAY)


@pytest.mark.parametrize("label", ["K95", "25P", "ATM", "1M", "6M", "BOOK7", "F", "M", "EURUSD"])
def test_no_contract(label: str) -> None:
    assert parse_contract(label) is None


def grid(corner: date | None) -> Cells:
    return [[corner, "25P", "ATM", "25C"], *([t, 0.2, 0.19, 0.18] for t in ("IMM Dec-26", "Jan-27", "CLM7"))]


def test_a_grid_of_contract_months() -> None:
    read = parse(grid(DAY))
    assert read.surface.tenors.tolist() == [18 / 365, 53 / 365, 170 / 365]
    assert "third Wednesday (IMM Dec-26 to 2026-12-16, Jan-27 to 2027-01-20)" in read.warnings[0]
    assert "CLM7 to 2027-05-17" in read.warnings[1]
    assert evaluate("VOLINTERP", [grid(DAY), "Jan-27", "ATM"]) == [[0.19]]
    with pytest.raises(LabelError, match="'IMM Dec-26', a contract month; expected the valuation date"):
        parse(grid(None))
    quarters = [[DAY, "25P", "ATM"], ["Q1", 0.2, 0.19], ["Q2", 0.2, 0.19]]
    with pytest.raises(LabelError, match="'Q1' is a quarter or a contract month"):
        parse(quarters)


def test_a_list_of_options_by_contract_month() -> None:
    rows: Cells = [["expiry", "strike", "type", "bid", "ask"]]
    rows += [["Mar-27", k, side, 2.0, 2.1] for k in (100.0, 101.0) for side in "CP"]
    assert evaluate("VOLGRID", [rows, "forwards", DAY])[1][1] == pytest.approx(109 / 365)
    assert "Mar-27 to 2027-03-17" in str(evaluate("VOLINFO", ["error"]))
    with pytest.raises(InputError, match="a contract month; expected a valuation date"):
        evaluate("VOLGRID", [rows, "forwards"])
