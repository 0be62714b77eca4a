"""The ribbon's commands against an xlwings Book, on books in memory; test_libreoffice_commands runs Calc."""

from __future__ import annotations

import itertools
import json
import subprocess
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import (
    BROKEN,
    FILL_NUMBER,
    FONT_NUMBER,
    GRID,
    HOLES,
    filled,
    refused,
    run,
    user_cells,
)
from tests.stubs import calc
from voladdin.cells import parse
from voladdin.commands import COMMANDS, execute
from voladdin.commands.checking import colour
from voladdin.errors import InputError, UnavailableError
from voladdin.home import VERSION
from voladdin.hosts.documents import engine, notation
from voladdin.hosts.documents.document import Document
from voladdin.hosts.libreoffice import menu_commands
from voladdin.imputation.filling import impute
from voladdin.journal import Caller
from voladdin.worksheet import info

# Fill missing


@pytest.mark.parametrize("select", ["C4", "B3:G6", "B1:G100", "E5"])
def test_fill_writes_the_holes_and_nothing_else(select: str) -> None:
    document = calc.opened({"EURUSD": {"B3": GRID, "J1": [["far away"]]}}, select)
    before = calc.state(document)["EURUSD"]
    where = "EURUSD!B1:G6" if select == "B1:G100" else "EURUSD!B3:G6"
    message = run(document, "fill")
    assert message.startswith(f"filled 7 holes of {where}, tenors 1W to 1Y by deltas 10P to 10C (fx")
    assert calc.values(document, "B3:G6") == filled(GRID)
    after = calc.state(document)["EURUSD"]
    places = [(3 + i, 2 + j) for i, j in HOLES]
    assert {place: cell for place, cell in after.items() if place not in places} == before
    for place in places:
        assert (after[place]["fill"], after[place]["font"]) == (FILL_NUMBER, FONT_NUMBER)


def test_a_note_says_how_sure_the_cell_is() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    run(document, "fill")
    answer = impute(parse(GRID).surface)
    low, high, std = answer.low[0, 1], answer.high[0, 1], answer.std[0, 1]
    assert calc.attribute(document, "C2", "note") == [
        [f"±{1e4 * std:.3g} bp, 90% band {low:.2%} to {high:.2%}, voladdin {answer.model} {VERSION}"]
    ]
    assert calc.attribute(document, "B2", "note") == [[None]]


def test_a_grid_in_percent_points_is_filled_in_percent_points() -> None:
    points = [[100 * c if isinstance(c, float) else c for c in row] for row in GRID]
    document = calc.opened({"S": {"A1": points}}, "B2")
    run(document, "fill")
    assert calc.values(document, "A1:F4") == filled(points)
    assert 5 < calc.values(document, "C2")[0][0] < 12
    assert "%" in calc.attribute(document, "C2", "note")[0][0]


def test_filled_cells_take_the_number_format_of_the_quotes() -> None:
    looks = {"B2:F4": {"format": "0.0%"}, "C2": {"format": "General"}, "E2": {"format": "0.000"}}
    document = calc.opened({"S": {"A1": GRID}}, "B2", looks=looks)
    before = calc.state(document)
    run(document, "fill")
    assert calc.attribute(document, "C2:E2", "format") == [["0.0%", "0.0%", "0.000"]]
    run(document, "clear")
    assert calc.state(document) == before


def test_filled_cells_take_the_format_of_the_quotes_beside_them() -> None:
    """Not that of most quotes of the grid: a column of percents, the others with more digits."""
    form = {"B": "0.0%", "C": "0.00%", "D": "0.000%", "E": "0.0000%", "F": "0.00000%"}
    looks = {
        f"{column}{row}": {"format": text}
        for column, text in form.items()
        for row in (2, 3, 4)
        if GRID[row - 1]["ABCDEF".index(column)] is not None
    }
    document = calc.opened({"S": {"A1": GRID}}, "B2", looks=looks | {"C2": {"format": "@"}})
    run(document, "fill")
    quoted = np.argwhere([[cell is not None for cell in row[1:]] for row in GRID[1:]])
    for i, row in enumerate(calc.attribute(document, "B2:F4", "format")):
        for j, text in enumerate(row):
            far = np.abs(quoted - (i, j)).sum(axis=1)
            near = {form["BCDEF"[column]] for _, column in quoted[far == far.min()].tolist()}
            assert text in near, (i, j)


