"""Every worksheet function by every way to it: the runner, Calc, COM, HTTP from VBA, HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from tests.stubs import win32
from tests.stubs.function_calls import CALLS
from tests.stubs.server import TOKEN, LocalServer
from tests.stubs.vba_in_office import configure, run_vba
from voladdin.cells import Cells, address
from voladdin.hosts import excel, libreoffice
from voladdin.hosts.excel import names
from voladdin.worksheet.registry import FUNCTIONS, evaluate
from voladdin.worksheet.wire import Call, read_answer, read_call, write_call
from voladdin.xlsx.runner import run

TALLEST, WIDEST = 12, 14  # of a result
OFFICE = ("Calc", "HTTP from VBA")  # transports that LibreOffice runs
Answers = dict[str, Cells]
Folders = pytest.TempPathFactory


def by_runner(folders: Folders) -> Answers:
    book = written(folders.mktemp("run") / "book.xlsx")
    run(book, book.with_name("run.xlsx"))
    return shown(book.with_name("run.xlsx"))


def by_calc(folders: Folders) -> Answers:
    home, profile = folders.mktemp("home"), folders.mktemp("profile")
    book = written(folders.mktemp("book") / "book.xlsx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLADDIN_HOME", str(home))
        libreoffice.install(profile)
        (home / "install.json").unlink()
        server = LocalServer(home, evaluate)
        try:
            return shown(libreoffice.recalculate(book, book.with_name("calc.xlsx"), profile))
        finally:
            server.die()


def by_com(_: Folders) -> Answers:
    with win32.installed() as host, pytest.MonkeyPatch.context() as patch:
        for name in ("FromVariant", "ToVariant"):
            patch.setattr(f"xlwings.com_server.{name}", lambda value: value)
        python = host.server
        module = python.Module(names.PYTHON_MODULE)
        calls = {name: python.Tuple(write_call(Call(name, given))) for name, given in CALLS.items()}
        said = {name: python.Str(python.Call(module, "answered", call)) for name, call in calls.items()}
    return {name: read_answer(text)[0] for name, text in said.items()}


def by_vba(folders: Folders) -> Answers:
    profile = folders.mktemp("profile")
    configure(profile)
    file = excel.build(folders.mktemp("addin") / "voladdin.xlam")
    server = LocalServer(profile / ".voladdin", evaluate)
    body = [
        f"Test = Test & BlockOf({name}({', '.join(map(basic, given))})) & Chr(12)"
        for name, given in CALLS.items()
    ]
    try:
        texts = run_vba(file, folders.mktemp("office"), profile, *body)["result"].split("\f")
    finally:
        server.die()
    answers = [read_call(f"x\n\n{text}").arguments[0] for text in texts[:-1]]
    return dict(zip(CALLS, answers, strict=True))


def basic(argument: Any) -> str:
    """An argument in Basic; "" where it is omitted."""
    if argument is None:
        return ""
    if isinstance(argument, list):
        lines = write_call(Call("x", [argument])).split("\n", 2)[2]
        text = lines.replace("\t", "\\t").replace("\n", "\\n")
        return f'CellsOf(Plain("{text}"))'
    return f'"{argument}"' if isinstance(argument, str) else repr(argument)


def by_http(folders: Folders) -> Answers:
    home = folders.mktemp("home")
    server = LocalServer(home, evaluate)
    found = {}
    try:
        for name, given in CALLS.items():
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.port}/v1/functions/{name}",
                json.dumps({"arguments": given}).encode(),
                {"Authorization": f"Bearer {TOKEN}"},
            )
            with urllib.request.urlopen(request) as answer:
                found[name] = json.loads(answer.read())["cells"]
    finally:
        server.die()
    return found


def written(path: Path) -> Path:
    """A sheet a function: its arguments below each other from A1, its array formula beside them."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, given in CALLS.items():
        sheet, references, top = made.create_sheet(name), [], 0
        for argument in given:
            rows = argument if isinstance(argument, list) else [[argument]]
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    sheet.cell(top + i + 1, j + 1, cell)
            last = address(top + len(rows) - 1, len(rows[0]) - 1)
            references.append("" if argument is None else f"{address(top, 0)}:{last}")
            top += len(rows) + 1
        place = f"J1:{address(TALLEST - 1, 9 + WIDEST - 1)}"
        sheet["J1"] = ArrayFormula(place, f"={name}({','.join(references)})")
    made.save(path)
    return path


def shown(path: Path) -> Answers:
    """The cells of the formulas; what is beyond a result is #N/A, or the value of a single one again."""
    book = load_workbook(path, data_only=True)
    place = {"min_row": 1, "max_row": TALLEST, "min_col": 10, "max_col": 9 + WIDEST, "values_only": True}
    return {name: [list(row) for row in book[name].iter_rows(**place)] for name in CALLS}


BY: dict[str, Callable[[Folders], Answers]] = {
    "runner": by_runner,
    "Calc": by_calc,
    "COM": by_com,
    "HTTP from VBA": by_vba,
    "HTTP": by_http,
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: Folders) -> Callable[[str], Answers]:
    """Those of a transport, asked once."""
    known: dict[str, Answers] = {}

    def ask(transport: str) -> Answers:
        if transport not in known:
            known[transport] = BY[transport](tmp_path_factory)
        return known[transport]

    return ask


def test_every_function_is_called() -> None:
    assert set(CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "transport",
    [pytest.param(name, marks=[pytest.mark.office] * (name in OFFICE)) for name in BY],
)
def test_a_function_by_a_transport(transport: str, name: str, answers: Callable[[str], Answers]) -> None:
    found, expected = answers(transport)[name], evaluate(name, CALLS[name])
    assert len(found) >= len(expected)
    if transport == "Calc" and len(expected) > 1 and expected[0][0] in ("", None):
        found[0][0] = None  # where Calc says a result's size
    for row, wanted in zip(found, expected, strict=False):
        cells = [None if cell == "" else cell for cell in row[: len(wanted)]]
        assert cells == [
            pytest.approx(c, rel=1e-12) if isinstance(c, float) else (None if c == "" else c) for c in wanted
        ]
