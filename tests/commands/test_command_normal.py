"""The commands on a grid of normal vols in basis points."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.commands.sheets import refused, run
from tests.stubs import calc
from voladdin.imputation.atm_matrix import impute_matrix

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


def test_suspects_are_in_basis_points_as_the_cells() -> None:
    wild = [GRID[0], GRID[1], ["2Y", 81.0, 77.0, 75.0, 76.0, 79.0], ["5Y", 82.0, 78.0, 200.0, 77.0, 80.0]]
    document = calc.opened({"S": {"A1": [*wild, ["10Y", 84.0, 80.0, 78.0, 79.0, 82.0]]}}, "B2")
    said = run(document, "suspects")
    assert said.startswith("1 suspect in S!A1:F5: D4 is 200, and the other quotes imply 7")
    report = document.sheet("voladdin suspects").cells
    quote, implied, std = (report[2, column]["value"] for column in (2, 3, 4))
    assert quote == 200.0 and 70 < implied < 80 and 0.01 < std < 10
    assert calc.attribute(document, "D4", "note")[0][0].startswith("the others imply 7")


def test_a_page_is_refused() -> None:
    refused(calc.opened({"S": {"A1": GRID}}, "B2"), "plot", "normal .Bachelier. vols; expected lognormal")


MATRIX: list[list[Any]] = [
    [None, "1Y", "5Y", "10Y"],
    ["1M", 70.0, None, 80.0],
    ["1Y", 72.0, "n/a", 75.0],
    ["5Y", None, 60.0, 61.0],
]


def test_fill_takes_an_atm_matrix() -> None:
    document = calc.opened({"S": {"B2": MATRIX}}, "C3")
    assert run(document, "fill").startswith("filled 3 holes of S!B2:E5, an ATM matrix (universal)")
    answer = impute_matrix([[70, np.nan, 80], [72, np.nan, 75], [np.nan, 60, 61]], [1 / 12, 1, 5], [1, 5, 10])
    got = np.array(calc.values(document, "C3:E5"), dtype=float)
    np.testing.assert_allclose(got, answer.mean, rtol=1e-12)
    assert calc.attribute(document, "D3", "note")[0][0].startswith("±0.")
    run(document, "fill")  # what was filled is no quote
    np.testing.assert_allclose(np.array(calc.values(document, "C3:E5"), dtype=float), got, rtol=1e-12)
    run(document, "clear")
    assert calc.values(document, "B2:E5") == MATRIX


def test_a_matrix_has_no_strikes_to_check_and_what_is_no_hole_stays() -> None:
    document = calc.opened({"S": {"B2": MATRIX}}, "C3")
    for name in ("check", "repair", "chart"):
        refused(document, name, "both headers hold tenors")
    words = [list(row) for row in MATRIX]
    words[1][2], words[2][2], words[3][1] = "see Bob", 74.0, 65.0
    document = calc.opened({"S": {"B2": words}}, "C3")
    assert (
        run(document, "fill") == "no hole to fill in S!B2:E5, an ATM matrix; left alone: D3 holds 'see Bob'"
    )
