"""Holes of a grid or a table of quotes on a sheet: which may be filled, and how a filled one looks."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..cells import Cell, is_missing, shown
from ..errors import InputError
from .ledger import CellRun
from .selection import Region, Target
from .transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Collection

FILL, FONT = [221, 235, 247], [31, 78, 121]
SHOWN = 5  # cells or notes in a message
_UNFORMATTED = ("General", "@")  # a number in a cell of text shows all its digits


def why_left_alone(region: Region, cell: Cell, at: tuple[int, int], earlier: Collection[CellRun]) -> str:
    """ "" for a blank, a mark of a missing quote or what was filled before; else why it is left alone.

    at: row and column of the cell in the range, from 0.
    """
    formula, place = region.formulas[at[0]][at[1]], region.place_of(*at)
    if isinstance(formula, str) and formula.startswith("="):
        return f"{place.address} holds a formula"
    return "" if place in earlier or is_missing(cell) else f"{place.address} holds {shown(cell)}"


def refuse_merged(region: Region, holes: Collection[tuple[int, int]]) -> None:
    """Raises InputError where a hole, by row and column of the range, is part of merged cells."""
    if region.cells.merge_cells is False:
        return
    for row, column in holes:
        if region.cells(row + 1, column + 1).merge_cells:
            raise InputError(f"{region.place_of(row, column)} is part of merged cells; expected single cells")


def write_hole(
    changes: Transaction, command: str, place: CellRun, value: object, form: str, note: str
) -> None:
    """Fills one cell, in the colours of what is filled; its number format and note only where it has none."""
    cell = changes.cells(place)
    look: dict[str, object] = {"fill": FILL, "font": FONT}
    if cell.number_format in _UNFORMATTED and cell.number_format != form:
        look["format"] = form
    mine = [r.ours.get("note") for r in changes.records if r.place == place and r.command == command]
    if cell.note is None or cell.note.text in mine:
        look["note"] = note
    changes.write(place, value=[value], **look)


def formats_beside(target: Target, holes: Collection[tuple[int, int]]) -> list[str]:
    """For each hole, by tenor and strike, the number format that most of the nearest quotes have."""
    quoted = np.argwhere(target.grid.surface.observed)

    @functools.cache
    def form(tenor: int, strike: int) -> str:
        row, column = target.offsets(tenor, strike)
        return str(target.cells(row + 1, column + 1).number_format)

    found = []
    for hole in holes:
        far = np.abs(quoted - hole).sum(axis=1)
        near = Counter(form(*place) for place in quoted[far == far.min()].tolist())
        found.append(near.most_common(1)[0][0])
    return found


def common_format(target: Target) -> str:
    """The number format most quotes have."""
    quoted = np.argwhere(target.grid.surface.observed).tolist()
    places = [target.offsets(tenor, strike) for tenor, strike in quoted[: 4 * SHOWN]]
    formats = [target.cells(row + 1, column + 1).number_format for row, column in places]
    return str(Counter(formats).most_common(1)[0][0])


def in_words(done: str, said: list[str], what: str = "left alone") -> str:
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return f"{done}; {what}: {', '.join(said[:SHOWN])}{more}" if said else done


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
