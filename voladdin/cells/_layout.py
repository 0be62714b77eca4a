"""Where the headers of a range are, and whether its tenors run down or across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from .._typing import FloatArray
from ..errors import LabelError
from ..labels import parse_delta, parse_strike
from ..labels.contracts import is_contract
from ..labels.strikes import sideless_delta
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED
from ._clocks import possible_units
from ._notations import clearly_deltas
from ._values import Cell, Label, is_blank, is_date, is_tenor, read_date, read_number
from ._words import Words

Kind = Literal["blank", "number", "tenor", "strike", "other"]
Labels = Sequence[Label]
Table = Sequence[Labels]

_FEWEST = 3  # labels that tell deltas from days
_VOL_SPREAD = 4.0
_NEAR = 1.25
_STRIKE_SPREAD = 4.0
_RATIO_SPREAD = 2.5
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


def line_kind(line: Labels) -> Literal["tenor", "strike"] | None:
    """What most labels of a line are; a forwards header stands among strikes; None where all are numbers."""
    kinds = Counter("strike" if is_forward(label) else kind_of(label.cell) for label in line)
    tenors, strikes = kinds["tenor"], kinds["strike"]
    if not tenors and not strikes:
        return None
    return "tenor" if tenors > strikes else "strike"


def header_lines(table: Table) -> tuple[Labels, Labels]:
    """The first row and the first column, both without the corner."""
    return table[0][1:], [row[0] for row in table[1:]]


def header_kinds(table: Table) -> list[Literal["tenor", "strike"] | None]:
    """Of the first row and the first column; beside tenors, 10D 25D 50D 75D 90D are deltas, not days."""
    lines = header_lines(table)
    kinds = [line_kind(line) for line in lines]
    if kinds == ["tenor", "tenor"]:
        deltas = [_are_deltas_in_d(line) for line in lines]
        kinds = ["strike" if one and not all(deltas) else "tenor" for one in deltas]
    return kinds


def _are_deltas_in_d(line: Labels) -> bool:
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


def own_layout(table: Table, words: Words, forward: float | None) -> Layout:
    """Layout of a range that carries its own headers.

    words: of the corner. forward: a typical forward where forwards are an argument.

    Raises LabelError where the headers cannot be found, or both ways round are possible.
    """
    row, column = header_kinds(table)
    if row is None and column is None:
        return _layout_of_numbers(table, words, forward)
    if row == column:
        raise LabelError(
            f"{table[0][1]} and {table[1][0]}: both headers hold {row}s; expected tenors in one, deltas or "
            "strikes in the other (Fill and VOLIMPUTE take an ATM matrix of swaptions, which has no strikes "
            "to check)"
        )
    if (row is None or column is None) and _corner_belongs(table, row or column):
        tenors = "strike" in (row, column)
        missing, expected = ("tenors", TENORS_EXPECTED) if tenors else ("strikes", STRIKES_EXPECTED)
        bare = "rows" if column is None else "columns"
        raise LabelError(
            f"{table[0][0]}: the {bare} of the range have no header; expected {expected} for each, or the "
            f"argument {missing}"
        )
    return Layout(row == "tenor" or column == "strike", header_row=True, header_column=True)


def _corner_belongs(table: Table, kind: str | None) -> bool:
    """Whether the corner is one more label of the only line of labels, or a vol below no header."""
    corner = table[0][0]
    row, column = header_lines(table)
    if is_date(corner.cell):
        return kind == "tenor" and like_vols(column if line_kind(row) == kind else row, table)
    return kind_of(corner.cell) == kind or not _may_be_corner(corner)


def _may_be_corner(corner: Label) -> bool:
    number = read_number(corner.cell)
    return number is None or number.value == 0 or read_date(corner.cell) is not None


def _layout_of_numbers(table: Table, words: Words, forward: float | None) -> Layout:
    """Of two headers of numbers. Tenors run down, or across, where only that can be read, and otherwise:

    corner or both lines like vols      no header: refused
    neither way can be read             down, so that the message names the cell
    dates in one line, and the corner   it holds the tenors
    usual deltas in one line, or
    the forwards about one line         it holds the strikes, where these agree
    corner "Days", "Expiry"             down where these agree, with a warning where it alone says so
    """
    row, column = header_lines(table)
    if not _may_be_corner(table[0][0]) or (like_vols(row, table) and like_vols(column, table)):
        raise _no_header(table)
    down = _may_be_tenors(column) and _may_be_strikes(row)
    across = _may_be_tenors(row) and _may_be_strikes(column)
    if down != across or not down:
        return Layout(across, header_row=True, header_column=True)
    at_strikes = words.notation in (None, "strike")  # others are not near the forwards
    said = _ways_across(table, row, column, forward if at_strikes else None)
    named = words.axis == "tenor" and words.notation is None
    if named and not said:
        return Layout(
            transposed=False,
            header_row=True,
            header_column=True,
            assumed=f"tenors read down, as the corner is {words.text!r}",
        )
    said |= {False} if named else set()
    if len(said) == 1:
        return Layout(said.pop(), header_row=True, header_column=True)
    raise LabelError(
        f"{row[0]} and {column[0]}: tenors across and strikes down, or strikes across and tenors down; "
        "expected labels such as 1M and 25C, or the arguments tenors and strikes"
    )


def _ways_across(table: Table, row: Labels, column: Labels, forward: float | None) -> set[bool]:
    """Whether tenors run across, by each piece of evidence that can tell."""
    if is_date(table[0][0].cell) and _are_dates(row) != _are_dates(column):
        return {_are_dates(row)}
    said = {_usual_deltas(column)} if _usual_deltas(row) != _usual_deltas(column) else set()
    if forward is not None:
        about = [_is_about(line, forward) for line in (row, column)]
        if about[0] != about[1] and not _spans_one((row, column)[about[0]]):
            said.add(about[1])
    return said


def _no_header(table: Table) -> LabelError:
    return LabelError(
        f"{table[0][0]} and no header was found in {len(table)} x {len(table[0])} cells; expected "
        f"{TENORS_EXPECTED} in the first column and {STRIKES_EXPECTED} in the first row, or the arguments "
        'tenors and strikes ("paper" for the pillars of the paper)'
    )


def _may_be_tenors(line: Labels) -> bool:
    """Whether numbers and dates increase as tenors do."""
    values = _plain(line)
    if values is None or (np.diff(values) <= 0).any() or values[0] < 0:
        return False
    dates = [is_date(label.cell) for label in line if not is_blank(label.cell)]
    return all(dates) or (not any(dates) and bool(possible_units(values.tolist())))


def _may_be_strikes(line: Labels) -> bool:
    """Whether numbers are in order, or are deltas in order."""
    values = _plain(line)
    if values is None:
        return False
    deltas = [parse_delta(value) for value in values.tolist()]
    orders = [values] if None in deltas else [values, np.array(deltas, dtype=float)]
    return any((np.diff(order) > 0).all() or (np.diff(order) < 0).all() for order in orders)


def _usual_deltas(line: Labels) -> bool:
    deltas = [parse_delta(value) for value in _numbers(line).tolist()]
    return None not in deltas and clearly_deltas(np.array(deltas, dtype=float), usual=True)


def _plain(line: Labels) -> FloatArray | None:
    """The finite numbers of a line, blanks left out; None where anything else is in it."""
    used = [label for label in line if not is_blank(label.cell)]
    values = _numbers(used)
    return values if len(values) == len(used) > 0 and np.isfinite(values).all() else None


def like_vols(line: Labels, table: Table) -> bool:
    """Whether the line's numbers are positive, within a factor of 4, and about as large as the body's."""
    values, vols = _numbers(line), _numbers([label for row in table[1:] for label in row[1:]])
    if not len(values) or not len(vols) or values.min() <= 0:
        return False
    like = vols.min() / 2 <= median(values.tolist()) and median(values.tolist()) / 2 <= vols.max()
    return bool(like and values.max() / _VOL_SPREAD <= values.min())


def _are_dates(line: Labels) -> bool:
    return all(is_date(label.cell) for label in line if not is_blank(label.cell))


def _spans_one(line: Labels) -> bool:
    """Whether the numbers may be K/F."""
    values = _numbers(line)
    return bool(values.min() < 1 < values.max() <= _RATIO_SPREAD * values.min())


def _is_about(line: Labels, forward: float) -> bool:
    """Whether a forward lies among the numbers of a line, or near them, and these near each other."""
    values = _numbers(line)
    low, high = float(values.min()), float(values.max())
    return low / _NEAR <= forward <= high * _NEAR and high <= _STRIKE_SPREAD * low


def _numbers(line: Labels) -> FloatArray:
    return np.array([number.value for label in line if (number := read_number(label.cell)) is not None])
