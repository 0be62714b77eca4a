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
from ..journal import record_warnings, recorded
from . import info
from .arguments import WARNINGS, model_name
from .check import VOLCHECK
from .features import VOLFEATURES
from .generate import VOLGENERATE
from .grid import VOLGRID
from .impute import VOLIMPUTE
from .interpolate import VOLINTERP
from .quotes import VOLQUOTES
from .repair import VOLREPAIR
from .shift import VOLSHIFT
from .signature import Argument, Cache, Function, bind, text

__all__ = ["FUNCTIONS", "Argument", "Function", "evaluate"]


def evaluate(name: str, arguments: Sequence[Cell | Cells]) -> Cells:
    """Value of a worksheet function, as cells; the same arguments and model give the same cells.

    name: "VOLIMPUTE", …, case-insensitive.
    arguments: in order; None, "" or a blank 1 x 1 range where an optional one is omitted.

    Raises VoladdinError, whose `cell_error` is what the cell shows; VOLINFO("error") repeats it.
    """
    found: list[str] = []
    token = WARNINGS.set(found)
    try:
        with recorded(name.upper()):
            return _evaluate(name, arguments, found)
    finally:
        WARNINGS.reset(token)


def clear_cache() -> None:
    """Forgets every result."""
    _CACHE.clear()


def _evaluate(name: str, arguments: Sequence[Cell | Cells], found: list[str]) -> Cells:
    function = FUNCTIONS.get(name.upper())
    if function is None:
        raise InputError(f"function {name!r} is unknown; expected one of {', '.join(FUNCTIONS)}")
    values = bind(function, arguments)
    if not function.cached:
        return function.compute(*values)
    key = _key(function, values)
    entry = _CACHE.get(key)
    if entry is None:
        entry = (function.compute(*values), found)
        _CACHE.put(key, entry)
    record_warnings(entry[1])
    return [list(row) for row in entry[0]]


def _key(function: Function, values: list[Any]) -> bytes:
    names = [argument.name for argument in function.arguments]
    digest = ""
    if "model" in names:
        digest = bundles.load(model_name(values[names.index("model")], function.model)).digest
    return hashlib.sha256(repr((function.name, digest, values)).encode()).digest()


_CACHE = Cache()


def _volinfo(topic: Cell) -> Cells:
    return info.volinfo(text("topic", topic, "").lower(), FUNCTIONS.values())


VOLINFO = Function(
    "VOLINFO",
    "Version, models, server state, functions, or the last error with its reference.",
    (Argument("topic", f"one of {', '.join(info.TOPICS)}; a short overview unless told", "value"),),
    '=VOLINFO("error")',
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
        VOLINFO,
    )
}
