"""The Excel add-in as a file: its package, its VBA in LibreOffice, its ribbon; in real Excel where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import xlwings as xw
from defusedxml.ElementTree import fromstring

from tests.stubs import win32
from tests.stubs.vba import VBA_Parser
from voladdin.cli.program import main
from voladdin.commands import COMMANDS, Command
from voladdin.errors import InfeasibleError, InputError, UnavailableError
from voladdin.hosts import excel
from voladdin.hosts.excel import addin, names, ribbon, xlam
from voladdin.worksheet.registry import FUNCTIONS

CUSTOM_UI = "{http://schemas.microsoft.com/office/2009/07/customui}"
RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
LONGEST = (
    1024  # characters of a text in customUI (ST_String, ST_LongString: the schema's and Office's limits)
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return excel.build(tmp_path_factory.mktemp("addin") / "voladdin.xlam")


@pytest.fixture(scope="module")
def sources(file: Path) -> dict[str, str]:
    """Every module as olevba reads it."""
    found = VBA_Parser(str(file))
    try:
        return {stream.split("/")[-1]: code for _, stream, _, code in found.extract_macros()}
    finally:
        found.close()


def part(file: Path, name: str) -> Element:
    with zipfile.ZipFile(file) as package:
        root: Element = fromstring(package.read(name))
    return root


def test_the_same_file_twice(file: Path, tmp_path: Path) -> None:
    assert excel.build(tmp_path / "again.xlam").read_bytes() == file.read_bytes()


def test_olevba_reads_every_module_as_it_was_written(sources: dict[str, str]) -> None:
    written = {module.name: module.data.decode("cp1252") for module in addin.modules()}
    assert {name: _lines(code) for name, code in sources.items()} == {
        n: _lines(c) for n, c in written.items()
    }
    assert list(written) == ["ThisWorkbook", "Sheet1", names.VBA_MODULE]


def _lines(code: str) -> list[str]:
    return code.replace("\r\n", "\n").split("\n")


def test_the_package_is_complete(file: Path) -> None:
    with zipfile.ZipFile(file) as package:
        entries = set(package.namelist())
        assert package.testzip() is None
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {
        name for name in entries if name.endswith((".xml", ".rels")) and part(file, name) is None
    } == set()
    types = part(file, "[Content_Types].xml")
    overridden = {element.get("PartName"): element.get("ContentType") for element in types}
    ends = {element.get("Extension") for element in types}
    assert all(f"/{name}" in overridden or name.rsplit(".")[-1] in ends for name in entries)
    main_type = "application/vnd.ms-excel.addin.macroEnabled.main+xml"
    assert overridden["/xl/workbook.xml"] == main_type
    for base, rels in (("", "_rels/.rels"), ("xl/", "xl/_rels/workbook.xml.rels")):
        targets = {base + element.attrib["Target"] for element in part(file, rels).iter(RELATIONSHIP)}
        assert targets <= entries
    code_names = (part(file, "xl/workbook.xml")[0], part(file, "xl/worksheets/sheet1.xml")[0])
    assert [element.get("codeName") for element in code_names] == ["ThisWorkbook", "Sheet1"]


def test_what_cells_of_any_book_can_reach(sources: dict[str, str]) -> None:
    """Of xlwings' runtime nothing: RunPython in a cell of a book someone sent would run what it says."""
    text = sources[names.VBA_MODULE]
    public = re.findall(r"^\s*(?:Public )?(?:Function|Sub|Const) (\w+)", text, re.M)
    local = {"OK_BUTTON_ERROR", "AUTO_DISMISS", "XLPyDLLName"}  # constants of one procedure, or private
    assert set(public) - local == {*FUNCTIONS, names.CALLBACK, "DescribeFunctions"}
    declared = re.findall(r"^ *(.*)\bDeclare\b", text, re.M)
    assert len(declared) > 5 and set(declared) == {"Private "}


