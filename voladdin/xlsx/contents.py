"""The cells of a workbook while it is evaluated: values, formulas, and where a result may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from openpyxl.formula.translate import Translator, TranslatorError

from ..cells import Cell, Cells
from ..errors import InputError
from .formula import Prepared, Spilled, Used
from .layout import CellElement
from .names import BookNames
from .package import Package
from .references import MAX_COLUMN, MAX_ROW, Box, Position, SheetRange, area, box_of, cell_name
from .sheet import Sheet
from .stored import StoredValues

MAX_RESULT = 1_000_000  # cells of an array formula


@dataclass(eq=False)
class Formula:
    """A formula, what it covers and what it reads.

    fixed: it fills its cells whatever its result's shape (an array formula, or one of a block filled down).
    """

    sheet: str
    position: Position
    text: str
    box: Box
    array: bool
    fixed: bool
    stored: Cell
    key: int = field(default_factory=count().__next__)
    problem: str = ""
    prepared: Prepared | None = None
    places: list[SheetRange] = field(default_factory=list)
    stamp: int = 0  # when it was evaluated

    @property
    def name(self) -> str:
        return cell_name(self.sheet, self.position)

    @property
    def place(self) -> SheetRange:
        return SheetRange(self.sheet, self.box)


class Contents:
    """Values and formulas by sheet and position; dates are serial numbers of the 1900 date system."""

    def __init__(self, data: bytes) -> None:
        self.package = Package(data)
        self.names = BookNames(self.package)
        self._stored = StoredValues(self.package, from_1904=self.names.from_1904)
        self.sheets = {title: Sheet(self.package.read(part)) for title, part in self.names.parts.items()}
        self.values: dict[str, dict[Position, Cell]] = {title: {} for title in self.sheets}
        self.formulas: dict[str, dict[Position, Formula]] = {title: {} for title in self.sheets}
        self._bottoms: dict[str, dict[int, int]] = {title: {} for title in self.sheets}
        self._edited: set[str] = set()
        for title, sheet in self.sheets.items():
            for position, cell in sheet.cells.items():
                self._keep(title, position, self._stored.value(cell))
            self.formulas[title] = {f.position: f for f in self._read_formulas(title, sheet)}

    def _keep(self, title: str, position: Position, value: Cell) -> None:
        if value is None:
            self.values[title].pop(position, None)
            return
        self.values[title][position] = value
        bottoms = self._bottoms[title]
        bottoms[position[1]] = max(bottoms.get(position[1], 0), position[0])

    def _read_formulas(self, title: str, sheet: Sheet) -> Iterator[Formula]:
        masters: dict[str, tuple[str, Position]] = {}
        for position, cell in sheet.cells.items():
            attributes = cell.formula_attributes
            kind = attributes.get("t", "normal")
            if cell.formula is None or kind == "dataTable" or not (cell.formula or kind == "shared"):
                continue
            text, problem = cell.formula, ""
            if kind == "shared":
                text, problem = _shared(masters, attributes.get("si", ""), text, position)
            yield self._formula(title, position, cell, text, problem)

    def _formula(self, title: str, position: Position, cell: CellElement, text: str, problem: str) -> Formula:
        kind = cell.formula_attributes.get("t", "normal")
        box = box_of(cell.formula_attributes.get("ref", "")) if kind == "array" else None
        if box is not None and box.size > MAX_RESULT:
            problem = f"the array formula covers {area(box)}; at most {MAX_RESULT:,} cells are filled"
        if box is None or problem:
            box, array = Box.of(position), False
        else:
            array = True
        fixed = kind == "shared" or (array and "cm" not in cell.attributes)
        stored = self._stored.value(cell)
        return Formula(title, position, "=" + text, box, array, fixed, stored, problem=problem)

    def used(self, place: SheetRange) -> SheetRange:
        """A range as far as its columns, and the rows of these, are used."""
        box, bottoms = place.box, self._bottoms[place.sheet]
        columns = {column: row for column, row in bottoms.items() if column in box.columns}
        right = max((c for c, row in columns.items() if row >= box.top), default=box.left)
        bottom = min(box.bottom, max(columns.values(), default=box.top))
        return SheetRange(place.sheet, Box(box.left, box.top, max(box.left, right), max(box.top, bottom)))

    def seen(self, piece: Spilled | Used) -> str:
        """What a piece of a formula is by now, as a formula writes it."""
        if isinstance(piece, Used):
            return self.used(piece.place).text
        place = piece.place
        anchor = self.formulas[place.sheet].get((place.box.top, place.box.left))
        return (anchor.place if anchor else place).text

    def write(self, title: str, position: Position, value: Cell, *, ours: bool) -> None:
        """The value of a cell from now on."""
        self._keep(title, position, value)
        sheet = self.sheets[title]
        sheet.set_value(position, self._stored.counted(value, sheet.cells.get(position), ours=ours))
        self._edited.add(title)

    def bytes(self) -> bytes:
        """The workbook with the edits."""
        return self.package.replaced({self.names.parts[t]: self.sheets[t].to_bytes() for t in self._edited})

    def extent(self, formula: Formula, result: Cells) -> Box:
        """What a result covers. Raises InputError where something is in its way."""
        if formula.fixed:
            return formula.box
        top, left = formula.position
        new = Box(left, top, left + len(result[0]) - 1, top + len(result) - 1)
        self._check_free(formula, new)
        return new

    def _check_free(self, formula: Formula, new: Box) -> None:
        if new.size == 1:
            return
        title, what = formula.sheet, f"the result of {len(new.rows)} x {len(new.columns)} cells"
        if new.bottom > MAX_ROW or new.right > MAX_COLUMN:
            raise InputError(f"{what} does not fit on the sheet from {formula.name}")
        if merged := next((box for box in self.sheets[title].merged if new.meets(box)), None):
            raise InputError(f"{what} meets the merged cells {area(merged)} of {title}; expected blank cells")
        for position in new.positions():
            held = self.values[title].get(position)
            is_formula = position in self.formulas[title]
            if not formula.box.holds(position) and (held is not None or is_formula):
                shown = repr(held) if held is not None else "a formula"
                at = cell_name(title, position)
                raise InputError(f"{what} would cover {at}, which holds {shown}; expected blank cells")

    def write_result(self, formula: Formula, result: Cells, new: Box, *, ours: bool) -> dict[Position, Cell]:
        """Writes a result over a box, blanks what it covered before; gives the cells and their values."""
        old, sheet = formula.box, self.sheets[formula.sheet]
        if not formula.fixed and (formula.array or new.size > 1):
            sheet.set_reference(formula.position, area(new))
            formula.array = True
        cells: dict[Position, Cell] = dict.fromkeys(old.positions())
        for row, column in new.positions():
            cells[row, column] = _repeated(result, row - new.top, column - new.left)
        for position, value in cells.items():
            self.write(formula.sheet, position, value, ours=ours)
        formula.box = new
        return cells


def _shared(
    masters: dict[str, tuple[str, Position]], group: str, text: str, position: Position
) -> tuple[str, str]:
    """The formula of one cell of a block that was filled down or right, and why it cannot be told."""
    if text:
        masters[group] = text, position
        return text, ""
    if group not in masters:
        return "", "the formula it shares is missing"
    master, origin = masters[group]
    try:
        places = area(Box.of(origin)), area(Box.of(position))
        return Translator("=" + master, origin=places[0]).translate_formula(places[1])[1:], ""
    except (TranslatorError, IndexError, AssertionError, ValueError) as error:
        return master, f"the formula it shares with {area(Box.of(origin))} cannot be moved: {error}"


def _repeated(result: Cells, row: int, column: int) -> Cell:
    """The value an array formula shows at an offset: one row or column repeats, beyond the rest is #N/A."""
    row = 0 if len(result) == 1 else row
    column = 0 if len(result[0]) == 1 else column
    return result[row][column] if row < len(result) and column < len(result[0]) else "#N/A"
