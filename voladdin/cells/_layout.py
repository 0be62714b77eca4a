"""Where the headers of a range are, and whether its tenors run down or across."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from statistics import median
from typing import Literal, NamedTuple

from ..errors import LabelError
from ..labels import parse_delta, parse_strike
from ..labels.contracts import is_contract
from ..labels.strikes import sideless_delta
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED
from ._directions import direction_of, line_numbers
from ._values import Cell, Label, Line, Lines, is_blank, is_date, is_tenor, read_date, read_number
from ._words import Words

Kind = Literal["blank", "number", "tenor", "strike", "other"]

_FEWEST = 3  # labels that tell deltas from days
_VOL_SPREAD = 4.0
_FORWARD_HEADERS = frozenset({"F", "FWD", "FWDS", "FORWARD", "FORWARDS"})


class Layout(NamedTuple):
    """transposed: tenors run across; header_row, header_column: the first row, first column are headers.
    assumed: a warning."""

    transposed: bool
    header_row: bool
    header_column: bool
    assumed: str = ""


@lru_cache(maxsize=4096, typed=True)
def kind_of(cell: Cell) -> Kind:
    """What is written in a header cell, by itself; a number, also as text, may still be anything."""
    if is_blank(cell):
        return "blank"
    if isinstance(cell, bool):
        return "other"
    if read_number(cell) is not None:
        return "number"
    if isinstance(cell, str) and (parse_strike(cell) is not None or _is_sideless_delta(cell)):
        return "strike"
    if is_date(cell) or (isinstance(cell, str) and (is_tenor(cell, None) or is_contract(cell))):
        return "tenor"
    return "other"


def _is_sideless_delta(text: str) -> bool:
    """Whether text is such as "25Δ"; "25D" is 25 days."""
    return sideless_delta(text) is not None and not is_tenor(text, None)


def is_forward(label: Label) -> bool:
    """Whether the cell heads a line of forwards: "F", "Fwd", "Forward"."""
    return isinstance(label.cell, str) and label.cell.strip().upper() in _FORWARD_HEADERS


def line_kind(line: Line) -> Literal["tenor", "strike"] | None:
    """What most labels of a line are; a forwards header stands among strikes; None without any."""
    kinds = Counter("strike" if is_forward(label) else kind_of(label.cell) for label in line)
    tenors, strikes = kinds["tenor"], kinds["strike"]
    if not tenors and not strikes:
        return None
    return "tenor" if tenors > strikes else "strike"


def header_lines(labels: Lines) -> tuple[Line, Line]:
    """The first row and the first column, both without the corner."""
    return labels[0][1:], [row[0] for row in labels[1:]]


def header_kinds(labels: Lines) -> list[Literal["tenor", "strike"] | None]:
    """Of the first row and the first column; beside tenors, 10D 25D 50D 75D 90D are deltas, not days."""
    lines = header_lines(labels)
    kinds = [line_kind(line) for line in lines]
    if kinds == ["tenor", "tenor"]:
        deltas = [_are_deltas_in_d(line) for line in lines]
        kinds = ["strike" if one and not all(deltas) else "tenor" for one in deltas]
    return kinds


def _are_deltas_in_d(line: Line) -> bool:
    """Whether all are such as 25D, or ATM, and lie about 50 as deltas do: 10 25 50 75 90, 10 25 50 25 10."""
    found = [
        50.0 if parse_delta(label.cell) == 0.5 else sideless_delta(label.cell)
        for label in line
        if not is_blank(label.cell)
    ]
    if len(found) < _FEWEST or None in found:
        return False
    numbers = [one or 0.0 for one in found]
    back = numbers[::-1]
    return 50.0 in numbers and (
        numbers == back or all(a + b == 100 for a, b in zip(numbers, back, strict=True))
    )


def own_layout(labels: Lines, words: Words, forward: float | None) -> Layout:
    """Layout of a range that carries its own headers.

    words: of the corner. forward: a typical forward where forwards are an argument.

    Raises LabelError where the headers cannot be found, or both ways round are possible.
    """
    row, column = header_kinds(labels)
    if row is None and column is None:
        corner, lines = labels[0][0], header_lines(labels)
        if not _may_be_corner(corner) or all(like_vols(line, labels) for line in lines):
            raise _no_header(labels)
        direction = direction_of(corner, lines, words, forward)
        return Layout(direction.across, header_row=True, header_column=True, assumed=direction.assumed)
    if row == column:
        raise LabelError(
            f"{labels[0][1]} and {labels[1][0]}: both headers hold {row}s; expected tenors in one, deltas or "
            "strikes in the other (Fill and VOLIMPUTE take an ATM matrix of swaptions, which has no strikes "
            "to check)"
        )
    if (row is None or column is None) and _corner_belongs(labels, row or column):
        tenors = "strike" in (row, column)
        missing, expected = ("tenors", TENORS_EXPECTED) if tenors else ("strikes", STRIKES_EXPECTED)
        bare = "rows" if column is None else "columns"
        raise LabelError(
            f"{labels[0][0]}: the {bare} of the range have no header; expected {expected} for each, or the "
            f"argument {missing}"
        )
    return Layout(row == "tenor" or column == "strike", header_row=True, header_column=True)


def _corner_belongs(labels: Lines, kind: str | None) -> bool:
    """Whether the corner is one more label of the only line of labels, or a vol below no header."""
    corner = labels[0][0]
    row, column = header_lines(labels)
    if is_date(corner.cell):
        return kind == "tenor" and like_vols(column if line_kind(row) == kind else row, labels)
    return kind_of(corner.cell) == kind or not _may_be_corner(corner)


def _may_be_corner(corner: Label) -> bool:
    number = read_number(corner.cell)
    return number is None or number.value == 0 or read_date(corner.cell) is not None


def _no_header(labels: Lines) -> LabelError:
    return LabelError(
        f"{labels[0][0]} and no header was found in {len(labels)} x {len(labels[0])} cells; expected "
        f"{TENORS_EXPECTED} in the first column and {STRIKES_EXPECTED} in the first row, or the arguments "
        'tenors and strikes ("paper" for the pillars of the paper)'
    )


def like_vols(line: Line, labels: Lines) -> bool:
    """Whether the line's numbers are positive, within a factor of 4, and about as large as the body's."""
    values, vols = line_numbers(line), line_numbers([label for row in labels[1:] for label in row[1:]])
    if not len(values) or not len(vols) or values.min() <= 0:
        return False
    like = vols.min() / 2 <= median(values.tolist()) and median(values.tolist()) / 2 <= vols.max()
    return bool(like and values.max() / _VOL_SPREAD <= values.min())
