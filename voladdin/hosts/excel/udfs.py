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
from voladdin.worksheet.registry import FUNCTIONS, Argument, Function, evaluate

from .names import MAX_HELP, PROJECT


def user_defined(function: Function, decorators: Any = xw) -> Callable[..., Cells]:
    """The xlwings function of one entry: it returns cells, or one error text where `evaluate` raises.

    decorators: has xlwings' func, arg and ret.
    """

    def call(*arguments: Any) -> Cells:
        try:
            return evaluate(function.name, [_plain(argument) for argument in arguments])
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


def _plain(argument: Any) -> Any:
    """Cells in currency format, which COM passes as Decimal, as numbers."""
    if not isinstance(argument, list):
        return argument
    return [[float(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in argument]


def _parameter(argument: Argument) -> inspect.Parameter:
    default = None if argument.optional else inspect.Parameter.empty
    return inspect.Parameter(argument.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


globals().update({function.name: user_defined(function) for function in FUNCTIONS.values()})
