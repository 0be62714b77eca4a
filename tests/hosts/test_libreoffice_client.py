"""The code that runs inside LibreOffice's own Python, without LibreOffice."""

from __future__ import annotations

import ast
import json
import logging
import math
import os
import re
import signal
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stubs import server as stub
from tests.stubs.server import LocalServer
from voladdin.errors import InputError, UnavailableError
from voladdin.hosts.libreoffice import build, extension, installer, programs
from voladdin.hosts.libreoffice.inside import client, connection, values
from voladdin.hosts.libreoffice.inside.client import FunctionClient
from voladdin.service import process
from voladdin.service.state import read_state
from voladdin.worksheet.registry import FUNCTIONS, evaluate

HERE = Path(client.__file__).parent


def double(name: str, arguments: list[Any]) -> list[list[Any]]:
    if arguments == ["bad"]:
        raise InputError("bad is bad")
    if arguments == ["absent"]:
        raise UnavailableError("nothing there")
    return [[name, *arguments]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    server = LocalServer(tmp_path, double)
    yield server
    server.die()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts of a test."""
    monkeypatch.setattr(connection, "SILENCE", 0.2)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setattr(connection, "START_TIMEOUT", 0.5)
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.3)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The client's clock, that the test moves."""
    moved: SimpleNamespace = SimpleNamespace(now=100.0, monotonic=lambda: moved.now, sleep=time.sleep)
    monkeypatch.setattr(client, "time", moved)
    return moved


def test_an_answer_is_remembered(asked: FunctionClient, server: LocalServer, tmp_path: Path) -> None:
    for _ in range(3):
        assert asked.evaluate("F", [[[1.0, None]], "x"]) == [["F", [[1.0, None]], "x"]]
    assert asked.evaluate("F", [[[1.0, 0.0]], "x"]) == [["F", [[1.0, 0.0]], "x"]]
    assert asked.evaluate("G", [[[1.0, None]], "x"]) == [["G", [[1.0, None]], "x"]]
    assert len(server.calls) == 3 and server.greetings == 1


def test_a_function_that_is_not_cached_is_asked_again(
    asked: FunctionClient, server: LocalServer, tmp_path: Path
) -> None:
    for _ in range(3):
        asked.evaluate("VOLINFO", [None], cached=False)
    assert len(server.calls) == 3


def test_errors_are_logged_and_not_remembered(
    asked: FunctionClient, server: LocalServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "voladdin.libreoffice"):
        assert asked.evaluate("F", ["bad"]) == asked.evaluate("F", ["bad"]) == [["#VALUE!"]]
        assert asked.evaluate("F", ["absent"]) == [["#N/A"]]
    assert "F: #VALUE! bad is bad [VA-" in caplog.text
    assert [arguments for _, arguments in server.calls] == [["bad"], ["bad"], ["absent"]]


def test_other_models_or_another_version_are_asked_again(
    asked: FunctionClient, server: LocalServer, tmp_path: Path
) -> None:
    asked.evaluate("F", [1.0])
    server.models = ["fx", "mydesk"]
    card = tmp_path / "models" / "mydesk" / "card.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    asked.evaluate("F", [1.0])
    assert len(server.calls) == 2
    server.die()
    other = LocalServer(tmp_path, double, version="2")
    asked.evaluate("F", [1.0])
    assert len(other.calls) == 1
    other.die()


def test_a_server_of_the_same_version_and_models_leaves_the_answers_valid(
    asked: FunctionClient, server: LocalServer, tmp_path: Path
) -> None:
    asked.evaluate("F", [1.0])
    server.die()
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]  # dead: its answers stay
    (tmp_path / "server.json").unlink()
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]  # gone: they stay
    other = LocalServer(tmp_path, double)
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]
    assert (len(server.calls), len(other.calls), other.greetings) == (1, 0, 1)
    other.die()


def test_a_hung_server_costs_one_timeout_and_then_nothing(
    asked: FunctionClient, server: LocalServer, tmp_path: Path, short: None
) -> None:
    asked.evaluate("F", [1.0])
    server.hang()
    start = time.perf_counter()
    assert asked.evaluate("F", [2.0]) == [["#N/A"]]
    assert 0.15 < time.perf_counter() - start < 0.5
    start = time.perf_counter()
    assert all(asked.evaluate("F", [float(i)]) == [["#N/A"]] for i in range(3, 500))
    assert time.perf_counter() - start < 0.25
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]  # known from before
    [[said]] = asked.evaluate("VOLINFO", ["error"], cached=False)
    assert re.fullmatch(r"no local server: .* has not answered for 0\.2 s; asked again in \d+ s, or .*", said)


