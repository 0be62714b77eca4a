"""The commands on an open workbook of Excel's, whose object model is stubbed."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import BROKEN, FILL_NUMBER, GRID, HOLES, axes_and_models, filled
from tests.stubs import calc, excel, win32
from tests.stubs.counting import Counted
from voladdin.arbitrage.repair import repair
from voladdin.cells import parse
from voladdin.commands import COMMANDS, plotting
from voladdin.commands.ledger import CellRun
from voladdin.commands.questions import Prompt
from voladdin.commands.transaction import Transaction
from voladdin.errors import InputError
from voladdin.hosts.documents.document import Document
from voladdin.hosts.documents.engine import book_of
from voladdin.hosts.excel.calls import _in_lines, on_book
from voladdin.hosts.excel.edits import apply
from voladdin.hosts.excel.open_book import OpenDocument
from voladdin.worksheet.registry import FUNCTIONS, Function


def run(document: Document, name: str, select: str, workbook: Any = None) -> str:
    """Runs a command on a document as if Excel had it open."""
    document.selection = [calc.area(select)]
    if workbook is None:
        workbook = excel.Workbook(document)
    said = on_book(name, workbook, "book.ods")
    if said[0] == "!":
        raise InputError(said[1:])
    return said[1:]


def mixed() -> list[list[Any]]:
    grid = [list(row) for row in GRID]
    grid[1][2], grid[1][4], grid[2][5] = "#N/A", "-", "=NA()"
    return grid


def test_fill_and_clear() -> None:
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


def test_check_repair_and_clear() -> None:
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


def test_a_page_knows_that_its_book_is_excels(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(plotting, "open_page", lambda body: opened.append(body) or "http://here")
    monkeypatch.setattr("webbrowser.open", lambda _: True)
    run(calc.opened({"S": {"A1": GRID}}), "plot", "A1")
    assert opened[0]["source"]["host"] == "excel"


def test_charts_by_excels_own_objects() -> None:
    """Every call is one that Excel's object model has; each series is live on its cells."""
    document = calc.opened({"S": {"B3": BROKEN}}, "C4")
    workbook, before = excel.Workbook(document), calc.state(document)
    assert run(document, "chart", "C4", workbook).startswith("4 charts of S!B3:E6 are on the sheet")
    made = [edit for edit in document.edits if edit["op"] == "drawn"]
    charts = [edit["chart"] for edit in made]
    assert {edit["sheet"] for edit in made} == {"voladdin chart"}
    assert [chart.title.given["Text"] for chart in charts] == ["At the money", "1W", "1M", "1Y"]
    names = ["Filled", "90% band, low", "90% band, high", "Repaired", "Quotes"]
    for chart in charts:
        assert [series.given["Name"] for series in chart.series] == names
        assert chart.given["DisplayBlanksAs"] == 3
        scale = chart.axis.given
        assert 0 < scale["MinimumScale"] < scale["MaximumScale"] and scale["MajorUnit"] > 0
        lengths = {series.given[name]._count for series in chart.series for name in ("Values", "XValues")}
        assert lengths == {3}
        dots = chart.series[-1]
        assert dots.given["MarkerStyle"] == 8 and not dots.Format.Line.given["Visible"]
        assert [s.Format.Line.given.get("DashStyle") for s in chart.series] == [None, 4, 4, None, None]
    boxes = [chart.box for chart in charts]
    assert all(a[0] + a[2] <= b[0] or a[1] + a[3] <= b[1] for a, b in itertools.pairwise(boxes))
    (scale,) = [edit for edit in document.edits if edit["op"] == "scaled"]
    assert [one.FormatColor.given["Color"] for one in scale["criteria"]] == [0xFFFBF8, 0xF3E2CF, 0xDCA86F]
    document.active = "S"
    run(document, "clear", "C4", workbook)
    assert calc.state(document) == before


@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_a_protected_sheet(name: str) -> None:
    document = calc.opened({"S": {"B3": GRID if name == "fill" else BROKEN}}, "C4", protected=True)
    before = calc.state(document)
    with pytest.raises(InputError, match=r"cannot be changed: .*protected"):
        run(document, name, "C4")
    assert calc.state(document) == before


def test_a_whole_sheet_selected() -> None:
    """Excel cannot count its cells."""
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    assert run(document, "fill", "A1:XFD1048576").startswith("filled 7 holes of S!A1:F4")
    assert run(document, "clear", "A1:XFD1048576") == "cleared 7 places"


@pytest.mark.parametrize("selection", [excel.Picture(), None], ids=["a chart or picture", "nothing"])
def test_no_cell_is_selected(selection: Any) -> None:
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    workbook = excel.Workbook(document)
    workbook.Application.Selection = selection
    before = calc.state(document)
    assert on_book("fill", workbook).startswith("!no cell is selected; expected the cursor in a grid")
    assert calc.state(document) == before


