"""What VOLINFO tells of errors and warnings: of which cell, of which book, with which addresses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voladdin import journal
from voladdin.cells import Cells, address
from voladdin.commands import helping
from voladdin.errors import InputError, VoladdinError
from voladdin.journal import Caller
from voladdin.worksheet.references import argument_references, explained, on_sheet
from voladdin.worksheet.registry import evaluate

WRONG: Cells = [["", "25P", "ATM"], ["1M", 0.1, 0.1], ["3X", 0.1, 0.1]]
TYPO: Cells = [["", "25P", "ATM"], ["1M", 7.4, "7.5O"], ["3M", 7.6, 7.5]]
RIGHT: Cells = [["", "25P", "ATM"], ["1M", 0.1, 0.1], ["3M", 0.1, 0.1]]


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    journal.forget()
    yield
    journal.forget()


def at(cell: str, book: str = "fx.xlsx", *arguments: str) -> Caller:
    return Caller(book, cell, arguments)


def fail(caller: Caller, grid: Cells = WRONG) -> None:
    with pytest.raises(InputError):
        evaluate("VOLCHECK", [grid], caller)


def why(cell: str, book: str = "fx.xlsx", shows: str | float = "#VALUE!") -> dict[str, str]:
    rows = evaluate("VOLINFO", ["why", shows], at("S!A1", book, "", cell))
    return {str(row[0]): str(row[1]) for row in rows}


def test_a_cell_explains_itself_with_addresses_of_the_sheet() -> None:
    fail(at("EURUSD!L18", "fx.xlsx", "EURUSD!$C$5:$E$7"))
    fail(at("EURUSD!L19", "fx.xlsx", "EURUSD!C5:E7"), [[1.0]])
    found = why("EURUSD!$L$18")
    assert found["error"].startswith("surface: cell EURUSD!C7 is '3X'; expected a tenor")
    assert found["function"] == "VOLCHECK" and found["cell"] == "EURUSD!L18"
    assert found["reference"].startswith("VA-")
    assert "3X" not in why("EURUSD!L19")["error"]


def test_a_sheet_with_spaces() -> None:
    fail(at("'My book'!L18", "fx.xlsx", "'My book'!C5:E7"))
    assert "cell 'My book'!C7 is" in why("'My book'!L18")["error"]


def test_warnings_explain_a_cell_too_also_from_the_cache() -> None:
    for cell in ("S!A9", "S!B9"):
        evaluate("VOLCHECK", [TYPO], at(cell, "fx.xlsx", "S!C5:E7"))
        assert "cell S!E6 is '7.5O'" in why(cell, shows=True)["warning"]


def test_what_was_mended_is_not_told_again() -> None:
    fail(at("S!A9"))
    evaluate("VOLCHECK", [RIGHT], at("S!A9"))
    assert list(why("S!A9", shows=True)) == ["why"]
    assert evaluate("VOLINFO", ["error"], at("S!A1")) == [["error", "none"]]


def test_an_error_that_the_formula_caught_is_told() -> None:
    fail(at("S!A9"))
    assert "'3X'" in why("S!A9", shows="none")["error"]


@pytest.mark.parametrize("book", ["other.xlsx", ""])
def test_another_books_errors_are_its_own(book: str) -> None:
    fail(at("S!A9"))
    evaluate("VOLCHECK", [TYPO], at("S!B9"))
    assert evaluate("VOLINFO", ["error"], Caller(book)) == [["error", "none"]]
    assert list(why("S!A9", book)) == ["why"]


def test_without_addresses_a_value_finds_its_formula() -> None:
    fail(Caller("fx.xlsx"))
    rows = evaluate("VOLINFO", ["why", "#VALUE!"], Caller("fx.xlsx"))
    assert "'3X'" in str(rows[0][1]) and ["cell", "not known"] in rows


@given(st.sampled_from(["#VALUE!", "#N/A", "#NUM!", "#REF!", 1.5, "x", None, True]))
def test_info_never_shows_an_error_value(shown: str | float | None) -> None:
    with pytest.raises(VoladdinError):
        evaluate("VOLIMPUTE", [RIGHT, None, None, None, None, "nosuchmodel"])
    for rows in (evaluate("VOLINFO", ["error"]), evaluate("VOLINFO", ["why", shown])):
        assert not [cell for row in rows for cell in row if str(cell).startswith("#")]


def test_the_journal_is_bounded() -> None:
    for number in range(journal._MOST_CELLS + 10):
        fail(at(f"S!A{number}"), [[1.0]])
    for number in range(journal._MOST_BOOKS + 10):
        fail(Caller(f"book {number}"), [[1.0]])
    assert len(journal.entries("book 59")) == 1 and not journal.entries("fx.xlsx")


def test_a_log_line_says_where(caplog: pytest.LogCaptureFixture) -> None:
    fail(at("EURUSD!L18"))
    assert "VOLCHECK at EURUSD!L18 in [fx.xlsx]: surface: cell A3" in caplog.text
    assert "(VA-" in caplog.text and caplog.text.count("\n") == 1


def test_one_books_log_lines_are_not_shown_in_another() -> None:
    stamp = "2026-11-28 12:00:00,000 WARNING "
    lines = [
        f"{stamp}VOLCHECK at S!A1 in [fx.xlsx]: wrong (VA-1)",
        "Traceback (most recent call last):",
        f"{stamp}VOLCHECK at S!A1 in [secret.xlsx]: 8.25 (VA-2)",
        "Traceback of the other",
        f"{stamp}started",
    ]
    assert helping.of_book(lines, "fx.xlsx") == [lines[0], lines[1], lines[4]]


@pytest.mark.parametrize(
    ("formula", "references"),
    [
        ("VOLIMPUTE(A1:F9)", ("S!A1:F9",)),
        ("VOLIMPUTE($A$1:$F$9, ,B2)", ("S!A1:F9", "", "S!B2")),
        ('IFERROR(VOLIMPUTE(T!A1:F9,"fill, (all)",),0)', ("T!A1:F9", "", "")),
        ("VOLIMPUTE('it''s'!A1:F9;{1,2};SUM(A1,B2))", ("'it''s'!A1:F9", "", "")),
        ("VOLIMPUTE('T'!$A$1:'T'!F9)", ("T!A1:F9",)),
        ("VOLIMPUTE('T'!$A$1:F9)", ("T!A1:F9",)),
        ("VOLIMPUTE(A1:F9)+VOLIMPUTE(A1:F9)", ()),
        ("MYVOLIMPUTE(A1:F9)", ()),
        ("VOLIMPUTE(", ()),
    ],
)
def test_references_of_a_call(formula: str, references: tuple[str, ...]) -> None:
    assert argument_references(formula, "VOLIMPUTE", "S") == references


@given(st.integers(1, 900), st.integers(1, 300), st.integers(0, 99), st.integers(0, 40))
def test_addresses_count_from_the_arguments_first_cell(top: int, left: int, down: int, right: int) -> None:
    first, there = address(top - 1, left - 1), address(top - 1 + down, left - 1 + right)
    message = f"cell {address(down, right)} of the range is 1"
    assert on_sheet(message, f"S!{first}:XFD1048576") == f"cell S!{there} is 1"


def test_cells_of_another_argument_are_not_moved() -> None:
    message = "prior: cells B2 to F9 of the range hold no vol"
    assert (
        explained(message, ["surface", "prior"], ["S!A1:F9", "T!C3:H11"])
        == "prior: cells T!D4 to H11 hold no vol"
    )
    assert explained(message, ["surface", "prior"], ["S!A1:F9", ""]) == message
    assert explained(message, ["surface", "prior"], ()) == message
