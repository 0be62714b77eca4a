"""pywin32 and Excel as far as xlwings' UDF path touches them, so that its real code runs anywhere.

`installed()` yields with the modules of pywin32 in `sys.modules`, xlwings' Windows engine registered and its
real decorators in place of the do-nothing ones; afterwards all is as before. Excel itself is `values(...)`,
what COM gives for a range, or an `ExcelRange` of them.
"""

from __future__ import annotations

import atexit
import ctypes
import datetime as dt
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

MISSING = -2147352572  # what COM passes for an omitted optional argument (DISP_E_PARAMNOTFOUND)
ERRORS = {"#N/A": -2146826246, "#DIV/0!": -2146826281, "#VALUE!": -2146826273, "#NUM!": -2146826252}
RANGE_IID = "{00020846-0000-0000-C000-000000000046}"
_STUBBED = ("xlwings._xlwindows", "xlwings._win32patch", "xlwings.udfs", "xlwings.com_server")


class ComError(Exception):
    hresult = 0


class ComDate(dt.datetime):
    """pywintypes.TimeType."""


class Dispatch:
    """Base of every COM object."""


class ExcelRange:
    """A range as it arrives from VBA."""

    def __init__(self, value: Any) -> None:
        self.Value = value
        self.Row = self.Column = 1
        self.Rows = SimpleNamespace(Count=len(value) if isinstance(value, tuple) else 1)
        self.Columns = SimpleNamespace(Count=len(value[0]) if isinstance(value, tuple) else 1)
        attributes = SimpleNamespace(GetTypeAttr=lambda: SimpleNamespace(iid=RANGE_IID))
        self._oleobj_ = SimpleNamespace(GetTypeInfo=lambda: attributes)
        self.Worksheet = SimpleNamespace(Parent=SimpleNamespace(Application=SimpleNamespace(Hwnd=1)))


def values(rows: list[list[Any]]) -> Any:
    """A range's values as COM gives them: error texts as numbers, a single cell as a scalar."""
    found = tuple(
        tuple(ERRORS.get(cell, cell) if isinstance(cell, str) else cell for cell in row) for row in rows
    )
    return found[0][0] if len(found) == len(found[0]) == 1 else found


def _modules() -> dict[str, types.ModuleType]:
    pythoncom = _module(
        "pythoncom",
        __file__="pythoncom.dll",
        IID_IDispatch="IDispatch",
        TypeIIDs={"IDispatch": type("PyIDispatch", (), {})},
        CoInitialize=lambda: None,
        com_error=ComError,
        ole_error=ComError,
    )
    pywintypes = _module("pywintypes", com_error=ComError, error=ComError, TimeType=ComDate, IID=str)
    client = _package(
        "win32com.client",
        Dispatch=lambda com_object, *_, **__: com_object,
        DispatchEx=None,
        CDispatch=Dispatch,
        CoClassBaseClass=Dispatch,
        DispatchBaseClass=Dispatch,
    )
    client.dynamic = _module("win32com.client.dynamic")
    server = _package("win32com.server")
    for name in ("util", "policy", "dispatcher"):
        setattr(server, name, _module(f"win32com.server.{name}"))
    found = [
        pythoncom,
        pywintypes,
        _package("win32com", client=client, server=server),
        client,
        client.dynamic,
    ]
    found += [server, server.util, server.policy, server.dispatcher]
    found.append(_module("win32process", GetWindowThreadProcessId=lambda hwnd: (1, 1)))
    utc = SimpleNamespace(utc=lambda: dt.UTC)
    found.append(_module("win32timezone", TimeZoneInfo=utc))
    plain = ("win32api", "win32con", "win32event", "win32gui")
    return {module.__name__: module for module in [*found, *map(_module, plain)]}


def _module(name: str, **attributes: Any) -> Any:
    module = types.ModuleType(name)
    vars(module).update(attributes)
    return module


def _package(name: str, **attributes: Any) -> Any:
    return _module(name, __path__=[], **attributes)


@contextmanager
def installed() -> Iterator[Any]:
    """xlwings as on Windows."""
    import xlwings

    engines = xlwings.engines
    before = list(engines.engines), dict(engines.engines_by_name), engines.active
    library = mock.MagicMock()
    with (
        mock.patch.dict(sys.modules, _modules()),
        mock.patch.object(ctypes, "oledll", library, create=True),
        mock.patch.object(ctypes, "windll", library, create=True),
        mock.patch.object(ctypes, "PyDLL", library),
        mock.patch.object(atexit, "register", lambda function: function),
    ):
        from xlwings import _xlwindows, com_server, udfs

        engines.add(xlwings.Engine(impl=_xlwindows.engine))
        real = {"func": udfs.xlfunc, "arg": udfs.xlarg, "ret": udfs.xlret, "script": udfs.xlsub}
        with mock.patch.multiple(xlwings, **real):
            yield SimpleNamespace(xlwings=xlwings, udfs=udfs, server=com_server.XLPython())
        engines.engines, engines.engines_by_name, engines.active = before
    com_server.loop.close()
    for name in _STUBBED:
        sys.modules.pop(name, None)
        vars(xlwings).pop(name.split(".")[1], None)
