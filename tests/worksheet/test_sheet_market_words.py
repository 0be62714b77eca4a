"""VOLFEATURES and VOLSHIFT in the market's words, in the unit of the grid."""

from __future__ import annotations

from typing import Any

import pytest

from voladdin.errors import InputError, UnitsError
from voladdin.worksheet.registry import evaluate

ROWS = [
    ["1M", 8.85, 8.40, 8.10, 8.50, 9.10],
    ["3M", 9.05, 8.55, 8.20, 8.65, 9.35],
    ["1Y", 9.60, 8.95, 8.50, 9.15, 10.05],
]
HEADER = ["", "10P", "25P", "ATM", "25C", "10C"]
NONE: list[Any] = [None] * 8


def grid(unit: float = 1.0) -> list[list[Any]]:
    return [HEADER, *([row[0], *(unit * vol for vol in row[1:])] for row in ROWS)]


def test_the_words_of_every_tenor() -> None:
    found = evaluate("VOLFEATURES", [grid(), "market"])
    assert found[0] == ["tenor", "atm", "rr", "bf", "term"]
    assert [row[0] for row in found[1:]] == ["1M", "3M", "1Y"]
    assert found[1][1:] == pytest.approx([8.10, 0.10, 0.35, 0.6])
    assert found[3][4] == pytest.approx(0.4)


def test_the_words_at_one_tenor_in_the_unit_of_the_grid() -> None:
    (row,) = evaluate("VOLFEATURES", [grid(0.01), "market", *NONE, "3M"])
    assert row == pytest.approx([0.082, 0.001, 0.004, 0.4 / (11 / 12) / 100])
    holes = grid()
    holes[2][2] = None
    (row,) = evaluate("VOLFEATURES", [holes, "market", *NONE, "3M"])
    assert row[1:3] == ["#N/A", "#N/A"] and row[0] == pytest.approx(8.20)


def test_a_point_of_atm() -> None:
    found = evaluate("VOLSHIFT", [grid(), 1, None, None, None, *NONE, "market"])
    assert found[0] == HEADER
    for row, before in zip(found[1:], ROWS, strict=True):
        assert row[1:] == pytest.approx([vol + 1 for vol in before[1:]], abs=1e-9)


@pytest.mark.parametrize(("unit", "move", "said"), [(1.0, 0.01, True), (1.0, 1, False), (0.01, 0.01, False)])
def test_a_basis_point_in_percent_points_is_said(unit: float, move: float, said: bool) -> None:
    evaluate("VOLSHIFT", [grid(unit), move, None, None, None, *NONE, "market"])
    words = "datm is 0.01 percent points, as the grid is: 1 bp of vol"
    assert (words in str(evaluate("VOLINFO", ["error"]))) is said


def test_decay_wings_and_tenor() -> None:
    found = evaluate("VOLSHIFT", [grid(0.01), 0.01, None, None, None, *NONE, "market", "3M", "sqrt"])
    moved = [row[3] - before[3] / 100 for row, before in zip(found[1:], ROWS, strict=True)]
    assert moved == pytest.approx([0.01 * 3**0.5, 0.01, 0.005], abs=1e-9)
    arguments = [grid(0.01), 0.01, None, None, None, *NONE, "market", None, None, "sticky strike"]
    found = evaluate("VOLSHIFT", arguments)
    assert [row[3] - before[3] / 100 for row, before in zip(found[1:], ROWS, strict=True)] == pytest.approx(
        [0.01] * 3, abs=1e-9
    )
    assert found[3][1] - 0.096 != pytest.approx(0.01, abs=1e-5)


def test_refusals_name_the_argument() -> None:
    with pytest.raises(InputError, match="tenor is '3M'; expected words \"market\""):
        evaluate("VOLSHIFT", [grid(), 1, None, None, None, *NONE, None, "3M"])
    with pytest.raises(InputError, match="words is 'trader'; expected one of paper, market"):
        evaluate("VOLSHIFT", [grid(), 1, None, None, None, *NONE, "trader"])
    with pytest.raises(UnitsError, match="datm is 100 percent points"):
        evaluate("VOLSHIFT", [grid(), 100, None, None, None, *NONE, "market"])
