"""VOLINFO("why", cell) in a workbook that the runner evaluates."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from voladdin import journal
from voladdin.xlsx.runner import run

GRID = [["", "25P", "ATM"], ["1M", 7.4, 7.5], ["3X", 7.6, 7.5]]


def answers(folder: Path, *formulas: str) -> list[list[object]]:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "Desk one"
    for _ in range(2):
        sheet.append([])
    for row in GRID:
        sheet.append([None, None, *row])
    for number, formula in enumerate(formulas):
        sheet.cell(20 * number + 1, 10).value = formula
    made.save(folder / "book.xlsx")
    run(folder / "book.xlsx", folder / "out.xlsx")
    done = openpyxl.load_workbook(folder / "out.xlsx", data_only=True).active
    assert done is not None
    return [[cell.value for cell in done[20 * n + 1][9:11]] for n in range(len(formulas))]


@pytest.mark.parametrize(
    "formula",
    ["=VOLCHECK(C3:E5)", '=VOLIMPUTE($C$3:$E$5,"std")', "=IFERROR(VOLCHECK('Desk one'!C3:E5),\"none\")"],
)
def test_a_cell_explains_itself_by_its_address(formula: str, tmp_path: Path) -> None:
    _, why = answers(tmp_path, formula, '=VOLINFO("why",J1)')
    assert why[0] == "error" and "cell 'Desk one'!C5 is '3X'" in str(why[1])


def test_the_error_of_another_book_is_not_told(tmp_path: Path) -> None:
    journal.forget()
    answers(tmp_path, "=VOLCHECK(C3:E5)")
    other = tmp_path / "other"
    other.mkdir()
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active["A1"] = '=VOLINFO("error")'
    made.save(other / "second.xlsx")
    run(other / "second.xlsx", other / "out.xlsx")
    done = openpyxl.load_workbook(other / "out.xlsx", data_only=True).active
    assert done is not None and [cell.value for cell in done[1][:2]] == ["error", "none"]
