"""The spreadsheet engine behind `voladdin run`: it reads and evaluates one formula at a time.

Only this module knows which engine it is (formualizer). Another one would have to offer what `Engine` and
`tokens` offer: cells by sheet, row and column; a formula's value seen from a cell, arrays whole; functions of
ours by name; and a tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import formualizer

from ..cells import Cell, Cells
from .elementwise import EACH, PREFIX, apply
from .names import UnsupportedError
from .references import Box, Position, SheetRange

Function = Callable[[list[Cell | Cells]], Cell | Cells]

_CAPTURE = "VOLADDIN.VALUE"
_KINDS = {
    "#N/A": "Na",
    "#VALUE!": "Value",
    "#DIV/0!": "Div",
    "#NUM!": "Num",
    "#REF!": "Ref",
    "#NAME?": "Name",
    "#NULL!": "Null",
}
_ERRORS = {kind: error for error, kind in _KINDS.items()}
_DENSE = 4  # a block is filled at once where at least one cell in so many has a value


@dataclass(frozen=True)
class Token:
    """A piece of a formula.

    kind: reference (a range, name or table, as written), literal, open (a call with its name, a parenthesis
    or an array), close, separator, range (the operator :), operator or space.
    """

    text: str
    kind: str


def tokens(formula: str) -> list[Token]:
    """The tokens of a formula that starts with "=". Raises UnsupportedError where it cannot be read."""
    try:
        return [Token(token.value, _kind(token)) for token in formualizer.tokenize(formula) if token]
    except Exception as error:
        raise UnsupportedError(f"formula {formula[:80]!r} cannot be read: {error}") from None


def _kind(token: formualizer.Token) -> str:
    kind, subtype = token.token_type, token.subtype
    if kind == formualizer.TokenType.Operand:
        return "reference" if subtype == formualizer.TokenSubType.Range else "literal"
    if kind == formualizer.TokenType.Whitespace:
        return "space"
    if subtype == formualizer.TokenSubType.Open:
        return "open"
    if subtype == formualizer.TokenSubType.Close:
        return "close"
    if kind == formualizer.TokenType.Sep:
        return "separator"
    return "range" if token.value == ":" else "operator"


class Engine:
    """Values by sheet and position, and formulas evaluated among them; an error is its text, as "#N/A"."""

    def __init__(self, sheets: Iterable[str], functions: dict[str, Function]) -> None:
        config = formualizer.EvaluationConfig()
        config.enable_parallel = False  # our functions are Python
        self._book = formualizer.Workbook(
            config=formualizer.WorkbookConfig(mode=formualizer.WorkbookMode.Ephemeral, eval_config=config)
        )
        self._captured: list[Cell | Cells] = []
        self._stopped: BaseException | None = None
        self._known: dict[str, bool] = {}
        for sheet in sheets:
            self._book.add_sheet(sheet)
        self._book.register_function(_CAPTURE, self._capture, min_args=1, max_args=1)
        for name, function in functions.items():
            self._known[name] = True
            self._book.register_function(name, self._guarded(function), allow_override_builtin=True)
        for name in EACH:
            self._book.register_function(PREFIX + name, self._guarded(_applied(name, self._scalar)))
        self._beside: Engine | None = None

    @property
    def _aside(self) -> Engine:
        """Another engine, for what is evaluated while this one is evaluating."""
        self._beside = self._beside or Engine(["Aside"], {})
        return self._beside

    def fill(self, sheet: str, values: dict[Position, Cell]) -> None:
        """Sets the values of many cells, in the order of their positions."""
        for top, left, block in _blocks(values):
            self._book.set_values_batch(sheet, top, left, block)

    def set_value(self, sheet: str, position: Position, value: Cell) -> None:
        self._book.set_value(sheet, *position, _given(value))

    def evaluate(self, sheet: str, position: Position, formula: str) -> Cell | Cells:
        """The value of a formula (without "=") in a cell, where it leaves nothing.

        Raises UnsupportedError where the engine cannot evaluate it.
        """
        self._captured.clear()
        self._stopped = None
        try:
            self._book.set_formula(sheet, *position, f"={_CAPTURE}({formula})")
            found = self._book.evaluate_cell(sheet, *position)
            self._book.set_value(sheet, *position, None)
        except BaseException as error:  # a panic of the engine is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            with suppress(Exception):
                self._book.set_value(sheet, *position, None)
            said = " ".join(str(error).split())[:120]
            raise UnsupportedError(f"the formula cannot be evaluated: {said}") from None
        if self._stopped is not None:
            raise self._stopped
        if self._captured:
            return self._captured[-1]
        kind = found.get("kind", "") if isinstance(found, dict) else ""
        if kind not in _ERRORS:
            raise UnsupportedError(f"the formula has a part that is not supported ({kind or 'no value'})")
        return _ERRORS[kind]

    def _scalar(self, function: str, arguments: list[Cell | Cells]) -> Cell | Cells:
        """A function's value for these arguments."""
        references, column = [], 1
        for argument in arguments:
            rows = argument if isinstance(argument, list) else [[argument]]
            block = [[_given(cell) for cell in row] for row in rows]
            self._aside._book.set_values_batch("Aside", 1, column, block)
            references.append(SheetRange("Aside", Box(column, 1, column + len(rows[0]) - 1, len(rows))).text)
            column += len(rows[0])
        return self._aside.evaluate("Aside", (1, column), f"{function}({','.join(references)})")

    def knows(self, function: str) -> bool:
        """Whether the engine has a function of this name."""
        if function not in self._known:
            try:
                found = self._aside.evaluate("Aside", (1, 1), f"{function}()")
            except UnsupportedError:
                found = "#NAME?"
            self._known[function] = found != "#NAME?"
        return self._known[function]

    def _capture(self, value: Any) -> float:
        self._captured.append(_taken(value))
        return 0.0

    def _guarded(self, function: Function) -> Callable[..., Any]:
        """The engine turns exceptions into error values; one that should stop the run is kept."""

        def call(*arguments: Any) -> Any:
            try:
                result = function([_taken(argument) for argument in arguments])
            except BaseException as error:
                self._stopped = error
                raise
            if isinstance(result, list):
                return [[_given(cell) for cell in row] for row in result]
            return _given(result)

        return call


