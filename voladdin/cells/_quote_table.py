"""A table of market quotes in cells: where ATM, risk reversals and butterflies are, by their headings.

Headings stand in one line or two ("RR" above "25D" and "10D", "25RR" above "Bid" and "Ask"), above or beside
the quotes, in any order; tenors stand in another line. Only names of risk reversals or butterflies make a
table of quotes: no grid of vols has them among its headers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..errors import LabelError
from ..labels.quote_names import QuoteName, Strangle, parse_quote
from ..surface import MAX_WITH_HEADERS
from ._layout import kind_of
from ._titles import is_note, note_of
from ._values import Cells, Label, Line, is_blank, labels_of, rectangle
from ._words import Words, words_of

WINGS = (0.25, 0.1)
USUAL_WING = 0.25
_LOOKED_AT = 8  # lines among which the headings are
_WHOLE_DELTAS = tuple(range(5, 50, 5))
_TENOR_LIKE = ("tenor", "number")
_LIKE = re.compile(r"\b(?:5|10|15|25|35)\s*[dΔ]?(?:elta)?[ -]*(?:rr|r/r|bf|fly|risk|butterfl)", re.IGNORECASE)
_BASIS = re.compile(r"\b(bps?|basis points?)\b", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class QuoteColumn:
    """The cells of one quote, by side: "mid", or "bid" and "ask". heading: its cell."""

    heading: Label
    name: QuoteName
    sides: dict[str, list[Label]]


@dataclass(frozen=True, eq=False)
class QuoteTable:
    """columns: by "atm", "rr25", "bf25", "rr10", "bf10". tenors: a cell each. corner: the heading of the
    tenors. transposed: tenors run across. notes: what was assumed or left out."""

    columns: dict[str, QuoteColumn]
    tenors: list[Label]
    corner: Label
    words: Words
    transposed: bool
    notes: tuple[str, ...]

    @property
    def strangle(self) -> Strangle | None:
        """How the headings say that butterflies are quoted. Raises LabelError where they say both."""
        said = {c.name.strangle: c.heading for c in self.columns.values() if c.name.strangle is not None}
        if len(said) > 1:
            one, other = said.values()
            raise LabelError(
                f"{one} and {other}: market strangles and smile butterflies; expected one of them"
            )
        return next(iter(said), None)


def find_quotes(values: Cells) -> QuoteTable | None:
    """The table of market quotes in a range, or None where its headings name no risk reversal or butterfly.

    Raises LabelError where ATM or the tenors have no column, a quote has two, only some headings tell the
    delta, or one says basis points.
    """
    if not any(_is_quote(cell) for row in values for cell in row if isinstance(cell, str)):
        return None
    rows = labels_of(rectangle(values, "range", MAX_WITH_HEADERS))
    turned = [list(line) for line in zip(*rows, strict=True)]
    found = [(lines, _headings(lines)) for lines in (rows, turned)]
    lines, best = max(found, key=lambda pair: _count(pair[1]))
    return None if best is None else _table(lines, *best, transposed=lines is turned)


def _is_quote(text: str) -> bool:
    name = parse_quote(text)
    return name is not None and name.kind != "atm"


Headings = tuple[int, list[QuoteName | None]]  # first line below them, and what each column is


def _headings(lines: list[list[Label]]) -> Headings | None:
    """Those of the line, or the two lines, that name most quotes."""
    best: Headings | None = None
    for i, line in enumerate(lines[:_LOOKED_AT]):
        one = [_text(label) for label in line]
        both = [f"{a} {b}" for a, b in zip(_carried(line), _below(lines, i), strict=True)]
        for height, texts in ((1, one), (2, both)):
            here = i + height, [parse_quote(text) for text in texts]
            if _tells(here[1]) and _count(here) > _count(best):
                best = here
    return best


def _below(lines: list[list[Label]], i: int) -> list[str]:
    return [_text(label) for label in lines[i + 1]] if i + 1 < len(lines) else [""] * len(lines[i])


def _text(label: Label) -> str:
    """Words, or a delta written as a number."""
    if isinstance(label.cell, str):
        return label.cell.strip()
    return f"{label.cell:g}" if label.cell in _WHOLE_DELTAS else ""


def _carried(line: Line) -> list[str]:
    """A heading over several columns stands in the first of them, and the others are blank."""
    last, found = "", []
    for label in line:
        last = last if is_blank(label.cell) else _text(label)
        found.append(last)
    return found


def _tells(names: list[QuoteName | None]) -> bool:
    """Whether a risk reversal or butterfly with its delta is among them, or one of each."""
    quotes = [name for name in names if name is not None and name.kind != "atm"]
    return any(name.wing is not None for name in quotes) or len({name.kind for name in quotes}) == 2


def _count(found: Headings | None) -> int:
    return 0 if found is None else sum(name is not None for name in found[1])


def _table(
    lines: list[list[Label]], top: int, names: list[QuoteName | None], *, transposed: bool
) -> QuoteTable:
    notes: list[str] = []
    body = lines[top:]
    while body and is_note(body[-1]):
        notes.append(note_of(body.pop()))
    at = _tenor_line(body, names)
    used = [line for line in body if not is_blank(line[at].cell)]
    headings = _heading_cells(lines[:top], names)
    notes += [f"{label}, not understood: left out" for label in _like_quotes(headings, names)]
    columns = _columns(used, headings, _with_wings(names, headings, notes), notes)
    above = [label.cell for line in lines[: top - 1] for label in line if parse_quote(_text(label)) is None]
    corner = lines[top - 1][at]
    words = words_of(corner.cell, above)
    return QuoteTable(columns, [line[at] for line in used], corner, words, transposed, tuple(notes))


def _heading_cells(above: list[list[Label]], names: list[QuoteName | None]) -> list[Label]:
    """The lowest cell of each heading that is not blank."""
    return [
        next((line[j] for line in reversed(above) if not is_blank(line[j].cell)), above[-1][j])
        for j in range(len(names))
    ]


def _like_quotes(headings: list[Label], names: list[QuoteName | None]) -> list[Label]:
    """Headings such as "25RR (put over)", which are no name of a quote and may be meant for one."""
    return [
        label
        for label, name in zip(headings, names, strict=True)
        if name is None and _LIKE.search(_text(label))
    ]


def _tenor_line(body: list[list[Label]], names: list[QuoteName | None]) -> int:
    """The column of tenors: of those without quotes the one with most cells that are like tenors."""
    others = [j for j, name in enumerate(names) if name is None]
    if not others or not body:
        raise LabelError(
            "the table of market quotes has no line of tenors; expected 1W, 1M, 1Y beside ATM, 25RR"
        )
    return max(others, key=lambda j: (sum(kind_of(line[j].cell) in _TENOR_LIKE for line in body), -j))


def _with_wings(
    names: list[QuoteName | None], headings: list[Label], notes: list[str]
) -> list[QuoteName | None]:
    """With the usual delta where no heading tells one. Raises LabelError where only some do."""
    bare = [
        j for j, name in enumerate(names) if name is not None and name.kind != "atm" and name.wing is None
    ]
    if not bare:
        return names
    if any(name is not None and name.wing is not None for name in names):
        raise LabelError(f"{headings[bare[0]]}, of no delta; expected one such as 25RR or 10BF")
    notes.append(f"{headings[bare[0]]}, of no delta: read as {100 * USUAL_WING:g}-delta")
    return [name._replace(wing=USUAL_WING) if j in bare and name else name for j, name in enumerate(names)]


def _columns(
    used: list[list[Label]], headings: list[Label], names: list[QuoteName | None], notes: list[str]
) -> dict[str, QuoteColumn]:
    found: dict[str, QuoteColumn] = {}
    for j, name in enumerate(names):
        if name is None:
            continue
        if name.wing is not None and name.wing not in WINGS:
            notes.append(f"{headings[j]}, of another delta than 25 and 10: left out")
            continue
        key = "atm" if name.kind == "atm" else f"{name.kind}{100 * (name.wing or 0):.0f}"
        column = found.setdefault(key, QuoteColumn(headings[j], name, {}))
        if _BASIS.search(_text(headings[j])):
            raise LabelError(f"{headings[j]}, basis points; expected vol points, in the unit of ATM")
        if name.side in column.sides:
            raise LabelError(f"{column.heading} and {headings[j]}: the same quote; expected each once")
        found[key] = replace(column, sides={**column.sides, name.side: [line[j] for line in used]})
    if "atm" not in found:
        given = ", ".join(f"{heading.cell}" for heading, name in zip(headings, names, strict=True) if name)
        raise LabelError(f"the table of market quotes has no ATM; its headings are {given}")
    return _in_pairs(found, notes)


def _in_pairs(found: dict[str, QuoteColumn], notes: list[str]) -> dict[str, QuoteColumn]:
    """Without risk reversals whose butterfly has no column, and the other way round."""
    partner = {"rr25": "bf25", "bf25": "rr25", "rr10": "bf10", "bf10": "rr10"}
    for key, column in found.items():
        if partner.get(key, key) not in found:
            notes.append(f"{column.heading}, without its {partner[key][:2].upper()}: left out")
    return {key: column for key, column in found.items() if partner.get(key, key) in found}
