"""Insert formula…: the questions, the formula, its size and place, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.sheets import GRID, refused, run
from tests.stubs import calc
from voladdin.commands.inserting import _typed
from voladdin.commands.questions import Unanswered
from voladdin.hosts.documents.document import Document
from voladdin.hosts.documents.engine import book_of
from voladdin.worksheet.registry import evaluate

QUOTED = [[None, "25P", "ATM", "25C"], ["1M", 0.1, 0.09, 0.1], ["1Y", 0.11, 0.1, 0.11]]


def opened(sheets: dict[str, dict[str, Any]], select: str, *answers: str) -> Document:
    document = calc.opened(sheets, select)
    document.answers = iter(answers)
    return document


def test_it_asks_for_function_range_others_and_place() -> None:
    asked, answers = [], ["VOLIMPUTE", "S!$A$1:$F$4", "output", "std", "none", "H1"]
    for count in range(len(answers)):
        document = opened({"S": {"A1": GRID}}, "B2", *answers[:count])
        with pytest.raises(Unanswered) as question:
            run(document, "insert")
        asked.append(question.value.question)
        assert not document.edits
    assert [question.kind for question in asked] == ["text", "range", "text", "text", "text", "range"]
    assert asked[0].choices[0] == asked[0].default == "VOLIMPUTE"
    assert (asked[1].default, asked[5].default) == ("$A$1:$F$4", "H1")
    assert asked[2].choices[:3] == ("none", "output", "prior") and asked[2].default == "none"
    assert asked[3].choices[:3] == ("fill", "mean", "std") and "output" not in asked[4].choices
    assert "4 x 6" in asked[5].words


def test_the_formula_is_an_array_of_its_size() -> None:
    document = opened({"S": {"A1": GRID}}, "B2", "volimpute", "$A$1:$F$4", "OUTPUT", "3", "", "H2")
    said = run(document, "insert")
    formula = '=VOLIMPUTE(A1:F4, "std")'
    assert said == f"wrote {formula} to S!H2, 4 x 6 cells"
    (edit,) = [edit for edit in document.edits if edit["op"] == "array"]
    assert (edit["area"], edit["rows"][0][0]) == ([2, 8, 5, 13], formula)
    document.answers = iter(())
    assert run(document, "clear", "A1").startswith("cleared 4")
    assert calc.values(document, "H2:M5") == [[None] * 6] * 4


@pytest.mark.parametrize(
    ("answers", "formula", "size"),
    [
        (("VOLCHECK", "A1:D3", "", "F1"), "=VOLCHECK(A1:D3)", (1, 1)),
        (("VOLINTERP", "A1:D3", "6M", '"C25"', "", "F1"), '=VOLINTERP(A1:D3, "6M", "C25")', (1, 1)),
        (("VOLINTERP", "A1:D3", "A2:A3", "ATM", "", "F1"), '=VOLINTERP(A1:D3, A2:A3, "ATM")', (2, 1)),
        (
            ("VOLSHIFT", "A1:D3", "dlevel", "0.01", "dterm", "A9", "", "F1"),
            "=VOLSHIFT(A1:D3, 0.01, , , A9)",
            (3, 4),
        ),
    ],
)
def test_arguments_of_each_kind(answers: tuple[str, ...], formula: str, size: tuple[int, int]) -> None:
    document = opened({"S": {"A1": QUOTED, "A9": [[0.001]]}}, "A1:D3", *answers)
    assert run(document, "insert") == f"wrote {formula} to S!F1, {size[0]} x {size[1]} cells"


def test_a_range_of_another_sheet_is_named() -> None:
    sheets = {"It's": {"A1": QUOTED}, "S": {"A1": [["x"]]}}
    document = opened(sheets, "A1", "VOLCHECK", "'[Book]It''s'!$A$1:$D$3", "", "'S'!B2")
    document.active, document.name = "S", "Book"
    assert run(document, "insert").startswith("wrote =VOLCHECK('It''s'!A1:D3) to S!B2")
    document = opened(sheets, "A1", "VOLCHECK", "'[Other]It''s'!$A$1:$D$3")
    document.name = "Book"
    refused(document, "insert", "is in the book Other; expected cells of Book")


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        (("VOLNONE",), "'VOLNONE' is none of VOLIMPUTE"),
        (("VOLCHECK", "nowhere"), "'nowhere' names no cells"),
        (("VOLCHECK", "A9:B9"), "header|no vol"),
        (("VOLCHECK", "A1:D3", "outptu"), "'outptu' is none of none, output"),
        (("VOLIMPUTE", "A1:D3", "", "D3"), "S!D3 holds 0.11; expected 3 x 4 blank cells"),
        (("VOLIMPUTE", "A1:D3", "", "XFC1"), "leave the sheet"),
        (("VOLCHECK", "A1:D6", "", "C5"), "1 x 1 cells from S!C5 cover A1:D6, which they read"),
        (("VOLIMPUTE", "A1:D3", "output", "standard"), "'standard' is none of fill, mean"),
        (("VOLIMPUTE", "F2:G4", ""), "surface: cell F3 is .1Z."),
    ],
)
def test_what_it_refuses(answers: tuple[str, ...], match: str) -> None:
    sheets = {"S": {"A1": QUOTED, "A9": [["a", "b"]], "F2": [["", "ATM"], ["1Z", 0.1], ["1Y", 0.1]]}}
    refused(opened(sheets, "A1", *answers, *[""] * ("A9:B9" in answers)), "insert", match)


def test_the_size_is_that_of_the_answer() -> None:
    report = evaluate("VOLGENERATE", [0.2, -0.1, 0.3, 0.02])
    document = opened(
        {"S": {"A1": [[0.2, -0.1, 0.3, 0.02]]}}, "A1:D1", "VOLGENERATE", *["A1", "B1", "C1", "D1"], "", "A3"
    )
    said = run(document, "insert")
    assert said.endswith(f"{len(report)} x {len(report[0])} cells")


def test_the_place_offered_has_room() -> None:
    """Beside the grid, else below it, else beyond all that is used."""
    offered = []
    beside, below = {"F2": [["x"]]}, {"F2": [["x"]], "C5": [["y"]]}
    for more in ({}, beside, below):
        document = opened({"S": {"A1": QUOTED} | more}, "A1", "VOLIMPUTE", "A1:D3", "")
        with pytest.raises(Unanswered) as question:
            run(document, "insert")
        offered.append(question.value.question.default)
    assert offered == ["F1", "A5", "H1"]


def test_vols_look_as_their_grid_and_what_is_no_vol_does_not() -> None:
    looks = {"B2:D3": {"format": "0.00%"}}
    for other, form in (([""], "0.00%"), (["output", "zscore", ""], "General")):
        document = calc.opened({"S": {"A1": QUOTED}}, "A1", looks=looks)
        document.answers = iter(("VOLIMPUTE", "A1:D3", *other, "F1"))
        before = calc.state(document)
        run(document, "insert")
        assert calc.attribute(document, "G2:I3", "format") == [[form] * 3] * 2
        document.answers = iter(())
        run(document, "clear", "A1")
        assert calc.state(document) == before


@pytest.mark.parametrize(
    ("typed", "text"), [("C:\\desk\\fx", '"C:\\desk\\fx"'), ('"a ""b"" c"', '"a ""b"" c"'), ("0.5", "0.5")]
)
def test_what_is_typed_stands_in_the_formula_as_excel_has_text(typed: str, text: str) -> None:
    assert _typed(book_of(opened({"S": {"A1": QUOTED}}, "A1")), typed).text("S") == text
