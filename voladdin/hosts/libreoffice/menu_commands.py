"""The commands of Calc's menu, on the cells that it sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from voladdin.commands import COMMANDS, execute
from voladdin.commands.questions import Unanswered
from voladdin.errors import UnavailableError
from voladdin.home import VERSION
from voladdin.hosts.documents.document import Document, Missing
from voladdin.hosts.documents.engine import book_of


def run(name: str, book: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs a command: {"label", "message", "edits"}, or {"need": {"sheet", "area"}}, cells to send as well,
    or {"ask": {"kind", "words", "default", "choices"}}, whose answer is to be one more of book["answers"].

    book, blocks: as `Document` takes them; book["extension"]: the version of the extension that asks.

    Raises UnavailableError where that is another than this, VoladdinError where the command does.
    """
    if book.get("extension") != VERSION:
        raise UnavailableError(
            f"LibreOffice has the extension of voladdin {book.get('extension', '0.1')}, this is {VERSION}; "
            "expected `voladdin install libreoffice` again, and LibreOffice restarted"
        )
    document = Document(book, blocks)
    try:
        message = execute(name, book_of(document))
    except Missing as missing:
        return {"need": {"sheet": missing.sheet, "area": list(document.ample(missing))}}
    except Unanswered as unanswered:
        return {"ask": asdict(unanswered.question)}
    return {"label": COMMANDS[name].label, "message": message, "edits": document.plan()}
