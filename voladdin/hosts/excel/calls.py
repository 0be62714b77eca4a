"""What the add-in's VBA asks of Python: the value of a formula, the command of a button; text in, text out.

xlwings' COM server imports this module by its name. The local server takes the same texts over HTTP.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from voladdin.commands import execute
from voladdin.commands.questions import Prompt, Unanswered
from voladdin.errors import InputError, VoladdinError
from voladdin.hosts.documents.engine import book_of
from voladdin.journal import Caller, recorded
from voladdin.worksheet import wire

from .edits import apply
from .open_book import OpenDocument

LIMIT = 10.0  # seconds, as connection.bas gives the local server
_LONGEST = 255  # characters of a question of Excel's
_threads = ThreadPoolExecutor(1)


def answered(call: str) -> str:
    """The answer to a formula's call, in lines of cells (`voladdin.worksheet.wire`); #N/A where it hangs."""
    global _threads
    try:
        return _threads.submit(wire.answer, call).result(LIMIT)
    except VoladdinError as error:
        return wire.write_answer([[error.cell_error]], [str(error)])
    except TimeoutError:
        _threads = ThreadPoolExecutor(1)  # the old one may never be free again
        return wire.write_answer([["#N/A"]], [f"no answer within {LIMIT:g} s"])


def commanded(command: str) -> str:
    """Runs a command on the book that VBA gave xlwings: "=" and what it did, or "!" and why it could not.

    command: its name, and the answers to what it asked before, with tabs between. Where it asks more: "?" and
    the kind of answer, its default, and the question, a line each.
    """
    import xlwings as xw

    return on_book(command, xw.Book.caller().impl.xl)


def on_book(command: str, workbook: Any, title: str = "") -> str:
    """The same on an open workbook, as COM gives it; title: its name, where that is known."""
    document = OpenDocument(workbook, title)
    name, *answers = command.split("\t")
    document.answers = iter(answers)
    try:
        message = execute(name, book_of(document))
        with recorded(name, Caller(document.name)):
            apply(document)
    except Unanswered as unanswered:
        return f"?{_in_lines(unanswered.question)}"
    except VoladdinError as error:
        return f"!{error} ({error.reference})"
    return f"={message}"


def _in_lines(question: Prompt) -> str:
    """Choices are numbered: Excel's own question has no list of them, and its words are few."""
    each = "".join(f" {number} {choice}" for number, choice in enumerate(question.choices, start=1))
    return f"{question.kind}\n{question.default}\n{question.words[: _LONGEST - len(each)]}{each}"


def in_excel(text: str) -> str:
    """The same for a command, Excel's window handle and the book's full name, a line each.

    Raises InputError where the text is not that, or no such Excel or book is open.
    """
    command, handle, name = (*text.split("\n", 2), "", "")[:3]
    if not handle.isdigit() or not name:
        raise InputError(f"{text[:60]!r}; expected a command, a window handle and a book, a line each")
    import pythoncom  # type: ignore[import-not-found,import-untyped,unused-ignore]

    pythoncom.CoInitialize()
    try:
        return on_book(command, _open_book(int(handle), name), re.split(r"[\\/]", name)[-1])
    finally:
        pythoncom.CoUninitialize()


def _open_book(handle: int, name: str) -> Any:
    import xlwings as xw

    for app in xw.apps:
        if app.impl.hwnd == handle:
            found = [book for book in app.books if book.impl.xl.FullName == name]
            if found:
                return found[0].impl.xl
    raise InputError(f"the book {name} of the window {handle} is not open in an Excel that can be reached")
