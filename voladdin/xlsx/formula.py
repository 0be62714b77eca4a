"""A formula made ready for an engine: names and tables become ranges, and what it reads is listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from ..surface import MAX_CELLS
from .elementwise import EACH, PREFIX
from .engine import Token, tokens
from .names import BookNames, Definition, UnsupportedError
from .references import Position, SheetRange

MAX_FORMULA = 8192  # characters, as in spreadsheet programs
MAX_NAMES = 20  # names defined by names
MOVING = ("OFFSET", "INDIRECT")  # what they read is only known by evaluating their arguments
VOLATILE = {*MOVING, "TODAY", "NOW", "RAND", "RANDBETWEEN", "RANDARRAY", "CELL", "INFO"}

_PREFIX = re.compile(r"(?:_xlfn\.|_xlws\.|_xll\.|_xludf\.)*", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w.])[^\W\d][\w.]*\s*\(")
_SINGLE, _SPILLED = "SINGLE", "ANCHORARRAY"


@dataclass(frozen=True)
class Spilled:
    """F5#: what the dynamic array at a cell covers, which is known once it is evaluated."""

    place: SheetRange


@dataclass(frozen=True)
class Used:
    """A:F, or a range that no surface fills, as an argument of ours: as far as its cells are used."""

    place: SheetRange


@dataclass(frozen=True)
class Moving:
    """A call of OFFSET or INDIRECT: its name, and where it stands among the pieces, ends excluded."""

    function: str
    start: int
    end: int


@dataclass
class Prepared:
    """A formula in pieces, with what it reads; `problems` say which of its references name nothing."""

    pieces: list[str | Spilled | Used] = field(default_factory=list)
    places: list[SheetRange] = field(default_factory=list)
    moving: list[Moving] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def texts(self, seen: Callable[[Spilled | Used], str]) -> list[str]:
        """The pieces as the engine takes them; seen: what a piece is by now."""
        return [piece if isinstance(piece, str) else seen(piece) for piece in self.pieces]


Ours = Mapping[str, Collection[int]]


def prepare(formula: str, names: BookNames, ours: Ours, sheet: str, position: Position) -> Prepared:
    """A formula as an engine takes it, seen from a cell.

    ours: our functions, with the numbers of their arguments that are grids. An omitted argument of theirs
    becomes ""; a grid that is a whole table has its header row, as Calc reads it.

    Raises UnsupportedError where it is too long, cannot be read, or has a part that needs a spreadsheet
    program.
    """
    if len(formula) > MAX_FORMULA:
        raise UnsupportedError(
            f"formula has {len(formula)} characters; spreadsheet programs allow {MAX_FORMULA}"
        )
    prepared = Prepared()
    _TokenReader(prepared, names, ours, sheet, position).read(formula, 0)
    if _has_arrays(prepared, ours):
        prepared.pieces = [_one_by_one(piece) for piece in prepared.pieces]
        _number_rows_and_columns(prepared)
    return prepared


def _has_arrays(prepared: Prepared, ours: Ours) -> bool:
    """Whether a function may be given an array, so that one of a single value is applied to its elements."""
    arrays = any(place.box.size > 1 for place in prepared.places) or "{" in prepared.pieces
    return arrays or not prepared.functions.isdisjoint([*ours, *MOVING, "SEQUENCE", "RANDARRAY"])


def _one_by_one(piece: str | Spilled | Used) -> str | Spilled | Used:
    return PREFIX + piece if isinstance(piece, str) and piece.endswith("(") and piece[:-1] in EACH else piece


def _number_rows_and_columns(prepared: Prepared) -> None:
    """ROW and COLUMN of a range give all its rows and columns, where the engine gives the first."""
    boxes = {place.text: place.box for place in prepared.places if 1 < place.box.size <= MAX_CELLS}
    pieces = prepared.pieces
    for at, piece in enumerate(pieces[:-2]):
        inner = pieces[at + 1]
        if (
            piece in ("ROW(", "COLUMN(")
            and isinstance(inner, str)
            and inner in boxes
            and pieces[at + 2] == ")"
        ):
            box = boxes[inner]
            rows = f"{len(box.rows)},1,{box.top}" if piece == "ROW(" else f"1,{len(box.columns)},{box.left}"
            pieces[at : at + 2] = ["SEQUENCE(", rows]


def function_name(written: str) -> str:
    """Upper case, without `_xlfn.`, `[1]!` and the like."""
    return _PREFIX.sub("", written.rpartition("!")[2].strip(), count=1).upper()


def calls(formula: str, ours: Collection[str]) -> bool:
    """Whether a formula calls one of the functions `ours`, in time proportional to its length."""
    return any(function_name(word[:-1]) in ours for word in _WORD.findall(re.sub(r'"[^"]*"', '""', formula)))


@dataclass
class _Open:
    """A call, parenthesis or array that is open."""

    function: str
    start: int
    argument: int = 0
    naming: str = ""
    variables: set[str] = field(default_factory=set)