def test_the_configuration_is_the_users_own_only(sources: dict[str, str]) -> None:
    """Not a sheet's or a neighbouring file's, which could name another program as the interpreter."""
    text = sources[names.VBA_MODULE]
    assert re.search(r'Private Function GetConfig\(.*source As String = "user"\)', text)
    calls = re.findall(r"GetConfig\((.*?)\)", text.replace("Private Function GetConfig", ""))
    assert len(calls) > 20 and not [call for call in calls if call.count(",") > 1]  # no third argument
    assert 'Private Const PROJECT_NAME As String = "voladdin"' in text


def test_the_command_that_starts_python_does_not_depend_on_the_book(sources: dict[str, str]) -> None:
    text = sources[names.VBA_MODULE]
    start = text.index("Private Function XLPyCommand()")
    command = text[start : text.index("End Function", start)]
    excel_only = command.split("' Other office apps")[0]
    assert "ActiveWorkbook" not in excel_only and "ThisWorkbook" not in excel_only
    path = re.search(r"PYTHONPATH = (AddExcelDir.*)", command)
    assert path is not None
    literals = "".join(re.findall(r'"(;*)"', path[1]))  # six entries come before the configured path
    assert literals == ";" * 6 and path[1].strip().endswith('GetConfig("PYTHONPATH")')


def test_the_runtime_keeps_its_licence(sources: dict[str, str]) -> None:
    text = sources[names.VBA_MODULE]
    assert "'Copyright (C) 2014-present, Zoomer Analytics LLC." in text
    assert "'Redistributions in binary form must reproduce" in text.replace("* ", "")
    assert f'"{xw.__version__}"' in text


def test_another_runtime_of_xlwings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xlwings_custom_addin.bas").write_text('Attribute VB_Name = "xlwings"\n')
    monkeypatch.setattr(xw, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(UnavailableError, match=r"matches .*PROJECT_NAME.* 0 times"):
        addin.runtime_text()


# the ribbon


def buttons(text: str) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in fromstring(text).iter(f"{CUSTOM_UI}button")]


def test_the_ribbon_has_a_button_a_command(file: Path) -> None:
    root = part(file, "customUI/customUI14.xml")
    tab = root[0][0][0]
    assert root.tag == f"{CUSTOM_UI}customUI" and tab.get("label") == "voladdin"
    shown = [(group.get("label"), button.get("tag")) for group in tab for button in group]
    assert shown == sorted(
        ((c.group, c.name) for c in COMMANDS.values()),
        key=lambda entry: list(dict.fromkeys(c.group for c in COMMANDS.values())).index(entry[0]),
    )
    assert {label for label, _ in shown} <= {"Surface", "Scenarios", "Help"}


def test_the_ribbon_keeps_to_its_schema(file: Path) -> None:
    elements = list(part(file, "customUI/customUI14.xml").iter())
    ids = [element.attrib["id"] for element in elements if "id" in element.attrib]
    assert len(ids) == len(set(ids)) == len(elements) - 3  # all but customUI, ribbon and tabs
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", id_) for id_ in ids)
    for element in elements:
        assert all(0 < len(value) <= LONGEST for value in element.attrib.values())
        if element.tag == f"{CUSTOM_UI}button":
            known = {"id", "tag", "label", "size", "imageMso", "screentip", "supertip", "onAction"}
            assert set(element.attrib) == known and element.get("size") == "large"


def test_every_callback_is_there_with_the_ribbons_signature(file: Path, sources: dict[str, str]) -> None:
    found = buttons(ribbon.xml())
    assert found
    for button in found:
        heads = [
            line
            for source in sources.values()
            for line in source.splitlines()
            if re.fullmatch(rf"Public Sub {button['onAction']}\(control As IRibbonControl\)", line)
        ]
        assert len(heads) == 1


