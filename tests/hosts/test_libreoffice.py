"""LibreOffice Calc: the extension, its client, and real headless recalculations."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

from export.bench.calc.office import Calc
from tests.stubs.server import LocalServer
from voladdin.errors import InputError, VoladdinError
from voladdin.hosts import libreoffice
from voladdin.hosts.libreoffice import picture, programs
from voladdin.hosts.libreoffice.inside.values import to_calc
from voladdin.worksheet.registry import evaluate

approx = partial(pytest.approx, rel=1e-13, abs=1e-16)
needs_libreoffice = pytest.mark.office
GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 0.089, None, 0.081, None, None],
    ["1M", 0.093, 0.086, 0.082, 0.083, None],
    ["1Y", None, None, 0.089, None, 0.098],
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder without an interpreter to start a server with."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLADDIN_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def profile(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LibreOffice profile with the extension."""
    folder = tmp_path_factory.mktemp("profile")
    libreoffice.install(folder)
    (home / "install.json").unlink()
    return folder


@pytest.fixture
def server(home: Path) -> Iterator[LocalServer]:
    server = LocalServer(home, evaluate)
    yield server
    server.die()
    (home / "server.json").unlink()


def write(path: Path, grids: dict[str, list[list[Any]]], formulas: dict[str, str]) -> Path:
    """A book with `grids` at their top-left cells, and array formulas over the ranges of `formulas`."""
    book = openpyxl.Workbook()
    sheet = book.active
    for corner, grid in grids.items():
        top, left = sheet[corner].row, sheet[corner].column
        for i, row in enumerate(grid):
            for j, cell in enumerate(row):
                sheet.cell(top + i, left + j, cell)
    for place, formula in formulas.items():
        sheet[place.split(":")[0]] = ArrayFormula(place, formula)
    book.save(path)
    return path


def read(path: Path, place: str) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path, data_only=True).active
    return [[cell.value for cell in row] for row in sheet[place]]


def assert_saved(path: Path, place: str, cells: list[list[Any]], name: str = "") -> None:
    """The .xlsx holds these cells, to the 15 digits that Calc writes; an empty text is read back as None.

    A blank corner has the result's size.
    """
    if len(cells) > 1 and cells[0][0] in (None, ""):
        cells = [[f"{len(cells)} × {len(cells[0])}", *cells[0][1:]], *cells[1:]]
    for got, expected in zip(read(path, place), cells, strict=True):
        assert got == [None if c == "" else approx(c) if isinstance(c, float) else c for c in expected], name


@needs_libreoffice
def test_results_equal_evaluate(server: LocalServer, profile: Path, tmp_path: Path) -> None:
    formulas = {
        "H1:M4": "=VOLIMPUTE(A1:F4)",
        "H6:M9": '=VOLIMPUTE(A1:F4,"std")',
        "H11:M14": "=VOLIMPUTE(A1:F4,,A21:F24)",
    }
    prior = [GRID[0], *([row[0], *[0.09] * 5] for row in GRID[1:])]
    book = write(tmp_path / "book.xlsx", {"A1": GRID, "A21": prior}, formulas)
    result = libreoffice.recalculate(book, tmp_path / "result.xlsx", profile)
    assert_saved(result, "H1:M4", evaluate("VOLIMPUTE", [GRID]))
    assert_saved(result, "H6:M9", evaluate("VOLIMPUTE", [GRID, "std"]))
    assert_saved(result, "H11:M14", evaluate("VOLIMPUTE", [GRID, None, prior]))
    assert read(result, "A1:F4") == GRID
    sheet = openpyxl.load_workbook(result).active
    assert sheet["H1"].value.text == "=VOLIMPUTE(A1:F4)"  # the name that Excel knows


