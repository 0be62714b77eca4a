"""The VBA of the add-in: xlwings' runtime, a worksheet function for each of FUNCTIONS, the ribbon's callback.

All of it is one module, because that way the runtime can be private: its public functions could be called
from any cell of any book, and they start programs.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from voladdin.errors import UnavailableError
from voladdin.worksheet.registry import FUNCTIONS, Function

from .names import ADDIN, MAX_HELP, PROJECT, PYTHON_MODULE, VBA_MODULE
from .udfs import user_defined
from .vba_project import Module

_PYWIN32 = {  # modules that xlwings' functions import, and the name each is asked for
    "pythoncom": "CoInitialize",
    "pywintypes": "com_error",
    "win32com": "client",
    "win32com.client": "Dispatch",
}
_WORKBOOK_CLASS, _SHEET_CLASS = "00020819", "00020820"


def modules() -> list[Module]:
    """The modules of the add-in's VBA project.

    Raises UnavailableError where xlwings writes other VBA than expected.
    """
    return [
        Module(
            "ThisWorkbook", _document("ThisWorkbook", _WORKBOOK_CLASS) + _text("workbook.bas"), "document"
        ),
        Module("Sheet1", _document("Sheet1", _SHEET_CLASS), "document"),
        module(),
    ]


def module() -> Module:
    """The one standard module, for the add-in or for import by hand. Raises UnavailableError as `modules`."""
    own = _text("cells.bas") + _text("commands.bas") + _descriptions()
    return Module(VBA_MODULE, f'Attribute VB_Name = "{VBA_MODULE}"\n{runtime_text()}{wrapper_text()}{own}')


def runtime_text() -> str:
    """xlwings' open-source VBA for a custom add-in (BSD, its notice included), under our project's name.

    Everything in it becomes private, and the configuration is read from the user's own file only: as it is, a
    sheet of a book someone sent, or a file beside it, could name the program to start. The book's name, which
    could add to Python's path, is no part of the command that starts Python.
    """
    import xlwings

    text: Any = Path(xlwings.__file__).with_name("xlwings_custom_addin.bas").read_text("utf-8", "replace")
    for pattern, replacement in (
        (r'^Attribute VB_Name = ".*"\n', ""),
        (r'^Public (Const PROJECT_NAME As String = )"myaddin"', rf'Private \1"{PROJECT}"'),
        (r'^(Function GetConfig\(.*source As String = )""', r'\1"user"'),
        (r"^Public (Const XLWINGS_VERSION)", r"Private \1"),
        (
            r'(PYTHONPATH = AddExcelDir & )";" & ActiveWorkbook.FullName & ";" & ThisWorkbook.FullName & ";"',
            r'\1";;;"',
        ),
    ):
        text, found = re.subn(pattern, replacement, text, flags=re.M)
        if found != 1:
            raise UnavailableError(f"xlwings' VBA matches {pattern} {found} times; expected once, as in 0.37")
    text = re.sub(r"^( *)(?:Public )?(Declare)\b", r"\1Private \2", text, flags=re.M)
    return re.sub(r"^(?:Public )?(Function|Sub)\b", r"Private \1", text, flags=re.M).rstrip() + "\n\n"


def wrapper_text() -> str:
    """One VBA function an entry of FUNCTIONS.

    It is xlwings' own wrapper, but ranges are passed as values (one COM call each instead of nine), a Python
    error is an error value of Excel instead of its text, also inside an array, the call is skipped in the
    function wizard, and the book is not passed: nothing reads it.

    Raises UnavailableError where xlwings writes other wrappers than expected.
    """
    text = _generated()
    text, calls = re.subn(r"(\w+) = (XLPy\.CallUDF\(.*?, )Array\((.*?)\)(.*\))", _adapted, text)
    text, failures = re.subn(r"(\w+) = Err\.Description", r'\1 = CallFailed("\1", Err.Description)', text)
    count = len(FUNCTIONS)
    if (calls, failures) != (2 * count, count):
        raise UnavailableError(
            f"xlwings' VBA wrapper of {count} functions has {calls} calls and {failures} error lines; "
            f"expected {2 * count} and {count}, as xlwings 0.37 writes it"
        )
    return re.sub(r"^Function (\w+)\(.*\)\n", _described, text, flags=re.M)


def _adapted(call: re.Match[str]) -> str:
    name, start, arguments, rest = call.groups()
    values = ", ".join(f"Values({argument})" for argument in arguments.split(", "))
    values += f", Whence({arguments})"
    return f"{name} = WithErrors({start}Array({values}){rest.replace('ActiveWorkbook', 'Nothing')})"


def _described(head: re.Match[str]) -> str:
    """The function's help as its attribute: the wizard has it even before `DescribeFunctions` ran."""
    help_ = FUNCTIONS[head[1]].help[:MAX_HELP].replace('"', '""')
    return f'{head[0]}Attribute {head[1]}.VB_Description = "{help_.encode("ascii", "replace").decode()}"\n'