class _TokenReader:
    """One pass over the tokens of a formula, and of the names in it."""

    def __init__(
        self, prepared: Prepared, names: BookNames, ours: Ours, sheet: str, position: Position
    ) -> None:
        self.to, self.names, self.ours = prepared, names, ours
        self.sheet, self.position = sheet, position
        self.frames: list[_Open] = []

    def read(self, formula: str, depth: int) -> None:
        found = tokens(formula)
        at, before = 0, "open"  # what stood before: open, separator, operand, operator
        while at < len(found):
            token, step = found[at], 1
            if token.kind == "space":
                at += 1
                continue
            if token.kind == "operator" and token.text.strip() in ("", ","):
                what = "union" if token.text.strip() else "intersection"
                raise UnsupportedError(
                    f"the {what} of ranges needs a spreadsheet program; expected one range"
                )
            if token.kind == "open":
                step = self.open(token, found[at + 1 :])
            elif token.kind == "close":
                self.close(token, before)
            elif token.kind == "separator" and self.frames:
                self.separator(token, before)
            elif token.kind == "reference" and not self.is_variable(found[at:], before):
                step = self.reference(found[at:], depth)
            else:
                self.to.pieces.append(token.text)
            before = _after(token, step)
            at += step

    def open(self, token: Token, following: Sequence[Token]) -> int:
        name = function_name(token.text[:-1]) if token.text.endswith("(") else ""
        if name == _SPILLED:
            return self.spilled(following)
        if name and name != _SINGLE and not any(name.casefold() in frame.variables for frame in self.frames):
            self.to.functions.add(name)
        self.frames.append(_Open(name, len(self.to.pieces)))
        shown = "@(" if name == _SINGLE else f"{name}(" if name else token.text
        self.to.pieces.append(shown)
        return 1

    def spilled(self, following: Sequence[Token]) -> int:
        """ANCHORARRAY(F5), which is how a file holds F5#."""
        if [t.kind for t in following[:2]] != ["reference", "close"]:
            raise UnsupportedError("the spill operator # needs one cell before it")
        self.anchor(following[0].text)
        return 3

    def anchor(self, text: str) -> None:
        place = self.names.resolve(text, self.sheet, self.position)
        if not isinstance(place, SheetRange) or place.box.size > 1:
            raise UnsupportedError("the spill operator # needs one cell before it")
        self.to.places.append(place)
        self.to.pieces.append(Spilled(place))

    def close(self, token: Token, before: str) -> None:
        frame = self.frames.pop()
        if before == "separator" and frame.function in self.ours:
            self.to.pieces.append('""')
        self.to.pieces.append(token.text)
        if frame.function in MOVING:
            self.to.moving.append(Moving(frame.function, frame.start, len(self.to.pieces)))

    def separator(self, token: Token, before: str) -> None:
        frame = self.frames[-1]
        if before in ("open", "separator") and frame.function in self.ours:
            self.to.pieces.append('""')
        frame.argument += 1
        if frame.function == "LAMBDA" or frame.argument % 2 == 0:
            frame.variables.add(frame.naming)  # a variable of LET has its name from after its value on
        self.to.pieces.append(token.text)

    def is_variable(self, following: Sequence[Token], before: str) -> bool:
        """Whether a word is a variable of LET or LAMBDA, or names one."""
        name, frame = following[0].text.casefold(), self.frames[-1] if self.frames else _Open("", 0)
        after = next((t.kind for t in following[1:] if t.kind != "space"), "")
        names_one = frame.function == "LAMBDA" or (frame.function == "LET" and frame.argument % 2 == 0)
        if names_one and after == "separator" and before in ("open", "separator"):
            frame.naming = name
            return True
        return any(name in frame.variables for frame in self.frames)

    def reference(self, following: Sequence[Token], depth: int) -> int:
        """A reference, with those that : joins to it; how many tokens it took."""
        solid = [(n, t) for n, t in enumerate(following) if t.kind != "space"]
        chain = [0]
        while [t.text if t.kind == "range" else t.kind for _, t in solid[len(chain) : len(chain) + 2]] == [
            ":",
            "reference",
        ]:
            chain += [0, 0]
        parts = [t.text for _, t in solid[: len(chain)] if t.kind == "reference"]
        after = solid[len(chain)][1].text if len(solid) > len(chain) else ""
        if after == "#":
            self.anchor(parts[0])
            return solid[len(chain)][0] + 1
        self.joined(parts, depth)
        return solid[len(chain) - 1][0] + 1

    def joined(self, parts: list[str], depth: int) -> None:
        try:
            found = [self.resolved(part) for part in parts]
        except UnsupportedError:
            raise
        except InputError as error:
            self.to.problems.append(str(error))
            self.to.pieces.append("#REF!" if "!" in parts[0] else "#NAME?")
            return
        places = [place for place in found if isinstance(place, SheetRange)]
        if len(places) == len(found):
            box = places[0].box
            for place in places[1:]:
                box = box.spanning(place.box)
            place = SheetRange(places[0].sheet, box)
            ours = bool(self.frames) and self.frames[-1].function in self.ours
            self.to.places.append(place)
            self.to.pieces.append(Used(place) if ours and box.size > MAX_CELLS else place.text)
            return
        for n, part in enumerate(found):
            self.to.pieces += [":"] if n else []
            self.defined(part, depth) if isinstance(part, Definition) else self.joined([parts[n]], depth)

    def resolved(self, text: str) -> SheetRange | Definition:
        frame = self.frames[-1] if self.frames else _Open("", 0)
        table = self.names.table(text) if frame.argument in self.ours.get(frame.function, ()) else None
        return table or self.names.resolve(text, self.sheet, self.position)

    def defined(self, definition: Definition, depth: int) -> None:
        """A name stands for what it is defined as, in parentheses."""
        if depth >= MAX_NAMES:
            raise UnsupportedError("a name in it refers to itself")
        self.to.pieces.append("(")
        inner = _TokenReader(self.to, self.names, self.ours, definition.sheet or self.sheet, self.position)
        inner.read("=" + definition.text.lstrip("="), depth + 1)
        self.to.pieces.append(")")


def _after(token: Token, step: int) -> str:
    if step > 1 or token.kind in ("reference", "literal", "close"):
        return "operand"
    return token.kind if token.kind in ("open", "separator") else "operator"
