"""The module that xlwings' COM server loads: one user-defined function an entry of FUNCTIONS.

Ranges arrive as rows of raw values, blank cells as None, error cells as their text, dates as datetime. The
calls are synchronous and rely on Excel's own dynamic arrays: xlwings' `async_mode` and `expand` rewrite
formulas. On anything but Windows xlwings' decorators do nothing and the functions are plain Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import xlwings as xw

from voladdin.cells import Cells
from voladdin.errors import VoladdinError
from voladdin.journal import NOBODY, Caller
from voladdin.worksheet.registry import FUNCTIONS, Argument, Function, evaluate

from .names import MAX_HELP, PROJECT


def user_defined(function: Function, decorators: Any = xw) -> Callable[..., Cells]:
    """The xlwings function of one entry: it returns cells, or one error text where `evaluate` raises.

    decorators: has xlwings' func, arg and ret.
    """

    def call(*arguments: Any) -> Cells:
        try:
            count = len(function.arguments)
            given = [_plain(argument) for argument in arguments[:count]]
            return evaluate(function.name, given, _caller(arguments[count:]))
        except VoladdinError as error:
            return [[error.cell_error]]

    call.__name__ = call.__qualname__ = function.name
    call.__doc__ = function.help[:MAX_HELP]
    call.__annotations__ = {}
    setattr(call, "__signature__", inspect.Signature([_parameter(a) for a in function.arguments]))  # noqa: B010
    for argument in function.arguments:
        call = decorators.arg(argument.name, doc=argument.help[:MAX_HELP], ndim=2, err_to_str=True)(call)
    decorate: Callable[..., Callable[..., Cells]] = decorators.func(category=PROJECT, call_in_wizard=False)
    return decorate(decorators.ret()(call))


def _caller(whence: tuple[Any, ...]) -> Caller:
    """Of the text that the add-in's `Whence` adds to the arguments: book, cell, ranges, a line each."""
    text = whence[0] if whence else ""
    while isinstance(text, list) and text:
        text = text[0]
    if not isinstance(text, str) or not text:
        return NOBODY
    book, cell, *arguments = text.split("\n")
    return Caller(book, cell, tuple(arguments))


def _plain(argument: Any) -> Any:
    """Cells in currency format, which COM passes as Decimal, as numbers."""
    if not isinstance(argument, list):
        return argument
    return [[float(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in argument]


def _parameter(argument: Argument) -> inspect.Parameter:
    default = None if argument.optional else inspect.Parameter.empty
    return inspect.Parameter(argument.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


globals().update({function.name: user_defined(function) for function in FUNCTIONS.values()})
