"""One cell at a time: numbers, numeric text, missing marks, A1 names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from ..errors import InputError

Cell: TypeAlias = float | str | bool | date | None
Cells: TypeAlias = list[list[Cell]]

ERROR_CELLS = frozenset({"#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#REF!", "#NAME?", "#NULL!"})
MISSING_TEXT = frozenset(
    {"", "-", "--", "–", "—", ".", "..", "n/a", "na", "n.a.", "nan", "none", "null", "tbd", "?"}
)

_NUMBER = re.compile(r"([+-]?)([0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(e[+-]?[0-9]{1,3})?\s*(%?)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_EXCEL_EPOCH = date(1899, 12, 30)


class Number(NamedTuple):
    """The number written in a cell; `percent` where its text ends in %."""

    value: float
    percent: bool = False

    @property
    def fraction(self) -> float:
        """The value meant: 0.0825 of "8.25%", else the number itself."""
        return self.value / 100 if self.percent else self.value


class Place(NamedTuple):
    """Where a cell is: zero-based row and column of the named range."""

    row: int
    column: int
    range: str = "range"

    def __str__(self) -> str:
        return f"cell {address(self.row, self.column)} of the {self.range}"


def address(row: int, column: int) -> str:
    """A1-style name of a zero-based row and column."""
    letters, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{letters}{row + 1}"


def read_number(cell: object) -> Number | None:
    """The number in a cell, or None: numbers, and text such as "8.25", " 8,25 ", "8.25%", "−0.1", "1e-2".

    A comma is a decimal comma. TRUE, FALSE, dates, NaN, error cells and other text give None.
    """
    if isinstance(cell, str):
        return _number_of_text(cell.strip().replace("−", "-"))
    if cell is None or isinstance(cell, bool | date | complex):
        return None
    try:
        value = float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return Number(math.inf)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(value) else Number(value)


def _number_of_text(text: str) -> Number | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, digits, exponent, percent = found.groups()
    value = float(sign + digits.replace(",", ".") + (exponent or ""))
    return Number(value, bool(percent))


def is_thousands(cell: object) -> bool:
    """Whether text such as "38,000" could be thousands as well as a decimal comma."""
    return isinstance(cell, str) and _THOUSANDS.fullmatch(cell.strip()) is not None


def is_missing(cell: object) -> bool:
    """Blank, NaN, an error cell, or a usual mark of a missing quote such as "n/a" or "-"."""
    if isinstance(cell, str):
        text = cell.strip()
        return text.lower() in MISSING_TEXT or text.upper() in ERROR_CELLS
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_blank(cell: object) -> bool:
    """Nothing there: None, NaN, or white space."""
    return cell is None or (isinstance(cell, str) and not cell.strip()) or cell != cell


def read_date(cell: object) -> date | None:
    """The date in a cell: a date object, ISO text, or an Excel serial number from 10000 (1927) to 99999 (2173)."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        try:
            return date.fromisoformat(cell.strip()[:10])
        except ValueError:
            return None
    number = read_number(cell)
    if number is None or not 10_000 <= number.value < 100_000:
        return None
    return _EXCEL_EPOCH + timedelta(days=int(number.value))


def rectangle(values: Any, name: str = "range", limit: int = 10**9) -> Cells:
    """The cells as a list of equally long lists; a single cell is 1 x 1.

    Raises InputError where it is empty, ragged or has more than `limit` cells.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):
        values = values.tolist() if hasattr(values, "tolist") else values
    rows = values if isinstance(values, Sequence) and not isinstance(values, str) else [[values]]
    cells = [list(row) if isinstance(row, Sequence) and not isinstance(row, str) else [row] for row in rows]
    if not cells or not cells[0]:
        raise InputError(f"the {name} is empty; expected at least one cell")
    widths = sorted({len(row) for row in cells})
    if len(widths) > 1:
        raise InputError(f"the {name} has rows of {widths[0]} and {widths[-1]} cells; expected a rectangle")
    if len(cells) * widths[0] > limit:
        raise InputError(
            f"the {name} has {len(cells)} x {widths[0]} cells; expected at most {limit:,}, "
            "one surface with its headers"
        )
    return cells
