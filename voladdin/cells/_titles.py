"""What stands around a grid: titles above and beside it, notes below and behind it, the valuation date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ..labels.dates import date_of_text
from ._banners import is_banner
from ._layout import is_forward, kind_of
from ._values import Cell, Label, address, is_blank, is_date, read_date, shown

_VALUATION = re.compile(
    r"\s*(?:valuation|value|pricing|val\.?|as[ -]?of|asof|cob|eod|stand|bewertungs\w*|stichtag|valorisation)"
    r"(?:\s*(?:date|datum|tag))?\s*[:=]?\s*",
    re.IGNORECASE,
)


class Bare(NamedTuple):
    """A range without what stands around it. titles: their cells. notes: a warning for each line behind."""

    labels: list[list[Label]]
    titles: list[Label]
    notes: list[str]


def bare(labels: list[list[Label]]) -> Bare:
    """Titles are leading lines that hold no number and no label, or only the valuation date; notes are
    trailing lines of text without a label in front.

    The range stays as it is where what remains has no header.
    """
    rows, above, below = _bare(labels)
    columns, beside, behind = _bare(_turned(rows))
    return Bare(_turned(columns), above + beside, below + behind)


def titled_valuation(cells: Sequence[Cell]) -> date | None:
    """The valuation date of a title: "As of 2026-01-05", or in the cell behind "Valuation"."""
    for cell, behind in zip(cells, [*cells[1:], None], strict=False):
        said = _VALUATION.match(cell) if isinstance(cell, str) else None
        if said is not None:
            text = said.string[said.end() :]
            found = date_of_text(text) if text else read_date(behind)
            if found is not None:
                return found
    return None


def _turned(labels: Sequence[Sequence[Label]]) -> list[list[Label]]:
    return [list(line) for line in zip(*labels, strict=True)]


def _bare(labels: list[list[Label]]) -> tuple[list[list[Label]], list[Label], list[str]]:
    """The lines of a grid, the titles before them, and what is said of the notes behind."""
    first = next((i for i, line in enumerate(labels) if _is_of_grid(line)), 0)
    corner = labels[first][0]
    if kind_of(corner.cell) == "strike" or (kind_of(corner.cell) == "tenor" and not is_date(corner.cell)):
        first = 0
    last = len(labels)
    while last > first + 2 and (is_note(labels[last - 1]) or not any(map(_is_text, labels[last - 1]))):
        if any(map(_is_content, labels[last - 1])):
            break
        last -= 1
    notes = [note_of(line) for line in labels[last:] if is_note(line)]
    if not notes:
        last = len(labels)
    return labels[first:last], [label for line in labels[:first] for label in line], notes


def _is_of_grid(line: list[Label]) -> bool:
    content = [label for label in line if _is_content(label)]
    if is_banner(line):
        return False
    dated = len(content) == 1 and is_date(content[0].cell)
    return bool(content) and not (dated and titled_valuation([label.cell for label in line]))


def _is_content(label: Label) -> bool:
    return is_forward(label) or kind_of(label.cell) not in ("blank", "other")


def _is_text(label: Label) -> bool:
    return isinstance(label.cell, str) and not is_blank(label.cell)


def is_note(line: list[Label]) -> bool:
    """Whether a line is text alone, behind a blank or as a phrase: "5Yr2" may be a tenor, mistyped."""
    if any(map(_is_content, line)) or not any(map(_is_text, line)):
        return False
    front = str(line[0].cell).split() if _is_text(line[0]) else []
    return not front or (len(front) > 1 and not front[0][0].isdigit() and not any(map(_is_text, line[1:])))


def note_of(line: list[Label]) -> str:
    label = next(label for label in line if _is_text(label))
    return f"{address(label.row, label.column)} {shown(label.cell)} read as a note: its line is left as it is"