@needs_libreoffice
def test_a_verdict_is_one_or_zero(server: LocalServer, profile: Path, tmp_path: Path) -> None:
    """Calc would show FALSE as 1."""
    crossed = [["", "25P", "ATM"], ["1M", 0.2, 0.19], ["1Y", 0.04, 0.04]]
    clean = [["", "25P", "ATM"], ["1M", 0.1, 0.09], ["1Y", 0.1, 0.09]]
    formulas = {"E1:E1": "=VOLCHECK(A1:C3)", "E5:E5": "=VOLCHECK(A5:C7)", "F5:H7": "=VOLREPAIR(A1:C3)"}
    book = write(tmp_path / "book.xlsx", {"A1": crossed, "A5": clean}, formulas)
    result = libreoffice.recalculate(book, tmp_path / "result.xlsx", profile)
    assert (read(result, "E1:E1"), read(result, "E5:E5")) == ([[0]], [[1]])
    assert_saved(result, "F5:H7", evaluate("VOLREPAIR", [crossed]))


BAD: list[tuple[str, list[list[Any]], list[Any]]] = [
    ("text everywhere", [["x"] * 6] * 4, []),
    ("no quote", [GRID[0], *([row[0], *[None] * 5] for row in GRID[1:])], []),
    ("one cell", [[0.1]], []),
    ("negative", [GRID[0], ["1W", *[-0.1] * 5], GRID[2], GRID[3]], []),
    ("a million percent", [GRID[0], ["1W", *[10_000.0] * 5], GRID[2], GRID[3]], []),
    ("a repeated tenor", [GRID[0], GRID[1], GRID[1], GRID[3]], []),
    ("an unknown output", GRID, ["sdt"]),
    ("an unknown model", GRID, [None, None, None, None, "nosuchmodel"]),
    ("an error cell", [GRID[0], ["1W", "#N/A", None, 0.081, "#N/A", None], GRID[2], GRID[3]], []),
]


@needs_libreoffice
def test_bad_input_gives_its_error_and_leaves_the_sheet(
    server: LocalServer, profile: Path, tmp_path: Path
) -> None:
    grids = {f"A{10 * i + 1}": grid for i, (_, grid, _) in enumerate(BAD)}
    formulas, expected = {}, {}
    for i, (_, grid, options) in enumerate(BAD):
        top, bottom = 10 * i + 1, 10 * i + 4
        last = f"{get_column_letter(len(grid[0]))}{10 * i + len(grid)}"
        place = f"H{top}:M{bottom}"
        given = ",".join("" if x is None else json.dumps(x) for x in options)
        formulas[place] = f"=VOLIMPUTE(A{top}:{last}{',' + given if options else ''})"
        expected[place] = outcome("VOLIMPUTE", [grid, *options])
    book = write(tmp_path / "bad.xlsx", grids, formulas)
    result = libreoffice.recalculate(book, tmp_path / "result.xlsx", profile)
    for (name, grid, _), (place, cells) in zip(BAD, expected.items(), strict=True):
        assert_saved(result, place, [[cells[0][0]] * 6] * 4 if len(cells) == 1 else cells, name)
        corner = f"A{place.split(':')[0][1:]}"
        end = f"{get_column_letter(len(grid[0]))}{int(corner[1:]) + len(grid) - 1}"
        assert read(result, f"{corner}:{end}") == grid, name


def outcome(name: str, arguments: list[Any]) -> list[list[Any]]:
    """What every host shows: the cells, or the one error cell."""
    try:
        return evaluate(name, arguments)
    except VoladdinError as error:
        return [[error.cell_error]]


@needs_libreoffice
def test_what_calc_cannot_pass(server: LocalServer, profile: Path, tmp_path: Path) -> None:
    """An array for a required range, and a range with an error cell for an optional one, never arrive."""
    errors = [GRID[0], ["1W", "#N/A", 0.1, 0.1, 0.1, 0.1], GRID[2], GRID[3]]
    formulas = {
        "H1:H1": "=VOLIMPUTE({0.1,0.2;0.1,0.2})",
        "H2:H2": "=VOLIMPUTE(A1:F4,,A11:F14)",
        "H3:M6": '=VOLIMPUTE(A1:F4,,IFERROR(A11:F14,""))',
        "H8:M11": "=VOLIMPUTE(OFFSET(A1,0,0,4,6))",
    }
    book = write(tmp_path / "book.xlsx", {"A1": GRID, "A11": errors}, formulas)
    result = libreoffice.recalculate(book, tmp_path / "result.xlsx", profile)
    assert read(result, "H1:H2") == [["#VALUE!"], ["#VALUE!"]]
    wrapped = [["" if cell in (None, "#N/A") else cell for cell in row] for row in errors]
    assert_saved(result, "H3:M6", outcome("VOLIMPUTE", [GRID, None, wrapped]))
    assert_saved(result, "H8:M11", evaluate("VOLIMPUTE", [GRID]))


