"""Where the rows and cells of a worksheet's XML stand, in bytes, and what the cells hold, as text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from openpyxl.utils.cell import column_index_from_string

from ..errors import InputError
from .references import MAX_COLUMN, MAX_ROW, Box, Position, box_of

_START_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")
_EMPTY_ROW = rb"<row r=\"(\d{1,7})\"[^<>]*/>"
_EMPTY_ROWS = re.compile(rb"(?:<row r=\"\d{1,7}\"[^<>]*/>\s*){64,}")
_ADDRESS = re.compile(r"([A-Za-z]{1,3})([1-9]\d{0,6})")


@dataclass(slots=True)
class Element:
    """Byte offsets of an element, and its attributes."""

    start: int
    end: int
    attributes: dict[str, str]


@dataclass(slots=True)
class CellElement(Element):
    """A cell; the texts of its <v>, of its inline string and of its <f>, None where it has none."""

    value: str | None = None
    inline: str | None = None
    formula: str | None = None
    formula_attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class SheetLayout:
    """Where a sheet's rows and cells stand; long runs of empty rows are left out until `add_empty_rows`."""

    prefix: str = ""
    data: Element = field(default_factory=lambda: Element(-1, -1, {}))
    dimension: Element | None = None
    rows: dict[int, Element] = field(default_factory=dict)
    columns: dict[int, list[int]] = field(default_factory=dict)
    cells: dict[Position, CellElement] = field(default_factory=dict)
    column_styles: list[tuple[int, int, str]] = field(default_factory=list)
    merged: list[Box] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)

    def add_empty_rows(self, xml: bytes) -> None:
        """Adds the rows of the runs."""
        for start, end in self.runs:
            for found in re.finditer(_EMPTY_ROW, xml[start:end]):
                self.rows[int(found[1])] = Element(
                    start + found.start(), start + found.end(), _row_attributes(found[0])
                )
        self.runs = []


def tag_end(xml: bytes, start: int) -> int:
    """Where the start tag at `start` ends. Raises InputError where there is none."""
    found = _START_TAG.match(xml, start)
    if not found:
        raise InputError(f"worksheet XML cannot be read at byte {start}")
    return found.end()


def read_layout(xml: bytes) -> SheetLayout:
    """The layout of a worksheet part.

    Raises InputError where it is no worksheet in UTF-8, or where rows or cells are out of order or off the
    sheet.
    """
    runs = [found.span() for found in _EMPTY_ROWS.finditer(xml)]
    read, at = [], 0
    for start, end in runs:  # blank for the parser, so that a million of them cost little
        read += [xml[at:start], b" " * (end - start)]
        at = end
    layout = _SheetReader(b"".join([*read, xml[at:]]) if runs else xml).layout
    if layout.data.start < 0:
        raise InputError("worksheet XML has no sheetData")
    layout.runs = runs
    return layout


class _SheetReader:
    """One pass of expat that notes byte offsets and texts."""

    def __init__(self, xml: bytes) -> None:
        self.xml, self.layout = xml, SheetLayout()
        self.row = self.column = 0
        self.open: list[Element] = []
        self.cell: CellElement | None = None
        self.text: list[str] = []
        self.phonetic = False
        self.letters: dict[str, int] = {}
        if xml[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError("worksheet XML is in UTF-16; expected UTF-8")
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        try:
            self.parser.Parse(xml, True)  # noqa: FBT003 - expat takes no keyword
        except expat.ExpatError as error:
            raise InputError(f"worksheet XML cannot be read: {error}") from None

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
            raise InputError(f"worksheet XML is in {encoding}; expected UTF-8")

    def _doctype(self, *_: object) -> None:
        raise InputError("worksheet XML declares a document type; expected none")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if self.cell is not None:
            self.open.append(Element(-1, -1, {}))
            self._start_in_cell(name, attributes)
            return
        element = Element(self.parser.CurrentByteIndex, -1, attributes)
        if name == "c" and len(self.open) == 3:
            self.column = self._column(attributes)
            element = self.cell = CellElement(element.start, -1, attributes)
            self.layout.cells[self.row, self.column] = element
            self.layout.columns.setdefault(self.row, []).append(self.column)
        elif name == "row" and len(self.open) == 2:
            self.row, self.column = self._row(attributes), 0
            self.layout.rows[self.row] = element
        else:
            self._start_outside(tag, name, element)
        self.open.append(element)

    def _start_in_cell(self, name: str, attributes: dict[str, str]) -> None:
        assert self.cell is not None
        if name == "f":
            self.cell.formula_attributes = attributes
        if name == "rPh":
            self.phonetic = True
        if name in ("v", "f", "t") and not self.phonetic:
            self.text = []
            self.parser.CharacterDataHandler = self.text.append

    def _start_outside(self, tag: str, name: str, element: Element) -> None:
        attributes = element.attributes
        if name == "sheetData":
            prefix = tag.rpartition(":")[0]
            self.layout.prefix = prefix + ":" if prefix else ""
            self.layout.data = element
        elif name == "dimension":
            self.layout.dimension = element
        elif name == "col" and "style" in attributes:
            low, high = _whole(attributes, "min", MAX_COLUMN), _whole(attributes, "max", MAX_COLUMN)
            self.layout.column_styles.append((low, high, attributes["style"]))
        elif name == "mergeCell" and (box := box_of(attributes.get("ref", ""))):
            self.layout.merged.append(box)

    def _end(self, tag: str) -> None:
        """expat stands after an empty element, and before the end tag of any other."""
        element = self.open.pop()
        if self.cell is not None and element is not self.cell:
            self._end_in_cell(tag.rpartition(":")[2])
            return
        at = self.parser.CurrentByteIndex
        if self.xml.startswith(b"</" + tag.encode(), at):
            at = self.xml.index(b">", at) + 1
        element.end = at
        self.cell = None

    def _end_in_cell(self, name: str) -> None:
        assert self.cell is not None
        text = "".join(self.text)
        if name == "rPh":
            self.phonetic = False
        elif name in ("v", "f", "t") and not self.phonetic:
            self.parser.CharacterDataHandler = None
            if name == "v":
                self.cell.value = text
            elif name == "f":
                self.cell.formula = text
            else:
                self.cell.inline = (self.cell.inline or "") + text

    def _row(self, attributes: dict[str, str]) -> int:
        row = _whole(attributes, "r", MAX_ROW) if "r" in attributes else self.row + 1
        if row <= self.row:
            raise InputError(f"worksheet XML has row {row} after row {self.row}; expected rows in order")
        return row

    def _column(self, attributes: dict[str, str]) -> int:
        if "r" not in attributes:
            column = self.column + 1
        else:
            found = _ADDRESS.fullmatch(attributes["r"])
            if not found or int(found[2]) != self.row:
                raise InputError(f"worksheet XML has a cell {attributes['r']!r} in row {self.row}")
            column = self.letters.get(found[1]) or int(column_index_from_string(found[1]))
            self.letters[found[1]] = column
        if not self.column < column <= MAX_COLUMN:
            where = f"column {column} of row {self.row}"
            raise InputError(f"worksheet XML has a cell out of order or off the sheet, in {where}")
        return column


def _whole(attributes: dict[str, str], name: str, most: int) -> int:
    text = attributes.get(name, "")
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= most:
        raise InputError(f"worksheet XML has {name}={text!r}; expected a number of 1 to {most}")
    return int(text)


def _row_attributes(tag: bytes) -> dict[str, str]:
    return {k.decode(): v.decode() for k, v in re.findall(rb"\s(s|customFormat)=\"([^\"]*)\"", tag)}