def test_the_silence_of_a_hung_server_costs_two_seconds() -> None:
    """Half a second of waiting, and the rest for the question whether it is there."""
    assert connection.SILENCE <= 2 and connection.CONNECT_TIMEOUT < connection.SILENCE


def test_a_server_that_computes_is_not_taken_for_a_hung_one(
    asked: FunctionClient, server: LocalServer, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        server, "_evaluate", lambda name, arguments: time.sleep(0.6) or double(name, arguments)
    )
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.3)
    assert asked.evaluate("F", [2.0]) == [["#N/A"]]
    assert "not ended the computation within 0.3 s" in asked.evaluate("VOLINFO", [], cached=False)[0][0]


def test_pauses_double_and_end_with_an_answer(
    asked: FunctionClient, tmp_path: Path, clock: SimpleNamespace
) -> None:
    attempts = []
    for _ in range(400):
        asked.evaluate("F", [1.0])
        attempts.append(asked._closed_until)
        clock.now += 1.0
    until = sorted(set(attempts))
    assert [b - a for a, b in pairwise(until)][:4] == [10.0, 20.0, 40.0, 60.0]
    server = LocalServer(tmp_path, double)
    clock.now += 60.0
    assert asked.evaluate("F", [1.0]) == [["F", 1.0]]
    server.die()
    assert asked.evaluate("F", [2.0]) == [["#N/A"]]
    assert asked._closed_until == clock.now + client.FIRST_PAUSE


def test_a_token_that_changed_is_read_again(
    asked: FunctionClient, server: LocalServer, tmp_path: Path
) -> None:
    asked.evaluate("F", [1.0])
    server.token = "another"
    assert asked.evaluate("F", [2.0]) == [["#N/A"]]
    (tmp_path / "token").write_text("another")
    assert asked.evaluate("F", [2.0]) == [["F", 2.0]]


def test_a_port_whose_server_is_gone_is_never_contacted(
    asked: FunctionClient, server: LocalServer, tmp_path: Path
) -> None:
    server._lock.close()  # the state file stays, and another program answers on the port
    assert asked.evaluate("F", [1.0]) == [["#N/A"]]
    assert not server.calls and not server.greetings


@pytest.mark.parametrize("answer", ["[]", '{"cells": 1}', "no json", '{"error": {}}'])
def test_an_answer_that_is_none_is_not_available(
    asked: FunctionClient, server: LocalServer, tmp_path: Path, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub.json, "dumps", lambda *_, **__: answer)
    assert asked.evaluate("F", []) == [["#N/A"]]


def test_the_oldest_answers_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_CACHED_CELLS", 3)
    answers = client.KeptAnswers()
    answers.put(b"a", [[1.0]])
    answers.put(b"b", [[1.0]])
    assert answers.get(b"a")
    answers.put(b"c", [[1.0, 2.0]])
    assert (answers.get(b"a"), answers.get(b"b")) == ([[1.0]], None)


def test_the_server_is_started_and_started_again(
    asked: FunctionClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # as LibreOffice may set it
    monkeypatch.setattr(connection, "START_TIMEOUT", 30.0)
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 30.0)
    here = {"python": sys.executable, "path": str(Path(process.__file__).parents[2])}
    (tmp_path / "install.json").write_text(json.dumps(here))
    try:
        assert asked.evaluate("VOLINFO", ["version"], cached=False) == evaluate("VOLINFO", ["version"])
        first = read_state()
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert asked.evaluate("VOLINFO", ["version"], cached=False) == evaluate("VOLINFO", ["version"])
        second = read_state()
        assert second is not None and second.pid != first.pid
    finally:
        state = process.running()
        if state is not None:
            process.stop(state)
    asked._server.close()
    assert asked._server._child is not None and asked._server._child.wait(5) == 0


@pytest.mark.parametrize(
    "name",
    [
        "addin.py",
        "client.py",
        "connection.py",
        "discovery.py",
        "formulas.py",
        "machine.py",
        "places.py",
        "values.py",
    ],
)
def test_code_inside_libreoffice_is_of_the_python_of_older_ones(name: str) -> None:
    tree = ast.parse(HERE.joinpath(name).read_text(), feature_version=(3, 8))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    own = {
        "uno",
        "unohelper",
        "com.sun.star.lang",
        *(Path(packed).stem for packed in extension._CODE.values()),
    }
    assert not {module for module in imported if module.split(".")[0] not in sys.stdlib_module_names} - own