@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_a_filtered_sheet(name: str) -> None:
    """Excel writes a block to some of its rows only."""
    document = calc.opened({"S": {"B3": GRID if name == "fill" else BROKEN}}, "C4")
    before = calc.state(document)
    workbook = excel.Workbook(document)
    workbook.filtered = True
    with pytest.raises(InputError, match="cannot be changed: a filter hides rows of the sheet S"):
        run(document, name, "C4", workbook)
    assert calc.state(document) == before


def test_a_shared_book_where_excel_refuses_a_change() -> None:
    document = calc.opened({"S": {"B3": BROKEN}}, "C4")
    before = calc.state(document)
    workbook = excel.Workbook(document)
    workbook.MultiUserEditing, workbook.refused_names = True, frozenset({"voladdin check"})
    with pytest.raises(InputError, match="the workbook is shared, which Excel changes in part only"):
        run(document, "check", "C4", workbook)
    assert calc.state(document) == before


def test_a_book_whose_structure_is_protected() -> None:
    """The ledger's sheet cannot be added: what was filled is taken back."""
    document = calc.opened({"S": {"B3": GRID}}, "C4", structure=True, looks={"D4": {"fill": 0x12AB34}})
    before = calc.state(document)
    with pytest.raises(InputError, match="the workbook's structure is protected"):
        run(document, "fill", "C4")
    assert calc.state(document) == before


def test_a_refused_sheet_name_leaves_no_sheet() -> None:
    document = calc.opened({"S": {"B3": BROKEN}}, "C4")
    before = calc.state(document)
    workbook = excel.Workbook(document)
    workbook.refused_names = frozenset({"voladdin check"})
    with pytest.raises(InputError, match="the name voladdin check is refused"):
        run(document, "check", "C4", workbook)
    assert calc.state(document) == before and len(document.sheets) == 1


def test_a_restored_formula_spills_as_before() -> None:
    document = calc.opened({"S": {"B3": BROKEN, "H1": [["=B4:B6"]]}}, "B3")
    for command in ("test", "clear"):
        opened = OpenDocument(excel.Workbook(document))
        with Transaction(book_of(opened), command) as changes:
            if command == "test":
                changes.write(CellRun("S", 1, 8), value=[1.0])
            else:
                changes.take_back(list(changes.records))
        apply(opened)
    assert document.get("S", (1, 1, 1, 8), "formula")[0][-1] == calc.calc_formula("=B4:B6")


def test_dates_of_either_system_are_the_same_dates() -> None:
    """COM gives dates as dates, whatever day the book counts from; a block with some is written in runs."""
    rows = [["", "25P", "ATM", "25C"], ["x", 0.1, None, 0.1], ["y", 0.11, 0.1, None]]
    days = [dt.datetime(2026, 12, 1), dt.datetime(2027, 1, 4), dt.datetime(2027, 7, 5)]
    found = []
    for zone in (None, dt.UTC):
        document = calc.opened({"S": {"A1": rows}}, "B2")
        for row, day in enumerate(days, 1):
            cell = {"value": day.replace(tzinfo=zone), "formula": "46000", "format": "yyyy-mm-dd"}
            document.sheets[0].cells[row, 1] = cell
        assert run(document, "fill", "B2").startswith("filled 2 holes of S!A1:D3")
        found.append(calc.values(document, "B2:D3"))
    assert found[0] == found[1]


