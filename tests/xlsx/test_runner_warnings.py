"""`voladdin run` says beside each formula what it assumed, and what an array formula leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from voladdin.xlsx.runner import run

GRID: list[list[Any]] = [
    ["", "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 8.9, 8.5, 8.1, 8.3, 8.8],
    ["1M", 9.3, 8.6, None, 8.3, 8.6],
    ["1Y", 9.9, 9.2, 8.9, 9.1, 9.8],
]


def message(folder: Path, place: str = "H1:M4", **cells: Any) -> str:
    book = Workbook()
    for row in GRID:
        book.active.append(row)
    for name, value in cells.items():
        book.active[name] = value
    book.active["H1"] = ArrayFormula(place, "=VOLIMPUTE(A1:F4)")
    book.save(folder / "book.xlsx")
    (outcome,) = run(folder / "book.xlsx", folder / "out.xlsx").outcomes
    assert outcome.status == "ok"
    return outcome.message


def test_warnings_stand_beside_the_result(tmp_path: Path) -> None:
    assert message(tmp_path) == "4 x 6"
    assert "cell D3 of the range is 0.0, not above 0: read as missing" in message(tmp_path, D3=0)
    many = message(tmp_path, B2="typo", C2="typo", E2="typo", D3="8.2 mid")
    assert many.count("no number") == 2 and many.endswith("and 2 more warnings")
    assert message(tmp_path) == "4 x 6"  # what the cell said before is forgotten


def test_an_array_formula_that_is_too_small_is_said(tmp_path: Path) -> None:
    assert message(tmp_path, "H1:K2") == "4 x 6; only 2 x 4 of it have room in the formula's range"
    assert message(tmp_path, "H1:O6") == "4 x 6"
