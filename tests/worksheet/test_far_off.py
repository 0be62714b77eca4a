"""Forwards, strikes and priors that belong to another market or unit are named."""

from __future__ import annotations

from typing import Any

import pytest

from voladdin.cells import Cells
from voladdin.worksheet.registry import evaluate


def on_strikes(
    one: Any = 1.081, year: Any = 1.1, top: tuple[Any, ...] = ("K=1.05", "K=1.08", "K=1.11")
) -> Cells:
    return [["", "Fwd", *top], ["1M", one, 8.9, 8.2, 8.6], ["1Y", year, 9.4, 8.9, 9.0]]


def said() -> str:
    return str(evaluate("VOLINFO", ["error"]))


@pytest.mark.parametrize(("one", "year"), [(10810.0, 11000.0), (10.81, 1.1), (0.925, 1.1), (108.1, 110.0)])
def test_forwards_far_from_every_strike_are_named(one: float, year: float) -> None:
    evaluate("VOLIMPUTE", [on_strikes(one, year)])
    assert f"the forward {one:g} of 0.08333 years is" in said()
    assert ("1 years is" in said()) == (year > 2)


def test_forwards_among_the_strikes_and_far_wings_are_not() -> None:
    evaluate("VOLIMPUTE", [on_strikes()])
    assert "standard deviations" not in said()
    wide = [
        ["", "Fwd", "K=0.6", "K=1.08", "K=2"],
        ["1M", 1.081, None, 8.2, 30.0],
        ["1Y", 1.1, 20.0, 8.9, 19.0],
    ]
    evaluate("VOLIMPUTE", [wide])
    assert "from its nearest strike" not in said()


@pytest.mark.parametrize("strike", [25, 0.25, 108, "K=10800"])
def test_a_strike_that_is_no_strike_of_the_grid_is_named(strike: Any) -> None:
    evaluate("VOLINTERP", [on_strikes(), "1M", strike])
    assert "standard deviations from the forward 1.081; 25C is a delta" in said()
    evaluate("VOLINTERP", [on_strikes(), "1M", 1.12])
    assert "standard deviations" not in said()


def test_a_prior_of_another_pair_is_named() -> None:
    body = [["1W", 8.9, 8.1, 8.3], ["1M", 9.3, None, 8.3]]
    grid, prior = ([[pair, "25P", "ATM", "25C"], *body] for pair in ("EURUSD", "USDJPY"))
    evaluate("VOLIMPUTE", [grid, None, prior])
    assert "prior: it is of USDJPY, and the surface of EURUSD" in said()
    evaluate("VOLIMPUTE", [grid, None, grid])
    assert "it is of" not in said()
