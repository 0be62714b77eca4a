"""The add-in's VBA in LibreOffice: what stands in for Excel's and Windows' own, and how a test runs in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voladdin.hosts.excel import names

DRIVER = Path(__file__).with_name("addin_driver.py")
STUBS = """
Const xlErrNA = 2042, xlErrValue = 2015, xlErrNum = 2036, xlErrDiv0 = 2007
Const xlErrRef = 2023, xlErrName = 2029, xlErrNull = 2000
Const xlCalculationManual = -4135, xlColorIndexNone = -4142
Const LIBRARY = "xlwings64.dll"
Type IRibbonControl
    Tag As String
End Type
Private Dialog As Boolean
Private Of1904 As Boolean
Private Scheduled As Integer
Private Com As Object
Private Status As String
Private Said As String
Private Questions As String
Private Replies As String

Private Function NewHttp()
    Set NewHttp = New http_of_basic
End Function

Private Function TaskService()
    Scheduled = Scheduled + 1
    Err.Raise 429
End Function

Private Function LoadLibrary(file)
    LoadLibrary = 1
End Function

Private Function Activated_(found, command, mode)
    If Com Is Nothing Then
        found = "no library": Activated_ = 1
    Else
        Said = Said & command & ";"
        Set found = Com: Activated_ = 0
    End If
End Function

Private Sub Show(text)
    Status = text
End Sub

Private Sub Say(text, style, title)
    Said = Said & title & ":" & style & ":" & text
End Sub

Private Sub Options_(Macro, Category, Description, HelpFile, ArgumentDescriptions)
    Said = Said & Macro & ";" & Category & ";" & HelpFile & ";" & Description & ";"
    Said = Said & Join(ArgumentDescriptions, ";") & Chr(10)
End Sub

Private Sub Later_(moment, macro)
    Said = Said & "later " & macro & ";"
End Sub

Private Function Next_(kind, text, offered)
    Next_ = Split(Replies, "|")(0)
    Replies = Mid(Replies, Len(Next_) + 2)
    Questions = Questions & kind & ":" & offered & ":" & text & "|"
End Function

Private Function Asked_(text, title, offered, kind)
    Dim reply
    reply = Next_(kind, text, offered)
    If reply = "cancel" Then
        Asked_ = False
    ElseIf kind = 8 Then
        Set Asked_ = ActiveSheet.Range(reply)
    Else
        Asked_ = reply
    End If
End Function

Private Function Shown(found) As String
    Dim cell
    If IsError(found) Then
        Shown = CStr(found)
    ElseIf Not IsArray(found) Then
        Shown = TypeName(found) & " " & found
    Else
        For Each cell In found
            Shown = Shown & Shown(cell) & ";"
        Next cell
    End If
End Function

Private Sub Pressed(button As String)
    Dim control As IRibbonControl
    control.Tag = button
    VoladdinCommand control
End Sub
"""
EXCEL_ONLY = [  # what LibreOffice's Basic lacks, each by its stand-in above
    [r'CreateObject\("MSXML2\.ServerXMLHTTP\.6\.0"\)', "NewHttp()"],
    [r'CreateObject\("Schedule\.Service"\)', "TaskService()"],
    [r'Not Application\.CommandBars\("Standard"\)\.Controls\(1\)\.Enabled', "Dialog"],
    [r"XLPyDLLActivateAuto\(", "Activated_("],
    [r"Application\.MacroOptions", "Options_"],
    [r"Application\.StatusBar = ", "Show "],
    [r"Application\.Hwnd", "42"],
    [r"Application\.Range\(cell\)\.Dirty", 'Said = Said & "dirty " & cell & ";"'],
    [r"Application\.Caller\.Address\(External:=True\)", '"[b]S!$A$1"'],
    [r"cells\.Worksheet\.Parent\.Date1904", "Of1904"],
    [r'Const SEPARATOR As String = "\\"', 'Const SEPARATOR As String = "/"'],
    [r"\bSleep\b", "Wait"],
    [r"\bMsgBox\b", "Say"],
    [r"Application\.OnTime", "Later_"],
    [r"Not ActiveWorkbook Is Workbooks\(book\)", "ActiveWorkbook.Name <> book"],
    [r"Application\.InputBox\((.*), Type:=(\d)\)", r"Asked_(\1, \2)"],
    [r"chosen\.Address\(External:=True\)", '"[b]S!" & chosen.Address'],
    [r"Dim chosen As Range", "Dim chosen As Object"],
    [r"\.Open\b", ".Open_"],
    [r"\.Call\(", ".Call_("],
    [r"\boutput\b", "output_"],  # words of its own there
]


PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable  # that has LibreOffice's uno


def lacking() -> str | None:
    """What is not installed that `run_vba` needs."""
    asked = [PYTHON, "-c", "import uno"]
    if shutil.which("soffice") and not subprocess.run(asked, capture_output=True, check=False).returncode:
        return None
    return "LibreOffice (soffice) with the system's Python module uno is not installed"


def configure(profile: Path, **entries: str) -> None:
    (profile / ".voladdin").mkdir(exist_ok=True)
    given = {
        "TRANSPORT": "auto",
        "TASK": "voladdin me",
        "INTERPRETER_WIN": sys.executable,
        "PYTHONPATH": "/x's",
    }
    lines = [f'"{name}","{value}"\n' for name, value in (given | entries).items()]
    (profile / ".voladdin" / "voladdin.conf").write_text("".join(lines))


def run_vba(file: Path, folder: Path, profile: Path, *body: str, replace: Any = (), **options: Any) -> Any:
    """Runs the body of a Basic function Test in the add-in's module, as LibreOffice loads it.

    folder: for LibreOffice's own files. profile: of the user, with `configure`'s file. replace: more of
    EXCEL_ONLY, or None for nothing of it.
    """
    head = f'Const PYTHON_MODULE = "{names.PYTHON_MODULE}", PYTHON_SERVER = "{names.PYTHON_SERVER}"\n'
    test = "\n".join(["\nPublic Function Test() As String", "Dim a", *body, "End Function\n\n"])
    script = {
        "module": names.VBA_MODULE,
        "from": "Private Const PROJECT_NAME",
        "replace": [] if replace is None else [*replace, *EXCEL_ONLY],
        "add": head + STUBS + test,
        **options,
    }
    if (reason := lacking()) is not None:
        pytest.skip(reason)
    environment = os.environ | {"USERPROFILE": str(profile)}
    ran = subprocess.run(
        [PYTHON, DRIVER, file, folder],
        input=json.dumps(script),
        capture_output=True,
        text=True,
        timeout=90,
        env=environment,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