@pytest.mark.parametrize(
    ("ours", "now", "kept"),
    [
        (
            '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
            "_(* #,##0.00_);_(* \\(#,##0.00\\);_(* -??_);_(@_)",
            True,
        ),
        (
            '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
            "[>0]_(* #,##0.00_);[<0]_(* (#,##0.00);_(* -??_);_(@_)",
            True,
        ),
        ("0.00 %", '0.00" "%', True),
        ("0.00%", "0.0%", False),
        ("0.00%;[RED]-0.00%", "0.00%", False),
    ],
)
def test_a_format_that_a_save_wrote_anew_is_still_ours(ours: str, now: str, kept: bool) -> None:
    looks = {"B2:F4": {"format": ours}} | {"C2": {"format": "General"}}
    document = calc.opened({"S": {"A1": GRID}}, "B2", looks=looks)
    run(document, "fill")
    for cell in document.sheets[0].cells.values():
        if cell.get("format") == ours:
            cell["format"] = now
    assert run(document, "clear") == (
        "cleared 7 places" if kept else "cleared 6 places; 1 changed since and kept"
    )


def test_a_transposed_grid() -> None:
    turned = [list(row) for row in zip(*GRID, strict=True)]
    document = calc.opened({"S": {"A1": turned}}, "B2")
    run(document, "fill")
    assert calc.values(document, "A1:D6") == [list(row) for row in zip(*filled(GRID), strict=True)]


def test_titles_above_are_left_alone() -> None:
    titled = [["EURUSD, mid", *[None] * 5], ["close of 20 Nov", *[None] * 5], *GRID]
    document = calc.opened({"S": {"A1": titled}}, "B4", looks={"A1:F1": {"merged": True}})
    run(document, "fill")
    assert calc.values(document, "A1:F6") == [*titled[:2], *filled(GRID)]


def test_what_is_a_hole_and_what_is_not() -> None:
    grid = [list(row) for row in GRID]
    grid[1][2], grid[1][4], grid[1][5], grid[2][5] = "n/a", "-", "#N/A", "=NA()"
    grid[3][1], grid[3][2], grid[3][4] = "call desk", 0.0, -0.1
    document = calc.opened({"S": {"A1": grid}}, "B2")
    message = run(document, "fill")
    assert message.startswith("filled 3 holes of S!A1:F4, tenors 1W to 1Y by deltas 10P to 10C (fx")
    assert message.endswith(
        "); left alone: F3 holds a formula, B4 holds 'call desk', C4 holds 0.0, E4 holds -0.1"
    )
    after = calc.values(document, "A1:F4")
    expected = filled(GRID)
    assert [after[1][2], after[1][4], after[1][5]] == [expected[1][2], expected[1][4], expected[1][5]]
    assert (after[2][5], after[3][1], after[3][2], after[3][4]) == ("#N/A", "call desk", 0.0, -0.1)
    assert calc.attribute(document, "F3", "formula") == [["=NA()"]]
    run(document, "clear")
    assert calc.values(document, "A1:F4") == [["#N/A" if c == "=NA()" else c for c in row] for row in grid]


def test_no_hole() -> None:
    document = calc.opened({"S": {"A1": filled(GRID)}}, "B2")
    assert run(document, "fill") == "no hole to fill in S!A1:F4, tenors 1W to 1Y by deltas 10P to 10C"
    assert document.edits == []