def _generated() -> str:
    """What xlwings writes for the add-in's functions."""
    file = StringIO()
    udfs = _xlwings_udfs()
    decorators = SimpleNamespace(func=udfs.xlfunc, arg=udfs.xlarg, ret=udfs.xlret)
    functions = SimpleNamespace(**{f.name: user_defined(f, decorators) for f in FUNCTIONS.values()})
    udfs.generate_vba_wrapper(PYTHON_MODULE, functions, file, SimpleNamespace(Name=ADDIN))
    return file.getvalue()


def _xlwings_udfs() -> Any:
    """xlwings' module of user-defined functions; without pywin32, names stand in for what it imports.

    Writing wrappers calls nothing of pywin32.
    """
    import xlwings

    try:
        return importlib.import_module("xlwings.udfs")
    except ImportError:
        pass
    for module, name in _PYWIN32.items():
        sys.modules[module] = types.ModuleType(module)
        setattr(sys.modules[module], name, None)
    try:
        return importlib.import_module("xlwings.udfs")
    finally:
        for module in (*_PYWIN32, "xlwings.udfs"):
            sys.modules.pop(module, None)
        vars(xlwings).pop("udfs", None)


def _document(name: str, class_: str) -> str:
    """The head of a workbook's or sheet's own module."""
    lines = [f'Name = "{name}"', f'Base = "0{{{class_}-0000-0000-C000-000000000046}}"']
    flags = ("GlobalNameSpace", "Creatable", "PredeclaredId", "Exposed", "TemplateDerived", "Customizable")
    lines += [f"{flag} = {flag in ('PredeclaredId', 'Exposed', 'Customizable')}" for flag in flags]
    return "".join(f"Attribute VB_{line}\n" for line in lines)


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _descriptions() -> str:
    """The macro that gives Excel the texts of its function wizard."""
    lines = ["", "Public Sub DescribeFunctions(ByRef done As Boolean)"]
    lines += ["    ' Excel refuses while no book is visible; the functions work without their texts."]
    lines += ["    On Error Resume Next", "    Err.Clear"]
    for function in FUNCTIONS.values():
        lines += _description(function)
    return "\n".join([*lines, "    done = (Err.Number = 0)", "End Sub", ""])


def _description(function: Function) -> list[str]:
    name = f'"\'" & ThisWorkbook.Name & "\'!{function.name}"'
    arguments = ", _\n        ".join(_quoted(argument.help) for argument in function.arguments)
    return [
        f"    Application.MacroOptions Macro:={name}, _",
        f'        Category:="{PROJECT}", Description:={_quoted(function.help)}, _',
        f"        ArgumentDescriptions:=Array( _\n        {arguments})",
    ]


def _quoted(text: str) -> str:
    """A VBA string of at most what Excel takes; characters outside ASCII by their number."""
    quoted = '"' + text[:MAX_HELP].replace('"', '""') + '"'
    return re.sub(r"[^ -~]", lambda found: f'" & ChrW({ord(found[0])}) & "', quoted)
