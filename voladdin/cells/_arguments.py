"""Arguments that take the place of headers: labels, or one word that says how the headers are to be read."""

from __future__ import annotations

from typing import NamedTuple, cast

from ..errors import InputError
from ..surface import MAX_CELLS
from ._layout import Layout, header_lines, kind_of, like_vols, line_kind
from ._values import Cells, Line, Lines, rectangle
from ._words import Notation, TenorUnit, Words

PAPER = "paper"
PAPER_TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "3Y")
PAPER_DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)
_UNITS = frozenset(["days", "weeks", "months", "years"])
_NOTATIONS: dict[str, Notation] = {
    "delta": "delta", "call delta": "delta", "put delta": "put delta", "strike": "strike",
    "moneyness": "moneyness", "log-moneyness": "log-moneyness", "ln(k/f)": "log-moneyness", "k/f": "K/F",
}  # fmt: skip


class Arguments(NamedTuple):
    """tenors, strikes: labels in place of headers. words: how headers are read. notes: what was asked."""

    tenors: Cells | None
    strikes: Cells | None
    words: Words
    notes: list[str]


def read_arguments(tenors: object, strikes: object) -> Arguments:
    """The arguments tenors and strikes: labels, or one of the words "days", …, "delta", …, "paper".

    Raises InputError where they are empty, ragged or too large.
    """
    given = {
        name: None if cells is None else rectangle(cells, name, MAX_CELLS)
        for name, cells in (("tenors", tenors), ("strikes", strikes))
    }
    words, notes = Words(), []
    unit, notation = _word(given["tenors"]), _word(given["strikes"])
    if unit in _UNITS:
        given["tenors"], words = None, words._replace(tenor_unit=cast(TenorUnit, unit))
    if notation in _NOTATIONS:
        given["strikes"], words = None, words._replace(notation=_NOTATIONS[notation])
    if unit == PAPER:
        given["tenors"] = [[tenor] for tenor in PAPER_TENORS]
        notes.append(f"tenors {' '.join(PAPER_TENORS)}, the pillars of the paper, as asked")
    if notation == PAPER:
        given["strikes"] = [list(PAPER_DELTAS)]
        notes.append(
            f"forward call deltas {' '.join(map(str, PAPER_DELTAS))}, the pillars of the paper, as asked"
        )
    return Arguments(given["tenors"], given["strikes"], words, notes)


def _word(cells: Cells | None) -> str:
    only = cells[0][0] if cells is not None and len(cells) == len(cells[0]) == 1 else None
    return " ".join(only.lower().split()) if isinstance(only, str) else ""


def given_layout(labels: Lines, tenors: Cells | None, strikes: Cells | None) -> Layout:
    """Layout of a range with the arguments tenors, strikes or both.

    Where both orientations fit, a header with labels decides; then tenors in a row (or strikes in a column)
    mean a transposed range; then tenors run down.

    Raises InputError where neither fits.
    """
    fits = [
        layout
        for transposed in (False, True)
        if (
            layout := _fit(labels, _body_shape(tenors, strikes, transposed=transposed), transposed=transposed)
        )
        is not None
        and not _contradicted(labels, tenors, strikes, transposed=transposed)
        and not _would_hide_vols(labels, layout, tenors, strikes)
    ]
    if len(fits) == 2:
        return fits[_likelier(labels, fits, tenors, strikes)]
    if not fits:
        _refuse(labels, tenors, strikes)
    return fits[0]


def _refuse(labels: Lines, tenors: Cells | None, strikes: Cells | None) -> None:
    named = (("tenors", tenors), ("strikes", strikes))
    given = " and ".join(
        f"{name} {len(cells)} x {len(cells[0])}" for name, cells in named if cells is not None
    )
    headers = [f"a header of {name}" for name, cells in named if cells is None]
    expected = " and ".join(["one row or column for each", *headers])
    raise InputError(
        f"the range has {len(labels)} x {len(labels[0])} cells, the argument {given}; expected {expected}"
    )


def is_table(cells: Cells) -> bool:
    """Whether the cells are a table, not a line."""
    return min(len(cells), len(cells[0])) > 1


def _body_shape(
    tenors: Cells | None, strikes: Cells | None, *, transposed: bool
) -> tuple[int | None, int | None]:
    """Rows and columns that the body must have; None is unknown, -1 impossible."""
    count = None if tenors is None else _size(tenors)
    if strikes is not None and is_table(strikes):
        rows, columns = len(strikes), len(strikes[0])
        return (rows, columns) if count in (None, columns if transposed else rows) else (-1, -1)
    across = None if strikes is None else _size(strikes)
    return (across, count) if transposed else (count, across)


def _size(cells: Cells) -> int:
    return len(cells) * len(cells[0])


def _fit(labels: Lines, shape: tuple[int | None, int | None], *, transposed: bool) -> Layout | None:
    rows, columns = shape
    top = None if rows is None else len(labels) - rows
    left = None if columns is None else len(labels[0]) - columns
    row, column = header_lines(labels)
    if top is None and left == 1:
        top = int(_starts_header([line[0] for line in labels], row))
    elif left is None and top == 1:
        left = int(_starts_header(labels[0], column))
    if top not in (0, 1) or left not in (0, 1):
        return None
    return Layout(transposed, bool(top), bool(left))


def _contradicted(labels: Lines, tenors: Cells | None, strikes: Cells | None, *, transposed: bool) -> bool:
    """Whether a header that is needed, as no argument replaces it, holds labels of the other kind."""
    row, column = map(line_kind, header_lines(labels))
    along, across = (row, column) if transposed else (column, row)
    return (tenors is None and along == "strike") or (strikes is None and across == "tenor")


def _would_hide_vols(labels: Lines, layout: Layout, tenors: Cells | None, strikes: Cells | None) -> bool:
    """Whether a header that an argument replaces holds vols instead: the argument is a line too short."""
    across, down = (tenors, strikes) if layout.transposed else (strikes, tenors)
    row = labels[0][int(layout.header_column) :] if layout.header_row and across is not None else []
    column = [line[0] for line in labels[int(layout.header_row) :]]
    column = column if layout.header_column and down is not None else []
    return any(
        line_kind(line) is None and like_vols(line, labels) and not _repeats(line, given)
        for line, given in ((row, across), (column, down))
        if given is not None and line
    )


def _repeats(line: Line, given: Cells) -> bool:
    return [label.cell for label in line] == [cell for row in given for cell in row]


def _starts_header(line: Line, other: Line) -> bool:
    """Whether the corner begins `other`, a header too, rather than being the first label of `line`."""
    return line_kind(other) is not None or (len(line) > 1 and kind_of(line[0].cell) in ("blank", "other"))


def _likelier(labels: Lines, fits: list[Layout], tenors: Cells | None, strikes: Cells | None) -> bool:
    """Whether the transposed fit is the likelier one."""
    row, column = map(line_kind, header_lines(labels))
    for layout in fits:
        across, down = ("tenor", "strike") if layout.transposed else ("strike", "tenor")
        if (layout.header_row and row == across) or (layout.header_column and column == down):
            return layout.transposed
    if tenors is not None and _size(tenors) > 1:
        return len(tenors) == 1
    return strikes is not None and len(strikes) > 1 and not is_table(strikes)
