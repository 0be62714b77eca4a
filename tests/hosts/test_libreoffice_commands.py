"""The menu in real LibreOffice Calc: its addresses dispatched, the commands run by the local server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook

from tests.commands.sheets import BROKEN, FILL_NUMBER, FONT_NUMBER, GRID, HOLES, axes_and_models, filled
from tests.stubs.server import LocalServer
from voladdin.arbitrage.check import check
from voladdin.arbitrage.repair import repair
from voladdin.cells import parse
from voladdin.commands import COMMANDS
from voladdin.commands.checking import colour
from voladdin.home import VERSION
from voladdin.hosts import libreoffice
from voladdin.hosts.documents import notation
from voladdin.hosts.libreoffice import programs
from voladdin.imputation.filling import impute
from voladdin.service import process
from voladdin.worksheet.registry import evaluate

PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
pytestmark = [
    pytest.mark.office,
    pytest.mark.skipif(
        subprocess.run([PYTHON, "-c", "import uno"], capture_output=True).returncode != 0,
        reason="the system's Python has no module uno (Debian: python3-uno)",
    ),
]
Drive = Callable[..., list[Any]]
TEXTS = [["" if cell is None else str(cell) for cell in row] for row in GRID]
BROKEN_TEXTS = [["" if cell is None else str(cell) for cell in row] for row in BROKEN]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with the installed extension's settings, in which Calc starts the server."""
    folder = tmp_path_factory.mktemp("home")
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {folder}/address\n')
    browser.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLADDIN_HOME", str(folder))
        patch.setenv("BROWSER", str(browser))
        yield folder
        state = process.running()
        if state is not None:
            process.stop(state)