def _applied(name: str, scalar: Callable[[str, list[Cell | Cells]], Cell | Cells]) -> Function:
    return lambda arguments: apply(name, arguments, lambda chosen: scalar(name, chosen))


def _blocks(values: dict[Position, Cell]) -> Iterator[tuple[int, int, list[list[Any]]]]:
    """Rectangles of values: rows that follow each other and hold cells in about the same columns."""
    rows: dict[int, dict[int, Cell]] = {}
    for (row, column), value in values.items():
        rows.setdefault(row, {})[column] = value
    pending: list[int] = []
    for row in sorted(rows):
        if pending and (row != pending[-1] + 1 or not _dense([rows[r] for r in (*pending[-8:], row)])):
            yield from _block(pending, rows)
            pending = []
        pending.append(row)
    yield from _block(pending, rows)


def _dense(rows: list[dict[int, Cell]]) -> bool:
    width = max(map(max, rows)) - min(map(min, rows)) + 1
    return width * len(rows) <= _DENSE * sum(map(len, rows))


def _block(
    numbers: list[int], rows: dict[int, dict[int, Cell]]
) -> Iterator[tuple[int, int, list[list[Any]]]]:
    if not numbers:
        return
    if not _dense([rows[number] for number in numbers]):
        for number in numbers:
            for column, value in rows[number].items():
                yield number, column, [[_given(value)]]
        return
    left, right = min(min(rows[n]) for n in numbers), max(max(rows[n]) for n in numbers)
    columns = range(left, right + 1)
    yield numbers[0], left, [[_given(rows[n].get(column)) for column in columns] for n in numbers]


def _given(value: Cell) -> Any:
    """A value for the engine."""
    if isinstance(value, str) and value in _KINDS:
        return formualizer.LiteralValue.error(_KINDS[value], None)
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _taken(value: Any) -> Any:
    """A value, or an array, from the engine."""
    if isinstance(value, list):
        return [[_taken(cell) for cell in row] for row in value]
    if isinstance(value, dict):
        return _ERRORS.get(value.get("kind", ""), "#VALUE!")
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
