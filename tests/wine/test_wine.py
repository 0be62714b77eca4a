"""voladdin in Windows' own Python, under Wine: by COM through xlwings' DLL, by WinHTTP and by MSXML.

`setup.sh TARGET` makes what this needs; VOLADDIN_WINE names TARGET. No Excel and no Windows are here: COM,
processes, scripts and sockets are Wine's.
"""

from __future__ import annotations

import subprocess

import pytest

from export.bench.hosts.wine import DRIVE, ENDING, HOME, PYTHON, by_com, by_http, excel, given_up
from tests.stubs.function_calls import CALLS, QUOTES
from voladdin.hosts.excel import xlam
from voladdin.hosts.excel.activated import command_line
from voladdin.hosts.excel.names import IMPORT_SECONDS
from voladdin.journal import Caller
from voladdin.worksheet.registry import FUNCTIONS, evaluate
from voladdin.worksheet.wire import Call, read_answer, write_call

WRONG = Call("VOLCHECK", [[*QUOTES[:2], ["3X", 0.1, 0.1, 0.1]]], Caller("b.xlsx", "'σ'!E1", ("'σ'!A5:D7",)))
TRANSPORTS = {"WinHTTP": by_http, "COM": by_com}


@pytest.fixture(scope="module")
def answers(server: object) -> dict[str, list[str]]:
    """Those of each transport to a call of every function, and to a wrong one."""
    calls = [write_call(Call(name, arguments)) for name, arguments in CALLS.items()]
    calls.append(write_call(WRONG))
    return {name: ask(calls)[0] for name, ask in TRANSPORTS.items()}


def test_every_function_is_called() -> None:
    assert set(CALLS) == set(FUNCTIONS)


def test_the_add_in_is_the_same_file_as_elsewhere(installed: str) -> None:
    assert "excel: installed as" in installed
    book = DRIVE / "profile" / "AppData" / "Microsoft" / "Excel" / "XLSTART" / "voladdin.xlam"
    assert book.read_bytes() == xlam.xlam()
    assert "INTERPRETER_WIN" in (HOME / "voladdin.conf").read_text()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", CALLS)
def test_a_function_answers_as_on_this_system(
    name: str, transport: str, answers: dict[str, list[str]]
) -> None:
    cells, _ = read_answer(answers[transport][list(CALLS).index(name)])
    expected = evaluate(name, CALLS[name])
    assert [len(row) for row in cells] == [len(row) for row in expected]
    for row, wanted in zip(cells, expected, strict=True):
        assert row == [pytest.approx(c, rel=1e-5, abs=1e-7) if isinstance(c, float) else c for c in wanted]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_error_has_the_callers_address(transport: str, answers: dict[str, list[str]]) -> None:
    cells, said = read_answer(answers[transport][-1])
    assert cells == [["#VALUE!"]] and said[0].startswith("surface: cell σ!A7 is '3X'")


def test_the_times_of_an_answer(server: object) -> None:
    """Printed, not judged."""
    call = [write_call(Call("VOLINFO", ["version"])), write_call(Call("VOLIMPUTE", [QUOTES]))]
    print(by_http(call, "200")[1], by_com(call, "200")[1])


def test_python_that_breaks_is_given_up_by_the_library(installed: str) -> None:
    """An interpreter that ends at once: the DLL says so, and Excel does not wait for two minutes."""
    print(f"given up after {given_up(ENDING):.1f} s")


def test_python_whose_imports_hang_ends_itself(installed: str) -> None:
    """The library alone would wait two minutes for it."""
    (DRIVE / "c" / "hung").mkdir(exist_ok=True)
    (DRIVE / "c" / "hung" / "xlwings.py").write_text("import time\ntime.sleep(60)\n")
    assert IMPORT_SECONDS <= given_up(command_line(PYTHON, r"C:\c\hung")) < 30


def test_a_stopped_server_leaves_no_state(server: subprocess.Popen[bytes]) -> None:
    assert "stopping" in by_http(["!stop"])[0][0]
    assert server.wait(30) == 0
    assert not (HOME / "server.json").exists()


def test_uninstalling_takes_the_files_away(installed: str) -> None:
    assert "excel: uninstalled" in excel("uninstall")
    assert not (HOME / "voladdin.conf").exists()
