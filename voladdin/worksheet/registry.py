"""The worksheet functions: cells in, cells out, with the help texts that every host shows.

`FUNCTIONS` is the one source of names, arguments and examples; `evaluate` is the one way in. Results are
cached by the exact arguments and the model's digest, so recalculating an unchanged book costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from .. import bundles
from ..cells import Cell, Cells
from ..errors import InputError
from ..journal import NOBODY, Caller, Whence, record, recorded
from . import info
from .arguments import CALLER, LATER, WARNINGS, model_name
from .check import VOLCHECK
from .features import VOLFEATURES
from .generate import VOLGENERATE
from .grid import VOLGRID
from .impute import VOLIMPUTE
from .interpolate import VOLINTERP
from .quotes import VOLQUOTES
from .repair import VOLREPAIR
from .scenario import VOLSCENARIO
from .shift import VOLSHIFT
from .signature import Argument, Cache, Function, bind, text

__all__ = ["FUNCTIONS", "Argument", "Function", "evaluate"]


def evaluate(name: str, arguments: Sequence[Cell | Cells], caller: Whence = NOBODY) -> Cells:
    """Value of a worksheet function, as cells; the same arguments and model give the same cells.

    name: "VOLIMPUTE", …, case-insensitive.
    arguments: in order; None, "" or a blank 1 x 1 range where an optional one is omitted.
    caller: the formula's cell and book, as far as the host knows them.

    Raises VoladdinError, whose `cell_error` is what the cell shows; VOLINFO("error") repeats it for the book,
    VOLINFO("why", cell) for the cell.
    """
    tokens = WARNINGS.set([]), LATER.set([]), CALLER.set(caller)
    try:
        with recorded(name.upper(), caller):
            return _evaluate(name, arguments, caller)
    finally:
        WARNINGS.reset(tokens[0])
        LATER.reset(tokens[1])
        CALLER.reset(tokens[2])


def clear_cache() -> None:
    """Forgets every result."""
    RESULTS.clear()


def _evaluate(name: str, arguments: Sequence[Cell | Cells], caller: Whence) -> Cells:
    function = FUNCTIONS.get(name.upper())
    if function is None:
        raise InputError(f"function {name!r} is unknown; expected one of {', '.join(FUNCTIONS)}")
    values = bind(function, arguments)
    if not function.cached:
        return function.compute(*values)
    key = key_of(function, values)
    entry = RESULTS.get(key)
    if entry is None:
        cells = function.compute(*values)
        entry = cells, [*WARNINGS.get(), *LATER.get()]
        RESULTS.put(key, entry)
    record(function.name, caller, entry[0][0][0] if entry[0] and entry[0][0] else None, entry[1])
    return [list(row) for row in entry[0]]


def key_of(function: Function, values: list[Any]) -> bytes:
    """What a result depends on: the function, its bound arguments and the bundles. Raises BundleError."""
    names = [argument.name for argument in function.arguments]
    digest = ""
    if function.digest is not None:
        digest = function.digest(values[names.index("model")])
    elif "model" in names:
        digest = bundles.load(model_name(values[names.index("model")]), function.kind).digest
    return hashlib.sha256(repr((function.name, digest, values)).encode()).digest()


RESULTS = Cache()


def _volinfo(topic: Cell, cell: Cell) -> Cells:
    whence = CALLER.get()
    caller = whence if isinstance(whence, Caller) else whence()
    return info.volinfo(text("topic", topic, "").lower(), FUNCTIONS.values(), cell=cell, caller=caller)


VOLINFO = Function(
    "VOLINFO",
    "Why a cell shows what it shows, the last error, version, models, server state, or functions.",
    (
        Argument("topic", f"one of {', '.join(info.TOPICS)}; a short overview unless told", "value"),
        Argument("cell", 'for "why": the cell with a VOL function to explain', "value"),
    ),
    '=VOLINFO("why", L18)',
    _volinfo,
    cached=False,
)

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        VOLIMPUTE,
        VOLINTERP,
        VOLQUOTES,
        VOLGRID,
        VOLCHECK,
        VOLREPAIR,
        VOLFEATURES,
        VOLGENERATE,
        VOLSHIFT,
        VOLSCENARIO,
        VOLINFO,
    )
}