def test_filling_again_takes_the_filled_cells_for_holes() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    before = calc.state(document)
    run(document, "fill")
    document.set("S", calc.area("D2"), "value", [[0.10]])
    changed = [list(row) for row in GRID]
    changed[1][3] = 0.10
    run(document, "fill")
    assert calc.values(document, "A1:F4") == filled(changed)
    document.set("S", calc.area("D2"), "value", [[0.081]])
    run(document, "clear")
    assert calc.state(document) == before


def test_a_filled_cell_that_the_user_overwrote_is_a_quote() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    run(document, "fill")
    document.set("S", calc.area("C2"), "value", [[0.0855]])
    changed = [list(row) for row in GRID]
    changed[1][2] = 0.0855
    run(document, "fill")
    assert calc.values(document, "A1:F4") == filled(changed)
    assert run(document, "clear") == "cleared 6 places; 1 changed since and kept"
    assert calc.values(document, "A1:F4") == changed


def test_the_users_note_stays() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2", looks={"C2": {"note": "ask Anna"}})
    before = calc.state(document)
    run(document, "fill")
    run(document, "fill")
    assert calc.attribute(document, "C2", "note") == [["ask Anna"]]
    run(document, "clear")
    assert calc.state(document) == before


# Where the grid is


@pytest.mark.parametrize(
    ("select", "match"),
    [
        ("K9", "no grid around K9; expected the cursor in a grid"),
        ("K9:M12", "the selection K9:M12 is blank"),
        ("J1:K2", "J1 is 'far away'"),
        ("A1:B2", "the range has no number: cell A1 is blank"),
        ("A1:D1000000", "A1:D20001 has 20001 x 4 cells; expected a grid of at most 40002 cells"),
    ],
)
@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_no_grid(name: str, select: str, match: str) -> None:
    cells = {"B3": GRID, "J1": [["far away"]], "A20001": [["end"]]}
    refused(calc.opened({"S": cells}, select), name, match)


@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_no_cell_or_several_ranges(name: str) -> None:
    refused(calc.opened({"S": {"A1": GRID}}, areas=[]), name, "no cell is selected")
    refused(calc.opened({"S": {"A1": GRID}}, areas=["A1:B2", "D1:E2"]), name, "several ranges .*A1:B2,D1:E2")


def test_messages_name_the_cells_of_the_sheet() -> None:
    grid = [list(row) for row in GRID]
    grid[2][0] = "1W"
    refused(calc.opened({"S": {"C11": grid}}, "D12"), "check", "C13 is '1W'")


# Refusals


@pytest.mark.parametrize("name", ["fill", "check", "repair"])
def test_a_protected_sheet(name: str) -> None:
    grid = BROKEN if name != "fill" else GRID
    document = calc.opened({"My sheet": {"B3": grid}}, "C4", protected=True)
    refused(document, name, r"My sheet.* cannot be changed: the sheet My sheet is protected")


@pytest.mark.parametrize("name", ["fill", "check"])
def test_a_protected_structure(name: str) -> None:
    """The ledger, or the report, cannot be added: the cells are restored."""
    grid = BROKEN if name != "fill" else GRID
    document = calc.opened({"S": {"B3": grid}}, "C4", structure=True)
    refused(document, name, "the document's structure is protected")


def test_merged_cells() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2", looks={"E2:F2": {"merged": True}})
    refused(document, "fill", "S!E2 is part of merged cells")


