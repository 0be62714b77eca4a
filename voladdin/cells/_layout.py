"""Where the headers of a range are, and whether its tenors run down or across."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from statistics import median
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import LabelError
from ..labels import parse_strike
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED, strike_axis, tenor_axis
from ._values import Cell, Label, is_blank, is_missing, is_tenor, read_date, read_number

Kind = Literal["blank", "number", "tenor", "strike", "other"]
Labels = Sequence[Label]
Table = Sequence[Labels]

PAPER_SHAPE = (8, 5)
_VOL_SPREAD = 4.0
_FORWARD_HEADERS = frozenset({"F", "FWD", "FWDS", "FORWARD", "FORWARDS"})


class Layout(NamedTuple):
    """transposed: tenors run across; header_row, header_column: the first row, first column are headers."""

    transposed: bool
    header_row: bool
    header_column: bool


@lru_cache(maxsize=4096, typed=True)
def kind_of(cell: Cell) -> Kind:
    """What is written in a header cell, by itself; a number, also as text, may still be anything."""
    if is_blank(cell):
        return "blank"
    if isinstance(cell, bool):
        return "other"
    if read_number(cell) is not None:
        return "number"
    if isinstance(cell, str) and parse_strike(cell) is not None:
        return "strike"
    if read_date(cell) is not None or (isinstance(cell, str) and is_tenor(cell, None)):
        return "tenor"
    return "other"


def is_forward(label: Label) -> bool:
    """Whether the cell heads a line of forwards: "F", "Fwd", "Forward"."""
    return isinstance(label.cell, str) and label.cell.strip().upper() in _FORWARD_HEADERS


def line_kind(line: Labels) -> Literal["tenor", "strike"] | None:
    """What most labels of a line are; a forwards header stands among strikes; None where all are numbers."""
    kinds = Counter("strike" if is_forward(label) else kind_of(label.cell) for label in line)
    tenors, strikes = kinds["tenor"], kinds["strike"]
    if not tenors and not strikes:
        return None
    return "tenor" if tenors > strikes else "strike"


def lines(table: Table) -> tuple[Labels, Labels]:
    """The first row and the first column, both without the corner."""
    return table[0][1:], [row[0] for row in table[1:]]


def untitled(table: list[list[Label]]) -> list[list[Label]]:
    """The table without leading lines that hold no number and no label: blanks, titles, merged headings.

    It stays as it is where what remains has no header.
    """
    rows = _without_titles(table)
    columns = _without_titles([list(line) for line in zip(*rows, strict=True)])
    return [list(line) for line in zip(*columns, strict=True)]


def _without_titles(table: list[list[Label]]) -> list[list[Label]]:
    first = next((i for i, line in enumerate(table) if any(map(_is_content, line))), 0)
    corner = table[first][0]
    return table if kind_of(corner.cell) == "strike" or _is_tenor_label(corner) else table[first:]


def _is_content(label: Label) -> bool:
    return is_forward(label) or kind_of(label.cell) not in ("blank", "other")


def _is_tenor_label(label: Label) -> bool:
    return kind_of(label.cell) == "tenor" and read_date(label.cell) is None


def own_layout(table: Table, valuation: date | None, forward: float | None) -> Layout:
    """Layout of a range that carries its own headers, or is 8 x 5 or 5 x 8 without any.

    forward: a typical forward where forwards are an argument; plain numbers may then be strikes.

    Raises LabelError where the headers cannot be found.
    """
    row, column = map(line_kind, lines(table))
    if row is None and column is None:
        return _layout_of_numbers(table, valuation, forward)
    if row == column:
        raise LabelError(
            f"{table[0][1]} and {table[1][0]}: both headers hold {row}s; expected tenors in one, deltas or "
            "strikes in the other"
        )
    if (row is None or column is None) and _corner_belongs(table, row or column):
        tenors = "strike" in (row, column)
        missing, expected = ("tenors", TENORS_EXPECTED) if tenors else ("strikes", STRIKES_EXPECTED)
        bare = "rows" if column is None else "columns"
        raise LabelError(
            f"{table[0][0]}: the {bare} of the range have no header; expected {expected} for each, or the "
            f"argument {missing}"
        )
    return Layout(row == "tenor" or column == "strike", True, True)


def _corner_belongs(table: Table, kind: str | None) -> bool:
    """Whether the corner is one more label of the only line of labels, or a vol below no header."""
    corner = table[0][0]
    row, column = lines(table)
    if read_date(corner.cell) is not None:
        return kind == "tenor" and like_vols(column if line_kind(row) == kind else row, table)
    return kind_of(corner.cell) == kind or not _may_be_corner(corner)


def _may_be_corner(corner: Label) -> bool:
    number = read_number(corner.cell)
    return number is None or number.value == 0 or read_date(corner.cell) is not None


def _may_be_quote(corner: Label) -> bool:
    return is_missing(corner.cell) or (
        read_number(corner.cell) is not None and read_date(corner.cell) is None
    )


def _layout_of_numbers(table: Table, valuation: date | None, forward: float | None) -> Layout:
    row, column = lines(table)
    down = _reads(tenor_axis, column, valuation) and _reads(strike_axis, row, forward)
    across = _reads(tenor_axis, row, valuation) and _reads(strike_axis, column, forward)
    corner, shape = table[0][0], (len(table), len(table[0]))
    vols = not _may_be_corner(corner) or (like_vols(row, table) and like_vols(column, table))
    if not vols and (down or across):
        nearer = (
            down and across and forward is not None and _distance(column, forward) < _distance(row, forward)
        )
        return Layout(across and (not down or nearer), True, True)
    if PAPER_SHAPE in (shape, shape[::-1]) and (not _may_be_corner(corner) or _may_be_quote(corner)):
        return Layout(shape != PAPER_SHAPE, False, False)
    if not vols:
        return Layout(False, True, True)
    raise LabelError(
        f"{corner} and no header was found in {shape[0]} x {shape[1]} cells; expected {TENORS_EXPECTED} in "
        f"the first column and {STRIKES_EXPECTED} in the first row, or the arguments tenors and strikes"
    )


def _reads(axis: Callable[[Labels, Any], object], line: Labels, context: date | float | None) -> bool:
    used = [label for label in line if not is_blank(label.cell)]
    if not used:
        return False
    try:
        axis(used, context)
    except LabelError:
        return False
    return True


def like_vols(line: Labels, table: Table) -> bool:
    """Whether the line's numbers are positive, within a factor of 4, and about as large as the body's."""
    values, vols = _numbers(line), _numbers([label for row in table[1:] for label in row[1:]])
    if not len(values) or not len(vols) or values.min() <= 0:
        return False
    like = vols.min() / 2 <= median(values.tolist()) and median(values.tolist()) / 2 <= vols.max()
    return bool(like and values.max() / _VOL_SPREAD <= values.min())


def _distance(line: Labels, forward: float) -> float:
    return abs(math.log(float(median(_numbers(line).tolist())) / forward))


def _numbers(line: Labels) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([number.value for label in line if (number := read_number(label.cell)) is not None])
