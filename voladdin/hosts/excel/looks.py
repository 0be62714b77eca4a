"""How cells look, as Excel says it of a range, or the add-in's VBA of each cell."""

from __future__ import annotations

from typing import Any

from voladdin.hosts.documents.document import Area
from voladdin.worksheet.wire import plain

NO_COLOUR = -4142  # xlColorIndexNone
AUTOMATIC = -4105  # xlColorIndexAutomatic, of a font


def paint(cells: Any, attribute: str, colour: int | None) -> None:
    """Gives a range a fill or font colour, or none of its own."""
    look = cells.Interior if attribute == "fill" else cells.Font
    if colour is None:
        look.ColorIndex = NO_COLOUR if attribute == "fill" else AUTOMATIC
    else:
        look.Color = _swapped(colour)


def parts(block: Area) -> list[Area]:
    """Of a block with headers: its body, its first row and its first column, which look unlike."""
    top, left, bottom, right = block
    if bottom - top < 2 or right - left < 2:
        return [block]
    return [(top + 1, left + 1, bottom, right), (top, left, top, right), (top + 1, left, bottom, left)]


def looked(attribute: str, said: str) -> Any:
    """What the add-in's VBA says of one cell."""
    if attribute in ("format", "note"):
        return plain(said) or None
    return _swapped(int(float(said))) if said else None


def _swapped(colour: int) -> int:
    """RGB of BGR."""
    return (colour & 255) << 16 | colour & 0xFF00 | colour >> 16


def halves(area: Area) -> list[Area]:
    """Of its longer side."""
    top, left, bottom, right = area
    if bottom - top >= right - left:
        middle = (top + bottom) // 2
        return [(top, left, middle, right), (middle + 1, left, bottom, right)]
    middle = (left + right) // 2
    return [(top, left, bottom, middle), (top, middle + 1, bottom, right)]


def common(cells: Any, attribute: str, *, single: bool) -> tuple[bool, Any]:
    """Whether all cells have it alike, and what it is: Excel gives Null, or 0, where they differ."""
    if attribute == "format":
        found = cells.NumberFormat
        return found is not None, found
    if attribute == "merged":
        found = cells.MergeCells
        return found is not None, bool(found)
    look = cells.Interior if attribute == "fill" else cells.Font
    index = look.ColorIndex
    if index == NO_COLOUR and attribute == "fill":
        return True, None
    colour = 0 if index is None else int(look.Color or 0)
    return single or (index is not None and (colour > 0 or index == 1)), _swapped(colour)
