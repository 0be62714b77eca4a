"""An xlwings engine on a `Document`: the commands, written against `xlwings.Book`, run unchanged.

Of Calc the document is the cells that its menu sent, of Excel an open workbook; either makes the edits. Only
what the commands use is there; anything else raises NotImplementedError, as xlwings' base classes do. Nothing
of xlwings.pro.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import xlwings as xw
from xlwings import base_classes

from voladdin.cells import ERROR_CELLS

from .document import Document
from .sheets import DocumentSheet, Range

NAME = "voladdin"  # to xlwings, which lists its engines; a book's own has the name of its host


def book_of(document: Document) -> xw.Book:
    """The document as an xlwings Book, whose changes are the document's edits."""
    if NAME not in xw.engines.engines_by_name:
        xw.engines.add(xw.main.Engine(impl=DocumentEngine(NAME)))
    return xw.Book(impl=DocumentBook(App(document), document))


class DocumentEngine:
    """What xlwings asks of an engine; documents come with requests, so no app is running by itself."""

    type = "desktop"

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def apps(self) -> Apps:
        return Apps()

    @staticmethod
    def clean_value_data(
        data: Any, datetime_builder: Any, empty_as: Any, number_builder: Any, err_to_str: bool
    ) -> list[list[Any]]:
        def clean(value: Any) -> Any:
            if value is None or value == "":
                return empty_as
            if isinstance(value, str) and value in ERROR_CELLS:
                return value if err_to_str else None
            plain = isinstance(value, float) and number_builder is not None
            return number_builder(value) if plain else value

        return [[clean(value) for value in row] for row in data]

    @staticmethod
    def prepare_xl_data_element(value: Any, options: Any) -> Any:
        if value is None or (isinstance(value, float) and value != value):
            return ""
        if isinstance(value, str):
            return value.removeprefix("'")  # the mark of a text, which Excel does not show
        return value if isinstance(value, bool) else float(value)


class Apps(base_classes.Apps):
    def keys(self) -> list[int]:
        return []

    def __iter__(self) -> Iterator[App]:
        return iter(())

    def __len__(self) -> int:
        return 0


class App(base_classes.App):
    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def engine(self) -> DocumentEngine:
        return DocumentEngine(self.document.host)

    @property
    def api(self) -> Document:
        return self.document

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def selection(self) -> Range | None:
        if not self.document.selection:
            return None
        sheet = Sheets(DocumentBook(self, self.document)).active
        return Range(sheet, self.document.selection[0], self.document.selection)


class DocumentBook(base_classes.Book):
    def __init__(self, app: App, document: Document) -> None:
        self._app, self.document = app, document

    @property
    def app(self) -> App:
        return self._app

    @property
    def api(self) -> Document:
        return self.document

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def sheets(self) -> Sheets:
        return Sheets(self)


class Sheets(base_classes.Sheets):
    def __init__(self, book: DocumentBook) -> None:
        self.book = book

    @property
    def active(self) -> DocumentSheet:
        return self(self.book.document.active)

    def __call__(self, key: int | str) -> DocumentSheet:
        sheets = self.book.document.sheets
        data = sheets[key - 1] if isinstance(key, int) else self.book.document.sheet(key)
        return DocumentSheet(self.book, self.book.document, data)

    def __contains__(self, name: str) -> bool:
        return any(sheet.name.lower() == name.lower() for sheet in self.book.document.sheets)

    def __len__(self) -> int:
        return len(self.book.document.sheets)

    def __iter__(self) -> Iterator[DocumentSheet]:
        return (
            DocumentSheet(self.book, self.book.document, sheet) for sheet in list(self.book.document.sheets)
        )

    def add(
        self, before: DocumentSheet | None = None, after: DocumentSheet | None = None, name: str | None = None
    ) -> DocumentSheet:
        neighbour = before or after or self.active
        position = neighbour.index - (neighbour is not after)
        assert name is not None
        return DocumentSheet(self.book, self.book.document, self.book.document.add(name, position))
