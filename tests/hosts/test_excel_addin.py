"""The Excel add-in as a file: its package, its VBA in LibreOffice, its ribbon; in real Excel where it is."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
import xlwings as xw
from defusedxml.ElementTree import fromstring

from tests.stubs.vba import VBA_Parser
from voladdin.cli.program import main
from voladdin.commands import COMMANDS, Command
from voladdin.errors import InputError
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
    """The functions alone: a cell of a book that someone sent calls no Sub, but whatever else is public."""
    text = sources[names.VBA_MODULE]
    public = re.findall(r"^\s*Public (?:Function|Sub|Const) (\w+)", text, re.M)
    own = {names.CALLBACK, names.NOTES, names.SEEN, "VoladdinArrivals", "DescribeFunctions"}
    assert set(public) == {*FUNCTIONS, *own}
    assert re.findall(r"^ *(?:Function|Sub|Const|Declare|Global) ", text, re.M) == []
    assert re.findall(r"^ *(.*)\bDeclare\b", text, re.M) == ["Private "] * 4


def test_nothing_in_it_starts_programs_by_itself_or_changes_files_and_projects(file: Path) -> None:
    """What scanners and policies look for, as olevba finds it."""
    parser = VBA_Parser(str(file))
    try:
        found = {keyword.lower() for kind, keyword, _ in parser.analyze_macros() if kind != "IOC"}
        text = "\n".join(code for *_, code in parser.extract_macros())
    finally:
        parser.close()
    forbidden = {"shell", "wscript.shell", "kill", "filecopy", "vbproject", "vbcomponents", "powershell"}
    assert not found & (forbidden | {"shellexecute", "mkdir", "rmdir", "callbyname"})
    assert not re.search(r"(?i)WScript|\bKill\b|FileCopy|VBProject|cmd\.exe|\bShell\b", text)


def test_the_configuration_is_the_users_own_only(sources: dict[str, str]) -> None:
    """Not a sheet's or a neighbouring file's, which could name another program as the interpreter."""
    text = sources[names.VBA_MODULE]
    start = text.index("Private Function ConfigurationFile()")
    body = text[start : text.index("End Function", start)]
    assert 'Environ("USERPROFILE") & SEPARATOR & "." & PROJECT_NAME' in body
    assert text.count("TextOf(ConfigurationFile())") == 1  # read once
    start = text.index("Private Function PythonCommand()")
    command = text[start : text.index("End Function", start)]
    assert "ActiveWorkbook" not in command and "ThisWorkbook" not in command


def test_the_notice_of_xlwings_is_kept(sources: dict[str, str]) -> None:
    text = sources[names.VBA_MODULE]
    assert "'Copyright (C) 2014-present, Zoomer Analytics LLC." in text
    assert "'Redistributions in binary form must reproduce" in text.replace("* ", "")


# the ribbon


def buttons(text: str) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in fromstring(text).iter(f"{CUSTOM_UI}button")]


def test_the_ribbon_has_a_button_a_command_and_a_range_its_menu(file: Path) -> None:
    root = part(file, "customUI/customUI14.xml")
    tab = root[0][0][0]
    assert root.tag == f"{CUSTOM_UI}customUI" and tab.get("label") == "voladdin"
    groups = [group.get("label") for group in tab]
    assert groups == [name for name in ("Surface", "Scenarios", "View", "Help") if name in groups]
    shown = {(group.get("label"), button.get("tag")) for group in tab for button in group}
    assert shown == {(c.group, c.name) for c in COMMANDS.values()} | {("Help", "reconnect")}
    for menu in root[1]:
        tags = [button.get("tag") for button in menu[0]]
        assert tags == [c.name for c in COMMANDS.values() if c.group == "Surface"] + [
            c.name for c in COMMANDS.values() if c.group == "View"
        ]
    assert [menu.get("idMso") for menu in root[1]] == ["ContextMenuCell", "ContextMenuListRange"]


def test_the_ribbon_keeps_to_its_schema(file: Path) -> None:
    elements = list(part(file, "customUI/customUI14.xml").iter())
    ids = [element.attrib["id"] for element in elements if "id" in element.attrib]
    plain = {"customUI", "ribbon", "tabs", "contextMenus", "contextMenu"}
    assert len(ids) == len(set(ids)) == sum(e.tag.removeprefix(CUSTOM_UI) not in plain for e in elements)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", id_) for id_ in ids)
    known = {"id", "tag", "label", "imageMso", "screentip", "supertip", "onAction"}
    for parent in elements:
        assert all(0 < len(value) <= LONGEST for value in parent.attrib.values())
        in_group = parent.tag == f"{CUSTOM_UI}group"  # a menu's button has no size
        for element in parent.iter(f"{CUSTOM_UI}button") if in_group or "menu" in parent.tag else ():
            assert set(element.attrib) == (known | {"size"} if in_group else known)


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
    assert len([button for button in found if "size" in button]) == len(COMMANDS) + 1
    found = [button for button in found if "size" in button]
    assert found[-1]["label"] == 'A "new" <one> & more' and found[-1]["imageMso"] == "MacroPlay"
    assert all(
        button["imageMso"] != "MacroPlay" for button in buttons(ribbon.xml()) if button["tag"] == "check"
    )


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


def test_build_signs_with_signtool_or_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["build", "excel", "--sign", "absent.pfx"]) == 2
    assert main(["build", "excel", "--sign", "Desk"]) == 2
    said = capsys.readouterr().err
    assert "--sign is absent.pfx; expected a file" in said and "Office Subject Interface Packages" in said
    tool = tmp_path / "signtool"
    tool.write_text('#!/bin/sh\necho "$@" > asked\nexit ${STATUS:-0}\n')
    tool.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(tool))
    assert main(["build", "excel", "--sign", "Desk"]) == 0
    assert (tmp_path / "asked").read_text() == "sign /fd sha256 /n Desk voladdin.xlam\n"
    (tmp_path / "desk.pfx").touch()
    monkeypatch.setenv("VOLADDIN_SIGN_PASSWORD", "secret")
    monkeypatch.setenv("STATUS", "1")
    assert main(["build", "excel", "--sign", "desk.pfx"]) == 2
    assert (tmp_path / "asked").read_text() == "sign /fd sha256 /f desk.pfx /p secret voladdin.xlam\n"
    assert "signtool refuses" in capsys.readouterr().err


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
