"""voladdin in Windows' own Python, under Wine: by COM through xlwings' DLL, by HTTP through WinHTTP.

`setup.sh TARGET` makes what this needs; VOLADDIN_WINE names TARGET. No Excel and no Windows are here: COM,
processes and sockets are Wine's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.stubs.function_calls import CALLS, QUOTES
from voladdin.hosts.excel import xlam
from voladdin.journal import Caller
from voladdin.worksheet.registry import FUNCTIONS, evaluate
from voladdin.worksheet.wire import Call, read_answer, write_call

TARGET = os.environ.get("VOLADDIN_WINE", "")
DRIVE = Path(TARGET, "prefix", "drive_c")
END = "\f"
HOME = DRIVE / "profile" / ".voladdin"
PYTHON = r"C:\py\python.exe"
WRONG = Call("VOLCHECK", [[*QUOTES[:2], ["3X", 0.1, 0.1, 0.1]]], Caller("b.xlsx", "'σ'!E1", ("'σ'!A5:D7",)))

pytestmark = [
    pytest.mark.skipif(not DRIVE.is_dir(), reason="VOLADDIN_WINE names no folder of tests/wine/setup.sh"),
    pytest.mark.slow,
]


def windows(*command: str, seconds: float = 180) -> str:
    """What a program of Windows says, until it ends: what it starts may hold the pipe open.

    Python does not start where a standard stream is a file.
    """
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["wine", *command], cwd=DRIVE / "c", env=environment(), **pipe) as ran:  # type: ignore
        assert ran.stdout is not None
        ran.wait(seconds)
        os.set_blocking(ran.stdout.fileno(), False)
        return (ran.stdout.read() or b"").decode("utf-8", "replace")


def environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    wine = {"WINEPREFIX": str(DRIVE.parent), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    return own | wine | {"WINEDLLOVERRIDES": "mscoree,mshtml="}


def in_profile(*command: str) -> str:
    """A command with a user's profile of its own, which Wine would set itself."""
    sets = r"cd /d C:\project&& set USERPROFILE=C:\profile&& set APPDATA=C:\profile\AppData&& "
    return windows("cmd", "/c", sets + " ".join(command))


def excel(action: str) -> str:
    """What the add-in's installer says; the doctor that the command line asks then needs minutes here."""
    script = f"from voladdin.hosts import excel\nprint(excel.{action}())\n"
    (DRIVE / "c" / "excel.py").write_text(script)
    return in_profile(PYTHON, "-B", r"C:\c\excel.py")


@pytest.fixture(scope="module", autouse=True)
def wine() -> Iterator[None]:
    """What is started here ends here."""
    yield
    subprocess.run(["wineserver", "-k"], env=environment(), check=False)


@pytest.fixture(scope="module")
def installed() -> str:
    shutil.rmtree(DRIVE / "profile", ignore_errors=True)
    return excel("install")


@pytest.fixture(scope="module")
def server(installed: str) -> Iterator[subprocess.Popen[bytes]]:
    """The local server on Windows' event loop, as its task starts it."""
    command = rf"set VOLADDIN_HOME=C:\profile\.voladdin&& cd /d C:\project&& {PYTHON} -B -m voladdin serve"
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    started = subprocess.Popen(["wine", "cmd", "/c", command], env=environment(), **pipe)  # type: ignore
    deadline = time.monotonic() + 120
    while not (HOME / "server.json").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    yield started
    started.kill()
    started.wait()
    assert started.stdout is not None
    started.stdout.close()


