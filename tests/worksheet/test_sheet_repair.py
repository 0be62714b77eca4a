"""VOLREPAIR: what the sheet gets, what is kept, and what it says of bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voladdin.errors import InfeasibleError, InputError
from voladdin.worksheet.registry import evaluate

CROSSED: list[list[Any]] = [
    ["", "25P", "ATM", "25C"],
    ["1M", 0.20, 0.19, 0.20],
    ["3M", 0.095, 0.09, 0.095],
    ["1Y", 0.11, None, 0.11],
]
CLEAN: list[list[Any]] = [["", "25P", "ATM", "25C"], ["1M", 0.10, 0.09, 0.10], ["3M", 0.105, 0.095, 0.105]]
STRIKES = [["", "K=0.9", "K=1", "K=1.1"], ["1M", 0.2, 0.19, 0.2], ["1Y", 0.04, 0.04, 0.04]]


def repaired(cells: list[list[Any]], *arguments: Any) -> list[list[Any]]:
    return evaluate("VOLREPAIR", [cells, *arguments])


def test_the_repaired_grid_passes_volcheck_and_keeps_its_headers_and_holes() -> None:
    cells = repaired(CROSSED)
    assert evaluate("VOLCHECK", [CROSSED]) == [[False]]
    assert evaluate("VOLCHECK", [cells]) == [[True]]
    assert cells[0] == CROSSED[0] and [row[0] for row in cells] == [row[0] for row in CROSSED]
    assert cells[3][2] == ""


def test_a_grid_without_arbitrage_comes_back_as_it_is() -> None:
    assert repaired(CLEAN) == CLEAN
    assert evaluate("VOLREPAIR", [CLEAN, "report"])[0] == ["method", "none"]


def test_percent_points_and_transposed_grids_come_back_as_they_came() -> None:
    percent = [[100 * cell if isinstance(cell, float) else cell for cell in row] for row in CROSSED]
    turned = [list(column) for column in zip(*CROSSED, strict=True)]
    expected = repaired(CROSSED)
    for cells in (repaired(percent), [list(column) for column in zip(*repaired(turned), strict=True)]):
        scale = 100 if cells[1][1] > 1 else 1
        for row, wanted in zip(cells[1:], expected[1:], strict=True):
            for cell, want in zip(row[1:], wanted[1:], strict=True):
                assert cell == want == "" or cell == pytest.approx(scale * want, abs=1e-8)


def test_change_is_the_move_of_each_cell_in_bp() -> None:
    cells, change = repaired(CROSSED), repaired(CROSSED, "change")
    moves = [1e4 * (cells[i][j] - CROSSED[i][j]) for i in (1, 2) for j in (1, 2, 3)]
    assert [change[i][j] for i in (1, 2) for j in (1, 2, 3)] == pytest.approx(moves, abs=1e-8)
    assert np.abs(moves).max() > 100
    assert change[3][2] == ""


def test_report_says_how_what_and_where() -> None:
    report = dict(map(tuple, repaired(CROSSED, "report")))
    assert report["method"] in ("prices", "vols", "envelope")
    assert report["cells moved"] >= 3
    assert report["largest move, bp"] > 100
    assert report["at"][0] in "BCD"
    assert report["what had to give"]


@pytest.mark.parametrize("whole", [True, False])
def test_fixed_quotes_stay(whole: bool) -> None:
    marks: list[list[Any]] = [["", "", "", ""], ["", "x", True, 1], ["", 0, False, ""], [""] * 4]
    fixed = marks if whole else [row[1:] for row in marks[1:]]
    cells = repaired(CROSSED, None, None, None, None, None, None, None, fixed)
    assert cells[1] == CROSSED[1]
    assert evaluate("VOLCHECK", [cells]) == [[True]]


def test_fixed_quotes_that_arbitrage_are_num_and_named() -> None:
    fixed = [["x", "", ""], ["x", "", ""], ["", "", ""]]
    with pytest.raises(InfeasibleError, match=r"1M 25P") as caught:
        repaired(CROSSED, None, None, None, None, None, None, None, fixed)
    assert caught.value.cell_error == "#NUM!"


def test_quotes_move_inside_bid_and_ask_where_they_can() -> None:
    bid, ask = ([[c * k if isinstance(c, float) else c for c in row] for row in CLEAN] for k in (0.98, 1.02))
    vols = [list(row) for row in CLEAN]
    vols[1][2] = 0.0915
    cells = repaired(vols, None, None, None, None, None, bid, ask)
    assert evaluate("VOLCHECK", [cells]) == [[True]]
    for i in (1, 2):
        for j in (1, 2, 3):
            assert bid[i][j] - 1e-12 <= cells[i][j] <= ask[i][j] + 1e-12


@pytest.mark.parametrize(
    ("cells", "arguments", "message"),
    [
        (CROSSED, ("half",), "output is 'half'; expected one of repaired, change, report"),
        (CROSSED, (None, None, None, None, None, None, None, [["x", ""]]), "fixed: a range of 1 x 2 cells"),
        (
            CROSSED,
            (None, None, None, None, None, None, None, [["", "", ""], ["", "", ""], ["", "x", ""]]),
            "fixed: it marks C4 of the surface, which holds no vol",
        ),
        (CROSSED, (None, None, None, None, None, CROSSED), "ask is missing"),
        (
            CROSSED,
            (None,) * 7 + ([["", "#REF!", ""]] * 3,),
            "cell B1 of the fixed is '#REF!'; expected a mark",
        ),
        (CROSSED, (None,) * 8 + ("maybe",), "keep_features is 'maybe'; expected TRUE or FALSE"),
        (STRIKES, (), "strikes need forwards"),
        ([["", "25P"], ["1M", "n/a"]], (), "hold no vol"),
    ],
)
def test_bad_input_is_named(cells: Any, arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        repaired(cells, *arguments)


@pytest.mark.parametrize("name", ["VOLCHECK", "VOLREPAIR"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_bid_above_its_ask_is_named_by_cell_and_in_its_unit(name: str, turned: bool) -> None:
    surface = [[100 * cell if isinstance(cell, float) else cell for cell in row] for row in CLEAN]
    ask = [list(row) for row in surface]
    ask[2][1] = 10.25
    if turned:
        surface, ask = ([list(column) for column in zip(*cells, strict=True)] for cells in (surface, ask))
    where = "C2" if turned else "B3"
    with pytest.raises(InputError, match=f"bid is 10.5 for {where} of the surface, above the ask 10.25"):
        evaluate(name, [surface, None, None, None, None, None, surface, ask])
