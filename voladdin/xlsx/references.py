"""Rectangles of cells and how they are written: A1, $A$1:F9, A:F, 1:9."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from openpyxl.utils.cell import column_index_from_string, get_column_letter

Position = tuple[int, int]  # row, column, from 1

_RANGE = re.compile(
    r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?|"
    r"\$?([A-Z]{1,3}):\$?([A-Z]{1,3})|\$?(\d{1,7}):\$?(\d{1,7})",
    re.IGNORECASE,
)
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384


class Box(NamedTuple):
    """A rectangle of cells, from 1, ends included."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, position: Position) -> Box:
        return cls(position[1], position[0], position[1], position[0])

    @property
    def rows(self) -> range:
        return range(self.top, self.bottom + 1)

    @property
    def columns(self) -> range:
        return range(self.left, self.right + 1)

    @property
    def size(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def open_ended(self) -> bool:
        """A:F or 1:9."""
        return len(self.rows) == MAX_ROW or len(self.columns) == MAX_COLUMN

    def positions(self) -> list[Position]:
        return [(row, column) for row in self.rows for column in self.columns]

    def holds(self, position: Position) -> bool:
        return position[0] in self.rows and position[1] in self.columns

    def meets(self, other: Box) -> bool:
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def spanning(self, other: Box) -> Box:
        """The smallest rectangle that holds both, as the operator : gives."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


ALL = Box(1, 1, MAX_COLUMN, MAX_ROW)


@dataclass(frozen=True)
class SheetRange:
    """A range of one sheet."""

    sheet: str
    box: Box

    def __str__(self) -> str:
        return f"{self.sheet}!{area(self.box)}"

    @property
    def text(self) -> str:
        """As a formula writes it."""
        left, top, right, bottom = self.box
        letters = f"${get_column_letter(left)}", f"${get_column_letter(right)}"
        if self.box.rows == ALL.rows:
            cells = f"{letters[0]}:{letters[1]}"
        elif self.box.columns == ALL.columns:
            cells = f"${top}:${bottom}"
        else:
            cells = f"{letters[0]}${top}" + (f":{letters[1]}${bottom}" if self.box.size > 1 else "")
        quoted = self.sheet.replace("'", "''")
        return f"'{quoted}'!{cells}"


def box_of(text: str) -> Box | None:
    """The rectangle a reference without a sheet names; None where it is no reference, or off the sheet."""
    found = _RANGE.fullmatch(text)
    if not found:
        return None
    first, row, last, end, left, right, top, bottom = found.groups()
    index = column_index_from_string
    if left:
        columns, rows = (index(left), index(right)), (1, MAX_ROW)
    elif top:
        columns, rows = (1, MAX_COLUMN), (int(top), int(bottom))
    else:
        columns, rows = (index(first), index(last or first)), (int(row), int(end or row))
    if max(columns) > MAX_COLUMN or max(rows) > MAX_ROW or min(rows) < 1:
        return None
    return Box(min(columns), min(rows), max(columns), max(rows))


def area(box: Box) -> str:
    """ "A1:F9", or "A1" for one cell."""
    first = f"{get_column_letter(box.left)}{box.top}"
    return first if box.size == 1 else f"{first}:{get_column_letter(box.right)}{box.bottom}"


def cell_name(sheet: str, position: Position) -> str:
    """ "Sheet1!A1"."""
    return f"{sheet}!{area(Box.of(position))}"
