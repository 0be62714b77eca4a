"""How the worksheet functions read numbers: of the grid and of VOLINTERP; and what VOLINFO tells of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from voladdin.errors import InputError, LabelError
from voladdin.worksheet.arguments import AxisArguments, parsed
from voladdin.worksheet.registry import evaluate

DELTAS = ["10P", "25P", "ATM", "25C", "10C"]
BODY = [[9.1, 8.4, 8.0, 8.2, 8.9], [9.3, 8.5, 8.1, 8.3, 9.0], [9.6, 8.8, 8.4, 8.5, 9.3]]
TENORS = ["1M", "3M", "1Y"]
FORWARDS = [[0.655], [0.656], [0.66]]


def grid(side: list[Any] = TENORS, top: list[Any] = DELTAS, corner: Any = "") -> list[list[Any]]:
    return [[corner, *top], *([label, *row] for label, row in zip(side, BODY, strict=True))]


def interp(cells: list[list[Any]], tenor: Any, strike: Any, **named: Any) -> float:
    order = ["tenors", "strikes", "model", "units", "forwards", "valuation", "spot", "domestic", "foreign"]
    value = evaluate("VOLINTERP", [cells, tenor, strike, *(named.get(name) for name in order)])[0][0]
    assert isinstance(value, float)
    return value


def test_a_number_beside_forwards_is_a_strike() -> None:
    labelled = interp(grid(), "2M", "K=0.6543", forwards=FORWARDS)
    assert interp(grid(), "2M", 0.6543, forwards=FORWARDS) == labelled
    assert "read as a strike" in str(evaluate("VOLINFO", ["error"]))


def test_a_number_from_spot_and_rates() -> None:
    market = {"spot": 0.6543, "domestic": [[0.05]], "foreign": [[0.03]]}
    assert interp(grid(), "2M", 0.66, **market) == interp(grid(), "2M", "K=0.66", **market)


@pytest.mark.parametrize("strike", [0.6543, 0.62, 18, 63])
def test_a_number_that_may_be_a_delta_or_a_strike_is_refused(strike: float) -> None:
    with pytest.raises(LabelError, match=r"a delta or a strike; expected .* or K="):
        interp(grid(), "2M", strike)


@pytest.mark.parametrize("strike", [0.25, 25, 0.65])
def test_usual_deltas_are_deltas(strike: float) -> None:
    call = strike if strike < 1 else strike / 100
    label = f"{100 * call:g}C" if call < 0.5 else f"{100 - 100 * call:g}P"
    assert interp(grid(), "2M", strike) == pytest.approx(interp(grid(), "2M", label), rel=1e-12)


def test_a_usual_delta_near_the_forward_is_refused() -> None:
    with pytest.raises(LabelError, match=r"25C or K=0.25"):
        interp(grid(), "2M", 0.25, forwards=[[0.26]])


def test_a_number_is_of_the_grids_own_deltas() -> None:
    own = grid(top=[0.9, 0.75, 0.5, 0.25, 0.1])
    assert interp(own, "2M", 0.6543) == pytest.approx(interp(grid(), "2M", "34.57P"), rel=1e-12)


def test_a_tenor_in_the_unit_of_the_grid() -> None:
    days = grid(side=[30, 90, 365], corner="DTE")
    assert interp(days, 45, "ATM") == interp(days, "45D", "ATM")
    with pytest.raises(LabelError, match=r"tenor is 1, years or days; expected a label such as 1Y or 1D"):
        interp(grid(side=[1, 90, 365], corner="DTE"), 1, "ATM")


def test_days_asked_of_a_grid_with_labels_are_refused() -> None:
    with pytest.raises(LabelError, match=r"tenor is 45, years or days; expected a label such as 45Y or 45D"):
        interp(grid(), 45, "ATM")


def test_moments() -> None:
    start = datetime(2026, 3, 20, 20)
    dates = grid(
        side=[datetime(2026, 3, 21, 8), datetime(2026, 3, 22, 8), datetime(2026, 3, 27, 8)], corner=start
    )
    years = grid(side=[0.5 / 365, 1.5 / 365, 6.5 / 365], corner="Years")
    assert interp(dates, datetime(2026, 3, 21, 20), "ATM") == pytest.approx(
        interp(years, 1 / 365, "ATM"), rel=1e-9
    )


def test_a_valuation_argument() -> None:
    dates = grid(side=["20.04.2026", "22.06.2026", "22.03.2027"])
    with pytest.raises(InputError, match=r"expected the valuation date"):
        evaluate("VOLIMPUTE", [dates])
    by_corner = evaluate(
        "VOLIMPUTE", [grid(side=["20.04.2026", "22.06.2026", "22.03.2027"], corner="20.03.2026"), "std"]
    )
    by_argument = evaluate("VOLIMPUTE", [dates, "std", *[None] * 7, "2026-03-20"])
    np.testing.assert_array_equal(by_argument[1][1:], by_corner[1][1:])


def test_what_was_assumed_is_told() -> None:
    evaluate("VOLIMPUTE", [grid(side=[7, 30, 90])])
    assert [
        "warning",
        'surface: tenors read as days; a corner such as "Years" or the argument tenors says otherwise',
    ] in (evaluate("VOLINFO", ["error"]))
    evaluate("VOLCHECK", [np.full((8, 5), 0.08).tolist(), None, "paper", "paper"])
    assert "pillars of the paper, as asked" in str(evaluate("VOLINFO", ["error"]))


def test_without_headers_is_refused() -> None:
    with pytest.raises(LabelError, match=r"no header was found in 8 x 5 cells; .*\"paper\""):
        evaluate("VOLIMPUTE", [np.full((8, 5), 0.08).tolist()])


def test_a_prior_and_a_bid_are_in_the_unit_of_the_surface() -> None:
    peg = [["USDHKD", *DELTAS], *([t, *(x / 15 for x in row)] for t, row in zip(TENORS, BODY, strict=True))]
    low = [["", *DELTAS], *([t, *(x / 15.5 for x in row)] for t, row in zip(TENORS, BODY, strict=True))]
    assert evaluate("VOLCHECK", [peg, None, None, None, None, None, low, peg])[0][0] in (True, False)
    assert len(evaluate("VOLIMPUTE", [peg, None, low])) == 4


def test_quotes_of_a_peg_travel_with_their_pair() -> None:
    atm, rr, bf = [[0.4], [0.55], [0.9]], [[0.02], [0.06], [0.15]], [[0.04], [0.06], [0.11]]
    made = evaluate("VOLQUOTES", [atm, rr, bf, None, None, [["1W"], ["1M"], ["6M"]], "USDHKD"])
    percent = evaluate(
        "VOLQUOTES", [atm, rr, bf, None, None, [["1W"], ["1M"], ["6M"]], "USDHKD", *[None] * 5, "percent"]
    )
    assert made == percent and made[0][0] == "USDHKD"
    assert evaluate("VOLINTERP", [made, "2M", "ATM"]) == evaluate(
        "VOLINTERP", [made, "2M", "ATM", None, None, None, "percent"]
    )


def test_a_range_is_read_once() -> None:
    """Whoever asks again; TRUE in place of 1, and other units, are another range."""
    cells: list[list[Any]] = [["", "25P", "ATM", "25C"], ["1M", 8.0, 7.5, 7.8], ["1Y", 1, 9.0, 9.2]]
    first = parsed(cells, AxisArguments(), None)
    assert parsed([list(row) for row in cells], AxisArguments(), None) is first
    assert parsed(cells, AxisArguments(units="percent"), None) is not first
    cells[2][1] = True
    with pytest.raises(InputError, match="TRUE"):
        parsed(cells, AxisArguments(), None)
    assert first.raw[2][1] is not True
