"""Where the rows and cells of a worksheet's XML stand, in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from ..errors import InputError

Position = tuple[int, int]  # row, column, from 1

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")


@dataclass
class Element:
    """Byte offsets of one row or cell, and its attributes."""

    start: int
    end: int
    attributes: dict[str, str]


@dataclass
class Layout:
    """Where a sheet's rows and cells stand."""

    prefix: str = ""
    data: Element = field(default_factory=lambda: Element(-1, -1, {}))
    dimension: Element | None = None
    rows: dict[int, Element] = field(default_factory=dict)
    columns: dict[int, list[int]] = field(default_factory=dict)
    cells: dict[Position, Element] = field(default_factory=dict)
    column_styles: list[tuple[int, int, str]] = field(default_factory=list)


def tag_end(xml: bytes, start: int) -> int:
    """Where the start tag at `start` ends. Raises InputError where there is none."""
    found = _START_TAG.match(xml, start)
    if not found:
        raise InputError(f"worksheet XML cannot be read at byte {start}")
    return found.end()


def read_layout(xml: bytes) -> Layout:
    """The layout of a worksheet part. Raises InputError where it is no worksheet in UTF-8."""
    reader = _Reader(xml)
    if reader.layout.data.start < 0:
        raise InputError("worksheet XML has no sheetData")
    return reader.layout


class _Reader:
    """One pass of expat that notes byte offsets."""

    def __init__(self, xml: bytes) -> None:
        self.xml, self.layout = xml, Layout()
        self.row = self.column = 0
        self.open: list[Element] = []
        if xml[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError("worksheet XML is in UTF-16; expected UTF-8")
        self.parser = expat.ParserCreate()
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        try:
            self.parser.Parse(xml, True)
        except expat.ExpatError as error:
            raise InputError(f"worksheet XML cannot be read: {error}") from None

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
            raise InputError(f"worksheet XML is in {encoding}; expected UTF-8")

    def _doctype(self, *_: object) -> None:
        raise InputError("worksheet XML declares a document type; expected none")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        prefix, _, name = tag.rpartition(":")
        element = Element(self.parser.CurrentByteIndex, -1, attributes)
        self.open.append(element)
        if name == "sheetData":
            self.layout.prefix = prefix + ":" if prefix else ""
            self.layout.data = element
        elif name == "dimension":
            self.layout.dimension = element
        elif name == "col" and "style" in attributes:
            low, high = int(attributes["min"]), int(attributes["max"])
            self.layout.column_styles.append((low, high, attributes["style"]))
        elif name == "row" and len(self.open) == 3:
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
            self.layout.rows[self.row] = element
        elif name == "c" and len(self.open) == 4:
            self.column = _column(attributes) or self.column + 1
            self.layout.cells[self.row, self.column] = element
            self.layout.columns.setdefault(self.row, []).append(self.column)

    def _end(self, tag: str) -> None:
        """expat stands after an empty element, and before the end tag of any other."""
        element, at = self.open.pop(), self.parser.CurrentByteIndex
        closing = b"</" + tag.encode()
        if self.xml.startswith(closing, at):
            at = self.xml.index(b">", at) + 1
        element.end = at


def _column(attributes: dict[str, str]) -> int | None:
    if "r" not in attributes:
        return None
    return int(column_index_from_string(coordinate_from_string(attributes["r"])[0]))
