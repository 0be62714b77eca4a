"""One book, one truth: what the runner writes is what Calc shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

from tests.stubs.server import LocalServer
from voladdin.hosts import libreoffice
from voladdin.worksheet.registry import evaluate
from voladdin.xlsx.in_calc import refused_by_calc
from voladdin.xlsx.runner import run

pytestmark = pytest.mark.office

QUOTES: list[list[Any]] = [
    ["Tenor", "10P", "25P", "ATM", "25C", "10C"],
    ["1W", None, 7.85, 7.6, None, None],
    ["1M", 8.5, 7.9, 7.55, 7.6, None],
    ["3M", 8.9, None, 7.6, None, 8.05],
    ["1Y", 9.75, None, 7.92, None, 8.42],
]
WINGS = [["1M", 14.0, 3.1, 0.6], ["3M", 14.4, 3.2, "n/a"], ["2Y", 15.5, 3.6, 0.7]]  # ATM, RR, BF
SAME = [
    "=VOLIMPUTE(Q!A1:F5)",
    '=IFERROR(VOLIMPUTE(Q!A1:F5),"-")',
    '=IFERROR(VOLIMPUTE(Q!A2:F2),"-")',
    "=INDEX(VOLIMPUTE(Q!A1:F5),3,4)",
    '=VOLINTERP(Q!A1:F5,"4M","25P")*100',
    "=TRANSPOSE(VOLIMPUTE(Q!A1:F5))",
    '=SUM(VOLIMPUTE(Q!A1:F5,"std"))',
    "=VOLIMPUTE(EURVOL)",
    "=VOLIMPUTE(Table1[#All])",
    "=VOLIMPUTE(Table1)",
    "=VOLIMPUTE(Q!A:F)",
    '=ROUND(VOLINTERP(EURVOL,0.37,"ATM"),2)',
    '=VOLINTERP(EURVOL,"3M","ATM")-VOLINTERP(EURVOL,"1M","ATM")',
    "=INDEX(VOLFEATURES(Q!A1:F5),1)",
    "=VOLIMPUTE(OFFSET(Q!A1,0,0,5,6))",
    '=VOLIMPUTE(INDIRECT("Q!A1:F5"))',
    '=IF(Q!D2="","",VOLINTERP(Q!A1:F5,"1W",0.25))',
    "=VOLCHECK(Q!A1:F5)",
    '=IF(VOLCHECK(Q!A1:F5),"ok","ARB")',
    '=-VOLINTERP(Q!A1:F5,"1W","ATM")',
    '=MAX(VOLCHECK(Q!A1:F5,"map"))',
    '=VOLINTERP(Q!A1:F5,"2"&"M","K="&C999)',
    "=B2:G6",  # the first formula's result
    "=IF(ISNUMBER(B2:G6),ROUND(B2:G6,3),B2:G6)",
    "=VOLIMPUTE(B2:G6)",  # what Calc takes in the place of VOLIMPUTE(VOLIMPUTE(…))
    '=INDEX(VOLIMPUTE(Q!A1:F5),MATCH("3M",INDEX(VOLIMPUTE(Q!A1:F5),0,1),0),4)',  # and of VLOOKUP
    "=VOLIMPUTE(E!A1:F5)",  # error cells are missing quotes
    "=VOLCHECK(OFFSET(E!A1,0,0,5,6))",
    '=VOLQUOTES(W!B1:B3,W!C1:C3,W!D1:D3,,,W!A1:A3,"USDXAF",,,,,,,"spot","base","dns")',
]
REFUSED_BY_CALC = [  # its README says why, and what it takes instead
    "=VOLIMPUTE(VOLIMPUTE(Q!A1:F5))",
    '=IF(VOLCHECK(VOLIMPUTE(Q!A1:F5)),"ok","ARB")',
    '=VLOOKUP("3M",VOLIMPUTE(Q!A1:F5),4,FALSE)',
]
STEP = 11


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """The sheet of formulas as the runner leaves it, and as Calc does."""
    home, profile = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("profile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLADDIN_HOME", str(home))
        libreoffice.install(profile)
        (home / "install.json").unlink()
        server = LocalServer(home, evaluate)
        book = written(tmp_path_factory.mktemp("book") / "book.xlsx")
        by_calc = libreoffice.recalculate(book, book.with_name("calc.xlsx"), profile)
        server.die()
    run(book, book.with_name("run.xlsx"))
    return tuple(
        load_workbook(path, data_only=True).worksheets[0] for path in (book.with_name("run.xlsx"), by_calc)
    )


def written(path: Path) -> Path:
    """Every form as an array formula over B:K, `STEP` rows apart."""
    made = Workbook()
    quotes, table, errors, wings = (made.create_sheet(name) for name in "QTEW")
    for row in QUOTES:
        quotes.append(row)
        table.append(row)
        errors.append(row)
    errors["C2"], errors["D3"], errors["F4"] = "=NA()", "=1/0", "#N/A"
    for row in WINGS:
        wings.append(row)
    table.add_table(Table(displayName="Table1", ref="A1:F5"))
    made.defined_names["EURVOL"] = DefinedName("EURVOL", attr_text="Q!$A$1:$F$5")
    for n, formula in enumerate([*SAME, *REFUSED_BY_CALC]):
        place = f"B{2 + STEP * n}:K{9 + STEP * n}"
        made.worksheets[0][place.split(":")[0]] = ArrayFormula(place, formula)
    made.save(path)
    return path


def block(sheet: Any, n: int) -> list[list[Any]]:
    rows = sheet.iter_rows(
        min_row=2 + STEP * n, max_row=9 + STEP * n, min_col=2, max_col=11, values_only=True
    )
    return [[None if cell == "" else cell for cell in row] for row in rows]


@pytest.mark.parametrize("form", SAME)
def test_the_runner_says_nothing_of_calc_where_both_compute(form: str) -> None:
    assert refused_by_calc(form) == ""


@pytest.mark.parametrize("form", SAME)
def test_the_runner_and_calc_agree(form: str, both: tuple[Any, Any]) -> None:
    ours, theirs = (block(sheet, SAME.index(form)) for sheet in both)
    for row, calc in zip(ours, theirs, strict=True):
        expected = [pytest.approx(c, rel=1e-12, abs=1e-15) if isinstance(c, float) else c for c in calc]
        assert row == expected


@pytest.mark.parametrize("form", REFUSED_BY_CALC)
def test_calc_refuses_what_it_cannot_do(form: str, both: tuple[Any, Any]) -> None:
    ours, theirs = (block(sheet, len(SAME) + REFUSED_BY_CALC.index(form)) for sheet in both)
    assert {cell for row in theirs for cell in row} <= {"#VALUE!", "#N/A"}
    assert "LibreOffice Calc shows" in refused_by_calc(form)
    assert "#VALUE!" not in {cell for row in ours for cell in row}
