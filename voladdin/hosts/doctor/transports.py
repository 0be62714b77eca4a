"""One formula through each way to voladdin, with the time it takes."""

from __future__ import annotations

import http.client
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from voladdin.cells import Cells
from voladdin.errors import ServerError
from voladdin.hosts.excel import activated
from voladdin.hosts.excel.names import PYTHON_MODULE
from voladdin.hosts.libreoffice import installed
from voladdin.service.client import Client
from voladdin.service.process import ensure_running
from voladdin.service.state import HOST, read_token
from voladdin.worksheet import wire
from voladdin.worksheet.registry import evaluate

from .findings import FAULT, OK, Finding

FUNCTION = "VOLIMPUTE"
_QUOTES = (0.085 + 1e-5 * i for i in itertools.count())  # a new one each, so that no answer is remembered
TOLERANCE = 1e-12  # of an .xlsx, which keeps 15 digits
SECONDS = 30.0
_LOG = "voladdin info error"


def in_process() -> Iterator[Finding]:
    """The function itself, after the first call has loaded the models."""
    evaluate(FUNCTION, [grid()])
    yield _timed("in Python", lambda cells: evaluate(FUNCTION, [cells]), _LOG)


def grid() -> Cells:
    """A grid with a hole, whose quotes no other call had."""
    return [["vols", "25P", "ATM"], ["1M", 0.09, next(_QUOTES)], ["1Y", 0.1, None]]


def over_http() -> Iterator[Finding]:
    """As a program asks the local server, and as VBA does; the server is started where none runs."""
    start = time.perf_counter()
    state = ensure_running()
    with Client(state) as client:
        client.evaluate(FUNCTION, grid())
        yield Finding("over HTTP", OK, f"{time.perf_counter() - start:.1f} s with the first answer")
        yield _timed("over HTTP", lambda cells: client.evaluate(FUNCTION, cells), _LOG)
    yield _timed("as lines", lambda cells: _as_lines(state.port, cells), _LOG)


def _as_lines(port: int, cells: Cells) -> Cells:
    """The call as Excel's VBA sends it."""
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    try:
        call = quote(wire.write_call(wire.Call(FUNCTION, [cells])))
        headers = {"Authorization": f"Bearer {read_token()}", "Voladdin-Call": call}
        connection.request("POST", "/v1/cells", b"", headers)
        answer = connection.getresponse()
        said = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"POST /v1/cells on {HOST}:{port}: {error}") from None
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ServerError(f"POST /v1/cells on {HOST}:{port} is answered {answer.status}: {said}")
    return wire.read_answer(said)[0]


def through_libreoffice() -> Iterator[Finding]:
    """As Calc does, in a LibreOffice of its own with a copy of the installed extension."""
    yield _timed("in LibreOffice", _in_calc, "voladdin install libreoffice")


def _in_calc(cells: Cells) -> Cells:
    with tempfile.TemporaryDirectory() as folder:
        book, result = Path(folder, "book.xlsx"), Path(folder, "result.xlsx")
        written = Workbook()
        sheet = written.worksheets[0]
        for row in cells:
            sheet.append(row)
        sheet["E1"] = ArrayFormula("E1:G3", f"={FUNCTION}(A1:C3)")
        written.save(book)
        installed.recalculate_as_installed(book, result)
        found = load_workbook(result, data_only=True).worksheets[0]
        return [[cell.value for cell in row] for row in found["E1:G3"]]


def com_interpreter(python: Path, path: str) -> Finding:
    """The interpreter that Excel starts for COM: whether it comes up and has the functions."""
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import {PYTHON_MODULE}"
    start = time.perf_counter()
    mend = "voladdin install excel"
    try:
        done = subprocess.run(
            [python, "-c", code, path], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("Excel's Python", FAULT, f"{python} does not start: {error}", mend)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Finding("Excel's Python", FAULT, f"{python} fails: {said}", mend)
    return Finding("Excel's Python", OK, f"{python} starts in {time.perf_counter() - start:.1f} s")


def through_com(library: Path, python: Path, path: str) -> Finding:
    """As Excel asks by COM: its library starts its interpreter, whose start is in the time."""
    mend = "voladdin install excel"
    try:
        return _timed("by COM", lambda cells: _by_com(library, python, path, cells), mend)
    except ServerError as error:
        return Finding("by COM", FAULT, str(error), mend)


def _by_com(library: Path, python: Path, path: str, cells: Cells) -> Cells:
    code = f"import sys; sys.path.insert(0, {path!r}); from {activated.__name__} import main; "
    code += "main(*sys.argv[1:])"
    quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder, "call").write_text(wire.write_call(wire.Call(FUNCTION, [cells])), "utf-8")
        command = [sys.executable, "-B", "-c", code, str(library), str(python), path, folder]
        try:
            subprocess.run(command, timeout=SECONDS, check=False, **quiet)
            return wire.read_answer(Path(folder, "answer").read_text("utf-8"))[0]
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServerError(f"{python}, started by {library.name}, gives no answer: {error}") from None


def _timed(what: str, ask: Callable[[Cells], Cells], mend: str) -> Finding:
    """The time of an answer that is the one `evaluate` gives; any other is a fault."""
    cells, start = grid(), time.perf_counter()
    answer = ask(cells)
    seconds = time.perf_counter() - start
    wanted = evaluate(FUNCTION, [cells])
    if not _same(answer, wanted):
        return Finding(what, FAULT, f"{FUNCTION} gives {answer}; expected {wanted}", mend)
    took = f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"
    return Finding(what, OK, f"{FUNCTION} in {took}")


def _same(answer: Cells, wanted: Cells) -> bool:
    if [len(row) for row in answer] != [len(row) for row in wanted]:
        return False
    pairs = [pair for rows in zip(answer, wanted, strict=True) for pair in zip(*rows, strict=True)]
    return all(
        abs(one - other) <= TOLERANCE if isinstance(one, float) and isinstance(other, float) else one == other
        for one, other in pairs
    )


def is_windows() -> bool:
    """Whether Excel and its registry can be there."""
    return sys.platform == "win32"
