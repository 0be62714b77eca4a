"""Verdicts as TRUE and FALSE: Calc takes from an add-in no more than the number 1 or 0.

Runs inside LibreOffice's own Python (standard library and uno), packed into the .oxt as `voladdin_truth.py`.
A cell whose whole formula is the function, and whose number format nobody chose, gets Calc's own format of
truth values; that is no step of undo, and leaves the document as saved as it was.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from com.sun.star.lang import Locale
from com.sun.star.util.NumberFormat import LOGICAL
from voladdin_main_thread import later  # type: ignore[import-not-found]
from voladdin_values import is_whole_call, title_of  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("voladdin.libreoffice")
_waiting: set[tuple[str, str]] = set()  # documents and functions that are about to be looked at


def show_verdicts(context: Any, document: Any, name: str) -> None:
    """Gives the cells with this function the format of truth values, when LibreOffice has time."""
    wanted = title_of(document), name

    def look() -> None:
        _waiting.discard(wanted)
        _format(document, name)

    if wanted not in _waiting:
        _waiting.add(wanted)
        later(context, look, document)


def _format(document: Any, name: str) -> None:
    cells = list(_cells(document, name))
    if not cells:
        return
    undo, saved = document.getUndoManager(), not document.isModified()
    key = document.getNumberFormats().getStandardFormat(LOGICAL, Locale())
    undo.lock()
    try:
        for cell in cells:
            cell.NumberFormat = key
        if saved:
            document.setModified(False)
    except Exception as error:  # a protected sheet: its verdicts stay 1 and 0
        log.info("verdicts of %s keep their format: %s", name, error)
    finally:
        undo.unlock()


def _cells(document: Any, name: str) -> Iterator[Any]:
    """Cells without a format of their own whose whole formula calls the function, and that show a verdict."""
    sheets = document.Sheets
    for sheet in (sheets.getByIndex(i) for i in range(sheets.getCount())):
        wanted = sheet.createSearchDescriptor()
        wanted.SearchString = f"{name}("
        found = sheet.findAll(wanted)
        cells = found.getCells().createEnumeration() if found is not None else None
        while cells is not None and cells.hasMoreElements():
            cell = cells.nextElement()
            plain = cell.NumberFormat % 10000 == 0 and cell.getError() == 0 and cell.getValue() in (0, 1)
            if plain and is_whole_call(cell.getFormula(), name):
                yield cell
