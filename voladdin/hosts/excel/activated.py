"""Asks Python as the add-in's VBA does by COM: xlwings' library starts it and gives its COM server.

A program of its own, since the library waits two minutes for an interpreter that hangs.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from voladdin.errors import UnavailableError

from .names import PYTHON_MODULE, PYTHON_SERVER, literal


class _Variant(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_ushort),
        ("reserved", ctypes.c_ushort * 3),
        ("pointer", ctypes.c_void_p),
        ("more", ctypes.c_void_p),
    ]


def command_line(interpreter: str, path: str) -> str:
    """The interpreter's command line, as `PythonCommand` of connection.bas makes it."""
    return f'"{interpreter}" -B -c "import sys;sys.path.insert(0,{literal(path)});{PYTHON_SERVER}"'


def com_server(library: Path, line: str) -> Any:
    """The COM server of the Python that the library starts. Raises UnavailableError where it starts none."""
    import pythoncom  # type: ignore[import-not-found,import-untyped,unused-ignore]
    import win32com.client  # type: ignore[import-not-found,import-untyped,unused-ignore]

    pythoncom.CoInitialize()
    activate = ctypes.CDLL(str(library)).XLPyDLLActivateAuto
    activate.argtypes = [ctypes.POINTER(_Variant), ctypes.c_char_p, ctypes.c_long]
    found = _Variant()
    if activate(ctypes.byref(found), line.encode("mbcs"), 1):
        said = ctypes.wstring_at(found.pointer) if found.pointer else "it does not say why"
        raise UnavailableError(f"{library.name} starts no Python: {said}")
    dispatch = pythoncom.ObjectFromAddress(found.pointer, pythoncom.IID_IDispatch)
    return win32com.client.dynamic.Dispatch(dispatch)


def answered_by_com(python: Any, call: str) -> str:
    """The answer to a call, in lines of cells."""
    module = python.Module(PYTHON_MODULE)
    return str(python.Str(python.Call(module, "answered", python.Tuple(call))))


def main(library: str, interpreter: str, path: str, folder: str) -> None:
    """Answers the call in the folder's file "call" by its file "answer".

    Not by pipes: the Python that is started would hold them open.
    """
    call = Path(folder, "call").read_text("utf-8")
    python = com_server(Path(library), command_line(interpreter, path))
    Path(folder, "answer").write_text(answered_by_com(python, call), "utf-8")