def many(path: Path, count: int) -> Path:
    """A book of `count` different grids, each with its VOLIMPUTE."""
    grids, formulas = {}, {}
    for i in range(count):
        top = 5 * i + 1
        grids[f"A{top}"] = [GRID[0], ["1W", 0.08 + i / 10_000, *GRID[1][2:]], GRID[2], GRID[3]]
        formulas[f"H{top}:M{top + 3}"] = f"=VOLIMPUTE(A{top}:F{top + 3})"
    return write(path, grids, formulas)


@needs_libreoffice
def test_server_down(home: Path, profile: Path, tmp_path: Path) -> None:
    book = many(tmp_path / "book.xlsx", 200)
    start = time.perf_counter()
    result = libreoffice.recalculate(book, tmp_path / "result.xlsx", profile)
    assert time.perf_counter() - start < 15
    assert read(result, "H1:M4") == read(result, "H996:M999") == [["#N/A"] * 6] * 4
    assert read(result, "A996:F999")[2:] == GRID[2:]
    assert "no server" in (home / "libreoffice.log").read_text()


@needs_libreoffice
def test_server_killed_in_the_middle(server: LocalServer, profile: Path, tmp_path: Path) -> None:
    server.last = 5  # it dies at the second request, the first was for nine
    result = libreoffice.recalculate(many(tmp_path / "book.xlsx", 40), tmp_path / "result.xlsx", profile)
    filled = [read(result, f"H{5 * i + 1}:M{5 * i + 4}") for i in range(40)]
    assert server.together == [9]
    assert sum(cells == [["#N/A"] * 6] * 4 for cells in filled) == 40 - 9
    assert read(result, "A196:F199")[2:] == GRID[2:]


@needs_libreoffice
def test_results_are_exact_and_an_unchanged_book_asks_nothing(
    server: LocalServer, profile: Path, tmp_path: Path
) -> None:
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    if subprocess.run([python, "-c", "import uno"], capture_output=True).returncode:
        pytest.skip("the system's Python has no module uno (Debian: python3-uno)")
    book = many(tmp_path / "book.xlsx", 500)
    pipe = f"voladdin{uuid.uuid4().hex}"
    options = ["--headless", "--norestore", f"--accept=pipe,name={pipe};urp;"]
    command = [programs.program("soffice"), *programs.layers(profile), *options]
    calc = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=programs.environment())
    driver = Path(__file__).parents[1] / "stubs" / "uno_driver.py"
    run = subprocess.Popen([python, driver, pipe, book, tmp_path], stdout=subprocess.PIPE, text=True)
    try:
        asked = []
        for name in ("loaded", "recalculated"):
            await_file(tmp_path / name, run)
            asked.append(len(server.calls))
            (tmp_path / name).unlink()
        said, _ = run.communicate(timeout=30)
        calc.wait(30)
    finally:
        run.kill()
        calc.kill()
    times, cells = said.rsplit("\n", 2)[:2]
    print(f"\n500 formulas: {times}")
    assert asked == [500, 500]
    exact = evaluate("VOLIMPUTE", [[GRID[0], ["1W", 0.08, *GRID[1][2:]], *GRID[2:]]])
    assert json.loads(cells) == list(map(list, to_calc(exact)))


def await_file(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.01)


