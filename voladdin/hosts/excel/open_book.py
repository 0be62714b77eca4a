"""An open workbook of Excel's as the document that a command works on, asked as rarely as can be.

Each question goes to Excel's process and back. Cells are read a block at a time; so are looks, by the
add-in's VBA, only where a command asks. Where the add-in is not open, an area is split while its cells look
unlike.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cached_property
from typing import Any

from voladdin.cells import address as cell_address
from voladdin.hosts.documents.document import (
    DEFAULTS,
    Area,
    Document,
    Missing,
    Rows,
    SheetData,
    holds,
    places,
)
from voladdin.hosts.documents.notation import calc_formula, corners

from .looks import common, halves, looked, parts
from .names import ADDIN, SEEN

SIZE = 1_048_576, 16_384
ERRORS = {
    -2146826288: "#NULL!",
    -2146826281: "#DIV/0!",
    -2146826273: "#VALUE!",
    -2146826265: "#REF!",
    -2146826259: "#NAME?",
    -2146826252: "#NUM!",
    -2146826246: "#N/A",
}
_CELLS = ("value", "formula")
_LINES = re.compile(r"\$?([A-Z]+):\$?([A-Z]+)|\$?([0-9]+):\$?([0-9]+)")


class OpenSheet(SheetData):
    """A sheet; `before` is what was read of it, whatever was changed in `cells` since."""

    def __init__(self, sheet: Any, name: str, application: Any) -> None:
        super().__init__(name, known=[(1, 1, *SIZE)])
        self._application = application
        for own in ("visible", "protected", "used"):  # asked when needed
            vars(self).pop(own)
        self.com = sheet
        self.before: dict[tuple[int, int], dict[str, Any]] = {}
        self.blocks: list[Area] = []
        self._grown: list[Area] = []
        self.ranges: dict[Area, Any] = {}
        self._alike: dict[str, list[Area]] = {}
        self._mixed: set[tuple[str, Area]] = set()

    @cached_property
    def visible(self) -> bool:  # type: ignore[override]
        return bool(self.com.Visible == -1 or self.com.Visible is True)

    @cached_property
    def protected(self) -> bool:  # type: ignore[override]
        return bool(self.com.ProtectContents)

    @cached_property
    def filtered(self) -> bool:
        """Whether a filter hides rows."""
        return bool(self.com.FilterMode)

    @cached_property
    def used(self) -> Area:  # type: ignore[override]
        tops, lefts, bottoms, rights = zip(area_of(self.com.UsedRange.Address), *self._grown, strict=True)
        return min(tops), min(lefts), max(bottoms), max(rights)

    def grow(self, area: Area) -> None:
        """Excel is asked for what was used only where that matters."""
        self._grown.append(area)
        vars(self).pop("used", None)

    def range(self, area: Area) -> Any:
        """Excel's own range."""
        if area not in self.ranges:
            self.ranges[area] = self.com.Range(address(area))
        return self.ranges[area]

    def read(self, area: Area) -> None:
        """Values and formulas of a block."""
        cells = self.range(area)
        values, formulas = _rows(cells.Value), _rows(formulas_of(cells))
        for i, (row, texts) in enumerate(zip(values, formulas, strict=True), area[0]):
            for j, (value, text) in enumerate(zip(row, texts, strict=True), area[1]):
                if text not in (None, ""):
                    self._keep((i, j), "value", _plain(value))
                    self._keep((i, j), "formula", calc_formula(str(text)))
        self.blocks.append(area)

    def read_notes(self) -> None:
        """All of the sheet, once."""
        self._alike["note"] = [(1, 1, *SIZE)]
        for comment in self.com.Comments:
            self._keep(area_of(comment.Parent.Address)[:2], "note", str(comment.Text()))

    def look(self, area: Area, attribute: str, block: Area) -> None:
        """An attribute of a block: by the add-in's VBA at once, or the part that the area meets, split."""
        if any(holds(known, area) for known in self._alike.get(attribute, ())):
            return
        seen = self._seen(self.range(block), attribute) if attribute != "merged" else None
        if seen is not None:
            self._alike.setdefault(attribute, []).append(block)
            for place, said in zip(places(block), seen, strict=True):
                self._keep(place, attribute, looked(attribute, said))
        elif attribute == "note":
            self.read_notes()
        else:
            for piece in [block] if attribute == "merged" else parts(block):
                self._look(area, attribute, piece)

    def _look(self, area: Area, attribute: str, piece: Area) -> None:
        apart = area[0] > piece[2] or area[2] < piece[0] or area[1] > piece[3] or area[3] < piece[1]
        if apart or any(holds(known, piece) for known in self._alike.get(attribute, ())):
            return
        single = piece[:2] == piece[2:]
        if (attribute, piece) not in self._mixed:
            same, value = common(self.range(piece), attribute, single=single)
            if same:
                self._alike.setdefault(attribute, []).append(piece)
                for place in places(piece):
                    self._keep(place, attribute, value)
                return
            self._mixed.add((attribute, piece))
        for part in halves(piece):
            self._look(area, attribute, part)

    def _seen(self, cells: Any, what: str) -> list[str] | None:
        """Each cell's, by the add-in's VBA in one call; None where that is not open."""
        try:
            return str(self._application.Run(f"'{ADDIN}'!{SEEN}", cells, what)).split("\n")
        except Exception:  # of COM
            return None

    def _keep(self, place: tuple[int, int], attribute: str, value: Any) -> None:
        if value == DEFAULTS[attribute]:
            return
        self.before.setdefault(place, {})[attribute] = value
        self.cells.setdefault(place, {}).setdefault(attribute, value)


