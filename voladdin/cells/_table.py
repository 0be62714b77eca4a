"""A range turned so that tenors run down, split into headers, body and a column of forwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import median

import numpy as np

from .._typing import FloatArray
from ..errors import InputError, LabelError
from ..labels import StrikeKind, parse_tenor
from ._arguments import is_table
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED, strike_axis, strike_table, tenor_axis
from ._layout import Labels, Layout, is_forward
from ._values import Cells, Label, is_blank, is_thousands, labels_of, read_number

PAPER_TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "3Y")
PAPER_DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass
class Table:
    """body: [T][K] cells; side, top: header cells or None; down, across: where the body's lines lie in the
    turned range; forwards: [T] cells of the line headed "Fwd", or None."""

    body: list[list[Label]]
    side: list[Label] | None
    top: list[Label] | None
    down: list[int]
    across: list[int]
    forwards: list[Label] | None


def split(labels: list[list[Label]], layout: Layout, named: tuple[bool, bool]) -> Table:
    """The range as a Table; lines that are wholly blank, header and body, are left out.

    named: whether the tenors, the strikes are arguments: a blank line then still has a name.

    Raises InputError where no body is left.
    """
    flip = layout.transposed
    turned = [list(line) for line in zip(*labels, strict=True)] if flip else labels
    top, side = (
        (layout.header_column, layout.header_row) if flip else (layout.header_row, layout.header_column)
    )
    columns = [list(line) for line in zip(*turned, strict=True)]
    down = [i for i in range(int(top), len(turned)) if named[0] or not side or not _all_blank(turned[i])]
    across = [j for j in range(int(side), len(columns)) if named[1] or not top or not _all_blank(columns[j])]
    forward = next((j for j in across if top and not named[1] and is_forward(turned[0][j])), None)
    across = [j for j in across if j != forward]
    if not down or not across:
        raise InputError(
            f"the range has no vols; expected them beside {TENORS_EXPECTED} and {STRIKES_EXPECTED}"
        )
    return Table(
        body=[[turned[i][j] for j in across] for i in down],
        side=[turned[i][0] for i in down] if side else None,
        top=[turned[0][j] for j in across] if top else None,
        down=down,
        across=across,
        forwards=None if forward is None else [turned[i][forward] for i in down],
    )


def _all_blank(line: Labels) -> bool:
    return all(is_blank(label.cell) for label in line)


def read_tenors(table: Table, given: Cells | None, valuation: date | None) -> FloatArray:
    """[T] years, from the argument, the header or the paper."""
    if given is not None:
        return tenor_axis(_line(given, "tenors", len(table.body)), valuation)
    if table.side is not None:
        return tenor_axis(table.side, valuation)
    return np.array([parse_tenor(tenor) for tenor in PAPER_TENORS])


def read_strikes(
    table: Table, given: Cells | None, transposed: bool, forward: float | None
) -> tuple[StrikeKind, FloatArray]:
    """Kind and [K] or [T, K] values, from the argument, the header or the paper."""
    if given is not None and is_table(given):
        return _strikes_by_tenor(given, transposed, forward)
    if given is not None:
        return strike_axis(_line(given, "strikes", len(table.body[0])), forward)
    if table.top is not None:
        return strike_axis(table.top, forward)
    return "delta", np.array(PAPER_DELTAS)


def _strikes_by_tenor(given: Cells, transposed: bool, forward: float | None) -> tuple[StrikeKind, FloatArray]:
    labels = labels_of(given, "strikes")
    turned = [list(line) for line in zip(*labels, strict=True)] if transposed else labels
    kind, values = strike_table(turned, forward)
    if kind == "delta":
        raise LabelError(
            f"{labels[0][0]}, a delta, in a table of strikes by tenor; expected one line of deltas, or a "
            "table of K=1.085 (plain numbers with forwards) or m=-0.1"
        )
    return kind, values


def _line(cells: Cells, name: str, count: int) -> list[Label]:
    line = [label for row in labels_of(cells, name) for label in row]
    if len(line) != count:
        raise InputError(f"{name} has {len(line)} cells; expected {count}, one for each in the range")
    return line


def read_forwards(table: Table, given: Cells | None) -> FloatArray | None:
    """[T] forwards from the argument (one for each tenor, or one for all), else the range's own, else None.

    Raises InputError naming the cell that is no positive number.
    """
    count = len(table.body)
    if given is None and table.forwards is None:
        return None
    labels = table.forwards or []
    if given is not None:
        labels = _line(given, "forwards", 1 if len(given) * len(given[0]) == 1 else count)
    return np.broadcast_to(np.array([_forward(label) for label in labels]), (count,)).copy()


def typical_forward(given: Cells | None) -> float | None:
    """The median of the forwards that are an argument, 1 where none of them is readable, None without any."""
    if given is None:
        return None
    numbers = [number.value for row in given for cell in row if (number := read_number(cell)) is not None]
    positive = [value for value in numbers if 0 < value < np.inf]
    return float(median(positive)) if positive else 1.0


def _forward(label: Label) -> float:
    number = read_number(label.cell)
    if is_thousands(label.cell):
        raise InputError(f"{label}, a decimal comma or thousands; expected a positive forward such as 1.085")
    if number is None or number.percent or not 0 < number.value < np.inf:
        raise InputError(f"{label}; expected a positive forward")
    return number.value
