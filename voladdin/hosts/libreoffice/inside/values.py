"""What Calc passes to an add-in function and takes from it, against the cells of the local server.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_values.py`.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any

MAX_CELLS = 100_000
ERROR_CODES = {
    "#N/A": 32767,
    "#VALUE!": 519,
    "#NUM!": 503,
    "#DIV/0!": 532,
    "#REF!": 524,
    "#NAME?": 525,
    "#NULL!": 521,
}
_ERROR_TEXTS = {code: text for text, code in ERROR_CODES.items()}
_QUIET_NAN = 0x7FF8000000000000
_LAST_ROW, _LAST_COLUMN = 1_048_575, 16_383
_CONTENTS = 1 | 2 | 4 | 16  # com.sun.star.sheet.CellFlags VALUE, DATETIME, STRING, FORMULA
_TAKEN = (type(None), tuple, str, float)
_SIZE = re.compile("[0-9]+ × [0-9]+")  # as `to_calc` writes it


def error_value(text: str) -> float:
    """The NaN that Calc shows as this error: its lowest bits carry Calc's error code."""
    number: float = struct.unpack("<d", struct.pack("<Q", _QUIET_NAN | ERROR_CODES[text]))[0]
    return number


def error_text(number: float) -> str:
    """The error that a NaN of Calc carries; "#VALUE!" where it is none of the worksheet's."""
    bits: int = struct.unpack("<Q", struct.pack("<d", number))[0]
    return _ERROR_TEXTS.get(bits & 0xFFFF, "#VALUE!")


def from_calc(value: Any) -> Any:
    """An argument as JSON: a cell, or rows of cells for a range or an array.

    Calc passes a blank cell of a range as "", an error cell of a range as None, an error inside an array as
    a NaN, TRUE as 1.0, a date as its serial number and an omitted argument as None.

    Raises ValueError where a range has more than MAX_CELLS cells.
    """
    value = taken(value)
    if not isinstance(value, tuple):
        return _cell(value)
    cells = [["#N/A" if cell is None else _cell(cell) for cell in row] for row in value]
    if cells and cells[0] and isinstance(cells[0][0], str) and _SIZE.fullmatch(cells[0][0]):
        cells[0][0] = None
    return cells


def taken(value: Any) -> Any:
    """An argument as Calc has it: the rows of a range or an array, or what it is.

    Raises ValueError where there are more than MAX_CELLS cells.
    """
    if isinstance(value, tuple) and len(value) * len(value[0]) > MAX_CELLS:
        value = _full(value)
        _refuse_more(len(value), len(value[0]))
    if isinstance(value, _TAKEN) or not hasattr(value, "getDataArray"):
        return value
    return _used(value).getDataArray()


def _refuse_more(rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        raise ValueError(f"a range of {rows} x {columns} cells; expected at most {MAX_CELLS} cells")


def _full(rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    """Without the blank rows and columns at the end, of an optional A:F, which Calc passes cell by cell."""
    bottom = max((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), default=0)
    kept = rows[: bottom + 1]
    right = max((j for row in kept for j, cell in enumerate(row) if cell != ""), default=0)
    return tuple(row[: right + 1] for row in kept)


def title_of(document: Any) -> str:
    """The title of the document that calls, as the menu's commands give it; "" where Calc names none."""
    title: str = document.getTitle() if hasattr(document, "getTitle") else ""
    return title


def reference_of(value: Any) -> str:
    """Where an argument is, such as "'Sheet 1'!A5:F13"; "" where Calc does not say."""
    if not hasattr(value, "getRangeAddress"):
        return ""
    area, sheet = value.getRangeAddress(), value.getSpreadsheet().getName().replace("'", "''")
    first = _letters(area.StartColumn) + str(area.StartRow + 1)
    return f"'{sheet}'!{first}:{_letters(area.EndColumn)}{area.EndRow + 1}"


def is_whole_call(formula: str, name: str) -> bool:
    """Whether a formula, or an array formula, is a call of the function and nothing around it.

    Calc writes the function as it was entered, or with the name of its service before it.
    """
    text = formula.strip("{}").replace(" ", "").upper()
    if not re.match(rf"=([A-Z]+\.)*{name}\(.*\)$", text):
        return False
    depth, quoted = 0, False
    for place, sign in enumerate(text):
        quoted ^= sign == '"'
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if depth == 0 and sign == ")" and not quoted:
            return place == len(text) - 1
    return False


def _letters(column: int) -> str:
    letters, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _used(value: Any) -> Any:
    """A range to the end of the sheet, such as A:F, or a huge one, down to its last cell with a content."""
    address = value.getRangeAddress()
    top, left, last, end = address.StartRow, address.StartColumn, address.EndRow, address.EndColumn
    if last < _LAST_ROW and end < _LAST_COLUMN and (last - top + 1) * (end - left + 1) <= MAX_CELLS:
        return value
    full = value.queryContentCells(_CONTENTS).getRangeAddresses()
    bottom = max((area.EndRow for area in full), default=top) - top
    right = max((area.EndColumn for area in full), default=left) - left
    _refuse_more(bottom + 1, right + 1)
    return value.getCellRangeByPosition(0, 0, right, bottom)


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return error_text(value) if math.isnan(value) else "#NUM!"
    return None if value == "" else value


def to_calc(cells: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    """Rows of cells as Calc takes them: errors as NaN, blank as "", TRUE as 1 (it takes FALSE for 1 too).

    A blank corner is the size of the result: of one that is not entered as an array, Calc shows no more.
    """
    rows = [[cell if isinstance(cell, float) else _result(cell) for cell in row] for row in cells]
    if rows and rows[0] and rows[0][0] == "" and len(rows) * len(rows[0]) > 1:
        rows[0][0] = f"{len(rows)} × {len(rows[0])}"
    return tuple(map(tuple, rows))


def _result(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return float(cell)
    return error_value(cell) if isinstance(cell, str) and cell in ERROR_CODES else cell
