"""A workbook evaluated: the formulas that call a VOL function and whatever they feed."""

from __future__ import annotations

from collections.abc import Callable

from ..cells import Cell, Cells
from ..errors import InputError, VoladdinError
from ..journal import Caller, noted_at
from ..worksheet import registry
from ..worksheet.references import argument_references
from .boxes import Boxes
from .contents import Contents, Formula
from .engine import Engine
from .formula import VOLATILE, Moving, calls, prepare
from .matrices import MATRICES
from .moving import ranges_of
from .names import UnsupportedError
from .outcome import Outcome, failed, outcome_of
from .package import readable
from .references import Box, SheetRange
from .schedule import Schedule

MAX_ROUNDS = 5
GRIDS = ("surface", "prior", "bid", "ask")  # arguments
Progress = Callable[[int, int], None]


class Book:
    """A workbook being evaluated.

    Evaluated are the formulas that call a VOL function, those that read what was evaluated, and those whose
    stored value is absent or not to be relied on. Of the formulas without a VOL function `recalculated` were
    evaluated, and `others` keep the value stored with them.

    Raises InputError where the file cannot be read as a workbook.
    """

    def __init__(self, data: bytes, name: str, progress: Progress | None = None) -> None:
        self._progress = progress or (lambda _done, _total: None)
        self._name, self._functions = name, _grid_arguments()
        with readable(name):
            self.contents = Contents(data)
            calling = {function: self._calling(function) for function in registry.FUNCTIONS}
            self._engine = Engine(self.contents.sheets, calling | MATRICES)
            self._formulas = [f for found in self.contents.formulas.values() for f in found.values()]
            self._vol_formulas = {f.key for f in self._formulas if self._is_ours(f)}
        self._errors: list[VoladdinError] = []
        self._running: tuple[Formula | None, str] = None, ""
        self._clock = self.recalculated = 0
        self._start_round()

    @property
    def others(self) -> int:
        """How many formulas without a VOL function keep the value stored with them."""
        return len(self._formulas) - len(self._vol_formulas) - self.recalculated

    def run(self) -> list[Outcome]:
        """What became of every VOL formula, and of others that should have been evaluated but were not."""
        if not self._vol_formulas:
            return []
        with readable(self._name):
            for sheet, values in self.contents.values.items():
                self._engine.fill(sheet, values)
        stale = self._formulas
        for number in range(MAX_ROUNDS):
            if stale:
                self._round()
                stale = [f for f in self._formulas if self._is_stale(f)]
            if number == 0 and self._guessed:
                stale = self._formulas
        for formula in stale:
            self._fail(formula, InputError(f"{formula.name} needs its own result, through what others cover"))
        return [self._outcomes[f.key] for f in self._formulas if f.key in self._outcomes]

    def bytes(self) -> bytes:
        """The workbook with the values. Raises InputError where a part of it that was not read is damaged."""
        with readable(self._name):
            return self.contents.bytes()

    def _is_ours(self, formula: Formula) -> bool:
        """Whether it calls a VOL function; makes it ready on the way."""
        ours = self._functions
        try:
            if not formula.problem:
                at = formula.sheet, formula.position
                formula.prepared = prepare(formula.text, self.contents.names, ours, *at)
                return not formula.prepared.functions.isdisjoint(ours)
        except InputError as error:
            formula.problem = str(error)
        return calls(formula.text, ours)

    def _start_round(self) -> None:
        self._outcomes: dict[int, Outcome] = {}
        self._changed: Boxes[Formula] = Boxes()  # evaluated
        self._unsettled: Boxes[Formula] = Boxes()  # should have been, but could not
        self._grown: Boxes[Formula] = Boxes()  # cover more than before
        self._moved: dict[int, list[tuple[Moving, SheetRange]]] = {}
        self._guessed = False  # whether what some formula reads could not be told before it was evaluated
        self.recalculated = 0

    def _round(self) -> None:
        """Evaluates everything once; a second time it is known what each result covers."""
        self._start_round()
        for formula in self._formulas:
            formula.places = list(formula.prepared.places) if formula.prepared else []
        done = 0

        def progress() -> None:
            nonlocal done
            done += 1
            self._progress(done, len(self._formulas))

        in_order = sorted(self._formulas, key=_tells_of_others)
        Schedule(self._visit, self._discover, self._circle).run(in_order, progress)

    def _is_stale(self, formula: Formula) -> bool:
        """Whether a result came to lie over what it had read."""
        return any(
            grown is formula or grown.stamp > formula.stamp
            for place in formula.places
            for grown in self._grown.meeting(place)
        )

    def _visit(self, formula: Formula) -> None:
        self._clock += 1
        formula.stamp = self._clock
        ours = formula.key in self._vol_formulas
        self._errors = []
        try:
            if ours or self._is_due(formula):
                self._check(formula)
                self._give(formula, self._value(formula), ours=ours)
        except UnsupportedError as error:
            self._leave(formula, error)
        except VoladdinError as error:
            self._fail(formula, error)

    def _is_due(self, formula: Formula) -> bool:
        """Whether a formula without a VOL function has to be evaluated."""
        if formula.stored is None or self.contents.names.recalculates or self._reads(self._changed, formula):
            return True
        volatile = formula.prepared is not None and not formula.prepared.functions.isdisjoint(VOLATILE)
        return volatile or self._reads(self._unsettled, formula) is not None

    def _reads(self, boxes: Boxes[Formula], formula: Formula) -> Formula | None:
        return next((found for place in formula.places if (found := boxes.first(place))), None)

    def _check(self, formula: Formula) -> None:
        """Raises UnsupportedError where a formula cannot be evaluated."""
        if formula.problem or formula.prepared is None:
            raise UnsupportedError(formula.problem)
        if source := self._reads(self._unsettled, formula):
            raise UnsupportedError(f"it needs {source.name}, which could not be evaluated")
        for function in sorted(formula.prepared.functions):
            if not self._engine.knows(function):
                raise UnsupportedError(
                    f"function {function} needs a spreadsheet program; expected one that the runner knows"
                )

    def _value(self, formula: Formula) -> Cell | Cells:
        assert formula.prepared is not None
        pieces = formula.prepared.texts(self.contents.seen)
        for call, place in self._moved.get(formula.key, []):
            pieces[call.start : call.end] = [place.text, *[""] * (call.end - call.start - 1)]
        text = "".join(pieces)
        self._running = formula, text
        return self._engine.evaluate(formula.sheet, formula.position, text)

    def _discover(self, formula: Formula) -> list[SheetRange]:
        """What OFFSET and INDIRECT give in a formula, now that their arguments have their values."""
        if formula.prepared is None or not formula.prepared.moving or self._reads(self._unsettled, formula):
            return []
        found = self._moved[formula.key] = ranges_of(formula, formula.prepared, self.contents, self._engine)
        self._guessed |= len(found) < len(formula.prepared.moving)
        return [place for _, place in found]

    def _give(self, formula: Formula, value: Cell | Cells, *, ours: bool) -> None:
        result = value if isinstance(value, list) else [[value]]
        if not ours:
            result = [
                [0.0 if cell is None else cell for cell in row] for row in result
            ]  # as =A1 shows a blank A1
            if not formula.array and len(result) * len(result[0]) > 1:
                shape = f"{len(result)} x {len(result[0])}"
                raise UnsupportedError(f"it gives {shape} values in one cell; expected an array formula")
        self._write_result(formula, result, ours=ours)
        if ours:
            self._outcomes[formula.key] = outcome_of(
                formula, result, self._errors, noted_at(Caller(self._name, formula.name))
            )
        else:
            self.recalculated += 1

    def _write_result(self, formula: Formula, result: Cells, *, ours: bool) -> None:
        box = self.contents.extent(formula, result)
        old = formula.box
        if (
            not ours
            and not formula.array
            and formula.stored == result[0][0]
            and type(formula.stored) is type(result[0][0])
        ):
            self._engine.set_value(formula.sheet, formula.position, formula.stored)
        else:
            self._engine.fill(formula.sheet, self.contents.write_result(formula, result, box, ours=ours))
        self._changed.add(formula.sheet, formula.box, formula.key, formula)
        if box != old:
            self._grown.add(formula.sheet, box.spanning(old), formula.key, formula)

    def _fail(self, formula: Formula, error: VoladdinError) -> None:
        """A VOL formula shows the error's value; any other stays as it was."""
        if formula.key not in self._vol_formulas:
            self._leave(formula, error)
            return
        shown: Cells = [[error.cell_error]]
        corner = Box.of(formula.position) if not formula.fixed else formula.box
        old = formula.box
        self._engine.fill(formula.sheet, self.contents.write_result(formula, shown, corner, ours=True))
        self._changed.add(formula.sheet, old, formula.key, formula)
        self._outcomes[formula.key] = failed(formula, error, error.cell_error)

    def _leave(self, formula: Formula, error: VoladdinError) -> None:
        """The cell stays as it was; that is no trouble where its stored value can be relied on."""
        held = self.contents.values[formula.sheet].get(formula.position)
        self._engine.set_value(formula.sheet, formula.position, held)
        reliable = formula.stored is not None and not self.contents.names.recalculates
        touched = self._reads(self._changed, formula) or self._reads(self._unsettled, formula)
        if formula.key not in self._vol_formulas and reliable and not touched:
            return
        self._unsettled.add(formula.sheet, formula.box, formula.key, formula)
        self._outcomes[formula.key] = failed(formula, error, "skipped")

    def _circle(self, members: list[Formula]) -> None:
        """Gives up on formulas that need each other."""
        names = [member.name for member in (*members, members[0])]
        shown = names if len(names) <= 6 else [*names[:4], "…", names[-1]]
        for member in members:
            self._clock += 1
            member.stamp = self._clock
            self._fail(member, InputError(f"{member.name} needs its own result: {' → '.join(shown)}"))

    def _caller(self, function: str) -> Caller:
        """Where the call that runs is, with its arguments."""
        formula, text = self._running
        references = argument_references(text, function, formula.sheet) if formula else ()
        return Caller(self._name, formula.name if formula else "", references)

    def _calling(self, function: str) -> Callable[[list[Cell | Cells]], Cell | Cells]:
        def call(arguments: list[Cell | Cells]) -> Cell | Cells:
            try:
                given = [_argument(argument) for argument in arguments]
                result = registry.evaluate(function, given, self._caller(function))
            except VoladdinError as error:
                self._errors.append(error)
                return error.cell_error
            shown: Cells = [["" if cell is None else cell for cell in row] for row in result]
            return shown if len(shown) > 1 or len(shown[0]) > 1 else shown[0][0]

        return call


def _tells_of_others(formula: Formula) -> bool:
    """Whether it is to be evaluated last: VOLINFO says what went wrong in the book."""
    return formula.prepared is not None and "VOLINFO" in formula.prepared.functions


def _grid_arguments() -> dict[str, list[int]]:
    """Our functions, with the numbers of their arguments that are grids."""
    return {
        name: [n for n, argument in enumerate(function.arguments) if argument.name in GRIDS]
        for name, function in registry.FUNCTIONS.items()
    }


def _argument(value: Cell | Cells) -> Cell | Cells:
    """An argument as our functions take it; "" is a blank cell of a result, or an omitted argument."""
    if isinstance(value, list):
        return [[None if cell == "" else cell for cell in row] for row in value]
    return None if value == "" else value
