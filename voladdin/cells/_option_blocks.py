"""Lists whose expiry stands once, at the head of its block, as in pivots, merged cells and brokers' runs."""

from __future__ import annotations

from collections.abc import Sequence

from ._option_headings import PRICES, VOLS
from ._values import Cell, Cells, address, is_missing

_EXPIRIES = ("expiry", "days", "years")
_SHARE = 0.4  # of the options without a strike, from which it is the list's way and no gap


def with_expiries(cells: Cells, top: int, at: dict[str, int]) -> Cells:
    """The cells, with the expiry of each block in all its rows; top: the row of the headings, at: columns.

    Where an expiry stands more than once, one that is missing is missing.
    """
    filled = cells
    for j in (at[name] for name in _EXPIRIES if name in at):
        told = [row[j] for row in cells[top + 1 :] if not is_missing(row[j])]
        blocks = 0 < len(told) == len(set(told)) < len(cells) - top - 1
        if blocks and not is_missing(cells[top + 1][j]):
            filled = _carried(filled, range(top + 1, len(cells)), j)
    return filled


def _carried(cells: Cells, rows: Sequence[int], j: int) -> Cells:
    """The cells, with what stands above in column j of those rows where it is missing; the first has it."""
    found, last = list(cells), cells[rows[0]][j]
    for i in rows:
        last = last if is_missing(cells[i][j]) else cells[i][j]
        found[i] = [*cells[i][:j], last, *cells[i][j + 1 :]]
    return found


def with_strikes(cells: Cells, top: int, at: dict[str, int], notes: list[str]) -> Cells:
    """The cells, with the strike above in the options without one, where a strike stands once for a call and
    its put; which is said."""
    body = [i for i in range(top + 1, len(cells)) if is_option(cells[i], at)]
    j = at["strike"]
    blank = [i for i in body if is_missing(cells[i][j])]
    if not blank or len(blank) < _SHARE * len(body) or body[0] in blank:
        return cells
    notes.append(f"the strike of {address(blank[0], j)} and others, blank, is the one above")
    return _carried(cells, body, j)


def is_option(row: list[Cell], at: dict[str, int]) -> bool:
    """Whether a row has a price or a vol, and a side where these have a column."""
    kinds = (f"{side}{kind}" for side in ("", "c ", "p ") for kind in (*PRICES, *VOLS))
    quoted = any(kind in at and not is_missing(row[at[kind]]) for kind in kinds)
    return quoted and ("side" not in at or not is_missing(row[at["side"]]))
