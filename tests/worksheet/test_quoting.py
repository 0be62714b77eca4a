"""VOLQUOTES with a desk's own convention: of a pair that is not listed, or in the place of the usual."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from voladdin.cells import parse
from voladdin.conventions import Convention, smile_from_quotes, surface_from_quotes
from voladdin.errors import InputError, LabelError
from voladdin.worksheet.registry import FUNCTIONS, evaluate

TENORS = ["3M", "2Y"]
QUOTES: dict[str, list[float]] = {
    "atm": [0.14, 0.155],
    "rr25": [0.031, 0.036],
    "bf25": [0.006, 0.007],
    "rr10": [0.056, 0.067],
    "bf10": [0.021, 0.024],
}
DOMESTIC, FOREIGN, SPOT = 0.062, 0.043, 607.5
OWN = list(itertools.product(("spot", "forward"), ("base", "quote"), ("dns", "forward")))


def quoted(**given: Any) -> list[list[Any]]:
    columns = {name: [[value] for value in values] for name, values in (QUOTES | {"tenors": TENORS}).items()}
    given = columns | {"domestic": DOMESTIC, "foreign": FOREIGN, "spot": SPOT} | given
    return evaluate("VOLQUOTES", [given.get(a.name) for a in FUNCTIONS["VOLQUOTES"].arguments])


@pytest.mark.parametrize("butterfly", ["broker", "smile"])
@pytest.mark.parametrize(("delta", "premium", "at_money"), OWN)
def test_a_pair_that_is_not_listed(delta: Any, premium: str, at_money: Any, butterfly: Any) -> None:
    cells = quoted(pair="USDXAF", delta=delta, premium=premium, at_money=at_money, butterfly=butterfly)
    own = Convention(delta, premium == "base", at_money, butterfly)
    rates = {"domestic_rates": DOMESTIC, "foreign_rates": FOREIGN}
    expected = surface_from_quotes(TENORS, **QUOTES, pair=own, spot=SPOT, **rates)
    assert cells[0] == ["USDXAF", "10P", "25P", "ATM", "25C", "10C"]
    np.testing.assert_allclose([row[1:] for row in cells[1:]], expected.vols, rtol=1e-12)
    assert parse(cells).surface.deltas is not None  # what other functions read of it


def test_forward_deltas_without_premium_are_the_quotes_themselves() -> None:
    """Each wing is ATM + butterfly ± half the risk reversal; a straddle of delta 0 lies at delta 0.5."""
    cells = quoted(pair="USDXAF", delta="forward", premium="quote", at_money="dns", butterfly="smile")
    atm, rr25, bf25, rr10, bf10 = map(np.array, QUOTES.values())
    wings = [atm + bf10 - rr10 / 2, atm + bf25 - rr25 / 2, atm, atm + bf25 + rr25 / 2, atm + bf10 + rr10 / 2]
    np.testing.assert_allclose([row[1:] for row in cells[1:]], np.transpose(wings), rtol=1e-12)


def test_premium_adjusted_spot_deltas_are_those_of_quantlib() -> None:
    """The quoted strikes of QuantLib have the quoted vols on the smile that the sheet's grid is of."""
    said = Convention("spot", premium_adjusted=True, atm="dns", butterfly="smile")
    rates = {"domestic_rates": DOMESTIC, "foreign_rates": FOREIGN}
    smile = smile_from_quotes(TENORS, **QUOTES, pair=said, spot=SPOT, **rates)
    cells = quoted(pair="USDXAF", delta="spot", premium="base", at_money="dns", butterfly="smile")
    vols = smile.vol_at_delta(np.array([0.9, 0.75, 0.5, 0.25, 0.1]))
    np.testing.assert_allclose([row[1:] for row in cells[1:]], vols, rtol=1e-12)
    for i, years in enumerate((0.25, 2.0)):
        call, put = (QUOTES["atm"][i] + QUOTES["bf25"][i] + s * QUOTES["rr25"][i] / 2 for s in (1, -1))
        discounts = np.exp(-np.array([DOMESTIC, FOREIGN]) * years)
        forward = SPOT * discounts[1] / discounts[0]
        for side, vol in ((ql.Option.Call, call), (ql.Option.Put, put)):
            kind, total = ql.DeltaVolQuote.PaSpot, vol * np.sqrt(years)
            calculator = ql.BlackDeltaCalculator(side, kind, SPOT, *map(float, discounts), float(total))
            strike = calculator.strikeFromDelta(0.25 if side == ql.Option.Call else -0.25)
            moneyness = np.full((len(TENORS), 1), np.log(strike / forward))
            assert smile.vol(moneyness)[i, 0] == pytest.approx(vol, abs=1e-9)


def test_one_word_replaces_the_usual_of_a_listed_pair() -> None:
    usual, told = quoted(pair="USDJPY"), quoted(pair="USDJPY", premium="base")
    assert told == usual
    other = quoted(pair="USDJPY", premium="quote")
    assert other != usual
    full = quoted(pair="USDJPY", delta="spot", premium="quote", at_money="dns")
    assert full[1] == other[1] and full[2] != other[2]  # at 2Y the usual delta is the forward's


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"pair": "USDXAF"}, LabelError, "'USDXAF' .* the arguments delta, premium, at_money"),
        ({"pair": "USDXAF", "delta": "spot"}, LabelError, "the arguments premium, at_money"),
        (
            {"pair": "USD"} | dict(zip(("delta", "premium", "at_money"), OWN[0], strict=True)),
            LabelError,
            "'USD'",
        ),
        ({"delta": "fwd"}, InputError, "delta is 'fwd'; expected one of spot, forward"),
        ({"premium": "EUR"}, InputError, "premium is 'EUR'; expected one of base, quote"),
        ({"at_money": 7.0}, InputError, "at_money is 7.0"),
    ],
)
def test_what_is_refused(given: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        quoted(**given)


def test_a_spot_of_0_is_a_blank_cell_of_calc() -> None:
    quotes = [[[8.0], [8.5]], [[-0.3], [-0.4]], [[0.2], [0.3]], None, None, [["1M"], ["3M"]], "EURUSD"]
    assert evaluate("VOLQUOTES", [*quotes, None, 0.0]) == evaluate("VOLQUOTES", quotes)
