"""Where the headers of a range are, and whether tenors run down or across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, LabelError
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED, Label, label_kind, strike_axis, tenor_axis
from ._values import Cells, Place, is_blank, read_date, read_number

PAPER_TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "3Y")
PAPER_DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)
_PAPER_SHAPES = ((8, 5), (5, 8))
_HEADER_SPREAD = 4.0


class Layout(NamedTuple):
    """transposed: tenors run across; header_row, header_column: the first row, first column are headers."""

    transposed: bool
    header_row: bool
    header_column: bool


def labels_of(cells: Cells, name: str = "range") -> list[list[Label]]:
    """The cells, each with its place."""
    return [[Label(cell, Place(i, j, name)) for j, cell in enumerate(row)] for i, row in enumerate(cells)]


def own_layout(table: list[list[Label]], valuation: date | None, forwards: bool) -> Layout:
    """Layout of a range that carries its own headers, or is 8 x 5 or 5 x 8 without any.

    Raises LabelError or InputError where the headers cannot be found.
    """
    row, column = _line_kind(table[0][1:]), _line_kind([line[0] for line in table[1:]])
    if row is not None and row == column:
        raise LabelError(
            f"{table[0][1]} and {table[1][0]}: the first row and the first column both hold {row}s; "
            "expected tenors in one and deltas or strikes in the other"
        )
    if row is not None or column is not None:
        return _layout_of_text(table, row, column)
    return _layout_of_numbers(table, valuation, forwards)


def _line_kind(line: Sequence[Label]) -> str | None:
    kinds = Counter(kind for label in line if (kind := label_kind(label.cell)) in ("tenor", "strike"))
    return kinds.most_common(1)[0][0] if kinds else None


def _layout_of_text(table: list[list[Label]], row: str | None, column: str | None) -> Layout:
    corner = table[0][0]
    kind = label_kind(corner.cell)
    belongs = kind == (row or column) and read_date(corner.cell) is None
    if row is None or column is None:
        belongs = belongs or (kind == "number" and not _may_be_corner(corner))
        if belongs:
            bare, argument = ("row", "tenors") if row is not None else ("column", "strikes")
            if (row or column) == ("tenor" if row else "strike"):
                argument = "strikes" if argument == "tenors" else "tenors"
            expected = TENORS_EXPECTED if argument == "tenors" else STRIKES_EXPECTED
            raise LabelError(
                f"{corner}: the {bare}s of the range have no header; expected {expected} for each, "
                f"or the argument {argument}"
            )
    transposed = row == "tenor" if row is not None else column == "strike"
    return Layout(transposed, True, True)


def _may_be_corner(corner: Label) -> bool:
    """Blank, free text, 0, or a date (also as a serial number): no vol and no label of a line."""
    number = read_number(corner.cell)
    return number is None or number.value == 0 or read_date(corner.cell) is not None


def _layout_of_numbers(table: list[list[Label]], valuation: date | None, forwards: bool) -> Layout:
    shape = (len(table), len(table[0]))
    bare = Layout(shape == (5, 8), False, False)
    if not _may_be_corner(table[0][0]):
        if shape in _PAPER_SHAPES:
            return bare
        raise LabelError(
            f"{table[0][0]} and no header was found in a range of {shape[0]} x {shape[1]} cells; expected tenors "
            f"({TENORS_EXPECTED}) in the first column and strikes ({STRIKES_EXPECTED}) in the first row, or the "
            "arguments tenors and strikes"
        )
    row, column = table[0][1:], [line[0] for line in table[1:]]
    normal = _reads(strike_axis, row, forwards) and _reads(tenor_axis, column, valuation)
    across = _reads(strike_axis, column, forwards) and _reads(tenor_axis, row, valuation)
    if shape in _PAPER_SHAPES and not ((normal or across) and (_spreads(row) or _spreads(column))):
        return bare
    return Layout(across and not normal, True, True)


def _reads(axis: Callable[..., Any], line: Sequence[Label], context: Any) -> bool:
    used = [label for label in line if not is_blank(label.cell)]
    try:
        axis(used, context)
    except LabelError:
        return False
    return bool(used)


def _spreads(line: Sequence[Label]) -> bool:
    """Whether the numbers of a line span more than vols do: a factor above 4, or a sign."""
    values = np.array([number.fraction for label in line if (number := read_number(label.cell)) is not None])
    return bool(values.min() <= 0 or values.max() > _HEADER_SPREAD * values.min())


def given_layout(table: list[list[Label]], tenors: Cells | None, strikes: Cells | None) -> Layout:
    """Layout of a range whose tenors, strikes or both are arguments: what fits in number.

    Raises InputError where neither way fits.
    """
    ragged = strikes is not None and min(len(strikes), len(strikes[0])) > 1
    fits = [
        layout
        for transposed in (False, True)
        if (layout := _fit(table, *_counts(tenors, strikes, ragged, transposed), transposed)) is not None
    ]
    if not fits:
        given = " and ".join(
            f"{len(cells)} x {len(cells[0])} {name}"
            for name, cells in (("tenors", tenors), ("strikes", strikes))
            if cells is not None
        )
        raise InputError(
            f"the range has {len(table)} x {len(table[0])} cells and the arguments give {given}; "
            "expected one row and column for each, with or without headers"
        )
    return fits[0] if len(fits) == 1 else _likelier(table, fits, tenors, strikes)


def _counts(
    tenors: Cells | None, strikes: Cells | None, ragged: bool, transposed: bool
) -> tuple[int | None, int | None]:
    """Rows and columns that the body must have."""
    if ragged and strikes is not None:
        rows, columns = len(strikes), len(strikes[0])
        count = rows if not transposed else columns
        fits = tenors is None or _length(tenors) == count
        return (rows, columns) if fits else (-1, -1)
    lengths = (None if tenors is None else _length(tenors), None if strikes is None else _length(strikes))
    return lengths[::-1] if transposed else lengths


def _length(cells: Cells) -> int:
    return len(cells) * len(cells[0])


def _fit(table: list[list[Label]], rows: int | None, columns: int | None, transposed: bool) -> Layout | None:
    extra_rows = None if rows is None else len(table) - rows
    extra_columns = None if columns is None else len(table[0]) - columns
    if extra_rows not in (None, 0, 1) or extra_columns not in (None, 0, 1):
        return None
    if extra_rows is None and extra_columns == 1:  # the rows are labelled by the first column
        extra_rows = int(_heads(table, [line[0] for line in table], table[0][1:]))
    elif extra_columns is None and extra_rows == 1:
        extra_columns = int(_heads(table, table[0], [line[0] for line in table[1:]]))
    if extra_rows is None or extra_columns is None:
        return None
    return Layout(transposed, bool(extra_rows), bool(extra_columns))


def _heads(table: list[list[Label]], line: Sequence[Label], other: Sequence[Label]) -> bool:
    """Whether the corner is no label of `line`, but the start of another header line."""
    if _line_kind(other) is not None:
        return True
    return len(line) > 1 and label_kind(line[0].cell) in ("blank", "other")


def _likelier(
    table: list[list[Label]], fits: Sequence[Layout], tenors: Cells | None, strikes: Cells | None
) -> Layout:
    row, column = _line_kind(table[0][1:]), _line_kind([line[0] for line in table[1:]])
    for layout in fits:
        across, down = ("tenor", "strike") if layout.transposed else ("strike", "tenor")
        if (layout.header_row and row == across) or (layout.header_column and column == down):
            return layout
    sideways = (tenors is not None and len(tenors[0]) > 1) or (
        tenors is None and strikes is not None and len(strikes) > 1 and len(strikes[0]) == 1
    )
    return fits[1] if sideways else fits[0]