@pytest.mark.parametrize("name", ["fill", "check", "repair", "clear", "functions"])
def test_a_command_that_fails_anywhere_leaves_the_book_as_it_was(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every single change is refused once, as Excel may do in the middle."""
    methods = ("set", "add", "remove", "show", "link")
    originals = {method: getattr(Document, method) for method in methods}
    for last in itertools.count():
        document = calc.opened({"S": {"B3": BROKEN if name != "fill" else GRID, "K20": GRID}}, "C4")
        if name == "clear":
            run(document, "fill", "L21")
            run(document, "check", "C4")
        before, left = calc.state(document), [last]

        def guarded(method: str, left: list[int] = left) -> Any:
            def change(self: Document, *arguments: Any) -> Any:
                left[0] -= 1
                if left[0] == -1:
                    raise RuntimeError("not now")
                return originals[method](self, *arguments)

            return change

        for method in methods:
            monkeypatch.setattr(Document, method, guarded(method))
        try:
            run(document, name)
            break
        except InputError as error:
            assert "cannot be changed: not now" in str(error)
        finally:
            for method in methods:
                monkeypatch.setattr(Document, method, originals[method])
        assert calc.state(document) == before, last
    assert last >= 7


# Check


def test_check_colours_by_size_and_reports() -> None:
    document = calc.opened({"EURUSD 1": {"B3": BROKEN}}, "C4")
    message = run(document, "check")
    grid = parse(BROKEN)
    from voladdin.arbitrage.check import check

    found = check(grid.surface)
    assert message.startswith(f"EURUSD 1!B3:E6 has static arbitrage: {len(found.violations)} trades lock in")
    assert message.endswith("; see the sheet voladdin check")
    fills = calc.attribute(document, "C4:E6", "fill")
    for row, sizes in zip(fills, found.map.tolist(), strict=True):
        assert row == [notation.colour_number(colour(size)) if size else None for size in sizes]
    assert calc.values(document, "B3:E6") == BROKEN
    report = calc.values(document, f"A3:E{2 + len(found.violations)}", "voladdin check")
    for row, violation in zip(report, found.violations, strict=True):
        names = [f"{'CDE'[j]}{4 + i}" for i, j in violation.cells]
        size = 1e4 * violation.size
        assert row == [violation.kind, ", ".join(names), size, violation.vol_bp, violation.message]
    links = [edit for edit in document.edits if edit["op"] == "link"]
    assert links[0]["target"] == f"#'EURUSD 1'!{report[0][1].split(',')[0]}"
    assert document.active == "EURUSD 1"


def test_sizes_have_different_colours() -> None:
    shades = [colour(bp) for bp in (0.0, 0.1, 1.0, 10.0, 100.0, 1e9)]
    assert shades[0] == shades[1] and shades[4] == shades[5]
    assert all(a[1] > b[1] for a, b in itertools.pairwise(shades[1:5]))


def test_check_again_after_a_correction() -> None:
    looks = {"C4:E6": {"fill": 0x123456}}
    document = calc.opened({"S": {"B3": BROKEN}}, "C4", looks=looks)
    before = calc.state(document)
    run(document, "check")
    run(document, "check")
    assert [sheet.name for sheet in document.sheets] == ["S", "voladdin check", "_voladdin"]
    document.set("S", calc.area("C5:E5"), "value", [[0.13, 0.12, 0.13]])
    message = run(document, "check")
    assert message.startswith("no static arbitrage among the 9 quotes of S!B3:E6, tenors 1W to 1Y by ")
    document.set("S", calc.area("C5:E5"), "value", [BROKEN[2][1:]])
    assert calc.state(document) == before


def test_the_report_leaves_a_sheet_of_the_users_alone() -> None:
    document = calc.opened({"S": {"B3": BROKEN}, "voladdin check": {"A1": [["mine"]]}}, "C4")
    assert run(document, "check").endswith("see the sheet voladdin check 2")
    assert calc.state(document)["voladdin check"][1, 1]["value"] == "mine"


def test_colours_lie_over_each_other_and_come_off_in_order() -> None:
    grid = [list(row) for row in BROKEN]
    grid[1][1] = None
    document = calc.opened({"S": {"A1": grid}}, "B2")
    before = calc.state(document)
    run(document, "fill")
    run(document, "check")
    run(document, "fill")
    run(document, "check")
    run(document, "clear")
    assert calc.state(document) == before


# Repair


def test_repair_goes_beside_the_grid_with_the_change_map() -> None:
    from voladdin.arbitrage.repair import repair

    titled = [["EURUSD", None, None, None], *BROKEN]
    document = calc.opened({"S": {"B3": titled}}, "C5", looks={"C5:E7": {"format": "0.00%"}})
    before = calc.state(document)
    message = run(document, "repair")
    found = repair(parse(BROKEN).surface)
    assert message.startswith(f"repaired S!B3:E7 at S!G3 ({found.method})")
    assert calc.values(document, "B3:E7") == titled
    assert calc.values(document, "G3:J7")[0][0] == "Repaired S!B3:E7"
    assert calc.values(document, "G4:J4") == [BROKEN[0]]
    np.testing.assert_array_equal(np.array(calc.values(document, "H5:J7")), found.surface.vols)
    assert calc.attribute(document, "H5:J7", "format") == [["0.00%"] * 3] * 3
    assert calc.values(document, "L3") == [["Change, bp of vol"]]
    np.testing.assert_array_equal(np.array(calc.values(document, "M5:O7")), found.change)
    moved = np.array(calc.attribute(document, "H5:J7", "fill")) != None  # noqa: E711
    np.testing.assert_array_equal(moved, found.change != 0)
    assert run(document, "check", "H6").startswith("no static arbitrage among the 9 quotes of S!G3:J7")
    run(document, "clear")
    assert calc.state(document) == before


@pytest.mark.parametrize(
    ("others", "at"),
    [
        ({}, "S!F1"),
        ({"P3": [["x"]]}, "S!F1"),
        ({"O3": [["x"]]}, "S!A6"),
        ({"H2": [["=1+1"]]}, "S!A6"),
        ({"F7": [["x"]]}, "S!F1"),
        ({"F6": [["x"]]}, "voladdin repair!A1"),
        ({"M3": [["x"]], "C9": [["x"]]}, "voladdin repair!A1"),
        ({"M3": [["x"]], "J11": [["x"]]}, "voladdin repair!A1"),
    ],
)
def test_repair_finds_room_and_overwrites_nothing(others: dict[str, Any], at: str) -> None:
    grid = [row[:4] for row in BROKEN]
    document = calc.opened({"S": {"A1": grid, **others}}, "B2")
    before = calc.state(document)
    assert f" at {at} (" in run(document, "repair")
    after = calc.state(document)
    assert {place: after["S"][place] for place in before["S"]} == before["S"]
    run(document, "clear")
    assert calc.state(document) == before


def test_a_grid_at_the_sheets_edge() -> None:
    document = calc.opened({"S": {"XFA1048573": BROKEN}}, "XFB1048574")
    assert " at voladdin repair!A1 (" in run(document, "repair")
    document = calc.opened({"S": {"XFA1": BROKEN}}, "XFB2")
    assert " at S!XFA6 (" not in run(document, "repair")
    document = calc.opened({"S": {"XFA1048573": GRID[:4]}}, "XFB1048574")
    assert run(document, "fill").startswith("filled 7 holes")


def test_repair_again_replaces_its_own_block_but_not_the_users_words() -> None:
    document = calc.opened({"S": {"A1": BROKEN}}, "B2")
    assert " at S!F1 (" in run(document, "repair")
    once = user_cells(document)
    assert " at S!F1 (" in run(document, "repair")
    assert user_cells(document) == once
    document.set("S", calc.area("G3"), "value", [["look here"]])
    assert " at S!A6 (" in run(document, "repair")
    assert calc.values(document, "G3") == [["look here"]]


def test_nothing_to_repair() -> None:
    document = calc.opened({"S": {"A1": filled(GRID)}}, "B2")
    assert run(document, "repair") == "nothing to repair: S!A1:F4 has no static arbitrage"
    assert document.edits == []


# Clear


def test_clear_after_save() -> None:
    document = calc.opened({"S": {"B3": GRID, "B20": BROKEN}}, "C4", looks={"C4": {"fill": 0xFFFF00}})
    before = calc.state(document)
    run(document, "fill")
    document = calc.reopened(document, "C21")
    run(document, "check")
    document = calc.reopened(document, "C21")
    run(document, "repair")
    document = calc.reopened(document, "A1")
    run(document, "clear")
    assert calc.state(document) == before


def test_clear_of_a_selection() -> None:
    document = calc.opened({"S": {"B3": GRID, "B20": GRID}}, "C4")
    before = calc.state(document)
    run(document, "fill")
    only_first = user_cells(document)
    run(document, "fill", "C21")
    assert run(document, "clear", "A15:Z30") == "cleared 7 places"
    assert user_cells(document) == only_first
    run(document, "clear", "C4")
    assert calc.state(document) == before


def test_clear_leaves_what_changed_since() -> None:
    document = calc.opened({"S": {"A1": BROKEN}}, "B2")
    run(document, "check")
    document.set("S", calc.area("B3"), "fill", [[0xABCDEF]])
    document.set("voladdin check", calc.area("A20"), "value", [["my remark"]])
    run(document, "clear")
    assert calc.attribute(document, "B3", "fill") == [[0xABCDEF]]
    assert calc.state(document)["voladdin check"] == {(20, 1): {"value": "my remark", "formula": "my remark"}}
    assert run(document, "clear") == "nothing to clear: no command has written here"


def test_a_damaged_ledger_is_passed_over() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    run(document, "fill")
    texts = [["{", "nonsense"], ["[]", "=ROWS(#REF!)"], ['{"command": 1}', "=ROWS($'S'.$A$1)"]]
    for i, (text, reference) in enumerate(texts):
        document.set("_voladdin", (2 + i, 1, 2 + i, 1), "formula", [[reference]])
        document.set("_voladdin", (2 + i, 2, 2 + i, 2), "value", [[text]])
    assert run(document, "clear") == "cleared 4 places"


# Help, the registry, and what hosts rely on


def test_help_sheets() -> None:
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    before = calc.state(document)
    assert run(document, "functions") == "see the sheet voladdin help"
    assert document.edits[-1] == {"op": "activate", "sheet": "voladdin help"}
    assert "VOLIMPUTE(surface" in calc.values(document, "A2", "voladdin help")[0][0]
    with pytest.raises(InputError):
        run(document, "fill", "Z99")
    assert run(document, "log") == "see the sheet voladdin log"
    rows = calc.values(document, "A1:B4", "voladdin log")
    assert rows[1] == [
        "error",
        "no grid around Z99; expected the cursor in a grid of vols, or the grid selected",
    ]
    assert run(document, "about").startswith(f"voladdin {VERSION}; models: ")
    run(document, "clear")
    assert calc.state(document) == before


def test_the_registry() -> None:
    assert list(COMMANDS)[:5] == ["fill", "check", "repair", "build", "insert"]
    assert [name for name, c in COMMANDS.items() if c.group == "Help"] == [
        "help",
        "functions",
        "doctor",
        "log",
        "about",
    ]
    assert {c.group for c in COMMANDS.values()} <= {"Surface", "Scenarios", "View", "Help"}
    for name, command in COMMANDS.items():
        assert command.name == name and name.isidentifier()
        assert command.help.endswith(".") and len(command.help) < 200
    assert len({command.label for command in COMMANDS.values()}) == len(COMMANDS)


def test_failures_are_remembered_and_defects_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="'paint' is unknown; expected one of fill"):
        execute("paint", engine.book_of(calc.opened({"S": {}})))
    monkeypatch.setattr("voladdin.commands.filling.impute", lambda surface: 1 / 0)
    document = calc.opened({"S": {"A1": GRID}}, "B2")
    refused(document, "fill", "fill failed: ZeroDivisionError.*defect")
    assert "ZeroDivisionError" in info.volinfo("error", (), caller=Caller(document.name))[0][1]
    assert info.volinfo("error", (), caller=Caller("another book"))[0][1] == "none"


def test_cells_are_asked_for_until_the_command_can_run() -> None:
    """The answer is the same as with the whole book in hand, and the request stays small."""
    sheets = {"S": {"B3": GRID, "J900": [["x"]]}, "other": {"A1": [[float(i)] for i in range(1000)]}}
    book, blocks = calc.sent(sheets, "C4")
    whole = calc.opened(sheets, "C4")
    message = run(whole, "fill")
    have: list[dict[str, Any]] = []
    for _ in range(5):
        answer = menu_commands.run("fill", book, have)
        if "need" not in answer:
            break
        assert answer["need"]["sheet"] == "S"
        have.append(blocks[0] | {"area": [1, 1, 900, 10], **_grown(blocks[0])})
    assert answer["message"] == message and answer["label"] == "Fill missing"
    assert json.loads(json.dumps(answer["edits"])) == json.loads(json.dumps(whole.plan()))


def _grown(block: dict[str, Any]) -> dict[str, Any]:
    """The block's rows with blank cells around, from A1 on."""
    top, left, _, right = block["area"]
    out = {}
    for name, blank in (("values", None), ("formulas", "")):
        rows = [[blank] * (left - 1) + row for row in block[name]]
        out[name] = [[blank] * right] * (top - 1) + rows
    return out


@pytest.mark.parametrize("wrong", [{}, {"name": "b"}, {"name": "b", "sheets": 3}])
def test_a_book_of_another_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the book cannot be read"):
        menu_commands.run("fill", {"extension": VERSION} | wrong, [])


@pytest.mark.parametrize(("extension", "named"), [({}, "0.1"), ({"extension": "9.9"}, "9.9")])
def test_an_extension_of_another_version_has_to_be_installed_again(
    extension: dict[str, str], named: str
) -> None:
    book, blocks = calc.sent({"S": {"B3": GRID}}, "C4")
    del book["extension"]
    with pytest.raises(UnavailableError, match=f"voladdin {named}, .*`voladdin install libreoffice` again"):
        menu_commands.run("fill", book | extension, blocks)


@pytest.mark.parametrize(
    ("excel", "native"),
    [
        ("=ROWS('S'!$A$1:$B$1)", "=ROWS($'S'.$A$1:$B$1)"),
        ("=ROWS('a ''b'' c'!$A$1)", "=ROWS($'a ''b'' c'.$A$1)"),
        ("=SUM(S!A1)", "=SUM(S!A1)"),
        ("text", "text"),
    ],
)
def test_references_between_excel_and_calc(excel: str, native: str) -> None:
    assert notation.calc_formula(excel) == native
    assert notation.excel_formula(native) == excel
    assert notation.excel_formula("=ROWS($Sheet1.$A$1)") == "=ROWS(Sheet1!$A$1)"


def test_only_the_free_parts_of_xlwings() -> None:
    import xlwings

    engine.book_of(calc.opened({"S": {}}))
    assert not xlwings.__pro__
    assert engine.NAME in xlwings.engines.engines_by_name


def test_the_doctor_on_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its findings in rows; how many are faults is said."""
    found = [["port", "ok", "127.0.0.1", ""], ["token", "FAULT", "open to others", "voladdin serve"]]
    asked: list[Any] = []

    def run_program(command: list[str], **_: Any) -> SimpleNamespace:
        asked.append(command)
        return SimpleNamespace(stdout=json.dumps(found))

    monkeypatch.setattr(subprocess, "run", run_program)
    document = calc.opened({"Sheet1": {"A1": [[1.0]]}})
    assert run(document, "doctor") == "1 fault; see the sheet voladdin doctor"
    assert calc.values(document, "A1:D3", "voladdin doctor")[1:] == [
        ["port", "ok", "127.0.0.1", None],
        found[1],
    ]
    assert asked[0][-3:] == ["doctor", "--quick", "--json"]
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="Traceback"))
    with pytest.raises(UnavailableError, match="expected `voladdin doctor` in a terminal"):
        run(document, "doctor")
