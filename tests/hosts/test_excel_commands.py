"""The commands through xlwings' real Windows engine, with Excel's object model stubbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import BROKEN, FILL_NUMBER, GRID, HOLES, axes_and_models, filled
from tests.stubs import calc, excel, win32
from voladdin.arbitrage.repair import repair
from voladdin.cells import parse
from voladdin.commands import execute
from voladdin.commands.ledger import CellRun
from voladdin.commands.transaction import Transaction
from voladdin.errors import InputError
from voladdin.hosts.libreoffice.document import Document

Run = Callable[..., str]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a command on a document as if Excel had it open."""
    with win32.installed() as host:
        from xlwings import _xlwindows

        def run(document: Document, name: str, select: str) -> str:
            document.selection = [calc.area(select)]
            impl = _xlwindows.Book(xl=excel.Workbook(document))
            return execute(name, host.xlwings.Book(impl=impl))

        yield run


def mixed() -> list[list[Any]]:
    grid = [list(row) for row in GRID]
    grid[1][2], grid[1][4], grid[2][5] = "#N/A", "-", "=NA()"
    return grid


def test_fill_and_clear(run: Run) -> None:
    looks = {"C4:E6": {"format": "0.00%"}, "D4": {"fill": 0x12AB34, "font": 0x00FF01}, "F4": {"note": "mine"}}
    document = calc.opened({"it's S": {"B3": mixed()}}, "C4", looks=looks)
    before = calc.state(document)
    said = f"filled 6 holes of it's S!B3:G6, {axes_and_models(GRID)}; left alone: G5 holds a formula"
    assert run(document, "fill", "C4") == said
    expected = filled(GRID)
    expected[2][5] = "#N/A"
    assert calc.values(document, "B3:G6") == expected
    fills = calc.attribute(document, "B3:G6", "fill")
    assert [(i, j) for i in range(4) for j in range(6) if fills[i][j] == FILL_NUMBER] == [
        h for h in HOLES if h != (2, 5)
    ]
    assert calc.attribute(document, "F4", "note") == [["mine"]]
    assert document.active == "it's S" and not document.sheets[1].visible
    assert run(document, "fill", "C4") == said
    assert run(document, "clear", "C4") == "cleared 6 places"
    assert calc.state(document) == before


def test_check_repair_and_clear(run: Run) -> None:
    document = calc.opened({"S": {"B3": BROKEN}}, "C4", looks={"C4:E6": {"format": "0.00%"}})
    before = calc.state(document)
    assert run(document, "check", "C4").endswith("see the sheet voladdin check")
    run(document, "check", "C4")
    assert [sheet.name for sheet in document.sheets] == ["S", "voladdin check", "_voladdin"]
    assert " at S!G2 (" in run(document, "repair", "B3:E6")
    found = repair(parse(BROKEN).surface)
    np.testing.assert_array_equal(np.array(calc.values(document, "H4:J6")), found.surface.vols)
    assert run(document, "check", "H4").startswith("no static arbitrage among the 9 quotes of S!G2:J6")
    run(document, "repair", "C4")
    assert run(document, "functions", "C4") == "see the sheet voladdin help"
    assert document.active == "voladdin help"
    document.active = "S"
    run(document, "clear", "C4")
    assert calc.state(document) == before


@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_a_protected_sheet(run: Run, name: str) -> None:
    document = calc.opened({"S": {"B3": GRID if name == "fill" else BROKEN}}, "C4", protected=True)
    before = calc.state(document)
    with pytest.raises(InputError, match=r"cannot be changed: .*protected"):
        run(document, name, "C4")
    assert calc.state(document) == before


def test_a_whole_sheet_selected(run: Run) -> None:
    """Excel cannot count its cells."""
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    assert run(document, "fill", "A1:XFD1048576").startswith("filled 7 holes of S!A1:F4")
    assert run(document, "clear", "A1:XFD1048576") == "cleared 7 places"


def test_a_chart_selected(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    monkeypatch.setattr(excel.Workbook, "select", lambda book, area: None)
    with pytest.raises(InputError, match="no cell is selected"):
        run(document, "fill", "A1")


def test_a_refused_sheet_name_leaves_no_sheet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    document = calc.opened({"S": {"B3": BROKEN}}, "C4")
    before = calc.state(document)
    monkeypatch.setattr(
        excel.Workbook, "refused_names", property(lambda _: {"voladdin check"}, lambda *_: None)
    )
    with pytest.raises(InputError, match="the name voladdin check is refused"):
        run(document, "check", "C4")
    assert calc.state(document) == before


def test_a_restored_formula_spills_as_before(run: Run) -> None:
    document = calc.opened({"S": {"B3": BROKEN, "H1": [["=B4:B6"]]}}, "B3")
    with win32.installed() as host:
        from xlwings import _xlwindows

        book = host.xlwings.Book(impl=_xlwindows.Book(xl=excel.Workbook(document)))
        with Transaction(book, "test") as changes:
            changes.write(CellRun("S", 1, 8), value=[1.0])
        with Transaction(book, "clear") as changes:
            changes.take_back(list(changes.records))
    assert document.get("S", (1, 1, 1, 8), "formula")[0][-1] == calc.to_calc("=B4:B6")
