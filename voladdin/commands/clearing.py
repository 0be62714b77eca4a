"""Clear: takes back what the other commands put into the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ledger import Record
from .selection import selection_of
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME = "clear"


def clear(book: xw.Book) -> str:
    """Restores what the commands changed: in the selection if it is more than one cell, else in the book.

    What was changed since stays. Sheets that the commands made go where nothing else is on them.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        records = _chosen(book, changes.records)
        if not records:
            return "nothing to clear: no command has written here"
        done, left = changes.take_back(records)
    message = f"cleared {done} place{'s' * (done != 1)}"
    return f"{message}; {left} changed since and kept" if left else message


def _chosen(book: xw.Book, records: list[Record]) -> list[Record]:
    selection = selection_of(book)
    if selection is None or selection.shape == (1, 1) or "," in selection.address:
        return list(records)
    rows, columns = selection.shape
    bottom, right = selection.row + rows, selection.column + columns
    return [
        record
        for record in records
        if record.place.sheet == selection.sheet.name
        and "sheet" not in record.ours
        and selection.row <= record.place.row < bottom
        and selection.column <= record.place.column < right
    ]
