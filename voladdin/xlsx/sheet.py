"""Cell values into a worksheet's XML, every other byte of it untouched."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from datetime import date
from xml.sax.saxutils import escape

from openpyxl.utils.cell import get_column_letter
from openpyxl.utils.datetime import to_excel

from ..cells import Cell
from .layout import CellElement, Element, read_layout, tag_end
from .references import Box, Position, area, box_of

ERROR_VALUES = ("#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#REF!", "#NAME?", "#NULL!")

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Sheet:
    """One worksheet part; `set_value` and `set_reference` collect edits, `to_bytes` splices them in.

    Raises InputError where the part is not a worksheet in UTF-8.
    """

    def __init__(self, xml: bytes) -> None:
        self._xml = xml
        self._layout = read_layout(xml)
        self._values: dict[Position, Cell] = {}
        self._references: dict[Position, str] = {}

    @property
    def cells(self) -> dict[Position, CellElement]:
        return self._layout.cells

    @property
    def merged(self) -> list[Box]:
        return self._layout.merged

    def set_value(self, position: Position, value: Cell) -> None:
        """The (cached) value of a cell; its formula and its style stay."""
        finite = not isinstance(value, int | float) or math.isfinite(value)
        self._values[position] = value if finite else "#NUM!"

    def set_reference(self, position: Position, reference: str) -> None:
        """The cell's formula becomes (or stays) an array formula over `reference`."""
        self._references[position] = reference

    def to_bytes(self) -> bytes:
        """The sheet with the collected edits."""
        splices = [*self._row_splices(), *self._dimension_splice()]
        pieces, at = [], 0
        for start, end, new in sorted(splices, key=lambda splice: splice[:2]):
            pieces += [self._xml[at:start], new]
            at = end
        return b"".join([*pieces, self._xml[at:]])

    def _row_splices(self) -> list[tuple[int, int, bytes]]:
        rows: dict[int, dict[int, Cell]] = {}
        for (row, column), value in sorted(self._values.items()):
            rows.setdefault(row, {})[column] = value
        if any(row not in self._layout.rows for row in rows):
            self._layout.add_empty_rows(self._xml)
        known = sorted(self._layout.rows)
        inserted: dict[int, list[bytes]] = {}
        splices = []
        for row, values in rows.items():
            if row in self._layout.rows:
                splices += self._existing_row(row, values)
            else:
                cells = b"".join(self._cell(row, column, value) for column, value in values.items())
                new = self._tag("row", {"r": str(row)}, cells)
                inserted.setdefault(bisect_right(known, row), []).append(new)
        for index, new_rows in inserted.items():
            splices.append(self._inserted_rows(known, index, b"".join(new_rows)))
        return splices

    def _inserted_rows(self, known: list[int], index: int, new: bytes) -> tuple[int, int, bytes]:
        if index < len(known):
            at = self._layout.rows[known[index]].start
            return at, at, new
        return self._appended(self._layout.data, "sheetData", new)

    def _appended(self, element: Element, name: str, new: bytes) -> tuple[int, int, bytes]:
        """`new` as the last child of an element, which may be <empty/>."""
        if (
            self._xml[element.end - 2 : element.end] == b"/>"
            and tag_end(self._xml, element.start) == element.end
        ):
            tag = self._xml[element.start : element.end - 2].rstrip() + b">"
            return element.start, element.end, tag + new + f"</{self._layout.prefix}{name}>".encode()
        at = self._xml.rindex(b"</", element.start, element.end)
        return at, at, new

    def _existing_row(self, row: int, values: dict[int, Cell]) -> list[tuple[int, int, bytes]]:
        element = self._layout.rows[row]
        columns = sorted(self._layout.columns.get(row, []))
        inserted: dict[int, list[bytes]] = {}
        splices = []
        for column, value in values.items():
            new = self._cell(row, column, value)
            if (row, column) in self._layout.cells:
                cell = self._layout.cells[row, column]
                splices.append((cell.start, cell.end, new))
            else:
                inserted.setdefault(bisect_right(columns, column), []).append(new)
        for index, cells in inserted.items():
            if index < len(columns):
                at = self._layout.cells[row, columns[index]].start
                splices.append((at, at, b"".join(cells)))
            else:
                splices.append(self._appended(element, "row", b"".join(cells)))
        return splices

    def _cell(self, row: int, column: int, value: Cell) -> bytes:
        element = self._layout.cells.get((row, column))
        attributes = {"r": f"{get_column_letter(column)}{row}"}
        formula = b""
        if element is None:
            style = self._style(row, column)
            attributes |= {"s": style} if style else {}
        else:
            attributes |= {k: v for k, v in element.attributes.items() if k not in ("r", "t", "vm")}
            formula = self._formula((row, column))
        kind, text = _stored(value)
        if kind:
            attributes["t"] = kind
        name = f"{self._layout.prefix}v"
        stored = b"" if text is None else f"<{name}>{escape(text)}</{name}>".encode()
        return self._tag("c", attributes, formula + stored)

    def _formula_xml(self, position: Position) -> bytes:
        """The cell's <f> as it stands."""
        cell = self._layout.cells.get(position)
        if cell is None:
            return b""
        name = f"{self._layout.prefix}f".encode()
        pattern = rb"<" + name + rb"(?=[\s/>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?:/>|>.*?</" + name + rb"\s*>)"
        found = re.search(pattern, self._xml[cell.start : cell.end], re.DOTALL)
        return found[0] if found else b""

    def _formula(self, position: Position) -> bytes:
        """The cell's <f>, as an array formula over its reference where one was set."""
        formula, reference = self._formula_xml(position), self._references.get(position)
        if reference is None or not formula:
            return formula
        name, end = 1 + len(self._layout.prefix) + 1, tag_end(formula, 0)
        kept = re.sub(rb"\s(?:t|ref)=(?:\"[^\"]*\"|'[^']*')", b"", formula[:end])
        return kept[:name] + f' t="array" ref="{reference}"'.encode() + kept[name:] + formula[end:]

    def _style(self, row: int, column: int) -> str | None:
        """What a new cell looks like: its row's style, or its column's."""
        attributes = self._layout.rows[row].attributes if row in self._layout.rows else {}
        if attributes.get("customFormat") in ("1", "true"):
            return attributes.get("s")
        return next((s for low, high, s in self._layout.column_styles if low <= column <= high), None)

    def _dimension_splice(self) -> list[tuple[int, int, bytes]]:
        dimension = self._layout.dimension
        if dimension is None or not self._values or "ref" not in dimension.attributes:
            return []
        old = box_of(dimension.attributes["ref"])
        rows, columns = zip(*self._values, strict=True)
        written = Box(min(columns), min(rows), max(columns), max(rows))
        if old is None or old.spanning(written) == old:
            return []
        new = self._tag("dimension", {"ref": area(old.spanning(written))}, b"")
        return [(dimension.start, dimension.end, new)]

    def _tag(self, name: str, attributes: dict[str, str], content: bytes) -> bytes:
        written = "".join(f' {k}="{escape(v, {chr(34): "&quot;"})}"' for k, v in attributes.items())
        name = self._layout.prefix + name
        if not content:
            return f"<{name}{written}/>".encode()
        return f"<{name}{written}>".encode() + content + f"</{name}>".encode()


def _stored(value: Cell) -> tuple[str, str | None]:
    """The cell's type attribute and the text of its <v>."""
    if value is None:
        return "", None
    if isinstance(value, bool):
        return "b", str(int(value))
    if isinstance(value, str):
        return ("e" if value in ERROR_VALUES else "str"), _UNPRINTABLE.sub("", value)
    return "", repr(float(to_excel(value) if isinstance(value, date) else value))