def asked(program: Sequence[str], calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    """The answers that a program of ours gets, and what it says."""
    (DRIVE / "c" / "calls.txt").write_bytes("".join(call + END for call in calls).encode())
    (DRIVE / "c" / "answers.txt").unlink(missing_ok=True)
    said = windows(*program, "calls.txt", "answers.txt", *more)
    assert "FAILED" not in said and "no Python" not in said, said
    return (DRIVE / "c" / "answers.txt").read_bytes().decode().split(END)[:-1], said


def by_http(calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    return asked(["http.exe", r"C:\profile\.voladdin"], calls, *more)


def by_com(calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    entries = dict(re.findall(r'^"(.*)","(.*)"', (HOME / "voladdin.conf").read_text(), re.M))
    path = entries["PYTHONPATH"].replace("\\", "\\\\").replace("'", "\\'")
    code = f"import sys;sys.path.insert(0,'{path}');import xlwings;xlwings.serve('$(CLSID)')"
    (DRIVE / "c" / "command.txt").write_text(f'"{entries["INTERPRETER_WIN"]}" -B -c "{code}"')
    library = next((DRIVE / "py").glob("xlwings64-*.dll")).name
    return asked(["com.exe", rf"C:\py\{library}", "command.txt"], calls, *more)


@pytest.fixture(scope="module")
def answers(server: object) -> dict[str, list[str]]:
    """Those of each transport to a call of every function, and to a wrong one."""
    calls = [write_call(Call(name, arguments)) for name, arguments in CALLS.items()]
    calls.append(write_call(WRONG))
    return {"HTTP": by_http(calls)[0], "COM": by_com(calls)[0]}


def test_every_function_is_called() -> None:
    assert set(CALLS) == set(FUNCTIONS)


def test_the_add_in_is_the_same_file_as_elsewhere(installed: str) -> None:
    assert "excel: installed as" in installed
    book = DRIVE / "profile" / "AppData" / "Microsoft" / "Excel" / "XLSTART" / "voladdin.xlam"
    assert book.read_bytes() == xlam.xlam()
    assert "INTERPRETER_WIN" in (HOME / "voladdin.conf").read_text()


@pytest.mark.parametrize("transport", ["HTTP", "COM"])
@pytest.mark.parametrize("name", CALLS)
def test_a_function_answers_as_on_this_system(
    name: str, transport: str, answers: dict[str, list[str]]
) -> None:
    cells, _ = read_answer(answers[transport][list(CALLS).index(name)])
    expected = evaluate(name, CALLS[name])
    assert [len(row) for row in cells] == [len(row) for row in expected]
    for row, wanted in zip(cells, expected, strict=True):
        assert row == [pytest.approx(c, rel=1e-5, abs=1e-7) if isinstance(c, float) else c for c in wanted]


@pytest.mark.parametrize("transport", ["HTTP", "COM"])
def test_an_error_has_the_callers_address(transport: str, answers: dict[str, list[str]]) -> None:
    cells, said = read_answer(answers[transport][-1])
    assert cells == [["#VALUE!"]] and said[0].startswith("surface: cell σ!A7 is '3X'")


def test_the_times_of_an_answer(server: object) -> None:
    """Printed, not judged."""
    call = [write_call(Call("VOLINFO", ["version"])), write_call(Call("VOLIMPUTE", [QUOTES]))]
    print(by_http(call, "200")[1], by_com(call, "200")[1])


def test_python_that_breaks_is_given_up_by_the_library(installed: str) -> None:
    """An interpreter that ends at once: the DLL says so, and Excel does not wait for two minutes."""
    (DRIVE / "c" / "command.txt").write_text(f'"{PYTHON}" -B -c "raise SystemExit(3)"')
    library = next((DRIVE / "py").glob("xlwings64-*.dll")).name
    (DRIVE / "c" / "calls.txt").write_bytes(b"")
    start = time.monotonic()
    said = windows("com.exe", rf"C:\py\{library}", "command.txt", "calls.txt", "answers.txt", seconds=150)
    assert "no Python" in said
    print(f"given up after {time.monotonic() - start:.1f} s")


def test_a_stopped_server_leaves_no_state(server: subprocess.Popen[bytes]) -> None:
    assert "stopping" in by_http(["!stop"])[0][0]
    assert server.wait(30) == 0
    assert not (HOME / "server.json").exists()


def test_uninstalling_takes_the_files_away(installed: str) -> None:
    assert "excel: uninstalled" in excel("uninstall")
    assert not (HOME / "voladdin.conf").exists()