class OpenDocument(Document):
    """The workbook. opened: the sheets that it had at first. name: the workbook's, where the caller knows it.

    Raises PermissionError for a change of a protected or filtered sheet.
    """

    host = "excel"
    spills = True

    def __init__(self, book: Any, name: str = "") -> None:
        self.com, self.application = book, book.Application
        self.name, self.size, self.edits = name or str(book.Name), SIZE, []
        self.protected = False  # asked where Excel refuses
        self._chosen = self.application.Selection
        self.active = str(book.ActiveSheet.Name)
        self.worksheets = book.Worksheets
        self.opened = [OpenSheet(sheet, str(sheet.Name), self.application) for sheet in self.worksheets]
        self.sheets = list(self.opened)

    @cached_property
    def selection(self) -> list[Area]:  # type: ignore[override]
        """Empty where a chart or a picture is selected, or nothing."""
        try:
            return [area_of(part) for part in str(self._chosen.Address).split(",")]
        except AttributeError:  # of what has no address
            return []

    @cached_property
    def region(self) -> Area:  # type: ignore[override]
        found = self._chosen.CurrentRegion
        area = area_of(found.Address)
        sheet = self.sheet(self.active)
        if isinstance(sheet, OpenSheet):
            sheet.ranges[area] = found
        return area

    def get(self, name: str, area: Area, attribute: str) -> Rows:
        sheet = self.sheet(name)
        if isinstance(sheet, OpenSheet):
            self._learn(sheet, area, attribute)
        return super().get(name, area, attribute)

    def _learn(self, sheet: OpenSheet, area: Area, attribute: str) -> None:
        if attribute in _CELLS:
            if not any(holds(known, area) for known in sheet.blocks):
                sheet.read(self.ample(Missing(sheet.name, area)) if area[:2] == area[2:] else area)
        else:
            block = next((known for known in sheet.blocks if holds(known, area)), area)
            sheet.look(area, attribute, block)

    def _open(self, name: str) -> SheetData:
        sheet = super()._open(name)
        if isinstance(sheet, OpenSheet) and sheet.filtered:
            raise PermissionError(f"a filter hides rows of the sheet {sheet.name}")
        return sheet

    def _check_merged(self, sheet: SheetData, area: Area) -> None:
        if isinstance(sheet, OpenSheet):
            self._learn(sheet, area, "merged")
        super()._check_merged(sheet, area)


def area_of(text: str) -> Area:
    """Of Excel's address; of whole rows or columns too."""
    found = _LINES.fullmatch(text)
    if found is None:
        return corners(text)
    if found[1]:
        return corners(f"{found[1]}1:{found[2]}{SIZE[0]}")
    return int(found[3]), 1, int(found[4]), SIZE[1]


def address(area: Area) -> str:
    """Without $, since an address may have 255 characters only."""
    first, last = (cell_address(row - 1, column - 1) for row, column in (area[:2], area[2:]))
    return first if first == last else f"{first}:{last}"


def formulas_of(cells: Any) -> Any:
    """As they spill, where Excel's formulas do."""
    try:
        return cells.Formula2
    except Exception:  # of COM, before Excel 2021
        return cells.Formula


def _rows(found: Any) -> Any:
    return found if isinstance(found, tuple) else ((found,),)


def _plain(value: Any) -> Any:
    """A cell's value without what COM adds: errors are numbers, dates have a time zone."""
    if isinstance(value, dt.datetime):
        return dt.datetime(*value.timetuple()[:6])
    if isinstance(value, int) and not isinstance(value, bool):
        return ERRORS.get(value, float(value))
    return value