@pytest.mark.parametrize("text", values.ERROR_CODES)
def test_errors_are_nan_with_a_code(text: str) -> None:
    number = values.error_value(text)
    assert math.isnan(number) and values.error_text(number) == text
    assert values.error_text(math.nan) == "#VALUE!"


CELL = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text())


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1))
def test_cells_survive_calc(rows: list[list[Any]]) -> None:
    back = values.from_calc(values.to_calc(rows))
    assert back == [[None if cell == "" else cell for cell in row] for row in rows]
    json.dumps(back, allow_nan=False)


def test_a_blank_corner_shows_the_size_of_the_result() -> None:
    """Plainly entered, a formula shows its corner only."""
    assert values.to_calc([[None, "ATM"], ["1M", 0.1], ["1Y", None]]) == (
        ("3 × 2", "ATM"),
        ("1M", 0.1),
        ("1Y", ""),
    )
    assert values.to_calc([["Tenor", "ATM"]]) == (("Tenor", "ATM"),)
    assert values.to_calc([[None]]) == (("",),)


def test_what_calc_passes() -> None:
    address = SimpleNamespace(StartRow=0, EndRow=1, StartColumn=0, EndColumn=1)
    data = ((1.5, "x"), ("", None))
    cells = SimpleNamespace(getDataArray=lambda: data, getRangeAddress=lambda: address)
    assert values.from_calc(cells) == [[1.5, "x"], [None, "#N/A"]]
    assert values.from_calc(((1.5, values.error_value("#NUM!")),)) == [[1.5, "#NUM!"]]
    assert [values.from_calc(x) for x in (None, "", 0.0, math.inf)] == [None, None, 0.0, "#NUM!"]


@pytest.mark.parametrize(
    ("end", "full", "expected"),
    [
        ((1_048_575, 1), [(0, 3, 1), (6, 8, 0)], (0, 0, 1, 8)),  # A:B
        ((1_048_575, 1), [], (0, 0, 0, 0)),
        ((8, 16_383), [(0, 8, 5)], (0, 0, 5, 8)),  # 1:9
        ((99_999, 9), [(0, 4, 4)], (0, 0, 4, 4)),  # A1:J100000
        ((8, 1), None, None),  # A1:B9 is what was asked for
    ],
)
def test_whole_columns_are_cut_to_their_contents(
    end: tuple[int, int], full: list[tuple[int, int, int]] | None, expected: tuple[int, ...] | None
) -> None:
    parts: list[tuple[int, ...]] = []

    def cells(bottom: int, right: int) -> SimpleNamespace:
        address = SimpleNamespace(StartRow=0, EndRow=bottom, StartColumn=0, EndColumn=right)
        found = [SimpleNamespace(StartRow=a, EndRow=b, StartColumn=0, EndColumn=c) for a, b, c in full or []]
        queried = SimpleNamespace(getRangeAddresses=lambda: found)
        return SimpleNamespace(
            getDataArray=lambda: ((1.5,),),
            getRangeAddress=lambda: address,
            queryContentCells=lambda flags: queried,
            getCellRangeByPosition=lambda *corners: parts.append(corners) or cells(corners[3], corners[2]),
        )

    assert values.from_calc(cells(*end)) == [[1.5]]
    assert parts == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("formula", "whole"),
    [
        ("=VOLCHECK(A1:F9)", True),
        ("=ORG.VOLADDIN.CALC.FUNCTIONS.VOLCHECK(A1:F9)", True),
        ('{=VOLCHECK(A1:F9; "verdict)")}', True),
        ("=volcheck(OFFSET(A1;0;0;(3);4))", True),
        ("=VOLCHECK(A1:F9)*1", False),
        ("=VOLCHECK(A1:F9)=VOLCHECK(A1:F9)", False),
        ("=IF(VOLCHECK(A1:F9);1;0)", False),
        ('=VOLCHECK("', False),
    ],
)
def test_a_formula_that_is_one_call(formula: str, whole: bool) -> None:
    assert values.is_whole_call(formula, "VOLCHECK") is whole


def test_an_optional_whole_column_is_cut_too() -> None:
    """Calc passes it as an array of all its cells."""
    rows = (("", "ATM", ""), ("1M", 0.1, ""), ("1Y", None, ""))
    blank = (("", "", ""),) * 50_000
    assert values.from_calc(rows + blank) == [[None, "ATM"], ["1M", 0.1], ["1Y", "#N/A"]]
    assert values.from_calc(blank) == [[None]]
    with pytest.raises(ValueError, match="50003 x 3 cells; expected at most 100000"):
        values.from_calc(rows + blank[:-1] + (("", "", 1.0),))


