"""The commands on a grid of normal vols in basis points."""

from __future__ import annotations

from typing import Any

from tests.commands.sheets import run
from tests.stubs import calc

GRID: list[list[Any]] = [
    ["bp vols", "ATM-100", "ATM-50", "ATM", "ATM+50", "ATM+100"],
    ["1Y", 80.0, 76.0, None, 75.0, 78.0],
    ["5Y", 82.0, 78.0, 76.0, 77.0, 80.0],
]


def test_fill_check_and_repair() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    assert run(document, "fill").startswith("filled 1 hole of S!A1:F3")
    assert 70 < calc.values(document, "D2")[0][0] < 76
    note = calc.attribute(document, "D2", "note")[0][0]
    assert note.startswith("±") and " bp, voladdin universal" in note
    assert run(document, "check").startswith("no static arbitrage among the 10 quotes")
    broken = [list(row) for row in GRID]
    broken[2][3] = 120.0
    document = calc.opened({"S": {"A1": broken}}, "B2")
    assert "has static arbitrage" in run(document, "check")
    assert run(document, "repair").startswith("repaired S!A1:F3 at S!H1 (normal)")
    assert calc.values(document, "K4")[0][0] < 100
