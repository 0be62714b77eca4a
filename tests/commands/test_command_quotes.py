"""The commands on a table of ATM, risk reversals and butterflies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.sheets import FILL_NUMBER, run
from tests.stubs import calc
from voladdin.worksheet.registry import evaluate

TABLE: list[list[Any]] = [
    ["EURUSD", "ATM", "25RR", "25BF", "10RR", "10BF"],
    ["1W", 8.1, -0.2, 0.2, -0.4, 0.7],
    ["1M", 8.2, -0.35, 0.22, None, None],
    ["1Y", None, -0.6, 0.25, -1.15, 0.9],
    ["2Y", 9.1, -0.8, 0.26, -1.6, 0.95],
]


def test_fill_writes_the_missing_quotes_and_nothing_else() -> None:
    document = calc.opened({"S": {"B3": TABLE}}, "C4")
    before = calc.state(document)
    assert run(document, "fill").startswith("filled 3 quotes of S!B3:G7 (fx")
    found = calc.values(document, "B3:G7")
    for row, given in zip(found, TABLE, strict=True):
        assert [a for a, b in zip(row, given, strict=True) if b is not None] == [
            b for b in given if b is not None
        ]
    assert found[2][4] < 0 < found[2][5] and 8.2 < found[3][1] < 9.1
    filled = evaluate("VOLIMPUTE", [TABLE])
    again = evaluate("VOLQUOTES", [found])
    assert again[2][1] == pytest.approx(filled[2][1], abs=0.02)  # a wing more in the market strangle
    assert calc.attribute(document, "F5", "fill") == [[FILL_NUMBER]]
    run(document, "fill")  # what was filled is filled anew
    assert calc.values(document, "B3:G7") == found
    run(document, "clear")
    assert calc.state(document) == before


def test_check_colours_the_quotes_that_a_vol_is_made_of() -> None:
    broken = [list(row) for row in TABLE[:3]]
    broken[2] = ["1M", 3.0, -0.1, 0.1, -0.2, 0.3]  # less variance than a week before
    document = calc.opened({"S": {"A1": broken}}, "B2")
    assert "has static arbitrage" in run(document, "check")
    fills = calc.attribute(document, "A1:F3", "fill")
    assert fills[1][1] is not None and fills[0] == [None] * 6
    assert any(fill is not None for fill in fills[1][2:])


def test_repair_writes_vols_beside_the_table() -> None:
    broken = [list(row) for row in TABLE[:3]]
    broken[2] = ["1M", 3.0, -0.1, 0.1, -0.2, 0.3]
    document = calc.opened({"S": {"A1": broken}}, "B2")
    assert run(document, "repair").startswith("repaired S!A1:F3 at S!H1")
    repaired = calc.values(document, "H2:M4")
    assert repaired[0] == ["EURUSD", "10P", "25P", "ATM", "25C", "10C"]
    assert evaluate("VOLCHECK", [repaired]) == [[True]]