def holey(holes: int) -> list[list[Any]]:
    rng = np.random.default_rng(1)
    tenors = ["1W", "1M", "2M", "3M", "6M", "9M", "1Y", "18M", "2Y", "3Y", "4Y", "5Y"]
    rows: list[list[Any]] = [[None, "10P", "25P", "ATM", "25C", "10C"]]
    rows += [[t, *(0.08 + 0.001 * i + 0.002 * abs(j - 2) for j in range(5))] for i, t in enumerate(tenors)]
    for cell in rng.permutation(60)[:holes]:
        rows[1 + cell // 5][1 + cell % 5] = None
    return rows


def test_26_holes_are_filled_in_40_calls_of_excel() -> None:
    """All that is asked of Excel's objects, the hidden sheet that remembers the holes included."""
    document = calc.opened({"S": {"A1": holey(26)}}, "B2", looks={"B2:F13": {"format": "0.00%"}})
    calls: Counter[str] = Counter()
    said = run(document, "fill", "B2", Counted(excel.Workbook(document), calls))
    assert said.startswith("filled 26 holes")
    print(f"{calls.total()} calls for 26 holes: {dict(calls)}")
    assert calls.total() <= 40
    assert calls["Value2="] == 1 and calls["Value="] == 0 and calls["Run"] == 5


@pytest.mark.parametrize(
    ("looks", "most"),
    [({}, 40), ({"B2:C9": {"fill": 0x12AB34}, "D5": {"font": 0x00FF01}}, 45)],
    ids=["plain", "coloured"],
)
def test_26_filled_holes_are_cleared_in_40_calls_of_excel(looks: dict[str, Any], most: int) -> None:
    """The add-in's VBA says of all cells at once how they look."""
    document = calc.opened({"S": {"A1": holey(26)}}, "B2", looks=looks | {"B2:F13": {"format": "0.00%"}})
    before = calc.state(document)
    run(document, "fill", "B2")
    calls: Counter[str] = Counter()
    said = run(document, "clear", "B2", Counted(excel.Workbook(document), calls))
    assert said == "cleared 26 places" and calc.state(document) == before
    print(f"{calls.total()} calls to clear 26 holes: {dict(calls)}")
    assert calls.total() <= most


def test_a_write_between_is_not_lost() -> None:
    """A quote that changes while the command works is not written over."""
    document = calc.opened({"S": {"A1": holey(26)}}, "B2")
    workbook = excel.Workbook(document)
    opened = OpenDocument(workbook)
    assert COMMANDS["fill"].run(book_of(opened)).startswith("filled 26")
    quoted = next(at for at, cell in document.sheets[0].cells.items() if min(at) > 1 and cell["value"])
    document.sheets[0].cells[quoted] = {"value": 0.123, "formula": "0.123"}
    apply(opened)
    assert document.sheets[0].cells[quoted]["value"] == 0.123
    assert None not in [cell for row in calc.values(document, "B2:F13") for cell in row]


def test_notes_without_the_add_in_are_written_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(excel.Application, "Run")
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    run(document, "fill", "A1")
    notes = [note for row in calc.attribute(document, "A1:F4", "note") for note in row if note]
    assert len(notes) == 7 and all("90% band" in note for note in notes)


def test_looks_without_the_add_in_are_asked_of_excel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell where they differ; Fill and Clear do the same."""
    looks = {"B2:F13": {"format": "0.00%"}, "B2:C9": {"fill": 0x12AB34}, "E3": {"note": "a\tb\nc"}}
    found = []
    for with_addin in (True, False):
        document = calc.opened({"S": {"A1": holey(26)}}, "B2", looks=looks)
        before = calc.state(document)
        if not with_addin:
            monkeypatch.delattr(excel.Application, "Run")
        run(document, "fill", "B2")
        found.append(calc.state(document))
        assert run(document, "clear", "B2").startswith("cleared") and calc.state(document) == before
    assert found[0] == found[1]


def test_a_ledger_that_excel_keeps_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    document = calc.opened({"S": {"A1": GRID}}, "A1")
    run(document, "fill", "A1")

    def refuse(_: excel.Worksheet) -> None:
        raise win32.ComError("Delete fails")

    monkeypatch.setattr(excel.Worksheet, "Delete", refuse)
    assert run(document, "clear", "A1").startswith("cleared 7")
    kept = document.sheet("_voladdin")
    assert not any(cell.get("value") or cell.get("formula") for cell in kept.cells.values())
    assert run(document, "clear", "A1") == "nothing to clear: no command has written here"


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: function.name)
def test_every_choice_of_a_question_has_room_in_excel(function: Function) -> None:
    names = tuple(argument.name for argument in function.arguments if argument.optional)
    for choices in (("none", *names), *(argument.choices for argument in function.arguments)):
        asked = _in_lines(Prompt("text", "Which other argument?" * 20, "", choices)).split("\n", 2)[2]
        assert asked.startswith("Which") and len(asked) <= 255


def test_a_question_is_asked_until_it_is_answered() -> None:
    document = calc.opened({"S": {"B3": GRID}}, "C4")
    workbook = excel.Workbook(document)
    before = calc.state(document)
    document.selection = [calc.area("C4")]
    kind, default, words = on_book("insert", workbook, "book.ods")[1:].split("\n")
    assert (kind, default) == ("text", "VOLIMPUTE") and "VOLCHECK" in words and len(words) <= 255
    kind, default, words = on_book("insert\tVOLCHECK", workbook, "book.ods")[1:].split("\n")
    assert (kind, default) == ("range", "$B$3:$G$6") and len(words) <= 255
    assert calc.state(document) == before
    asked = on_book("insert\tVOLCHECK\t$B$3:$G$6\toutput", workbook, "book.ods")
    assert asked.startswith("?text\nok\nVOLCHECK: output") and asked.endswith(
        " 1 ok 2 report 3 map 4 diagnostics"
    )
    answers = ["[book.ods]S!$B$3:$G$6", "output", "report", "", "'[book.ods]S'!$B$9"]
    said = on_book("\t".join(["insert", "VOLCHECK", *answers]), workbook, "book.ods")
    assert said == '=wrote =VOLCHECK(B3:G6, "report") to S!B9, 1 x 1 cells'
    assert calc.attribute(document, "B9", "formula") == [['=VOLCHECK(B3:G6, "report")']]
    assert run(document, "clear", "A1") == "cleared 1 place"
    assert calc.state(document) == before
