"""The VBA text of the add-in and its configuration; see README.md beside this file for the manual import."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from voladdin.errors import UnavailableError

MODULE = "voladdin.hosts.excel.udfs"
ADDIN = "voladdin.xlam"
MAX_HELP = 255  # characters of a text in Excel's function wizard
FILES = ("voladdin.conf", "voladdin_udfs.bas", "voladdin_xlwings.bas", "README.md")
_HEADER = """Attribute VB_Name = "voladdin_udfs"
Option Explicit
#Const App = "Microsoft Excel"
"""


def wrapper_text() -> str:
    """The VBA module with one worksheet function an entry of FUNCTIONS.

    It is xlwings' own wrapper, but ranges are passed as values (one COM call each instead of nine), a Python
    error is an error value of Excel instead of its text, also inside an array, and the call is skipped in the
    function wizard.

    Raises UnavailableError where pywin32, and so Excel, is absent.
    """
    text, functions = _generated()
    text, calls = re.subn(r"(\w+) = (XLPy\.CallUDF\(.*?, )Array\((.*?)\)(.*\))", _adapted, text)
    text, failures = re.subn(r"(\w+) = Err\.Description", r'\1 = Failed("\1", Err.Description)', text)
    if (calls, failures) != (2 * functions, functions):
        raise UnavailableError(
            f"xlwings' VBA wrapper of {functions} functions has {calls} calls and {failures} error lines; "
            f"expected {2 * functions} and {functions}, as xlwings 0.37 writes it"
        )
    return _HEADER + text + Path(__file__).with_name("cells.bas").read_text("utf-8") + _descriptions()


def _adapted(call: re.Match[str]) -> str:
    name, start, arguments, rest = call.groups()
    values = ", ".join(f"Values({argument})" for argument in arguments.split(", "))
    return f"{name} = WithErrors({start}Array({values}){rest})"


def _generated() -> tuple[str, int]:
    """What xlwings writes for the add-in, and its number of functions."""
    try:
        from xlwings import udfs as xlwings_udfs
    except ImportError as error:
        raise UnavailableError(f"Excel's functions need Windows with xlwings and pywin32: {error}") from None
    from voladdin.functions import FUNCTIONS
    from voladdin.hosts.excel import udfs

    generate: Any = xlwings_udfs.generate_vba_wrapper
    file = StringIO()
    generate(MODULE, udfs, file, SimpleNamespace(Name=ADDIN))
    return file.getvalue(), len(FUNCTIONS)


def _descriptions() -> str:
    """The macro that Excel runs as it opens the add-in: the texts of the function wizard."""
    from voladdin.functions import FUNCTIONS

    lines = ["", "Sub Auto_Open()", "    On Error Resume Next ' the functions work without their texts"]
    for function in FUNCTIONS.values():
        name = f'"\'" & ThisWorkbook.Name & "\'!{function.name}"'
        arguments = ", _\n        ".join(_quoted(argument.help) for argument in function.arguments)
        lines += [
            f"    Application.MacroOptions Macro:={name}, _",
            f'        Category:="voladdin", Description:={_quoted(function.help)}, _',
            f"        ArgumentDescriptions:=Array( _\n        {arguments})",
        ]
    return "\n".join([*lines, "End Sub", ""])


def _quoted(text: str) -> str:
    """A VBA string, at most as long as Excel takes."""
    return '"' + text[:MAX_HELP].replace('"', '""') + '"'


def install() -> Path:
    """Writes the configuration and the VBA modules to `.voladdin` in the user's profile; returns the folder.

    They are imported into Excel by hand once, as the README.md there says: the .xlam itself is not made yet.

    Raises UnavailableError where pywin32, and so Excel, is absent.
    """
    manual = Path(__file__).with_name("README.md").read_text("utf-8")
    texts = (config(), wrapper_text(), _xlwings_module(), manual)
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in zip(FILES, texts, strict=True):
        folder.joinpath(name).write_text(
            text, encoding="locale", errors="replace", newline="\r\n"
        )  # as VBA reads it
    return folder


def uninstall() -> None:
    """Removes what `install` wrote; the add-in itself is removed in Excel's Add-ins window."""
    for name in FILES:
        _folder().joinpath(name).unlink(missing_ok=True)


def config() -> str:
    """The add-in's own xlwings configuration, so that the user's xlwings.conf stays as it is."""
    executable = Path(sys.executable)
    windowless = executable.with_name("pythonw.exe")
    entries = {
        "INTERPRETER_WIN": windowless if windowless.exists() else executable,
        "PYTHONPATH": Path(__file__).resolve().parents[3],
        "ADD_WORKBOOK_TO_PYTHONPATH": "False",
        "UDF MODULES": MODULE,
    }
    return "".join(f'"{key}","{value}"\n' for key, value in entries.items())


def _folder() -> Path:
    """Where the VBA of a project named voladdin looks for its configuration, whatever VOLADDIN_HOME says."""
    return Path.home() / ".voladdin"


def _xlwings_module() -> str:
    """xlwings' own VBA module for a custom add-in, under the name voladdin."""
    import xlwings

    source: Any = Path(xlwings.__file__).with_name("xlwings_custom_addin.bas")
    text, found = re.subn(
        r'(PROJECT_NAME As String = )"myaddin"', r'\1"voladdin"', source.read_text("utf-8", errors="replace")
    )
    if found != 1:
        raise UnavailableError(f"{source.name} names its project {found} times; expected once")
    return text
