"""Help: the page of the function in the cell at the cursor, or of all of them, in the browser."""

from __future__ import annotations

import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ServerError
from ..home import home, write_private
from ..worksheet.help_pages import INDEX, file_of, pages
from ..worksheet.registry import FUNCTIONS
from .ledger import formulas_of

if TYPE_CHECKING:
    import xlwings as xw

FOLDER = "help"  # in the home folder
_CALL = re.compile(rf"\b({'|'.join(FUNCTIONS)})\(", re.I)


def open_help(book: xw.Book) -> str:
    """Opens the page of the function in the cell at the cursor, else that of all functions; in words.

    Nothing changes in the book. Raises ServerError where the home folder cannot be written.
    """
    page = write_pages() / _page_of(book)
    shown = "the worksheet functions" if page.name == INDEX else page.stem
    if webbrowser.open(page.as_uri()):
        return f"the help on {shown} is open in the browser"
    return f"open {page} in a browser for the help on {shown}"


def write_pages() -> Path:
    """Writes the help pages of this version; their folder. Raises ServerError."""
    folder = home() / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServerError(f"{folder} cannot be made: {error.strerror}") from None
    for name, text in pages().items():
        write_private(folder / name, text)
    return folder


def _page_of(book: xw.Book) -> str:
    selection = book.selection
    if selection is None or "," in selection.address:
        return INDEX
    called = _CALL.search(str(formulas_of(selection[0, 0])[0][0] or ""))
    return file_of(called[1].upper()) if called else INDEX
