"""VOLINFO: why a cell shows what it shows, the last error, version, models, server, functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .. import bundles
from ..bundles.generator import load as load_generator
from ..cells import Cell, Cells, shown
from ..errors import InputError, VoladdinError
from ..home import VERSION
from ..journal import NOBODY, Caller, Entry, entries, last_error, last_warnings, said_by
from ..service import process
from ..service.state import HOST
from .references import explained

TOPICS = ("version", "models", "server", "why", "error", "functions", "hull")


_SHOWN = 5  # formulas that a value may be of
_ERROR_MARK = "#"


class _Described(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> Sequence[_Named]: ...
    @property
    def signature(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def example(self) -> str: ...


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def volinfo(
    topic: str, functions: Collection[_Described], *, cell: Cell = None, caller: Caller = NOBODY
) -> Cells:
    """Rows about one topic of `TOPICS`; "" is the short overview.

    cell: for "why", the value of the cell to explain; caller: where VOLINFO is, and that cell's address.

    Raises InputError where the topic is unknown.
    """
    if topic == "why":
        return _why(cell, caller, functions)
    if topic == "":
        return [["version", VERSION], ["models", ", ".join(bundles.names())], ["server", _server()]]
    if topic == "version":
        return [[VERSION]]
    if topic == "models":
        models: Cells = [["model", "digest"]]
        return models + [[name, _digest(name)] for name in bundles.names()]
    if topic == "server":
        return [[_server()]]
    if topic == "functions":
        table: Cells = [["function", "help", "example"]]
        return table + [[f.signature, f.help, f.example] for f in functions]
    if topic == "error":
        return _last_error(caller.book, functions)
    if topic == "hull":
        return _hull()
    raise InputError(f"topic is {topic!r}; expected one of {', '.join(TOPICS)}")


def _digest(name: str) -> str:
    try:
        return bundles.load(name).digest
    except VoladdinError as error:
        return f"{error.cell_error} {error}"


def _server() -> str:
    state = process.running()
    return "not running" if state is None else f"version {state.version} on {HOST}:{state.port}"


def _hull() -> Cells:
    """What the generator was trained on; its features lie in a hull within these ranges."""
    model = load_generator()
    ranges = [*model.ranges.T.tolist(), *([axis[0], axis[-1]] for axis in (model.tenors, model.moneyness))]
    names = [*model.features, "tenors, years", "moneyness, ln(K/F)"]
    rows: Cells = [["trained on", "least", "largest"]]
    return rows + [[name, *map(float, ends)] for name, ends in zip(names, ranges, strict=True)]


def _last_error(book: str, functions: Collection[_Described]) -> Cells:
    entry = last_error(book)
    rows: Cells = [["error", "none"]] if entry is None else _error(entry, functions)
    warned = last_warnings(book)
    return rows + (_warnings(warned, functions) if warned else [])


def _why(cell: Cell, caller: Caller, functions: Collection[_Described]) -> Cells:
    """What the cell's formula said: by its address, or else by what it shows."""
    place = caller.arguments[1] if len(caller.arguments) > 1 else ""
    if place:
        entry = said_by(caller.book, place)
        found = [] if entry is None else [entry]
    else:
        place = f"a cell that shows {_named(cell)}"
        found = [entry for entry in reversed(entries(caller.book)) if entry.shown == cell][:_SHOWN]
    rows: Cells = []
    for entry in found:
        rows += _error(entry, functions) if entry.error else []
        rows += _warnings(entry, functions)
    return rows or [["why", f"{place}: no error or warning of a VOL function is known"]]


def _named(cell: Cell) -> str:
    """A value in words: never an error value by itself."""
    if isinstance(cell, str) and cell.startswith(_ERROR_MARK):
        return f"the error {cell[1:].rstrip('!?')}"
    return shown(cell)


def _error(entry: Entry, functions: Collection[_Described]) -> Cells:
    assert entry.error is not None
    rows: Cells = [
        ["error", _said(entry, str(entry.error), functions)],
        ["function", entry.function],
        ["cell", entry.caller.cell or "not known"],
    ]
    return [*rows, ["reference", entry.error.reference]]


def _warnings(entry: Entry, functions: Collection[_Described]) -> Cells:
    return [["warning", _said(entry, warning, functions)] for warning in entry.warnings]


def _said(entry: Entry, message: str, functions: Collection[_Described]) -> str:
    """With addresses on the sheet, where these are known."""
    names = [a.name for f in functions if f.name == entry.function for a in f.arguments]
    return explained(message, names, entry.caller.arguments)