def test_a_new_command_needs_nothing_but_its_entry() -> None:
    command = Command("new", 'A "new" <one> & more', "Says what's new.", "Other & more", lambda book: "")
    found = buttons(ribbon.xml([*COMMANDS.values(), command]))
    assert len(found) == len(COMMANDS) + 1
    assert found[-1]["label"] == 'A "new" <one> & more' and found[-1]["imageMso"] == "MacroPlay"
    assert all(
        button["imageMso"] != "MacroPlay" for button in buttons(ribbon.xml()) if button["tag"] == "check"
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Commands that say, complain or fail, in place of the real ones; the book each was given."""
    seen: dict[str, Any] = {}

    def say(book: Any) -> str:
        seen["book"] = book
        return "3 cells filled"

    def complain(book: Any) -> str:
        raise InfeasibleError("B2 is 0.3; expected at most 0.2")

    def fail(book: Any) -> str:
        raise ZeroDivisionError("x")

    for run in (say, complain, fail):
        monkeypatch.setitem(COMMANDS, run.__name__, Command(run.__name__, "", "", "", run))
    return seen


def test_what_a_button_answers(calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    book = SimpleNamespace(name="b.xlsx")
    monkeypatch.setattr(xw.Book, "caller", lambda: book)
    assert ribbon.answer("say") == "=3 cells filled" and calls["book"] is book
    reference = InfeasibleError("B2 is 0.3; expected at most 0.2").reference
    assert ribbon.answer("complain") == f"!B2 is 0.3; expected at most 0.2 ({reference})"
    assert ribbon.answer("fail").startswith("!fail failed: ZeroDivisionError: x; this is a defect")
    assert ribbon.answer("nothing").startswith("!command 'nothing' is unknown; expected one of fill, ")


def test_a_button_through_the_com_server(calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls that commands.bas makes, on xlwings' own server object, with COM's wrapping left out."""
    with win32.installed() as host:
        for name in ("FromVariant", "ToVariant"):
            monkeypatch.setattr(f"xlwings.com_server.{name}", lambda value: value)
        python, workbook = host.server, SimpleNamespace(Name="b.xlsx")
        python.SetAttr(python.Module("xlwings._xlwindows"), "BOOK_CALLER", workbook)
        module = python.Module("voladdin.hosts.excel.ribbon")
        said = python.Str(python.Call(module, "answer", python.Tuple("say")))
        assert said == "=3 cells filled"
        assert calls["book"].impl.xl is workbook
    text = Path(addin.__file__).with_name("commands.bas").read_text()
    for call in (
        'XLPy.Module("xlwings._xlwindows"), "BOOK_CALLER", ActiveWorkbook',
        f'"{ribbon.__name__}"), "answer"',
    ):
        assert call in text


# the VBA, run by LibreOffice

STUBS = """
Const xlErrNA = 2042, xlErrValue = 2015, xlErrNum = 2036, xlErrDiv0 = 2007
Const xlErrRef = 2023, xlErrName = 2029, xlErrNull = 2000
Const PROJECT_NAME = "voladdin"
Type IRibbonControl
    Tag As String
End Type
Private Enabled As Boolean
Private Absent As Boolean
Private Answer As String
Private Said As String

Private Function XLPy_CallUDF(module, name, arguments, book, caller)
    Dim found(1, 3), i, given
    If Absent Then Err.Raise 5
    For i = LBound(arguments) To UBound(arguments)
        given = given & arguments(i) & ","
    Next i
    found(0, 0) = module & "." & name: found(0, 1) = "#N/A": found(0, 2) = 0.25: found(0, 3) = caller
    found(1, 0) = given: found(1, 1) = "#VALUE!": found(1, 2) = (book Is Nothing): found(1, 3) = "#NUM!"
    XLPy_CallUDF = found
End Function

Private Sub XLPy_SetAttr(module, name, value)
    If Absent Then Err.Raise 5
    Said = Said & module & "." & name & "="
    If value Is Nothing Then Said = Said & "Nothing;" Else Said = Said & value.Name & ";"
End Sub

Private Function XLPy_Module(name)
    XLPy_Module = name
End Function

Private Function XLPy_Tuple(value)
    XLPy_Tuple = "(" & value & ")"
End Function

Private Function XLPy_Call(module, name, arguments)
    Said = Said & module & "." & name & arguments & ";"
    XLPy_Call = Answer
End Function

Private Function XLPy_Str(value)
    XLPy_Str = value
End Function

Private Sub Say(text, style, title)
    Said = Said & title & ":" & style & ":" & text
End Sub

Private Sub Options_(Macro, Category, Description, ArgumentDescriptions)
    Said = Said & Macro & ";" & Category & ";" & Description & ";" & Join(ArgumentDescriptions, ";") & Chr(10)
End Sub

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

Private Function Pressed(button As String, reply As String) As String
    Dim control As IRibbonControl
    control.Tag = button: Answer = reply: Said = ""
    VoladdinCommand control
    Pressed = Said & Chr(10)
End Function
"""
EXCEL_ONLY = [  # what LibreOffice's Basic lacks, each by its stand-in above
    [r"XLPy\.", "XLPy_"],
    [r'Application\.CommandBars\("Standard"\)\.Controls\(1\)\.Enabled', "Enabled"],
    [r"If TypeOf Application\.Caller Is Range Then On Error", "On Error"],
    [r"Application\.Caller", '"caller"'],
    [r"Application\.MacroOptions", "Options_"],
    [r"Debug\.Print", "Said ="],
    [r"\bMsgBox\b", "Say"],
    [r"\boutput\b", "output_"],  # a word of its own there
]


def _python() -> str:
    """The interpreter that has LibreOffice's uno."""
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    if (
        shutil.which("soffice") is None
        or subprocess.run([python, "-c", "import uno"], capture_output=True).returncode
    ):
        pytest.skip("LibreOffice (soffice) with the system's Python module uno is not installed")
    return python


@pytest.fixture(scope="module")
def office(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the body of a Basic function Test in the add-in's module, as LibreOffice loads it."""
    python, driver = _python(), Path(__file__).parents[1] / "stubs" / "addin_driver.py"

    def run(*body: str, **options: Any) -> Any:
        test = "\nPublic Function Test() As String\n" + "\n".join(body) + "\nEnd Function\n\n"
        script = {
            "module": names.VBA_MODULE,
            "from": f"Function {min(FUNCTIONS)}(",
            "replace": EXCEL_ONLY,
            "add": STUBS + test,
            **options,
        }
        command = [python, driver, file, tmp_path_factory.mktemp("office")]
        ran = subprocess.run(command, input=json.dumps(script), capture_output=True, text=True, timeout=90)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


def test_libreoffice_loads_every_module_and_runs_every_wrapper(office: Any, sources: dict[str, str]) -> None:
    calls = [
        f"Test = Test & Shown({f.name}({', '.join(_quoted(a.name) for a in f.arguments)})) & Chr(10)"
        for f in FUNCTIONS.values()
    ]
    found = office("Enabled = True", *calls)
    for name, source in sources.items():
        expected = [line for line in _lines(source) if line and not line.startswith("Attribute ")]
        loaded = [line for line in _lines(found["modules"][name]) if line]
        assert loaded[2:] == expected and loaded[1] == "Option VBASupport 1"
    results = found["result"].splitlines()
    for function, result in zip(FUNCTIONS.values(), results, strict=True):
        given = "".join(f"{argument.name}," for argument in function.arguments) + ","  # the caller's, unknown
        cells = (
            f"String {names.PYTHON_MODULE}.{function.name};String {given};Error 2042;Error 2015;Double 0.25;"
        )
        assert result == f"{cells}Boolean True;String caller;Error 2036;"


def _quoted(text: str) -> str:
    return f'"{text}"'


def test_error_texts_wizard_and_an_absent_python(office: Any) -> None:
    found = office(
        "Dim row(1)",
        'row(0) = "#DIV/0!": row(1) = 2.5',
        'Test = Shown(WithErrors(row)) & Shown(WithErrors("#REF!")) & ";" & Shown(WithErrors("x"))',
        'Test = Test & ";" & Shown(WithErrors("#NAME?")) & ";" & Shown(Values(3.5)) & Chr(10)',
        'Test = Test & TypeName(VOLINFO("x")) & Chr(10)',  # Enabled is False: in the wizard
        "Enabled = True: Absent = True",
        'Test = Test & Shown(VOLINFO("x")) & " " & Said',
    )
    errors, wizard, absent = found["result"].splitlines()
    assert errors == "Error 2007;Double 2.5;Error 2023;String x;Error 2029;Double 3.5"
    assert wizard in ("Empty", "Nothing")  # nothing was called; LibreOffice calls an empty Variant Nothing
    assert absent.startswith("Error 2042 VOLINFO: ")


def test_a_button_shows_what_python_answers(office: Any) -> None:
    found = office(
        'Test = Pressed("fill", "=3 cells filled") & Pressed("check", "!B2 is 0.3") & Pressed("clear", "=")',
        "Absent = True",
        'Test = Test & Pressed("fill", "=never")',
    )
    done, complaint, silent, absent = found["result"].splitlines()
    caller = "xlwings._xlwindows.BOOK_CALLER="
    asked = f"{caller}{{}};voladdin.hosts.excel.ribbon.answer({{}});{caller}Nothing;"
    book = "voladdin.xlam"  # the active one here
    assert done == asked.format(book, "fill") + "voladdin:64:3 cells filled"
    assert complaint == asked.format(book, "check") + "voladdin:48:B2 is 0.3"
    assert silent == asked.format(book, "clear")
    assert absent.startswith("voladdin:16:Python did not run the command: ")


def test_the_texts_of_the_function_wizard_reach_excel(office: Any) -> None:
    found = office("Dim done As Boolean", "DescribeFunctions done", "Test = done & Chr(10) & Said")
    done, *described = found["result"].splitlines()
    assert done == "True"
    for function, text in zip(FUNCTIONS.values(), described, strict=True):
        macro, category, *texts = text.split(";", 2)
        assert macro.endswith(f"'!{function.name}") and category == "voladdin"
        assert texts == [";".join(t[:255] for t in (function.help, *(a.help for a in function.arguments)))]


def test_the_texts_are_given_once_and_as_soon_as_excel_takes_them(office: Any) -> None:
    """The events of ThisWorkbook; `taken` says when Excel takes the texts."""
    events = """
    Private host
    Private taken As Boolean
    Private asked As Integer

    Private Sub DescribeFunctions(done)
        asked = asked + 1: done = taken
    End Sub

    Public Function Test() As String
        Workbook_Open
        Test = asked & " " & (host Is Nothing)
        host_WorkbookActivate ActiveWorkbook
        Test = Test & ", " & asked & " " & (host Is Nothing)
        taken = True
        host_WorkbookActivate ActiveWorkbook
        Test = Test & ", " & asked & " " & (host Is Nothing)
    End Function
    """
    first = "Private Sub Workbook_Open()"
    found = office(module="ThisWorkbook", replace=[], add=events, **{"from": first})
    assert found["result"] == "1 False, 2 False, 3 True"


# the command line


def test_build_writes_where_it_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "excel"]) == 0
    assert (tmp_path / "voladdin.xlam").read_bytes() == file.read_bytes()
    assert main(["build", "excel", "-o", str(tmp_path / "x.bas")]) == 0
    assert (tmp_path / "x.bas").read_bytes() == addin.module().data
    assert "written: voladdin.xlam\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("x.xlsm", "expected a name ending in .xlam or .bas"),
        ("absent/x.xlam", "absent/x.xlam cannot be written: No such file"),
        (".xlam", "expected a name ending in"),
    ],
)
def test_build_says_what_is_wrong(
    output: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "excel", "-o", output]) == 2
    assert message in capsys.readouterr().err
    with pytest.raises(InputError):
        xlam.build(output)


def test_build_knows_its_hosts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["build", "word"])
    assert "invalid choice: 'word'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    assert "--output" in capsys.readouterr().out


# Excel itself


@pytest.mark.skipif(
    sys.platform != "win32", reason="real Excel runs on Windows only; nobody has run this test"
)
def test_real_excel_opens_the_add_in_and_calculates() -> None:
    start = excel.installer.start_folder() / names.ADDIN
    before = start.exists()
    excel.install()
    try:
        try:
            app = xw.App(visible=False, add_book=True)
        except Exception as error:
            pytest.skip(f"Excel does not start: {error}")
        try:
            app.books.open(start)  # Excel started by automation leaves its start folder out
            sheet = app.books.add().sheets[0]
            sheet["A1"].formula = '=VOLINFO("version")'
            sheet["A5"].formula = '=ISERROR(VOLIMPUTE("x"))'
            app.calculate()
            assert str(sheet["A1"].value)
            assert sheet["A5"].value is True
        finally:
            app.kill()
    finally:
        if not before:
            excel.uninstall()
