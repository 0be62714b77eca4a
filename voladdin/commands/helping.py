"""The help group: the worksheet functions, the log, and what is running."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import bundles
from ..cells import Cells
from ..errors import UnavailableError
from ..home import VERSION, home
from ..journal import Caller
from ..worksheet import info
from ..worksheet.registry import FUNCTIONS
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

LOG_LINES = 200
SECONDS = 45.0  # of the doctor: a menu waits a minute for its command
_DOCTOR = "import sys; sys.path.insert(0, sys.argv.pop(1)); from voladdin.cli import main; sys.exit(main())"
_STAMP = re.compile(r"\d{4}-\d\d-\d\d ")  # of a log line; a traceback's have none
_BOOK = re.compile(r" in \[(.*?)\]: ")
_LOGS = ("voladdin.log", "libreoffice.log", "excel.log")


def functions(book: xw.Book) -> str:
    """Lists the worksheet functions and their arguments on a sheet of their own, and shows it."""
    rows: Cells = [["function", "what it gives", "example"]]
    for function in FUNCTIONS.values():
        rows.append([function.signature, function.help, function.example])
        rows += [[f"    {argument.name}", argument.help, ""] for argument in function.arguments]
    return _on_a_sheet(book, "functions", "voladdin help", rows)


def log(book: xw.Book) -> str:
    """Shows the last error and the end of the log files on a sheet of their own."""
    rows: Cells = [
        ["voladdin", VERSION],
        *info.volinfo("error", FUNCTIONS.values(), caller=Caller(book.name)),
    ]
    for name in _LOGS:
        path = home() / name
        if path.is_file():
            lines = of_book(path.read_text("utf-8", "replace").splitlines(), book.name)[-LOG_LINES:]
            rows += [["", ""], [str(path), ""]]
            rows += [["", line] for line in lines]
    return _on_a_sheet(book, "log", "voladdin log", rows)


def of_book(lines: list[str], book: str) -> list[str]:
    """The lines of a log but those about other books, with the tracebacks below them."""
    kept, ours = [], True
    for line in lines:
        if _STAMP.match(line):
            found = _BOOK.search(line)
            ours = found is None or found[1] == book
        if ours:
            kept.append(line)
    return kept


def doctor(book: xw.Book) -> str:
    """Looks at this installation, tries it, and lists what it found on a sheet of its own."""
    rows: Cells = [["part", "state", "found", "what mends it"], *_diagnosed()]
    faults = sum(row[1] == "FAULT" for row in rows)
    return (
        f"{faults or 'no'} fault{'s' * (faults != 1)}; {_on_a_sheet(book, 'doctor', 'voladdin doctor', rows)}"
    )


def _diagnosed() -> Cells:
    """The findings of `voladdin doctor`, a program of its own: it starts no host, which one of them asks."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    options: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-P", "-c", _DOCTOR, root, "doctor", "--quick", "--json"]
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, cwd=home(), env=variables, stdin=quiet, capture_output=True, timeout=SECONDS, **options
        )
        return [list(row) for row in json.loads(done.stdout)]
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UnavailableError(
            f"the doctor failed: {error}; expected `voladdin doctor` in a terminal"
        ) from None


def about(_book: xw.Book) -> str:
    """Version, models and the folder of settings, in words."""
    return f"voladdin {VERSION}; models: {', '.join(bundles.names())}; settings and log: {home()}"


def _on_a_sheet(book: xw.Book, command: str, name: str, rows: Cells) -> str:
    with Transaction(book, command) as changes:
        sheet = changes.sheet(name)
        changes.write_rows(sheet, 1, 1, rows)
        changes.show(sheet)
    return f"see the sheet {sheet}"
