"""VOLINFO: version, models, server, functions, and the last error with its reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from .. import bundles
from ..cells import Cells
from ..errors import InputError, VoladdinError
from ..home import version
from ..journal import last_error, last_warnings
from ..models.generator import load as load_generator
from ..service import process
from ..service.state import HOST

TOPICS = ("version", "models", "server", "error", "functions", "hull")


class _Described(Protocol):
    @property
    def signature(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def example(self) -> str: ...


def volinfo(topic: str, functions: Iterable[_Described]) -> Cells:
    """Rows about one topic of `TOPICS`; "" is the short overview.

    Raises InputError where the topic is unknown.
    """
    if topic == "":
        return [["version", version()], ["models", ", ".join(bundles.names())], ["server", _server()]]
    if topic == "version":
        return [[version()]]
    if topic == "models":
        models: Cells = [["model", "digest"]]
        return models + [[name, _digest(name)] for name in bundles.names()]
    if topic == "server":
        return [[_server()]]
    if topic == "functions":
        table: Cells = [["function", "help", "example"]]
        return table + [[f.signature, f.help, f.example] for f in functions]
    if topic == "error":
        return _last_error()
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


def _last_error() -> Cells:
    error = last_error()
    rows: Cells = [["error", "none"]]
    if error is not None:
        function, what = error
        rows = [
            ["error", str(what)],
            ["function", function],
            ["cell", what.cell_error],
            ["reference", what.reference],
        ]
    return rows + [["warning", warning] for warning in last_warnings()]
