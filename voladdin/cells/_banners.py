"""Words above the strikes that say which deltas are puts: "Put" over 10 25, "ATM", "Call" over 25 10."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from operator import attrgetter

from ..labels import parse_delta
from ..labels.strikes import sideless_delta
from ._values import Cell, Label, is_blank, read_number

Place = Callable[[Label], int]
_SIDE = re.compile(r"(?:otm|delta|δ|side|wing|\s)*\b(put|call|p|c)s?\b(?:otm|deltas?|δ|side|wing|\s)*")
_ROW: Place = attrgetter("row")
_COLUMN: Place = attrgetter("column")
_MIDDLE = 0.5  # the delta of ATM


def side_of(cell: Cell) -> str | None:
    """ "P" of "Put", "Puts", "OTM put", "C" of "Call delta"; None of other cells."""
    found = _SIDE.fullmatch(cell.replace("Δ", "δ").casefold().strip()) if isinstance(cell, str) else None
    return found[1][0].upper() if found else None


def is_banner(line: Sequence[Label]) -> bool:
    """Whether a line, behind its first cell, holds words for puts and calls, beside blanks and ATM alone."""
    cells = [label.cell for label in line[1:]]
    return _both(map(side_of, cells)) and all(
        is_blank(cell) or side_of(cell) or _is_middle(cell) for cell in cells
    )


def sided(labels: list[list[Label]], titles: Sequence[Label]) -> list[list[Label]]:
    """The range whose deltas in the header, such as 10 or 25Δ, have the side that the titles say: 10P, 25C.

    A blank header below ATM takes that.
    """
    top = _named(labels[0][1:], _banner(titles, _ROW, _COLUMN), _COLUMN)
    side = _named([row[0] for row in labels[1:]], _banner(titles, _COLUMN, _ROW), _ROW)
    below = [[front, *row[1:]] for front, row in zip(side, labels[1:], strict=True)]
    return [[labels[0][0], *top], *below]


def _banner(titles: Sequence[Label], line: Place, place: Place) -> list[Label]:
    """The last line of the titles with words for puts and calls, in order; none where there is none."""
    lines = [list(group) for _, group in groupby(sorted(titles, key=lambda t: (line(t), place(t))), line)]
    return next((group for group in lines[::-1] if _both(side_of(label.cell) for label in group)), [])


def _named(header: list[Label], banner: list[Label], place: Place) -> list[Label]:
    """Numbers that only rise or only fall stay: strikes, or call deltas of puts."""
    if not banner or _is_ordered(header):
        return header
    header = _with_middle(header, banner, place)
    words = _words(banner, [place(label) for label in header if _is_middle(label.cell)], place)
    return [_with_side(label, _last(words, place(label))) for label in header]


def _is_ordered(header: list[Label]) -> bool:
    steps = [later - number for number, later in pairwise(filter(None, map(_plain, header)))]
    return bool(steps) and (min(steps) > 0 or max(steps) < 0)


def _with_middle(header: list[Label], banner: list[Label], place: Place) -> list[Label]:
    """A blank below the banner's ATM is ATM."""
    middles = {place(label): label.cell for label in banner if _is_middle(label.cell)}
    cells = [middles.get(place(label)) if is_blank(label.cell) else label.cell for label in header]
    return [label._replace(cell=cell) for label, cell in zip(header, cells, strict=True)]


def _words(banner: list[Label], middle: list[int], place: Place) -> list[tuple[int, str | None]]:
    """Where each side begins; beside one ATM a word may stand anywhere over its half."""
    words = [(place(label), side_of(label.cell)) for label in banner if side_of(label.cell)]
    if len(words) == 2 and len(middle) == 1:
        return [(-1, words[0][1]), (middle[0], words[1][1])]
    return words


def _last(words: list[tuple[int, str | None]], place: int) -> str | None:
    """The side of the last word at the place or before."""
    return next((side for at, side in reversed(words) if at <= place), None)


def _with_side(label: Label, side: str | None) -> Label:
    number = sideless_delta(label.cell) or _plain(label)
    if side is None or number is None or parse_delta(abs(number)) in (None, _MIDDLE):
        return label
    return label._replace(cell=f"{abs(number):g}{side}")


def _plain(label: Label) -> float | None:
    number = read_number(label.cell)
    return None if number is None else number.value


def _is_middle(cell: Cell) -> bool:
    number = read_number(cell)
    value = cell if number is None else number.value
    return isinstance(value, str | float) and not is_blank(value) and parse_delta(value) == _MIDDLE


def _both(sides: Iterable[str | None]) -> bool:
    return {"P", "C"} <= set(sides)
