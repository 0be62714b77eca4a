"""One cell at a time: numbers, numeric text, dates, missing marks, A1 names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ..errors import InputError, LabelError
from ..labels import parse_tenor
from ..labels.dates import date_of_number, date_of_text, day_orders, without_midnight
from ..labels.strikes import HALF_WIDTH
from ..surface import LARGEST

Cell: TypeAlias = float | str | bool | date | None
Cells: TypeAlias = list[list[Cell]]

ERROR_CELLS = {"#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#REF!", "#NAME?", "#NULL!"}
_MARKS = "- -- – — − . .. ? n/a na n.a. n/d n.d. s/d nan none null tbd n.q. n/q n.v. k.a. #nv #n/d"
MISSING_TEXT = {"", *_MARKS.split()}
_MISSING_FEED = re.compile(r"#N/A .*|#NAME\? .*|no (?:data|quote|bid|ask)", re.IGNORECASE)  # "#N/A N/A"

_NUMBER = re.compile(r"([+-]?)([0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(e[+-]?[0-9]{1,3})?\s*(%?)", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}(?:(?P<group>[\u00a0\u202f\u2009'’.,])[0-9]{3})+(?!(?P=group))[.,]?[0-9]*"
)
_UNIFIED = HALF_WIDTH | str.maketrans({"−": "-", "–": "-", "‑": "-", "﹣": "-"})
_LONGEST_SHOWN = 40


class Number(NamedTuple):
    """The number written in a cell; `percent` where its text ends in %."""

    value: float
    percent: bool = False

    @property
    def fraction(self) -> float:
        """The value meant: 0.0825 of "8.25%", else the number itself."""
        return self.value / 100 if self.percent else self.value


class Label(NamedTuple):
    """A cell and where it is: zero-based row and column of the named range."""

    cell: Cell
    row: int
    column: int
    range: str = "range"

    def __str__(self) -> str:
        return f"cell {address(self.row, self.column)} of the {self.range} is {shown(self.cell)}"


Line: TypeAlias = Sequence[Label]
Lines: TypeAlias = Sequence[Line]  # a range, row by row


def labels_of(cells: Cells, name: str = "range") -> list[list[Label]]:
    """The cells, each with its place."""
    return [[Label(cell, i, j, name) for j, cell in enumerate(row)] for i, row in enumerate(cells)]


def address(row: int, column: int) -> str:
    """A1-style name of a zero-based row and column."""
    letters, column = "", column + 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{letters}{row + 1}"


def shown(cell: Cell) -> str:
    """The cell's value as a message shows it."""
    if is_blank(cell):
        return "blank"
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime):
        return str(without_midnight(cell))
    if isinstance(cell, str):
        return repr(cell if len(cell) <= _LONGEST_SHOWN else cell[:_LONGEST_SHOWN] + "…")
    return str(cell)


def read_number(cell: object) -> Number | None:
    """The number in a cell, or None: numbers, and text such as "8.25", " 8,25 ", "8.25%", "−0.1", "1e-2".

    A comma is a decimal comma. TRUE, FALSE, dates, NaN, error cells and other text give None.
    """
    if type(cell) is float:  # nearly every cell
        return None if math.isnan(cell) else Number(_bounded(cell))
    if isinstance(cell, str):
        return _number_of_text(cell)
    if cell is None or isinstance(cell, (bool, date)):
        return None
    try:
        value = float(cell)  # type: ignore[arg-type]
    except OverflowError:
        return Number(math.inf)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(value) else Number(_bounded(value))


@lru_cache(maxsize=4096)
def _number_of_text(cell: str) -> Number | None:
    text = cell.strip().lstrip("'").translate(_UNIFIED).strip()
    found = _NUMBER.fullmatch(_ungrouped(text))
    if found is None:
        return None
    sign, digits, exponent, percent = found.groups()
    return Number(_bounded(float(sign + digits.replace(",", ".") + (exponent or ""))), bool(percent))


def _bounded(value: float) -> float:
    """Infinite where its square could be."""
    return value if abs(value) <= LARGEST else math.copysign(math.inf, value)


def _ungrouped(text: str) -> str:
    """Without the separators of thousands that can be nothing else: "4'900.5", "1.234,5", "38 000"."""
    found = _GROUPED.fullmatch(text)
    if found is None or (found["group"] in ".," and not {".", ","} <= set(text)):
        return text
    return text.replace(found["group"], "")


def is_thousands(cell: object) -> bool:
    """Whether text such as "38,000" could be thousands as well as a decimal comma."""
    return isinstance(cell, str) and _THOUSANDS.fullmatch(cell.strip()) is not None


def is_missing(cell: object) -> bool:
    """Blank, NaN, an error cell, or a usual mark of a missing quote such as "n/a" or "-"."""
    if isinstance(cell, str):
        text = cell.strip()
        known = text.lower() in MISSING_TEXT or text.upper() in ERROR_CELLS
        return known or _MISSING_FEED.fullmatch(text) is not None
    return is_blank(cell)


def is_blank(cell: object) -> bool:
    """Nothing there: None, NaN, or white space."""
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or (isinstance(cell, str) and not cell.strip())


def read_date(cell: object) -> date | None:
    """The date in a cell, or None: a date, its text, 20260320, or a serial number from 10000 to 99999.

    A datetime where it has a time of day. Text such as "03/04/2026", which is two dates, gives None.
    """
    if type(cell) is float and not 10_000 <= cell < 22_000_000:
        return None
    if isinstance(cell, date):
        return without_midnight(cell)
    if isinstance(cell, str):
        found = date_of_text(cell)
        if found is not None and not is_tenor(cell, None):
            return found
    number = read_number(cell)
    return None if number is None or number.percent else date_of_number(number.value)


def is_date(cell: object) -> bool:
    """Whether a cell holds a date, also text such as "03/04/2026" whose order is open."""
    return read_date(cell) is not None or (isinstance(cell, str) and bool(day_orders(cell)))


def is_tenor(text: str, valuation: date | None) -> bool:
    """Whether text is a tenor label, or with a valuation date a later date."""
    try:
        parse_tenor(text, valuation)
    except LabelError:
        return False
    return True


def rectangle(values: Any, name: str, limit: int) -> Cells:
    """The cells as lists of equal length, of any nested sequence or array; a single cell is 1 x 1.

    Raises InputError where it is empty, ragged or has more than `limit` cells.
    """
    cells = [_listed(row) for row in _listed(values)]
    if not cells or not cells[0]:
        raise InputError(f"the {name} is empty; expected at least one cell")
    widths = sorted({len(row) for row in cells})
    if len(widths) > 1:
        raise InputError(
            f"the {name} has rows of {widths[0]} and of {widths[-1]} cells; expected a rectangle"
        )
    if len(cells) * widths[0] > limit:
        shape = f"{len(cells)} x {widths[0]} cells"
        raise InputError(f"the {name} has {shape}; expected at most {limit:,}")
    return cells


def _listed(values: Any) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else [values]
