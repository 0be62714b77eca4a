"""The VBA of the add-in: a function for each of FUNCTIONS, the ways to Python, the ribbon's callback.

All of it is one module, because that way all else is private: what is public could be called from any cell of
any book, and some of it starts programs.
"""

from __future__ import annotations

import re
from pathlib import Path

from voladdin.commands.manual import FOLDER
from voladdin.errors import UnavailableError
from voladdin.worksheet.help_pages import file_of
from voladdin.worksheet.registry import FUNCTIONS, Function

from .names import MAX_HELP, PROJECT, PYTHON_MODULE, PYTHON_SERVER, VBA_MODULE
from .vba_project import Module

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
    names = {"PYTHON_MODULE": PYTHON_MODULE, "PYTHON_SERVER": PYTHON_SERVER}
    constants = "".join(f'Private Const {name} As String = "{text}"\n' for name, text in names.items())
    own = "".join(map(_text, ("connection.bas", "cells.bas", "commands.bas")))
    head = f'Attribute VB_Name = "{VBA_MODULE}"\nOption Explicit\n{starter_text()}'
    return Module(VBA_MODULE, f"{head}{constants}{own}\n{wrapper_text()}{_descriptions()}")


def starter_text() -> str:
    """What starts Python through xlwings' library of the version installed here, under xlwings' notice (BSD).

    Raises UnavailableError where xlwings' own VBA has no such notice.
    """
    import xlwings

    text = Path(xlwings.__file__).with_name("xlwings_custom_addin.bas").read_text("utf-8", "replace")
    notice = re.search(r"^'xlwings is distributed under a BSD.*?^'SOFTWARE.*?DAMAGE\.$", text, re.M | re.S)
    if notice is None:
        raise UnavailableError("xlwings' VBA has no notice of its licence; expected it as in xlwings 0.37")
    return f"{notice[0]}\n\n{_text('com.bas').replace('{version}', xlwings.__version__)}"


def wrapper_text() -> str:
    """One VBA function an entry of FUNCTIONS, which hands its arguments to `Called`."""
    return "".join(map(_wrapper, FUNCTIONS.values()))


def _wrapper(function: Function) -> str:
    """The function's help is its attribute too: the wizard has it even before `DescribeFunctions` ran."""
    given = ", ".join(f"{'Optional ' * a.optional}ByVal {a.name} As Variant" for a in function.arguments)
    names = ", ".join(argument.name for argument in function.arguments)
    help_ = function.help[:MAX_HELP].replace('"', '""').encode("ascii", "replace").decode()
    return (
        f"Public Function {function.name}({given}) As Variant\n"
        f'Attribute {function.name}.VB_Description = "{help_}"\n'
        f'    {function.name} = Called("{function.name}", Array({names}))\n'
        "End Function\n\n"
    )


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
        f'        HelpFile:=Home() & "{FOLDER}" & SEPARATOR & "{file_of(function.name)}", _',
        f"        ArgumentDescriptions:=Array( _\n        {arguments})",
    ]


def _quoted(text: str) -> str:
    """A VBA string of at most what Excel takes; characters outside ASCII by their number."""
    quoted = '"' + text[:MAX_HELP].replace('"', '""') + '"'
    return re.sub(r"[^ -~]", lambda found: f'" & ChrW({ord(found[0])}) & "', quoted)
