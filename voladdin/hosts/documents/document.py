"""A spreadsheet document as a command sees it: cells that were sent, and the edits to make.

Calc sends what a command reads, and no more. Where a cell is asked for that was not sent, `Missing` says
which; Calc sends it as well and the command starts again. Excel is asked meanwhile (`excel.open_book`). In
neither does anything change before the command has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from voladdin.errors import InputError
from voladdin.surface import MAX_WITH_HEADERS

from .plan import plan

Area: TypeAlias = tuple[int, int, int, int]  # top, left, bottom, right; from 1, inclusive
Rows: TypeAlias = list[list[Any]]

DEFAULTS: dict[str, Any] = {
    "value": None,
    "formula": "",
    "fill": None,
    "font": None,
    "format": "General",
    "note": None,
    "merged": False,
}


class Missing(BaseException):
    """Cells that the document was not sent; no Exception, so that no command takes it for a failure."""

    def __init__(self, sheet: str, area: Area) -> None:
        super().__init__(f"{sheet} {area}")
        self.sheet, self.area = sheet, area


@dataclass(eq=False)
class SheetData:
    """One sheet. known: areas that were sent. cells: attributes that differ from `DEFAULTS`."""

    name: str
    visible: bool = True
    protected: bool = False
    used: Area = (1, 1, 1, 1)
    known: list[Area] = field(default_factory=list)
    cells: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    def grow(self, area: Area) -> None:
        """Cells of the area are used too."""
        top, left, bottom, right = self.used
        self.used = min(top, area[0]), min(left, area[1]), max(bottom, area[2]), max(right, area[3])


class Document:
    """Cells by sheet, and `edits`: what was changed since, in order.

    book: {"name", "sheets": [{"name", "visible", "protected", "used"}], "active", "selection": [area],
    "region": area, "rows", "columns", "protected"}.
    blocks: [{"sheet", "area", "values", "formulas", "formats": [{"areas", "fill", "font", "format"}],
    "merged": [area], "notes": [[row, column, text]]}].

    Raises InputError where they are of another shape.
    """

    answers: Iterator[str] = iter(())  # to what the command asks, in order
    host = "libreoffice"  # the spreadsheet program: this, or "excel"
    spills = False  # whether a formula's result fills the cells beside it

    def __init__(self, book: dict[str, Any], blocks: list[dict[str, Any]]) -> None:
        try:
            self.name = str(book["name"])
            self.size = int(book["rows"]), int(book["columns"])
            self.protected = bool(book["protected"])
            self.active = str(book["active"])
            self.selection = [_area(a) for a in book["selection"]]
            self.region = _area(book["region"])
            self.sheets = [_sheet(sheet) for sheet in book["sheets"]]
            self.edits: list[dict[str, Any]] = []
            self.answers = iter(list(map(str, book.get("answers", ()))))
            for block in blocks:
                self._load(block)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"the book cannot be read: {type(error).__name__}: {error}") from None

    def sheet(self, name: str) -> SheetData:
        """Raises KeyError where there is none of that name, in any case."""
        for sheet in self.sheets:
            if sheet.name.lower() == name.lower():
                return sheet
        raise KeyError(name)

    def get(self, name: str, area: Area, attribute: str) -> Rows:
        """One attribute of every cell. Raises Missing."""
        sheet = self.sheet(name)
        if not any(holds(known, area) for known in sheet.known):
            raise Missing(sheet.name, area)
        top, left, bottom, right = area
        default = DEFAULTS[attribute]
        return [
            [sheet.cells.get((i, j), DEFAULTS).get(attribute, default) for j in range(left, right + 1)]
            for i in range(top, bottom + 1)
        ]

    def ample(self, missing: Missing) -> Area:
        """The missing area with all used cells of its sheet, if not too many, to be asked for at once."""
        used, area = self.sheet(missing.sheet).used, missing.area
        both = min(used[0], area[0]), min(used[1], area[1]), max(used[2], area[2]), max(used[3], area[3])
        size = (both[2] - both[0] + 1) * (both[3] - both[1] + 1)
        return both if size <= MAX_WITH_HEADERS else area

    def plan(self) -> list[dict[str, Any]]:
        """The edits as `edits.apply` takes them, in as few steps as Calc can undo fast."""
        return plan(self.edits)

    def set(self, name: str, area: Area, attribute: str, rows: Rows) -> None:
        """Changes one attribute of every cell. Raises PermissionError where the sheet is protected."""
        sheet = self._open(name)
        if attribute in ("value", "formula"):
            self._check_merged(sheet, area)
        for (i, j), value in _each(area, rows):
            cell = sheet.cells.setdefault((i, j), {})
            cell[attribute] = value
            if attribute in ("value", "formula"):
                self._enter(cell, value, attribute)
        sheet.grow(area)
        self.edits.append({"op": attribute, "sheet": sheet.name, "area": list(area), "rows": rows})

    def enter_array(self, name: str, area: Area, text: str) -> None:
        """Makes an area one array formula."""
        sheet = self._open(name)
        self._check_merged(sheet, area)
        for place in places(area):
            cell = sheet.cells.setdefault(place, {})
            cell["formula"] = text
            self._enter(cell, text, "formula")
        rows = [[text] * (area[3] - area[1] + 1)] * (area[2] - area[0] + 1)
        self.edits.append({"op": "array", "sheet": sheet.name, "area": list(area), "rows": rows})

    def draw(self, name: str, op: str, what: dict[str, Any]) -> None:
        """A "chart" or a "heat" map over the cells of a sheet."""
        self.edits.append({"op": op, "sheet": self._open(name).name} | what)

    def link(self, name: str, area: Area, target: str, text: str) -> None:
        """Makes a cell a hyperlink."""
        sheet = self._open(name)
        self._enter(sheet.cells.setdefault(area[:2], {}), text, "value")
        self.edits.append(
            {"op": "link", "sheet": sheet.name, "area": list(area), "target": target, "text": text}
        )

    def add(self, name: str, position: int) -> SheetData:
        """A new sheet at a position from 0."""
        if self.protected:
            raise PermissionError("the document's structure is protected")
        rows, columns = self.size
        sheet = SheetData(name, known=[(1, 1, rows, columns)])
        self.sheets.insert(position, sheet)
        self.edits.append({"op": "add", "sheet": name, "position": position})
        return sheet

    def remove(self, name: str) -> None:
        """Deletes a sheet."""
        if self.protected:
            raise PermissionError("the document's structure is protected")
        self.sheets.remove(self.sheet(name))
        self.edits.append({"op": "remove", "sheet": name})

    def show(self, name: str, visible: bool) -> None:
        """Shows or hides a sheet."""
        self._open(name).visible = visible
        self.edits.append({"op": "visible", "sheet": name, "visible": visible})

    def do(self, op: str, name: str) -> None:
        """What changes no cell: "activate" a sheet, "autofit" its columns."""
        self.edits.append({"op": op, "sheet": name})

    def _open(self, name: str) -> SheetData:
        sheet = self.sheet(name)
        if sheet.protected:
            raise PermissionError(f"the sheet {sheet.name} is protected")
        return sheet

    def _check_merged(self, sheet: SheetData, area: Area) -> None:
        for place in places(area):
            if sheet.cells.get(place, DEFAULTS).get("merged"):
                raise PermissionError(f"cells of the sheet {sheet.name} are merged")

    @staticmethod
    def _enter(cell: dict[str, Any], value: Any, attribute: str) -> None:
        if attribute == "formula" and isinstance(value, str) and value.startswith("="):
            cell["value"] = None  # known after the host has calculated it
        else:
            cell["value"] = None if value == "" else value
            cell["formula"] = "" if value is None else str(value)

    def _load(self, block: dict[str, Any]) -> None:
        sheet, area = self.sheet(block["sheet"]), _area(block["area"])
        for attribute, rows in (("value", block["values"]), ("formula", block["formulas"])):
            for place, value in _each(area, rows):
                if value not in (None, ""):
                    sheet.cells.setdefault(place, {})[attribute] = value
        for row, column, text in block["notes"]:
            sheet.cells.setdefault((int(row), int(column)), {})["note"] = str(text)
        for entry in block["formats"]:
            found = {
                "fill": _colour(entry["fill"]),
                "font": _colour(entry["font"]),
                "format": entry["format"],
            }
            if any(DEFAULTS[name] != value for name, value in found.items()):
                _update(sheet, entry["areas"], found)
        _update(sheet, block["merged"], {"merged": True})
        sheet.known.append(area)


def _sheet(data: dict[str, Any]) -> SheetData:
    return SheetData(str(data["name"]), bool(data["visible"]), bool(data["protected"]), _area(data["used"]))


def _update(sheet: SheetData, areas: list[Any], attributes: dict[str, Any]) -> None:
    for area in areas:
        for place in places(_area(area)):
            sheet.cells.setdefault(place, {}).update(attributes)


def _colour(data: Any) -> int | None:
    return None if data is None else int(data)


def _area(data: Any) -> Area:
    top, left, bottom, right = (int(number) for number in data)
    return top, left, bottom, right


def holds(known: Area, area: Area) -> bool:
    """Whether the known area has all of another."""
    return known[0] <= area[0] and known[1] <= area[1] and known[2] >= area[2] and known[3] >= area[3]


def places(area: Area) -> list[tuple[int, int]]:
    """Each of its cells, row by row."""
    return [(i, j) for i in range(area[0], area[2] + 1) for j in range(area[1], area[3] + 1)]


def _each(area: Area, rows: Rows) -> Iterator[tuple[tuple[int, int], Any]]:
    if len(rows) != area[2] - area[0] + 1 or any(len(row) != area[3] - area[1] + 1 for row in rows):
        raise ValueError(f"{len(rows)} rows for the area {area}")
    for i, row in enumerate(rows, area[0]):
        for j, value in enumerate(row, area[1]):
            yield (i, j), value
