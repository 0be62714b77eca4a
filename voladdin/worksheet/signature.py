"""What worksheet functions are made of: arguments, how they are read, and the cache of results."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..bundles import AnyBundle
from ..cells import Cell, Cells, address
from ..errors import InputError
from ..imputation.filling import Imputation
from ..imputation.recent import Question
from ..journal import Note

DEFAULT_MODEL = "fx"
MAX_CACHED_CELLS = 2_000_000


@dataclass(frozen=True)
class Argument:
    """One argument as the function wizard shows it; a "range" arrives as Cells, a "value" as one Cell.

    "values" are one value or a range of them, and arrive as Cells.

    choices: the words that a "value" may be, where there are no others.

    zero: whether a range of one 0 is a value; elsewhere it is omitted, as Calc passes a blank cell as 0.
    """

    name: str
    help: str
    kind: Literal["range", "value", "values"]
    optional: bool = True
    zero: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pending:
    """A result that takes an imputation: its question, and what makes cells of the answer."""

    question: Question
    then: Callable[[Imputation], Cells]


@dataclass(frozen=True)
class Function:
    """One worksheet function; `compute` takes one value an argument, None where it was omitted.

    kind: of the bundle that an argument named "model" names, on which the result depends.
    digest: from the argument "model" to what stands for the bundles that the result depends on instead.
    begin: `compute` up to the imputation, where many calls' are answered together.
    """

    name: str
    help: str
    arguments: tuple[Argument, ...]
    example: str
    compute: Callable[..., Cells]
    cached: bool = True
    kind: type[AnyBundle] = AnyBundle
    digest: Callable[[Cell], str] | None = None
    begin: Callable[..., Cells | Pending] | None = None

    @property
    def signature(self) -> str:
        """Such as "VOLINFO([topic])"."""
        names = (f"[{a.name}]" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({', '.join(names)})"


def bind(function: Function, arguments: Sequence[Cell | Cells]) -> list[Any]:
    """The arguments by kind, omitted ones as None. Raises InputError naming the argument."""
    if len(arguments) > len(function.arguments):
        raise InputError(
            f"{function.name} was given {len(arguments)} arguments; expected {function.signature}"
        )
    padded = [*arguments, *[None] * (len(function.arguments) - len(arguments))]
    return [
        _bound(function, argument, value) for argument, value in zip(function.arguments, padded, strict=True)
    ]


def _bound(function: Function, argument: Argument, value: Cell | Cells) -> Cell | Cells:
    rows: Cells = [list(row) for row in value] if isinstance(value, (list, tuple)) else [[value]]
    if argument.kind == "range":
        _require_finite(argument.name, rows)
    if not rows or not rows[0]:
        rows = [[None]]
    single = len(rows) == 1 and len(rows[0]) == 1
    if single and _is_blank(
        rows[0][0], zero=argument.optional and argument.kind == "range" and not argument.zero
    ):
        if argument.optional:
            return None
        raise InputError(f"{function.name}: {argument.name} is missing; expected {argument.help}")
    if argument.kind != "value":
        return rows
    if not single:
        shape = f"{len(rows)} x {len(rows[0])}"
        raise InputError(f"{function.name}: {argument.name} is a range of {shape} cells; expected one cell")
    return rows[0][0]


def _require_finite(name: str, rows: Cells) -> None:
    """Raises InputError for an infinite number, which no sheet holds; a NaN is made a blank."""
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if type(cell) is float and not math.isfinite(cell):
                if not math.isnan(cell):
                    place = f"cell {address(i, j)} of the {name}"
                    raise InputError(f"{place} is {cell}; expected a finite number")
                row[j] = None


def _is_blank(cell: Cell, *, zero: bool) -> bool:
    """Blank; with `zero` also 0, which is how Calc passes a blank cell."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (zero and not isinstance(cell, bool) and cell == 0)


Result = tuple[Cells, list[Note]]
"""What a call is, and what it says besides."""


class Cache:
    """Least recently used results, bounded by their number of cells; thread-safe."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, Result] = OrderedDict()
        self._cells = 0
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Result | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: bytes, entry: Result) -> None:
        with self._lock:
            if key not in self._entries:
                self._cells += _size(entry)
            self._entries[key] = entry
            while self._cells > MAX_CACHED_CELLS:
                self._cells -= _size(self._entries.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._cells = 0


def _size(entry: Result) -> int:
    return sum(map(len, entry[0]))


def text(name: str, value: Cell, default: str) -> str:
    """A word, or `default` where it was omitted; 0 is how Calc passes a blank cell. Raises InputError."""
    if value is None or (value == 0 and not isinstance(value, bool)):
        return default
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}; expected text such as {default!r}")
    return value.strip()


def choice(name: str, value: Cell, allowed: Sequence[str]) -> str:
    """One of the words `allowed`, in any case; the first where it was omitted. Raises InputError."""
    chosen = text(name, value, allowed[0]).lower()
    if chosen not in allowed:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(filter(None, allowed))}")
    return chosen


def number(name: str, value: Cell, default: float) -> float:
    """A finite number, or `default` where it was omitted. Raises InputError."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
        raise InputError(f"{name} is {value!r}; expected a number")
    return float(value)


def truth(name: str, value: Cell, *, default: bool) -> bool:
    """TRUE or FALSE (a host may pass 1 or 0), or `default` where it was omitted. Raises InputError."""
    if value is None:
        return default
    if value not in (0, 1):
        raise InputError(f"{name} is {value!r}; expected TRUE or FALSE")
    return bool(value)
