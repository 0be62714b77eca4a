"""Lists whose expiry stands once, at the head of its block, as in pivots, merged cells and brokers' runs."""

from __future__ import annotations

from ._values import Cell, Cells, is_missing

_CLOCKS = ("expiry", "days", "years")


def with_expiries(cells: Cells, top: int, at: dict[str, int]) -> Cells:
    """The cells, with the expiry of each block in all its rows; top: the row of the headings, at: columns.

    Where an expiry stands more than once, one that is missing is missing.
    """
    filled = cells
    for j in (at[name] for name in _CLOCKS if name in at):
        told = [row[j] for row in cells[top + 1 :] if not is_missing(row[j])]
        blocks = 0 < len(told) == len(set(told)) < len(cells) - top - 1
        if blocks and not is_missing(cells[top + 1][j]):
            filled = _filled(filled, top, j)
    return filled


def _filled(cells: Cells, top: int, j: int) -> Cells:
    found, last = list(cells[: top + 1]), cells[top + 1][j]
    for row in cells[top + 1 :]:
        last = last if is_missing(row[j]) else row[j]
        found.append(_with(row, j, last))
    return found


def _with(row: list[Cell], j: int, cell: Cell) -> list[Cell]:
    return [*row[:j], cell, *row[j + 1 :]]