@pytest.fixture(scope="module")
def drive(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """Works through steps in one running LibreOffice; what each step returned."""
    profile = tmp_path_factory.mktemp("profile")
    libreoffice.install(profile)
    pipe = f"voladdin{uuid.uuid4().hex}"
    options = ["--headless", "--norestore", f"--accept=pipe,name={pipe};urp;"]
    command = [programs.program("soffice"), *programs.layers(profile), *options]
    calc = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=programs.environment())
    driver = Path(__file__).parents[1] / "stubs" / "uno_menu.py"

    def work(*steps: list[Any]) -> list[Any]:
        told = json.dumps([*steps, ["close"]])
        done = subprocess.run([PYTHON, driver, pipe], input=told, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers[:-1]

    yield work
    calc.terminate()
    calc.wait(30)


def looks(place: str) -> list[list[Any]]:
    """Steps that read all that a command may change."""
    return [
        ["formulas", place],
        *(["every", place, name] for name in ("CellBackColor", "CharColor", "NumberFormat")),
    ]


def blank(rows: list[list[Any]]) -> list[list[Any]]:
    return [["" if cell is None else cell for cell in row] for row in rows]


def test_the_menu_is_that_of_the_registry(drive: Drive) -> None:
    _, found = drive(["load", None], ["menus"])
    groups: dict[str, list[str]] = {}
    for command in COMMANDS.values():
        groups.setdefault(command.group, []).append(command.label)
    assert found == [label for labels in groups.values() for label in ("", *labels)][1:]


def test_an_entry_of_the_menu_is_chosen(drive: Drive) -> None:
    start = [["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"]]
    assert drive(*start, ["click", "Fill missing"], ["values", "B3:G6"])[3:] == [True, blank(filled(GRID))]


def test_fill_from_the_menu_and_one_step_of_undo(drive: Drive) -> None:
    sheet = [["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"]]
    after = [
        ["values", "B3:G6"],
        ["every", "B3:G6", "CellBackColor"],
        ["every", "B3:G6", "CharColor"],
        ["notes"],
    ]
    answers = drive(
        *sheet,
        *looks("A1:H9"),
        ["menu", "fill"],
        *after,
        ["sheets"],
        ["infobar"],
        ["undo_titles"],
        ["undo"],
        *looks("A1:H9"),
        ["notes"],
        ["sheets"],
    )
    before, said = answers[3:7], answers[7]
    cells, fills, fonts, notes, sheets, bar, titles = answers[8:15]
    assert said == [True, f"filled 7 holes of Sheet1!B3:G6, {axes_and_models(GRID)}"]
    assert cells == blank(filled(GRID))  # to the last bit
    for rows, number in ((fills, FILL_NUMBER), (fonts, FONT_NUMBER)):
        assert [(i, j) for i in range(4) for j in range(6) if rows[i][j] == number] == HOLES
    assert sorted((row - 2, column - 1) for row, column, _ in notes) == HOLES
    signed = f"voladdin {impute(parse(GRID).surface).model} {VERSION}"
    assert all("90% band" in text and text.endswith(signed) for *_, text in notes)
    assert sheets == [["Sheet1", True], ["_voladdin", False]]
    assert bar and titles[0] == "voladdin: Fill missing"
    assert answers[16:20] == before
    assert answers[20:] == [[], [["Sheet1", True]]]


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_clear_after_save_and_the_users_edits(drive: Drive, tmp_path: Path, form: str) -> None:
    """The ledger follows a renamed sheet and an inserted row."""
    path = str(tmp_path / f"book.{form}")
    texts = [list(row) for row in TEXTS]
    texts[1][4], texts[2][5], texts[3][1] = "-", "=NA()", "=#N/A"
    look = [["change", "C4:G6", "CellBackColor", 0xFFFF00], ["number_format", "C4:G6", "0.00%"]]
    start = [["load", None], ["put", "B3:G6", texts], *look, ["select", "D4"]]
    before = drive(*start, *looks("A1:H9"))[len(start) :]
    said = drive(*start, ["menu", "fill"], ["menu", "check"], ["save", path])[len(start)]
    assert said == [
        True,
        f"filled 6 holes of Sheet1!B3:G6, {axes_and_models(GRID)}; left alone: G5 holds a formula",
    ]
    change = [["put", "D4:D4", [["0.2"]]], ["insert_row", 0], ["rename", "it's EUR.USD"]]
    answers = drive(["load", path], *change, ["menu", "clear"], *looks("A2:H10"), ["notes"], ["sheets"])
    assert answers[4] == [True, "cleared 5 places; 1 changed since and kept"]
    before[0][3][3] = "0.2"
    assert answers[5] == before[0]
    assert answers[6] == before[1] and answers[7] == before[2]
    assert answers[9:] == [[], [["it's EUR.USD", True]]]


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_clear_after_save_of_formats_that_calc_writes_anew(drive: Drive, tmp_path: Path, form: str) -> None:
    """The accounting format of the quotes, which the filled cells took, is another text in the file."""
    path = str(tmp_path / f"book.{form}")
    accounting = '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)'
    quoted = ("C4", "E4", "C5", "D5", "E5", "F5", "E6", "G6")
    looks = [["number_format", place, accounting] for place in quoted]
    start = [["load", None], ["put", "B3:G6", TEXTS], *looks, ["select", "D4"], ["menu", "fill"]]
    assert drive(*start, ["format_text", "D4"], ["save", path])[-2] == accounting
    again = drive(["load", path], ["format_text", "D4"], ["menu", "clear"])
    assert again[1] != accounting and again[2] == [True, "cleared 7 places"]


def test_check_colours_the_trades_and_reports_them(drive: Drive) -> None:
    start = [["load", None], ["put", "B3:E6", BROKEN_TEXTS], ["select", "C4"]]
    read = [["every", "C4:E6", "CellBackColor"], ["values", "voladdin check.A1:E9"], ["sheets"]]
    answers = drive(
        *start, ["menu", "check"], *read, ["menu", "clear"], ["every", "A1:H9", "CellBackColor"], ["sheets"]
    )
    said, fills, report, sheets = answers[3:7]
    found = check(parse(BROKEN).surface)
    assert said[0] and said[1].startswith(
        f"Sheet1!B3:E6 has static arbitrage: {len(found.violations)} trades"
    )
    for row, sizes in zip(fills, found.map.tolist(), strict=True):
        assert row == [notation.colour_number(colour(size)) if size else -1 for size in sizes]
    assert [row[4] for row in report[2:] if row[4]] == [v.message for v in found.violations]
    assert [row[3] for row in report[2:] if row[4]] == pytest.approx([v.vol_bp for v in found.violations])
    assert [name for name, shown in sheets if shown] == ["Sheet1", "voladdin check"]
    assert answers[8] == [[-1] * 8] * 9
    assert answers[9] == [["Sheet1", True]]


def test_repair_beside_the_grid_and_undo(drive: Drive) -> None:
    start = [
        ["load", None],
        ["put", "B3:E6", BROKEN_TEXTS],
        ["number_format", "C4:E6", "0.00%"],
        ["select", "C4"],
    ]
    read = [["values", "B2:O6"], ["sheets"], ["select", "H4"], ["menu", "check"], ["undo"]]
    answers = drive(*start, *looks("A1:P9"), ["menu", "repair"], *read, *looks("A1:P9"), ["sheets"])
    found = repair(parse(BROKEN).surface)
    assert answers[8][0], answers[8]
    cells = answers[9]
    assert [row[:4] for row in cells[1:]] == blank(BROKEN)
    assert [row[5] for row in cells] == ["Repaired Sheet1!B3:E6", "", "1W", "1M", "1Y"]
    np.testing.assert_array_equal([row[6:9] for row in cells[2:]], found.surface.vols)
    np.testing.assert_array_equal([row[11:14] for row in cells[2:]], found.change)
    clean = "no static arbitrage among the 9 quotes of Sheet1!G2:J6, tenors 1W to 1Y by deltas 25P to 25C"
    assert answers[12] == [True, clean]
    assert answers[14:18] == answers[4:8]
    assert answers[18] == [["Sheet1", True]]


@pytest.mark.parametrize(
    ("prepare", "select", "match"),
    [
        ([["protect", "secret"]], "D4", "Sheet1.* cannot be changed: the sheet Sheet1 is protected"),
        ([["merge", "F4:G4"]], "D4", "Sheet1!F4 is part of merged cells"),
        ([["put", "B5:B5", [["1W"]]]], "D4", "B5 is '1W'"),
        ([], "K20", "no grid around K20"),
    ],
)
def test_a_command_that_fails_leaves_the_sheet_and_says_why(
    drive: Drive, prepare: list[Any], select: str, match: str
) -> None:
    start = [["load", None], ["put", "B3:G6", TEXTS], *prepare, ["select", select]]
    read = [*looks("A1:H9"), ["notes"], ["sheets"], ["undo_titles"]]
    answers = drive(*start, *read, ["menu", "fill"], *read)
    count = len(start)
    assert answers[count : count + len(read)] == answers[count + len(read) + 1 :]
    done, said = answers[count + len(read)]
    assert not done
    assert re.search(match, said), said


def test_many_commands_from_another_thread(drive: Drive) -> None:
    """Over the pipe a command comes on a thread of the bridge; it runs, and answers, on the main one."""
    start = [["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"]]
    both = [["menu", "fill"], ["menu", "clear"]] * 20
    assert [done for done, _ in drive(*start, *both)[len(start) :]] == [True] * 40


def test_a_read_only_document(drive: Drive, tmp_path: Path) -> None:
    path = str(tmp_path / "book.ods")
    drive(["load", None], ["put", "B3:G6", TEXTS], ["save", path])
    opened = [["load", path, True], ["select", "D4"], ["menu", "fill"], ["values", "B3:G6"]]
    assert drive(*opened)[2:] == [
        [False, "the document is read-only; save it under another name first"],
        blank(GRID),
    ]


def test_a_formula_entered_plainly_shows_the_size_of_its_result(drive: Drive) -> None:
    start = [
        ["load", None],
        ["put", "B3:G6", TEXTS],
        ["put", "J1:K1", [["=VOLIMPUTE(B3:G6)", "=VOLIMPUTE(B:G)"]]],
    ]
    assert drive(*start, ["values", "J1:K1"])[-1] == [["4 × 6", "6 × 6"]]  # B1:G6


def test_a_verdict_shows_as_true_or_false(drive: Drive, tmp_path: Path) -> None:
    """Unless another format was chosen, or the cell holds more than the function; no step of undo."""
    path = str(tmp_path / "book.ods")
    start = [
        ["load", None],
        ["put", "B3:G6", TEXTS],
        ["put", "B13:E16", BROKEN_TEXTS],
        ["number_format", "M1", "0.0"],
    ]
    formulas = [f"=VOLCHECK({grid})" for grid in ("B3:G6", "B13:E16", "B3:G6")] + ["=1*VOLCHECK(B3:G6)"]
    put = [["put", "K1:N1", [formulas]], ["array", "K2:K2", "=VOLCHECK(B13:E16)"]]
    shown = [["until", "K2:K2", "FALSE"], ["until", "K1:N2", "TRUE"], ["values", "K1:N2"], ["save", path]]
    answers = drive(*start, *put, *shown, ["undo"], ["values", "K2:K2"])
    assert answers[7] == [["TRUE", "FALSE", "1.0", "1"], ["FALSE", "", "", ""]]
    assert answers[8] == [[1.0, 0.0, 1.0, 1.0], [0.0, "", "", ""]]
    assert answers[-1] == [[""]]  # the last step was the array formula
    again = drive(["load", path], ["until", "K1:L1", "TRUE"], ["modified"])
    assert again[1:] == [[["TRUE", "FALSE"]], False]


def test_array_formulas_are_formulas(drive: Drive) -> None:
    """Blank results of an array formula in the grid stay; Calc could not overwrite a part of it."""
    start = [["load", None], ["put", "B3:G6", TEXTS], ["array", "F4:G4", '=IF({1;1};"")'], ["select", "D4"]]
    said, formulas = drive(*start, ["menu", "fill"], ["formulas", "F4:G4"])[4:]
    assert said == [
        True,
        f"filled 5 holes of Sheet1!B3:G6, {axes_and_models(GRID)}; left alone: F4 holds a formula, "
        "G4 holds a formula",
    ]
    assert formulas[0][0].startswith("{=IF(")


def test_what_failed_is_in_volinfo(drive: Drive) -> None:
    fail = [["load", None], ["select", "C9"], ["menu", "fill"]]
    cells = drive(*fail, ["array", "A1:B1", '=VOLINFO("error")'], ["values", "A1:B1"])[-1]
    assert cells[0][1].startswith("no grid around C9")


def test_a_cell_that_failed_says_where_in_the_sheet(drive: Drive) -> None:
    wrong = [["", "25P", "ATM"], ["1M", "0.1", "0.1"], ["3X", "0.1", "0.1"]]
    start = [["load", None], ["put", "C4:E6", wrong], ["array", "A10:A10", "=VOLCHECK(C4:E6)"]]
    cells = drive(*start, ["array", "A1:B1", '=VOLINFO("error")'], ["values", "A1:B1"])[-1]
    assert cells[0][1].startswith("surface: cell Sheet1!C6 is '3X'")


def test_edits_that_calc_refuses_in_the_middle_are_all_undone(drive: Drive, home: Path) -> None:
    """A server whose last edit cannot be made: what came before it is not left on the sheet."""
    cell = {"sheet": "Sheet1", "area": [1, 1, 1, 1]}
    edits = [
        {"op": "value", **cell, "rows": [[3.0]]},
        {"op": "fill", **cell, "rows": [[255]]},
        {"op": "note", **cell, "rows": [["no"]]},
        {"op": "add", "sheet": "extra", "position": 1},
        {"op": "value", "sheet": "nowhere", "area": [1, 1, 1, 1], "rows": [[1.0]]},
    ]
    state = process.running()
    assert state is not None
    process.stop(state)
    server = LocalServer(home, evaluate)
    server.command = {"label": "Fill missing", "message": "done", "edits": edits}
    read = [*looks("A1:B2"), ["notes"], ["sheets"]]
    start = [["load", None], ["put", "A1:A1", [["7"]]], ["select", "A1"]]
    try:
        answers = drive(*start, *read, ["menu", "fill"], *read)
    finally:
        server.die()
        (home / "server.json").unlink()
    assert answers[9][0] is False and "nothing was changed" in answers[9][1]
    assert answers[3:9] == answers[10:]


def test_without_a_server(drive: Drive, home: Path) -> None:
    state = process.running()
    if state is not None:
        process.stop(state)
    settings = (home / "install.json").read_text()
    (home / "install.json").unlink()
    try:
        said = drive(["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"], ["menu", "fill"])[3]
    finally:
        (home / "install.json").write_text(settings)
    assert not said[0] and said[1].startswith("the local voladdin server does not answer")


def test_charts_follow_the_cells(drive: Drive, tmp_path: Path) -> None:
    start = [["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"], ["menu", "chart"]]
    fills = ["values", "voladdin chart.B9:F9"]
    typed = ["put", "E4:E4", [["0.09"]]]
    saved = tmp_path / "charts.xlsx"
    steps = [fills, typed, ["until", "voladdin chart.D9", "9.00%"], fills, ["save", str(saved)]]
    found = drive(*start, *steps, ["undo"], ["undo"], ["sheets"])
    assert found[3][0], found[3]
    first, second = found[4][0], found[7][0]
    assert first == pytest.approx(filled(GRID)[1][1:])
    assert second[2] == 0.09 and second[1] != first[1]
    charts = load_workbook(saved)["voladdin chart"]._charts
    assert len(charts) == 4
    for scale in (chart.y_axis.scaling for chart in charts):
        assert 0 < scale.min < 0.09 < scale.max < 0.2
    assert found[-1] == [["Sheet1", True]]


def test_volinfo_tells_of_a_server_that_hangs(drive: Drive, home: Path) -> None:
    """The last test: after it the functions ask nothing for some seconds."""
    process.stop_if_running()
    settings = (home / "install.json").read_text()
    (home / "install.json").unlink()  # or a server that takes its place is started
    server = LocalServer(home, evaluate)
    server.hang()
    formulas = [["=VOLCHECK(B3:G6)", '=VOLINFO("error")']]
    try:
        unlike = ["put", "E4:E4", [["0.0911"]]]  # any other test's: an answer that is known needs no server
        asked = [["put", "B3:G6", TEXTS], unlike, ["put", "J1:K1", formulas]]
        cells = drive(["load", None], *asked, ["every", "J1:K1", "String"])
    finally:
        server.die()
        (home / "server.json").unlink()
        (home / "install.json").write_text(settings)
    [[verdict, said]] = cells[-1]
    assert verdict == "#N/A"
    assert said.startswith("no local server: Hung: it has not answered for 2 s") and "voladdin doctor" in said


def test_what_a_page_sends_arrives_beside_its_grid(drive: Drive, home: Path) -> None:
    """Nothing is pressed in Calc, and the page hears where it is."""
    sheet = [["load", None], ["put", "B3:G6", TEXTS], ["select", "D4"], ["menu", "plot"]]
    *_, plotted, said, cells, bar, again, block = drive(
        *sheet,
        ["page_sends", str(home / "address"), "filled"],
        ["values", "I3:N6"],
        ["infobar"],
        ["page_sends", "", "repaired"],
        ["values", "I2:I2"],
    )
    assert plotted == [True, "Sheet1!B3:G6 is open in the browser; what is sent there arrives here"]
    assert said == "=wrote the filled surface at Sheet1!I2" and bar
    assert np.array(cells)[1:, 1:].astype(float) == pytest.approx(
        np.array(filled(GRID))[1:, 1:].astype(float)
    )
    assert again == "=wrote the repaired surface at Sheet1!I2"
    assert block[0][0].startswith("Repaired")


def test_an_inserted_formula_is_calculated_and_cleared(drive: Drive) -> None:
    answers = ["VOLIMPUTE", "'Sheet1'!$B$3:$G$6", "output", "std", "none", "'Sheet1'!$I$3"]
    found = drive(
        ["load", None],
        ["put", "B3:G6", TEXTS],
        ["select", "D4"],
        ["menu", "insert", *answers],
        ["calculated", "I3:I3", "4 × 6"],
        ["values", "I3:N6"],
        ["menu", "clear"],
        ["formulas", "I3:N6"],
    )
    assert found[3] == [True, 'wrote =VOLIMPUTE(B3:G6, "std") to Sheet1!I3, 4 x 6 cells']
    expected = evaluate("VOLIMPUTE", [GRID, "std"])
    got = [row[1:] for row in found[5][1:]]
    np.testing.assert_allclose(got, [row[1:] for row in expected[1:]], rtol=1e-12)
    assert found[6] == [True, "cleared 4 places"]
    assert found[7] == [[""] * 6] * 4


def test_a_formula_of_another_sheet_is_cleared_too(drive: Drive) -> None:
    """The range is given up, or chosen on another sheet; Calc writes such a reference otherwise."""
    answers = ["VOLCHECK", "'It''s'!$A$1:$F$4", "", "'Sheet1'!$B$2"]
    found = drive(
        ["load", None],
        ["sheet", "It's"],
        ["put", "It's.A1:F4", TEXTS],
        ["menu", "insert", *answers],
        ["calculated", "B2:B2", "TRUE"],
        ["menu", "clear"],
        ["formulas", "B2:B2"],
    )
    assert found[3] == [True, "wrote =VOLCHECK('It''s'!A1:F4) to Sheet1!B2, 1 x 1 cells"]
    assert found[4:] == ["TRUE", [True, "cleared 1 place"], [[""]]]


def test_a_range_is_asked_for_by_mouse(drive: Drive) -> None:
    """The question waits for the mouse; giving it up leaves the sheet as it was."""
    found = drive(
        ["load", None],
        ["put", "B3:G6", TEXTS],
        ["select", "D4"],
        ["menu", "insert", "VOLCHECK"],
        ["give_up"],
        ["formulas", "I3:I3"],
    )
    assert found[3][0] and "surface" in found[3][1]
    assert found[5] == [[""]]
