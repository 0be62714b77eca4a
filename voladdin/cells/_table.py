"""A range turned so that tenors run down, split into headers, body and an optional column of forwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ..conventions import StrikeKind, parse_tenor
from ..errors import InputError, LabelError
from ._axes import (
    STRIKES_EXPECTED,
    TENORS_EXPECTED,
    Label,
    check_monotone,
    read_strikes,
    strike_axis,
    tenor_axis,
)
from ._layout import PAPER_DELTAS, PAPER_TENORS, Layout, labels_of
from ._values import Cells, is_blank, read_number

FloatArray = NDArray[np.float64]

_FORWARD_HEADERS = frozenset({"F", "FWD", "FWDS", "FORWARD", "FORWARDS"})


@dataclass
class Table:
    """body: [T][K] cells; side, top: header labels or None; down, across: indices of the body's lines as the
    table lies; forwards: [T] cells of a column headed "F", "Fwd" or "Forward"."""

    body: list[list[Label]]
    side: list[Label] | None
    top: list[Label] | None
    down: list[int]
    across: list[int]
    forwards: list[Label] | None = None


def split(labels: list[list[Label]], layout: Layout) -> Table:
    """The range as a Table; lines that are blank, header and body, are left out.

    Raises InputError where no body is left.
    """
    table = [list(line) for line in zip(*labels, strict=True)] if layout.transposed else labels
    top_header = layout.header_column if layout.transposed else layout.header_row
    side_header = layout.header_row if layout.transposed else layout.header_column
    down = [i for i in range(int(top_header), len(table)) if not (side_header and _all_blank(table[i]))]
    across = [
        j
        for j in range(int(side_header), len(table[0]))
        if not (top_header and _all_blank([line[j] for line in table]))
    ]
    forward = next((j for j in across if top_header and _is_forward(table[0][j])), None)
    across = [j for j in across if j != forward]
    if not down or not across:
        raise InputError(
            f"the range has headers only; expected vols beside {TENORS_EXPECTED} and {STRIKES_EXPECTED}"
        )
    return Table(
        body=[[table[i][j] for j in across] for i in down],
        side=[table[i][0] for i in down] if side_header else None,
        top=[table[0][j] for j in across] if top_header else None,
        down=down,
        across=across,
        forwards=None if forward is None else [table[i][forward] for i in down],
    )


def _all_blank(line: list[Label]) -> bool:
    return all(is_blank(label.cell) for label in line)


def _is_forward(label: Label) -> bool:
    return isinstance(label.cell, str) and label.cell.strip().upper() in _FORWARD_HEADERS


def read_tenors(table: Table, given: Cells | None, valuation: date | None, warnings: list[str]) -> FloatArray:
    """[T] years, from the argument, the header or the paper."""
    if given is not None:
        labels = [label for line in labels_of(given, "tenors") for label in line]
        return tenor_axis(_same_number(labels, len(table.body), "tenors"), valuation)
    if table.side is not None:
        return tenor_axis(table.side, valuation)
    if len(table.body) != len(PAPER_TENORS):
        raise LabelError(
            f"the tenors of the range have no header; expected {TENORS_EXPECTED} for each of its "
            f"{len(table.body)}, or the argument tenors"
        )
    warnings.append(
        f"no headers: read as the tenors {' '.join(PAPER_TENORS)} and the forward call deltas "
        f"{' '.join(map(str, PAPER_DELTAS))} of the paper, in this order"
    )
    return np.array([parse_tenor(tenor) for tenor in PAPER_TENORS])


def read_strike_axis(
    table: Table, given: Cells | None, transposed: bool, forwards: bool
) -> tuple[StrikeKind, FloatArray]:
    """Kind and [K] or [T, K] values, from the argument, the header or the paper."""
    if given is not None:
        return _given_strikes(table, labels_of(given, "strikes"), transposed, forwards)
    if table.top is not None:
        return strike_axis(table.top, forwards)
    if len(table.body[0]) != len(PAPER_DELTAS):
        raise LabelError(
            f"the strikes of the range have no header; expected {STRIKES_EXPECTED} for each of its "
            f"{len(table.body[0])}, or the argument strikes"
        )
    return "delta", np.array(PAPER_DELTAS)


def _given_strikes(
    table: Table, labels: list[list[Label]], transposed: bool, forwards: bool
) -> tuple[StrikeKind, FloatArray]:
    if min(len(labels), len(labels[0])) == 1:
        flat = [label for line in labels for label in line]
        return strike_axis(_same_number(flat, len(table.body[0]), "strikes"), forwards)
    lines = [list(line) for line in zip(*labels, strict=True)] if transposed else labels
    if (len(lines), len(lines[0])) != (len(table.body), len(table.body[0])):
        raise InputError(f"strikes has {len(labels)} x {len(labels[0])} cells; expected one for each vol")
    kind, flat_values = read_strikes(
        [label for line in lines for label in line], forwards, ragged=len(lines[0])
    )
    values = flat_values.reshape(len(lines), -1)
    if kind == "delta":
        raise LabelError(
            f"{lines[0][0]}, a delta, in a table of strikes by tenor; expected one row of deltas, or "
            "strikes or log-moneyness by tenor"
        )
    for line, row in zip(lines, values, strict=True):
        check_monotone(line, row, "strikes")
    return kind, values


def _same_number(labels: list[Label], count: int, name: str) -> list[Label]:
    if len(labels) != count:
        raise InputError(f"{name} has {len(labels)} cells; expected {count}, one for each in the range")
    return labels


def read_forwards(table: Table, given: Cells | None) -> FloatArray | None:
    """[T] forwards from the argument (one for each tenor, or one for all) or the range's own column, or None.

    Raises InputError naming the cell that is no positive number.
    """
    labels = (
        table.forwards
        if given is None
        else [label for line in labels_of(given, "forwards") for label in line]
    )
    if labels is None:
        return None
    if len(labels) not in (1, len(table.body)):
        raise InputError(
            f"forwards has {len(labels)} cells; expected {len(table.body)}, one for each tenor, or one"
        )
    values = []
    for label in labels:
        number = read_number(label.cell)
        if number is None or not 0 < number.fraction < np.inf:
            raise InputError(f"{label}; expected a positive forward")
        values.append(number.fraction)
    return np.broadcast_to(np.array(values), (len(table.body),)).copy()
