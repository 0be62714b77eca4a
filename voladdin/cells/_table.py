"""A range turned so that tenors run down, split into headers, body and a column of forwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from .._typing import BoolArray
from ..errors import InputError, LabelError
from ._arguments import is_table
from ._axes import STRIKES_EXPECTED, TENORS_EXPECTED
from ._layout import Layout, is_forward
from ._strike_line import Strikes, read_strikes
from ._tenor_line import Tenors, read_tenor_line
from ._values import Cells, Label, is_blank, labels_of
from ._words import Words


@dataclass(frozen=True)
class Table:
    """body: [T][K] cells; tenors, strikes: header cells or None; down, across: where the body's lines lie in
    the turned range; forwards: [T] cells of the argument or of the line headed "Fwd", or None."""

    body: list[list[Label]]
    tenors: list[Label] | None
    strikes: list[Label] | None
    down: list[int]
    across: list[int]
    forwards: list[Label] | None

    def only(self, rows: BoolArray) -> Table:
        """The table of some of its tenors."""
        places = np.flatnonzero(rows).tolist()

        def some(line: list[Label] | None) -> list[Label] | None:
            return None if line is None else [line[i] for i in places]

        return replace(
            self,
            body=[self.body[i] for i in places],
            tenors=some(self.tenors),
            down=[self.down[i] for i in places],
            forwards=some(self.forwards),
        )

    def with_forwards(self, cells: Cells) -> Table:
        """With the cells of the argument forwards, one a tenor or one for all, as its own."""
        count = len(self.body)
        line = line_of_argument(cells, "forwards", 1 if len(cells) * len(cells[0]) == 1 else count)
        return replace(self, forwards=line if len(line) == count else line * count)


def split(labels: list[list[Label]], layout: Layout, named: tuple[bool, bool]) -> Table:
    """The range as a Table; lines that are wholly blank, header and body, are left out.

    named: whether the tenors, the strikes are arguments: a blank line then still has a name.

    Raises InputError where no body is left.
    """
    rows, top, side = _tenors_down(labels, layout)
    down = _used(rows, start=int(top), keep_blank=named[0] or not side)
    across = _used(list(zip(*rows, strict=True)), start=int(side), keep_blank=named[1] or not top)
    ahead = _forward_column(rows[0], across) if top and not named[1] else None
    across = [j for j in across if j != ahead]
    if not down or not across:
        raise InputError(
            f"the range has no vols; expected them beside {TENORS_EXPECTED} and {STRIKES_EXPECTED}"
        )
    return Table(
        body=[[rows[i][j] for j in across] for i in down],
        tenors=_column(rows, down, 0 if side else None),
        strikes=[rows[0][j] for j in across] if top else None,
        down=down,
        across=across,
        forwards=_column(rows, down, ahead),
    )


def _tenors_down(labels: list[list[Label]], layout: Layout) -> tuple[list[list[Label]], bool, bool]:
    """The cells with tenors down, and whether strikes stand above and tenors beside them."""
    if layout.transposed:
        return [list(line) for line in zip(*labels, strict=True)], layout.header_column, layout.header_row
    return labels, layout.header_row, layout.header_column


def _forward_column(top: Sequence[Label], across: list[int]) -> int | None:
    return next((j for j in across if is_forward(top[j])), None)


def _column(rows: list[list[Label]], down: list[int], at: int | None) -> list[Label] | None:
    return None if at is None else [rows[i][at] for i in down]


def _used(lines: Sequence[Sequence[Label]], *, start: int, keep_blank: bool) -> list[int]:
    """Places of the lines from `start` that are not wholly blank, or of all."""
    return [i for i in range(start, len(lines)) if keep_blank or not _all_blank(lines[i])]


def _all_blank(line: Sequence[Label]) -> bool:
    return all(is_blank(label.cell) for label in line)


def tenors_of(table: Table, given: Cells | None, valuation: date | None, words: Words) -> Tenors:
    """Years of the argument, or of the header."""
    if given is None and table.tenors is None:
        raise InputError(
            f"the rows of the range have no header; expected {TENORS_EXPECTED}, or the argument tenors"
        )
    line = table.tenors or []
    if given is not None:
        line = line_of_argument(given, "tenors", len(table.body))
    return read_tenor_line(line, valuation, words.tenor_unit)


def strikes_of(
    table: Table, given: Cells | None, forward: float | None, words: Words, *, transposed: bool
) -> Strikes:
    """Kind and [K] or [T, K] values of the argument, or of the header."""
    if given is not None and is_table(given):
        return _strikes_by_tenor(given, forward, words, transposed=transposed)
    if given is None and table.strikes is None:
        raise InputError(
            f"the columns of the range have no header; expected {STRIKES_EXPECTED}, or the argument strikes"
        )
    line = table.strikes or []
    if given is not None:
        line = line_of_argument(given, "strikes", len(table.body[0]))
    found = read_strikes([line], forward, words.notation)
    return found._replace(values=found.values[0])


def _strikes_by_tenor(given: Cells, forward: float | None, words: Words, *, transposed: bool) -> Strikes:
    labels = labels_of(given, "strikes")
    turned = [list(line) for line in zip(*labels, strict=True)] if transposed else labels
    found = read_strikes(turned, forward, words.notation)
    if found.kind == "delta":
        raise LabelError(
            f"{labels[0][0]}, a delta, in a table of strikes by tenor; expected one line of deltas, or a "
            "table of K=1.085 (plain numbers with forwards) or m=-0.1"
        )
    return found


def line_of_argument(cells: Cells, name: str, count: int) -> list[Label]:
    """The cells of an argument that is one for each line. Raises InputError where their number differs."""
    line = [label for row in labels_of(cells, name) for label in row]
    if len(line) != count:
        raise InputError(f"{name} has {len(line)} cells; expected {count}, one for each in the range")
    return line
