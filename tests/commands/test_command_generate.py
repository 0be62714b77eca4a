"""The command Generate on books in memory: four cells, tables, room beside, bad rows, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import refused, run, user_cells
from tests.stubs import calc
from voladdin.generation.axes import SHEET_MONEYNESS, SHEET_TENORS
from voladdin.worksheet.registry import evaluate

CALM = [0.2, -0.1, 0.3, 0.02]
TABLE: list[list[Any]] = [
    ["name", "level", "skew", "curv", "term", "scenario"],
    ["Base", 0.2, -0.1, 0.3, 0.02, None],
    ["Up", 0.3, -0.1, 0.3, 0.02, 2],
]
ROWS, COLUMNS = len(SHEET_TENORS) + 1, len(SHEET_MONEYNESS) + 1


def block(document: Any, corner: str, sheet: str | None = None) -> list[list[Any]]:
    top, left, *_ = calc.area(corner)
    last = f"{chr(ord('A') + left + COLUMNS - 2)}{top + ROWS - 1}"
    return calc.values(document, f"{corner}:{last}", sheet)


def features_of(cells: list[list[Any]]) -> list[Any]:
    return evaluate("VOLFEATURES", [cells])[0]


@pytest.mark.parametrize(
    ("cells", "select", "corner"),
    [([CALM], "B2:E2", "G2"), ([[x] for x in CALM], "B2:B5", "D2"), ([CALM], "B2", "G2")],
)
def test_four_cells_become_a_surface_beside_them(cells: Any, select: str, corner: str) -> None:
    document = calc.opened({"S": {"B2": cells}}, select)
    before = calc.state(document)["S"]
    assert run(document, "generate") == f"generated a surface at S!{corner}"
    found = block(document, corner)
    assert features_of(found) == pytest.approx(CALM, abs=1e-10)
    assert evaluate("VOLCHECK", [found]) == [[True]]
    after = calc.state(document)["S"]
    assert {place: after[place] for place in before} == before
    top, left, *_ = calc.area(corner)
    assert after[top + 1, left + 1]["format"] == "0.00%"
    run(document, "clear", "A1")
    assert user_cells(document) == {"S": before}


def test_again_makes_room_and_takes_the_new_numbers() -> None:
    document = calc.opened({"S": {"B2": [CALM]}}, "B2:E2")
    run(document, "generate")
    document.sheet("S").cells[2, 2]["value"] = 0.25
    assert run(document, "generate") == "generated a surface at S!G2"
    assert features_of(block(document, "G2"))[0] == pytest.approx(0.25, abs=1e-10)


def test_what_is_beside_stays() -> None:
    document = calc.opened({"S": {"B2": [CALM], "O5": [["mine"]]}}, "B2:E2")
    assert run(document, "generate") == "generated a surface at S!B4"
    assert calc.values(document, "O5") == [["mine"]]


def test_where_no_room_is_a_sheet_is_made() -> None:
    document = calc.opened({"S": {"B2": [CALM], "H5": [["mine"]], "C7": [["mine"]]}}, "B2:E2")
    assert run(document, "generate") == "generated a surface at voladdin generate!A1"
    assert features_of(block(document, "A1", "voladdin generate")) == pytest.approx(CALM, abs=1e-10)
    run(document, "clear", "A1")
    assert list(user_cells(document)) == ["S"]


@pytest.mark.parametrize("select", ["A1:F3", "C2"])
def test_a_table_becomes_a_sheet_a_row(select: str) -> None:
    document = calc.opened({"Spec": {"A1": TABLE}}, select)
    assert run(document, "generate") == "generated 2 sheets, the first is Base"
    assert [name for name in calc.state(document) if name != "_voladdin"] == ["Spec", "Base", "Up"]
    assert features_of(block(document, "A1", "Base")) == pytest.approx(CALM, abs=1e-10)
    up = block(document, "A1", "Up")
    assert features_of(up) == pytest.approx([0.3, *CALM[1:]], abs=1e-10)
    expected = evaluate("VOLGENERATE", [0.3, *CALM[1:], 2])
    assert np.array([row[1:] for row in up[1:]]) == pytest.approx(
        np.array([row[1:] for row in expected[1:]]), abs=1e-12
    )
    run(document, "clear", "A1")
    assert list(user_cells(document)) == ["Spec"]


def test_again_writes_the_same_sheets() -> None:
    document = calc.opened({"Spec": {"A1": TABLE}}, "A1:F3")
    run(document, "generate")
    document.sheet("Spec").cells[2, 2]["value"] = 0.22
    run(document, "generate", "A1:F3")
    assert [name for name in calc.state(document) if name != "_voladdin"] == ["Spec", "Base", "Up"]
    assert features_of(block(document, "A1", "Base"))[0] == pytest.approx(0.22, abs=1e-10)


def test_a_sheet_of_the_users_own_is_left_alone() -> None:
    document = calc.opened({"Spec": {"A1": TABLE}, "Base": {"A1": [["mine"]]}}, "A1:F3")
    run(document, "generate")
    run(document, "generate", "A1:F3")
    assert [name for name in calc.state(document) if name != "_voladdin"] == ["Spec", "Base", "Base 2", "Up"]
    assert calc.values(document, "A1", "Base") == [["mine"]]


def test_rows_without_a_header() -> None:
    document = calc.opened({"S": {"C3": [CALM, [0.3, *CALM[1:]]]}}, "C3:F4")
    assert run(document, "generate") == "generated 2 sheets, the first is scenario 1"
    assert features_of(block(document, "A1", "scenario 2"))[0] == pytest.approx(0.3, abs=1e-10)


def test_bad_rows_are_named_as_on_the_sheet() -> None:
    table = [*TABLE, ["Points", 20, 0, 0, 0, None], ["Text", 0.2, "steep", 0, 0, None]]
    document = calc.opened({"Spec": {"B4": table}}, "B4:G8")
    said = run(document, "generate")
    assert said.startswith("generated 2 sheets, the first is Base; row 7: level is 20; expected decimal")
    assert "row 8: cell D8 is 'steep'; expected a number, the skew" in said


@pytest.mark.parametrize(
    ("cells", "select", "said"),
    [
        ([[20, 0, 0, 0]], "B2:E2", "row 2: level is 20; expected decimal such as 0.20"),
        ([[0.2, 0, -90, 0]], "B2:E2", "curv"),
        ([[0.2, "x", 0, 0]], "B2:E2", "row 2: cell C2 is 'x'"),
        ([[0.2, 0, 0]], "B2:D2", "1 x 3 cells and no header"),
        ([["level", "skew", "rr"], [0.2, 0, 0]], "B2:D3", "cell B2 is 'level', no column"),
        ([["level", "skew", "curv", "term"]], "B2:E2", "0 rows of features"),
        ([["level", "skew", "curv", "vega"], CALM], "B2:E3", "cell E2 is 'vega', no column"),
        ([CALM] * 101, "B2:E102", "101 rows of features; expected 1 to 100"),
        ([], "B2", "no grid around B2"),
    ],
)
def test_what_cannot_be_generated_leaves_the_book(cells: Any, select: str, said: str) -> None:
    document = calc.opened({"S": {"B2": cells} if cells else {}}, select)
    sheet = document.sheet("S")
    document.region = tuple(calc.region(sheet.cells, document.selection[0]))  # type: ignore[assignment]
    refused(document, "generate", said)