def test_more_cells_than_a_grid_can_have_are_refused() -> None:
    address = SimpleNamespace(StartRow=0, EndRow=99_999, StartColumn=0, EndColumn=1)
    full = SimpleNamespace(getRangeAddresses=lambda: [address])
    cells = SimpleNamespace(
        getDataArray=None, getRangeAddress=lambda: address, queryContentCells=lambda _: full
    )
    cells.getCellRangeByPosition = lambda *_: cells
    with pytest.raises(ValueError, match="100000 x 2 cells; expected at most 100000"):
        values.from_calc(cells)


def test_the_extension_holds_every_function(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(build(tmp_path / "voladdin.oxt"))
    assert archive.testzip() is None
    for name in archive.namelist():
        if name.endswith((".xml", ".xcu", ".components")):
            ET.fromstring(archive.read(name))
    table = json.loads(archive.read("python/functions.json"))
    assert table == [
        {"name": f.name, "cached": f.cached, "together": f.name == "VOLIMPUTE"} for f in FUNCTIONS.values()
    ]
    texts = {value.text for value in ET.fromstring(archive.read("CalcAddIns.xcu")).iter("value")}
    for function in FUNCTIONS.values():
        assert f"{function.help} Example: {function.example}" in texts
        assert {argument.help for argument in function.arguments} <= texts
    assert build(tmp_path / "again.oxt").read_bytes() == (tmp_path / "voladdin.oxt").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler's stand-in is a shell script")
@pytest.mark.parametrize("refuses", [True, False])
def test_a_type_library_that_does_not_compile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    """Else the functions written beside an old library would pass for compiled."""
    library = tmp_path / "rdb"
    library.mkdir()
    for end in ("idl", "rdb"):
        (library / f"voladdin.{end}").write_text("old")
    compiler = tmp_path / "unoidl-write"
    compiler.write_text("#!/bin/sh\n" + ("exit 1" if refuses else 'for last; do :; done; echo new > "$last"'))
    compiler.chmod(0o755)
    monkeypatch.setattr(extension, "_OXT", tmp_path)
    monkeypatch.setattr(extension, "program", lambda _: tmp_path / "soffice")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    if refuses:
        with pytest.raises(UnavailableError, match=r"unoidl-write failed: .*; expected the LibreOffice SDK"):
            extension.compile_types()
    else:
        assert extension.compile_types() == library / "voladdin.rdb"
    found = [(library / f"voladdin.{end}").read_text() for end in ("idl", "rdb")]
    assert found == (["old", "old"] if refuses else [extension.idl(), "new\n"])


def test_a_type_library_of_other_functions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extension, "_functions", lambda: [FUNCTIONS["VOLINFO"]])
    with pytest.raises(
        UnavailableError, match=r"expected `python -m voladdin\.hosts\.libreoffice\.extension`"
    ):
        build(tmp_path / "voladdin.oxt")


@pytest.mark.parametrize(
    ("root", "whom"), [(True, "all users of this computer, as root"), (False, "this user")]
)
def test_an_installation_says_for_whom(
    root: bool, whom: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path))
    monkeypatch.setattr(installer, "is_root", lambda: root)
    monkeypatch.setattr(installer, "program", lambda name: name)
    monkeypatch.setattr(installer, "run", asked.append)
    assert f"installed for {whom}; restart LibreOffice" in installer.install()
    assert installer.uninstall() == f"libreoffice: uninstalled for {whom}"
    assert [("--shared" in command) for command in asked] == [root, root]


def test_libreoffice_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(programs, "_PLACES", ("nowhere",))
    with pytest.raises(UnavailableError, match="no soffice on PATH or in nowhere"):
        programs.program("soffice")


def test_what_is_started_is_of_no_python_environment(tmp_path: Path) -> None:
    """LibreOffice's own Python would take the environment's for its home and find no module."""
    for name in ("venv", "conda"):
        tmp_path.joinpath(name, "bin").mkdir(parents=True)
    tmp_path.joinpath("venv", "pyvenv.cfg").touch()
    tmp_path.joinpath("conda", "conda-meta").mkdir()
    folders = [str(tmp_path / "venv" / "bin"), "/usr/bin", str(tmp_path / "conda" / "bin"), "/bin"]
    given = {"PATH": os.pathsep.join(folders), "VIRTUAL_ENV": "x", "PYTHONHOME": "x", "PYTHONPATH": "x"}
    kept = {"PATH": os.pathsep.join(["/usr/bin", "/bin"]), "HOME": "y"}
    assert programs.environment(given | {"HOME": "y"}) == kept
