"""Fill missing on a table of market quotes: ATM, risk reversals and butterflies of the imputed surface."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..cells import QuoteTable
from ..conventions import quotes_from_surface
from ..home import VERSION
from ..imputation.filling import impute
from ..worksheet.quote_tables import Said, read_table
from .holes import counted, in_words, refuse_merged, why_left_alone, write_hole
from .ledger import CellRun
from .selection import Target, on_sheet
from .transaction import Transaction


def fill_quotes(
    changes: Transaction, command: str, target: Target, table: QuoteTable, earlier: Collection[CellRun]
) -> str:
    """Writes the missing quotes of the table; what it did, in words. A column of bids or asks is left alone.

    Raises VoladdinError as `fill_missing`.
    """
    holes, left = _holes(target, table, earlier)
    if not holes:
        return in_words(f"no hole to fill in {target.name}", left)
    refuse_merged(target, [at for _, _, at in holes])
    quotes = read_table(table, Said(), [])
    answer = impute(target.grid.surface)
    found = quotes_from_surface(target.grid.surface.replace(answer.filled), pair=quotes.rules)
    note = f"of the imputed surface, voladdin {answer.model.split(' (')[0]} {VERSION}"
    filled = 0
    for name, tenor, (row, column) in holes:
        value = float(found[name][tenor]) * quotes.scale * table.columns[name].name.sign
        if np.isfinite(value):
            form = str(target.cells(*_neighbour(table, name, tenor)).number_format)
            write_hole(changes, command, target.place_of(row, column), round(value, 12), form, note)
            filled += 1
        else:
            left.append(f"{target.place_of(row, column).address} has no smile in the pair's convention")
    notes = [on_sheet(warning, target.cells) for warning in target.grid.warnings]
    done = f"filled {counted(filled, 'quote')} of {target.name} ({answer.model})"
    return in_words(in_words(done, left), notes, "note")


def _holes(
    target: Target, table: QuoteTable, earlier: Collection[CellRun]
) -> tuple[list[tuple[str, int, tuple[int, int]]], list[str]]:
    """Quote, tenor and place of each missing mid, and in words those that are left alone."""
    holes: list[tuple[str, int, tuple[int, int]]] = []
    left: list[str] = []
    quotes = read_table(table, Said(), [])
    for name, column in table.columns.items():
        for tenor, label in enumerate(column.sides.get("mid", [])):
            if np.isfinite(quotes.columns[name][tenor]):
                continue
            why = why_left_alone(target, label.cell, (label.row, label.column), earlier)
            if why:
                left.append(why)
            else:
                holes.append((name, tenor, (label.row, label.column)))
    return holes, left


def _neighbour(table: QuoteTable, name: str, tenor: int) -> tuple[int, int]:
    """Row and column, from 1, of the nearest quote of the same kind that is there, or of the cell itself."""
    line = table.columns[name].sides["mid"]
    there = [i for i, label in enumerate(line) if isinstance(label.cell, int | float)]
    label = line[min(there, key=lambda i: abs(i - tenor), default=tenor)]
    return label.row + 1, label.column + 1