@needs_libreoffice
def test_new_vols_of_many_grids_are_asked_together(
    server: LocalServer, profile: Path, tmp_path: Path
) -> None:
    """Each shows what it is alone; a grid that reads another's result waits for it, wherever it stands."""
    grids = [[GRID[0], ["1W", 0.08 + n / 1_000, *GRID[1][2:]], GRID[2], GRID[3]] for n in range(40)]
    places = {f"A{5 * n + 1}": grid for n, grid in enumerate(grids)}
    formulas = {f"H{5 * n + 1}:M{5 * n + 4}": f"=VOLIMPUTE(A{5 * n + 1}:F{5 * n + 4})" for n in range(40)}
    waiting = {2: "=J33", 7: "=IFERROR(J3*1.01,0.2)", 20: "=J13+0.001"}  # ATM at 1M, of 25P elsewhere
    for n, formula in waiting.items():
        places[f"D{5 * n + 3}"] = [[formula]]
    book = write(tmp_path / "book.xlsx", places, formulas)
    with Calc(profile) as calc:
        calc.tell("load", book)
        for shift in (0.0003, 0.0006):
            server.calls.clear(), server.together.clear()
            for n in range(40):
                grids[n][1] = ["1W", 0.08 + n / 1_000 + shift, *GRID[1][2:]]
            column = [[row[1] or ""] for grid in grids for row in [*grid, [None] * 2]]
            calc.tell("write", f"B1:B{len(column)}", json.dumps(column))
            sheet = calc.tell("read", "A1:M200")
            for n, grid in enumerate(grids):
                given = [
                    [None if cell == "" else cell for cell in row[:6]] for row in sheet[5 * n : 5 * n + 4]
                ]
                shown = [row[7:] for row in sheet[5 * n : 5 * n + 4]]
                assert shown == list(map(list, to_calc(evaluate("VOLIMPUTE", [given])))), n
                assert n in waiting or given == grid
            of = {
                name: sheet[int(name[1:]) - 1]["ABCDEFGHIJ".index(name[0])] for name in ("J3", "J13", "J33")
            }
            expected = {2: of["J33"], 7: approx(of["J3"] * 1.01), 20: approx(of["J13"] + 0.001)}
            assert {n: sheet[5 * n + 2][3] for n in waiting} == expected
            assert len(server.calls) == 40 and len(server.together) <= 4
        calc.tell("close")


@needs_libreoffice
def test_a_book_that_is_opened_is_asked_for_at_once(
    server: LocalServer, profile: Path, tmp_path: Path
) -> None:
    """Its formulas are found by their text: of another sheet, with outputs, array formulas and plain ones."""
    book = openpyxl.Workbook()
    results, quotes = book.active, book.create_sheet("the vols' sheet")
    results.title = "results"
    grids = [[GRID[0], ["1W", 0.07 + n / 1_000, *GRID[1][2:]], GRID[2], GRID[3]] for n in range(8)]
    for row in (row for grid in grids for row in grid):
        quotes.append(row)
    for n in range(8):
        place = f"'the vols'' sheet'!$A${4 * n + 1}:F{4 * n + 4}"
        results[f"A{5 * n + 1}"] = ArrayFormula(f"A{5 * n + 1}:F{5 * n + 4}", f"=VOLIMPUTE({place})")
        results[f"H{5 * n + 1}"] = f'=VOLIMPUTE({place},"std")'
    book.save(tmp_path / "book.xlsx")
    result = libreoffice.recalculate(tmp_path / "book.xlsx", tmp_path / "result.xlsx", profile)
    assert server.together == [9, 7] and len(server.calls) == 16
    for n, grid in enumerate(grids):
        assert_saved(result, f"A{5 * n + 1}:F{5 * n + 4}", evaluate("VOLIMPUTE", [grid]))
    assert read(result, "H1:H1") == [["4 × 6"]]


@needs_libreoffice
def test_a_picture(
    server: LocalServer, profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("Xvfb") is None or shutil.which("import") is None:
        pytest.skip("Xvfb or ImageMagick is not installed")
    monkeypatch.setattr(picture, "SETTLED", 1)
    book = write(tmp_path / "book.xlsx", {"A1": GRID}, {"H1:M4": "=VOLIMPUTE(A1:F4)"})
    png = libreoffice.screenshot(book, tmp_path / "sheet.png", "Sheet.H1", profile).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert "{}x{}".format(*struct.unpack(">II", png[16:24])) == picture.SIZE
    assert [name for name, _ in server.calls] == ["VOLIMPUTE"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["book.xlsx", "sheet.png"]


def test_a_book_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.xlsx'; expected an existing spreadsheet"):
        libreoffice.recalculate(tmp_path / "absent.xlsx", tmp_path / "result.xlsx")
    with pytest.raises(InputError, match=r"absent\.xlsx'; expected an existing spreadsheet"):
        libreoffice.screenshot(tmp_path / "absent.xlsx", tmp_path / "sheet.png")
