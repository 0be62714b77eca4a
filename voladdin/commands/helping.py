"""The help group: the worksheet functions, the log, and what is running."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import bundles
from ..cells import Cells
from ..home import home, version
from ..journal import Caller
from ..worksheet import info
from ..worksheet.registry import FUNCTIONS
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

LOG_LINES = 200
_STAMP = re.compile(r"\d{4}-\d\d-\d\d ")  # of a log line; a traceback's have none
_BOOK = re.compile(r" in \[(.*?)\]: ")
_LOGS = ("voladdin.log", "libreoffice.log")


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
        ["voladdin", version()],
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


def about(_book: xw.Book) -> str:
    """Version, models and the folder of settings, in words."""
    return f"voladdin {version()}; models: {', '.join(bundles.names())}; settings and log: {home()}"


def _on_a_sheet(book: xw.Book, command: str, name: str, rows: Cells) -> str:
    with Transaction(book, command) as changes:
        sheet = changes.sheet(name)
        changes.write_rows(sheet, 1, 1, rows)
        changes.show(sheet)
    return f"see the sheet {sheet}"
