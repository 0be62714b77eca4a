"""The VOL… formulas of a workbook, evaluated in the order they need each other."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ..cells import Cell, Cells
from ..errors import InputError, VoladdinError
from ..worksheet import registry
from .formula import Array, Literal, Node, Reference, UnsupportedError, calls, parse_formula
from .layout import Position
from .references import MAX_COLUMN, MAX_ROW, Box, Names, Place
from .sheet import Sheet, area

MAX_RANGE = 1_000_000


@dataclass(frozen=True)
class Outcome:
    """What became of one formula; `status` is "ok", "skipped" (cell as it was) or the error value shown."""

    cell: str
    formula: str
    status: str
    message: str
    reference: str = ""


class _CircularError(InputError):
    """A formula that needs its own result."""


@dataclass
class _Formula:
    text: str
    box: Box  # what it covers in the file
    array: bool
    state: str = "waiting"
    outcome: Outcome | None = None
    result: Cells | None = None


class Book:
    """A workbook being evaluated: `run` gives the outcomes, `parts` the changed sheets."""

    def __init__(self, data: bytes, name: str) -> None:
        with _readable(name):
            self.names = Names(data)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.sheets = {s: Sheet(archive.read(part)) for s, part in self.names.parts.items()}
        self.written: dict[str, dict[Position, Cell]] = {sheet: {} for sheet in self.sheets}
        self.formulas: dict[str, dict[Position, _Formula]] = {sheet: {} for sheet in self.sheets}
        self.tentative = 0
        self.others = 0
        for sheet, position, text, box in self.names.formulas():
            if calls(text, set(registry.FUNCTIONS)):
                self.formulas[sheet][position] = _Formula(text, box or Box.of(position), box is not None)
            else:
                self.others += 1

    def run(self) -> list[Outcome]:
        outcomes = []
        for sheet, formulas in self.formulas.items():
            for position, formula in formulas.items():
                self.evaluate(sheet, position)
                if formula.outcome:
                    outcomes.append(formula.outcome)
        return outcomes

    def parts(self) -> dict[str, bytes]:
        changed = (sheet for sheet, written in self.written.items() if written)
        return {self.names.parts[sheet]: self.sheets[sheet].to_bytes() for sheet in changed}

    def evaluate(self, sheet: str, position: Position) -> Cells | None:
        """Evaluates a formula once, and writes its result; None where it has none."""
        formula = self.formulas[sheet][position]
        if formula.state == "running":
            raise _CircularError(f"{_name(sheet, position)} needs its own result, directly or through others")
        if formula.state == "waiting":
            formula.state = "running"
            try:
                self._evaluate(formula, sheet, position)
            except _CircularError:
                formula.state = "waiting"
                raise
            formula.state = "done"
        return formula.result

    def _evaluate(self, formula: _Formula, sheet: str, position: Position) -> None:
        cell = _name(sheet, position)
        try:
            result = _cells(self.value(parse_formula(formula.text), sheet))
            self.place(formula, sheet, position, result)
            shape = f"{len(result)} x {len(result[0])}"
            formula.outcome = Outcome(cell, formula.text, "ok", shape)
        except UnsupportedError as error:
            formula.outcome = Outcome(cell, formula.text, "skipped", str(error), error.reference)
        except VoladdinError as error:
            if self.tentative and isinstance(error, _CircularError):
                raise
            self.place(formula, sheet, position, [[error.cell_error]])
            formula.outcome = Outcome(cell, formula.text, error.cell_error, str(error), error.reference)

    def value(self, node: Node, sheet: str) -> Cell | Cells:
        """Value of a formula's tree; references are relative to `sheet`."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Array):
            return [list(row) for row in node.rows]
        if isinstance(node, Reference):
            found = self.names.resolve(node.text, sheet)
            return self.read(found) if isinstance(found, Place) else self.value(found, sheet)
        if node.name == "SINGLE" and len(node.arguments) == 1:
            return _cells(self.value(node.arguments[0], sheet))[0][0]
        if node.name == "ANCHORARRAY" and len(node.arguments) == 1:
            return self.spilled(node.arguments[0], sheet)
        if node.name not in registry.FUNCTIONS:
            raise UnsupportedError(
                f"function {node.name} needs a spreadsheet program; expected a VOL… function"
            )
        return registry.evaluate(node.name, [self.value(argument, sheet) for argument in node.arguments])

    def spilled(self, node: Node, sheet: str) -> Cells:
        """What the dynamic array at a cell covers: H2#."""
        place = self.names.resolve(node.text, sheet) if isinstance(node, Reference) else None
        if not isinstance(place, Place):
            raise UnsupportedError("the spill operator # needs one cell before it")
        position = (place.box.top, place.box.left)
        if position in self.formulas[place.sheet]:
            result = self.evaluate(place.sheet, position)
            if result is not None:
                return result
        return self.read(Place(place.sheet, self.names.array_at(place.sheet, position) or place.box))

    def read(self, place: Place) -> Cells:
        """The cells of a range, VOL… formulas in it evaluated first."""
        box = self.names.used(place) if place.box.open_ended else place.box
        if box.size > MAX_RANGE:
            raise InputError(f"range {place} has {box.size} cells; at most {MAX_RANGE} are read")
        self._evaluate_inside(place.sheet, box)
        written, sheet = self.written[place.sheet], self.sheets[place.sheet]
        cells: Cells = []
        for row, values in zip(box.rows, self.names.values(place.sheet, box), strict=True):
            cells.append([])
            for column, (value, is_formula) in zip(box.columns, values, strict=True):
                position = (row, column)
                unknown = is_formula and value is None and position not in written
                if unknown and not sheet.has_value(position):
                    raise UnsupportedError(
                        f"{_name(place.sheet, position)} is a formula without a stored value; expected a "
                        "workbook that a spreadsheet program has calculated and saved"
                    )
                cells[-1].append(written.get(position, value))
        return cells

    def _evaluate_inside(self, sheet: str, box: Box) -> None:
        """Formulas that cover a cell of `box`; and those that may grow into it, unless they wait for us."""
        for position, formula in self.formulas[sheet].items():
            if formula.box.meets(box):
                self.evaluate(sheet, position)
            elif formula.state == "waiting" and self._may_grow_into(box, sheet, position):
                self.tentative += 1
                with suppress(_CircularError):
                    self.evaluate(sheet, position)
                self.tentative -= 1

    def _may_grow_into(self, box: Box, sheet: str, position: Position) -> bool:
        above_left = position[0] <= box.bottom and position[1] <= box.right
        return above_left and not self._is_fixed(sheet, position)

    def _is_fixed(self, sheet: str, position: Position) -> bool:
        part = self.sheets[sheet]
        return (self.formulas[sheet][position].array and not part.is_dynamic(position)) or part.is_shared(
            position
        )

    def place(self, formula: _Formula, sheet: str, position: Position, result: Cells) -> None:
        """Writes a result where it belongs; raises InputError where something is in its way."""
        part, old = self.sheets[sheet], formula.box
        if self._is_fixed(sheet, position):
            new = old
        else:
            top, left = position
            new = Box(left, top, left + len(result[0]) - 1, top + len(result) - 1)
            self._check_free(sheet, new, old)
            if formula.array or new.size > 1:
                part.set_reference(position, area(*new))
        for at in old.positions():
            self._set(sheet, at, None)
        for row, column in new.positions():
            self._set(sheet, (row, column), _repeated(result, row - new.top, column - new.left))
        formula.box, formula.result = new, result

    def _set(self, sheet: str, position: Position, value: Cell) -> None:
        self.written[sheet][position] = value
        self.sheets[sheet].set_value(position, value)

    def _check_free(self, sheet: str, new: Box, old: Box) -> None:
        if new.size == 1:
            return
        what = f"the result of {new.bottom - new.top + 1} x {new.right - new.left + 1} cells"
        if new.bottom > MAX_ROW or new.right > MAX_COLUMN:
            raise InputError(f"{what} does not fit on the sheet from {_name(sheet, (new.top, new.left))}")
        if merged := self.names.merged(sheet, new):
            raise InputError(f"{what} meets the merged cells {merged} of {sheet}; expected blank cells")
        written = self.written[sheet]
        for row, values in zip(new.rows, self.names.values(sheet, new), strict=True):
            for column, (value, is_formula) in zip(new.columns, values, strict=True):
                taken = written.get((row, column), value)
                if not old.holds(row, column) and (is_formula or taken is not None):
                    at = _name(sheet, (row, column))
                    raise InputError(f"{what} would cover {at}, which holds {taken!r}; expected blank cells")


def _repeated(result: Cells, row: int, column: int) -> Cell:
    """The value an array formula shows at an offset: one row or column repeats, beyond the rest is #N/A."""
    row = 0 if len(result) == 1 else row
    column = 0 if len(result[0]) == 1 else column
    return result[row][column] if row < len(result) and column < len(result[0]) else "#N/A"


def _cells(value: Any) -> Cells:
    return value if isinstance(value, list) else [[value]]


def _name(sheet: str, position: Position) -> str:
    return f"{sheet}!{area(position[1], position[0], position[1], position[0])}"


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Whatever is wrong inside a workbook file becomes one InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's notes on parts it does not keep: we keep them
            yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"book {name!r} cannot be read as a workbook: {type(error).__name__}: {error}"
        ) from None
