"""The ranges that OFFSET and INDIRECT give, which are known only once their arguments have values."""

from __future__ import annotations

from ..cells import Cell, Cells
from ..errors import InputError
from .contents import Contents, Formula
from .engine import Engine
from .formula import Moving, Prepared
from .references import Box, SheetRange


def ranges_of(
    formula: Formula, prepared: Prepared, contents: Contents, engine: Engine
) -> list[tuple[Moving, SheetRange]]:
    """The calls in a formula with their ranges; one that gives none is left out, and shows its own error."""
    found = []
    for call in prepared.moving:
        try:
            place = _target(formula, prepared, call, contents, engine)
        except InputError:
            continue
        if place is not None:
            found.append((call, place))
    return found


def _target(
    formula: Formula, prepared: Prepared, call: Moving, contents: Contents, engine: Engine
) -> SheetRange | None:
    texts = prepared.texts(contents.seen)

    def value(text: str) -> Cell:
        found: Cell | Cells = engine.evaluate(formula.sheet, formula.position, text)
        return found[0][0] if isinstance(found, list) else found

    if call.function == "INDIRECT":
        inside = "".join(texts[call.start + 1 : call.end - 1])
        named = contents.names.resolve(str(value(f"CHOOSE(1,{inside})")), formula.sheet, formula.position)
        return named if isinstance(named, SheetRange) else None
    text = "".join(texts[call.start : call.end])
    numbers = [value(f"{function}({text})") for function in ("COLUMN", "ROW", "COLUMNS", "ROWS")]
    whole = [int(number) for number in numbers if isinstance(number, float)]
    if len(whole) < len(numbers):
        return None
    left, top, width, height = whole
    sheet = next((place.sheet for place in prepared.places if place.text in text), formula.sheet)
    return SheetRange(sheet, Box(left, top, left + width - 1, top + height - 1))
