"""Selections without their headers: those beside them are taken, or the command refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stubs import calc
from voladdin.commands import execute
from voladdin.errors import LabelError
from voladdin.hosts.documents import engine

GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", None, 7.85, 7.6, None, None],
    ["1M", 8.5, 7.9, 7.55, 7.6, None],
    ["2M", None, "n/a", 7.55, None, None],
    ["3M", 8.9, None, 7.6, None, 8.05],
    ["6M", None, 8.35, 7.75, 7.7, None],
    ["1Y", 9.75, None, 7.92, None, 8.42],
    ["2Y", None, None, 8.1, None, None],
    ["5Y", None, None, None, 8.28, None],
]
TURNED = [list(row) for row in zip(*GRID, strict=True)]
TITLED = [["EURUSD desk marks", *[None] * 5], [None] * 6, *GRID]


def opened(rows: list[list[Any]], select: str) -> Any:
    return calc.opened({"S": {"A1": rows}}, select)


def run(document: Any, name: str = "fill") -> str:
    return execute(name, engine.book_of(document))


def whole(rows: list[list[Any]]) -> Any:
    document = opened(rows, f"A1:{'F' if len(rows[0]) == 6 else 'I'}{len(rows)}")
    run(document)
    return calc.state(document)["S"]


@pytest.mark.parametrize(
    ("rows", "select"),
    [
        (GRID, "B2:F9"),
        (GRID, "A2:F9"),
        (GRID, "B1:F9"),
        (TURNED, "B2:I6"),
        (TURNED, "A2:I6"),
        (TURNED, "B1:I6"),
        (TITLED, "B4:F11"),
        (TITLED, "A4:F11"),
        (TITLED, "B3:F11"),
    ],
)
def test_headers_beside_the_selection_are_its_own(rows: list[list[Any]], select: str) -> None:
    document = opened(rows, select)
    assert "tenors 1W to 5Y by deltas 10P to 10C" in run(document)
    assert calc.state(document)["S"] == whole(rows)


@pytest.mark.parametrize("select", ["B2:B9", "B2:D9", "B2:F4"])
def test_a_part_beside_its_headers(select: str) -> None:
    document = opened(GRID, select)
    assert "tenors 1W to " in run(document)
    last = calc.area(select)[2:]
    outside = [place for place, cell in calc.state(document)["S"].items() if cell.get("note")]
    assert outside and all(place <= (last[0], 6) and place[1] <= last[1] for place in outside)


@pytest.mark.parametrize("select", ["C3:E9", "B4:F7", "C2:D9", "B8:F9", "B9:F9", "C3:D4"])
@pytest.mark.parametrize("command", ["fill", "check"])
def test_a_part_without_headers_beside_it_is_refused(select: str, command: str) -> None:
    document = opened(GRID, select)
    before = calc.state(document)
    with pytest.raises(LabelError, match=r"no header was found .* beside the selection are not its headers"):
        run(document, command)
    assert calc.state(document) == before


def test_vols_alone_are_refused() -> None:
    body = [row[1:] for row in GRID[1:]]
    with pytest.raises(LabelError, match="no header was found"):
        run(calc.opened({"S": {"A1": body}}, "A1:E8"))


def test_numbers_as_headers_beside_the_selection() -> None:
    numbers = [["years", 0.9, 0.75, 0.5, 0.25, 0.1], [0.25, 0.09, None, 0.08, 0.081, 0.085]]
    numbers.append([1.0, 0.1, 0.095, None, 0.09, 0.095])
    document = calc.opened({"S": {"A1": numbers}}, "B2:F3")
    assert "tenors 3M to 1Y by deltas 10P to 10C" in run(document)


def test_the_message_names_improbable_quotes_and_what_was_not_read() -> None:
    rows = [list(row) for row in GRID]
    rows[4][3], rows[7][4] = 9.6, "7.5O"
    message = run(opened(rows, "B2"))
    assert "D5 is 9.6, and the other quotes imply 7.6" in message
    assert message.count("'7.5O'") == 1 and "E8 holds '7.5O'" in message


def test_check_names_the_axes() -> None:
    quiet = [["", "25P", "ATM"], ["1M", 0.1, 0.1], ["1Y", 0.1, 0.1]]
    message = run(calc.opened({"S": {"A1": quiet}}, "B2:C3"), "check")
    assert message.endswith("4 quotes of S!A1:C3, tenors 1M to 1Y by deltas 25P to ATM")
