"""Sheets that commands run on, and what they did to them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stubs import calc
from voladdin.cells import parse, render
from voladdin.commands import execute
from voladdin.commands.holes import FILL, FONT
from voladdin.errors import VoladdinError
from voladdin.hosts.documents import engine, notation
from voladdin.hosts.documents.document import Document
from voladdin.imputation.filling import impute

GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 0.089, None, 0.081, None, None],
    ["1M", 0.093, 0.086, 0.082, 0.083, None],
    ["1Y", None, None, 0.089, None, 0.098],
]


HOLES = [(1, 2), (1, 4), (1, 5), (2, 5), (3, 1), (3, 2), (3, 4)]


# The 1M quotes have less total variance than those of 1W: calendar arbitrage.
BROKEN: list[list[Any]] = [
    [None, "25P", "ATM", "25C"],
    ["1W", 0.13, 0.12, 0.13],
    ["1M", 0.055, 0.05, 0.054],
    ["1Y", 0.09, 0.085, 0.089],
]


FILL_NUMBER, FONT_NUMBER = notation.colour_number(FILL), notation.colour_number(FONT)


def axes_and_models(grid: list[list[Any]]) -> str:
    """What Fill says of a grid like GRID: its axes, and whose answers the holes are filled with."""
    return f"tenors 1W to 1Y by deltas 10P to 10C ({impute(parse(grid).surface).model})"


def run(document: Document, name: str, select: str | None = None) -> str:
    """Runs a command at a selection, with the region that Calc would find there now."""
    if select is not None:
        document.selection = [calc.area(select)]
    sheet = document.sheet(document.active)
    document.region = tuple(calc.region(sheet.cells, document.selection[0]))  # type: ignore[assignment]
    return execute(name, engine.book_of(document))


def refused(document: Document, name: str, match: str) -> None:
    """The command raises, says why, and changes nothing."""
    before = calc.state(document)
    with pytest.raises(VoladdinError, match=match):
        execute(name, engine.book_of(document))
    assert calc.state(document) == before


def user_cells(document: Document) -> dict[str, Any]:
    """The state without the ledger, which only Clear looks at."""
    return {name: cells for name, cells in calc.state(document).items() if name != "_voladdin"}


def filled(grid: list[list[Any]]) -> list[list[Any]]:
    parsed = parse(grid)
    cells = render(parsed, impute(parsed.surface).filled)
    return [[None if cell == "" else cell for cell in row] for row in cells]
