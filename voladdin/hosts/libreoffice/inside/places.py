"""Cells of the document that calls, by numbers, which is what `formulas.py` remembers.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_places.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voladdin_discovery import FORMULA, discovered  # type: ignore[import-not-found]
from voladdin_values import taken  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from typing import TypeAlias

    Place: TypeAlias = tuple[int, int, int, int, int]


class CellPlaces:
    """Those of one call; it holds objects of Calc's, and ends with the call.

    document: its identifier. places: of each argument, None for one that is no range.
    """

    def __init__(self, document: Any, arguments: tuple[Any, ...]) -> None:
        self._sheets = document.Sheets
        self.document: str = document.RuntimeUID
        self.places = [_place(one) for one in arguments]

    def discovered(self, name: str) -> list[list[Any]]:
        """The arguments, each with its place, of the document's calls of a function, by their text."""
        try:
            return list(discovered(self._sheets, name, len(self.places)))
        except Exception:
            return []

    def read(self, place: Place) -> Any:
        """The cells of a place as `taken`; None where it has formulas, or is not there any more.

        To read a formula in the middle of a calculation is to calculate it, and one that waits for what is
        being calculated would stay an error.
        """
        try:
            cells = self._sheets.getByIndex(place[0]).getCellRangeByPosition(*place[1:])
            return None if cells.queryContentCells(FORMULA).getCount() else taken(cells)
        except Exception:
            return None


def places_of(document: Any, arguments: tuple[Any, ...]) -> CellPlaces | None:
    """None where no document calls, as from a macro's FunctionAccess."""
    return CellPlaces(document, arguments) if hasattr(document, "RuntimeUID") else None


def _place(value: Any) -> Place | None:
    if not hasattr(value, "getRangeAddress"):
        return None
    area = value.getRangeAddress()
    return area.Sheet, area.StartColumn, area.StartRow, area.EndColumn, area.EndRow
