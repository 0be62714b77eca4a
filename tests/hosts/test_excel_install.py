"""The installer of the Excel add-in, in a profile of its own."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import xlwings
from defusedxml.ElementTree import fromstring

from voladdin.cli.program import main
from voladdin.errors import UnavailableError
from voladdin.home import folder
from voladdin.hosts import excel
from voladdin.hosts.doctor import program as doctor
from voladdin.hosts.excel import addin, installer, names, task, waiting, xlam
from voladdin.worksheet.help_pages import pages

THEIR_CONFIG = '"INTERPRETER_WIN","theirs"\n'


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's profile with an xlwings.conf and another add-in, and an environment with xlwings' library."""
    roaming = tmp_path / "AppData" / "Roaming"
    monkeypatch.setenv("APPDATA", str(roaming))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / ".voladdin"))  # as it is on Windows
    scripts = tmp_path / "environment" / "Scripts"
    scripts.mkdir(parents=True)
    for name in ("python.exe", "pythonw.exe", f"../xlwings64-{xlwings.__version__}.dll"):
        (scripts / name).touch()
    monkeypatch.setattr(sys, "executable", str(scripts / "python.exe"))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: name == "pythoncom" or find(name, *rest)
    )
    for theirs in (
        tmp_path / ".xlwings" / "xlwings.conf",
        roaming / "Microsoft" / "Excel" / "XLSTART" / "theirs.xlam",
    ):
        theirs.parent.mkdir(parents=True)
        theirs.write_text(THEIR_CONFIG)
    return tmp_path


def start(profile: Path) -> Path:
    return profile / "AppData" / "Roaming" / "Microsoft" / "Excel" / "XLSTART"


def files(profile: Path) -> dict[str, bytes]:
    """Every file of the profile by its path."""
    found = (path for path in profile.rglob("*") if path.is_file())
    return {path.relative_to(profile).as_posix(): path.read_bytes() for path in found}


def test_install_adds_its_files_and_uninstall_takes_them(profile: Path) -> None:
    before = files(profile)
    message = excel.install()
    assert str(start(profile) / "voladdin.xlam") in message and "restart Excel" in message
    added = {name: data for name, data in files(profile).items() if name not in before}
    helps = {f".voladdin/help/{name}": text.encode() for name, text in pages().items()}
    ours = {"AppData/Roaming/Microsoft/Excel/XLSTART/voladdin.xlam", ".voladdin/voladdin.conf"}
    assert set(added) == {*ours, *helps} and helps.items() <= added.items()
    assert added["AppData/Roaming/Microsoft/Excel/XLSTART/voladdin.xlam"] == xlam.xlam()
    assert excel.uninstall() == "excel: uninstalled"
    assert files(profile) == before and not (profile / ".voladdin").exists()
    assert excel.uninstall() == "excel: was not installed"


def test_the_configuration_is_of_this_interpreter_and_where_the_add_in_looks(profile: Path) -> None:
    excel.install()
    path = profile / ".voladdin" / "voladdin.conf"
    entries = dict(re.findall(r'^"(.*)","(.*)"\r\n', path.read_bytes().decode(), re.M))
    assert entries == {
        "TRANSPORT": "auto",
        "TASK": task.name(),
        "HOME": str(folder()),
        "INTERPRETER_WIN": str(profile / "environment" / "Scripts" / "pythonw.exe"),
        "PYTHONPATH": str(Path(addin.__file__).parents[3]),
    }
    assert Path(entries["PYTHONPATH"], *names.PYTHON_MODULE.split(".")).with_suffix(".py").exists()


def test_without_a_windowless_interpreter_the_plain_one_is_named(profile: Path) -> None:
    (profile / "environment" / "Scripts" / "pythonw.exe").unlink()
    excel.install()
    assert b"python.exe" in (profile / ".voladdin" / "voladdin.conf").read_bytes()


def test_install_again_changes_nothing(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    excel.install()
    before = files(profile)
    monkeypatch.setattr(installer, "_put", lambda *_: pytest.fail("written again"))
    excel.install()
    assert files(profile) == before


def test_an_older_version_is_replaced(profile: Path) -> None:
    before = files(profile)
    ours = profile / ".voladdin"
    ours.mkdir()
    for name in ("voladdin_udfs.bas", "voladdin_xlwings.bas", "README.md", "voladdin.conf", "token"):
        (ours / name).write_text("old")
    (start(profile) / "voladdin.xlam").write_text("old")
    excel.install()
    assert {path.name for path in ours.iterdir()} == {"voladdin.conf", "token", "help"}
    assert (start(profile) / "voladdin.xlam").read_bytes() == xlam.xlam()
    excel.uninstall()
    assert files(profile) == {**before, ".voladdin/token": b"old"}


@pytest.mark.parametrize(
    ("failing", "older"),  # an older add-in that cannot be replaced is open, and the new one waits
    [
        ("voladdin.xlam", b""),
        *((name, old) for name in ("voladdin.conf", "VOLIMPUTE.html", "README.md") for old in (b"", b"old")),
    ],
)
def test_a_failure_halfway_leaves_all_as_it_was(
    failing: str, older: bytes, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profile / ".voladdin").mkdir()
    (profile / ".voladdin" / "README.md").write_bytes(b"of an older version")
    if older:
        (start(profile) / "voladdin.xlam").write_bytes(older)
        (profile / ".voladdin" / "voladdin.conf").write_bytes(older)
    before = files(profile)
    replace, unlink, refused = os.replace, Path.unlink, []

    def refuse(name: str) -> None:
        if name == failing and not refused:
            refused.append(name)
            raise PermissionError(13, "The process cannot access the file")

    def refusing_replace(source: Path, target: Path) -> None:
        refuse(target.name)
        replace(source, target)

    def refusing_unlink(path: Path, **options: Any) -> None:
        refuse(path.name)
        unlink(path, **options)

    monkeypatch.setattr(os, "replace", refusing_replace)
    monkeypatch.setattr(Path, "unlink", refusing_unlink)
    with pytest.raises(UnavailableError, match=f"{failing} cannot be changed: .*; nothing was changed"):
        excel.install()
    assert refused == [failing] and files(profile) == before


REPLACE, UNLINK = os.replace, Path.unlink
IN_USE = PermissionError(13, "The process cannot access the file because it is being used")


def locked(source: Path, target: Path) -> None:
    """As `os.replace` where Excel has the add-in open."""
    if Path(target).name == "voladdin.xlam":
        raise IN_USE
    REPLACE(source, target)


def kept(path: Path, **options: Any) -> None:
    """As `Path.unlink` there."""
    if path.name == "voladdin.xlam":
        raise IN_USE
    UNLINK(path, **options)


def test_an_upgrade_while_excel_has_the_add_in_open_is_done_once_it_is_closed(
    profile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    excel.install()
    (start(profile) / "voladdin.xlam").write_text("old")
    before = files(profile)
    monkeypatch.setattr(doctor, "summarise", lambda _: 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", locked)
        for _ in range(2):  # the last one counts
            assert main(["install", "excel"]) == 0
        said = capsys.readouterr().out
        assert "open and goes on with it" in said and "next start has it" in said
        assert not installer.finish()
    left = files(profile)
    assert {name: left[name] for name in before} == before  # all as it was, but for what waits
    assert {name.split("/")[1] for name in left.keys() - before} <= {"waiting", "server.lock"}
    assert installer.finish()
    assert (start(profile) / "voladdin.xlam").read_bytes() == xlam.xlam()
    assert not (profile / ".voladdin" / "waiting").exists() and installer.finish()


def test_what_waits_is_forgotten_by_another_installation_and_an_uninstallation(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for after in (excel.install, excel.uninstall):
        excel.install()
        (start(profile) / "voladdin.xlam").write_text("old")
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", locked)
            excel.install()
        assert waiting.files()
        after()
        assert not waiting.files() and not (profile / ".voladdin" / "waiting").exists()


def test_what_waits_in_part_is_not_installed(profile: Path) -> None:
    target = start(profile) / "voladdin.xlam"
    waiting.put_off({target: b"new"})
    (profile / ".voladdin" / "waiting" / "0").unlink()
    assert waiting.files() == {} and installer.finish() and not target.exists()


def test_uninstalling_while_excel_has_the_add_in_open(
    profile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    excel.install()
    before = files(profile)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", kept)
        assert main(["uninstall", "excel"]) == 2
    message = capsys.readouterr().err
    assert "voladdin.xlam cannot be changed: The process cannot access" in message
    assert "expected Excel closed" in message and "nothing was changed" in message
    assert files(profile) == before


def test_what_cannot_be_put_back_is_named(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (start(profile) / "voladdin.xlam").write_text("old")
    replace, calls = os.replace, iter(range(9))

    def only_once(*arguments: Any) -> None:
        if next(calls):
            raise OSError(28, "No space left on device")
        replace(*arguments)

    monkeypatch.setattr(os, "replace", only_once)
    with pytest.raises(UnavailableError, match=r"No space left.*could not be put back: .*voladdin\.xlam"):
        excel.install()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="file modes do not stop this user")
def test_a_folder_that_may_not_be_written_to(profile: Path) -> None:
    start(profile).parent.chmod(0o500)
    try:
        with pytest.raises(UnavailableError, match="cannot be changed: Permission denied"):
            excel.install()
    finally:
        start(profile).parent.chmod(0o700)


def test_a_file_where_the_folder_should_be(profile: Path) -> None:
    (profile / ".voladdin").write_text("theirs")
    before = files(profile)
    with pytest.raises(UnavailableError, match=r"voladdin\.conf cannot be changed"):
        excel.install()
    assert files(profile) == before


def test_nothing_waits_in_the_folder_that_excel_opens(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace
    seen: list[set[str]] = []

    def watch(source: Path, target: Path) -> None:
        seen.append({path.name for path in start(profile).iterdir()})
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    excel.install()
    assert seen[0] == {"theirs.xlam"}
    assert all(there == {"theirs.xlam", "voladdin.xlam"} for there in seen[1:])


def test_elsewhere_than_windows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("APPDATA", raising=False)
    for action in ("install", "uninstall"):
        assert main([action, "excel"]) == 2
        assert "expected Windows (voladdin build excel" in capsys.readouterr().err


def test_without_pywin32(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(profile)
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    with pytest.raises(UnavailableError, match="expected pip install pywin32"):
        excel.install()
    assert files(profile) == before


def test_without_xlwings_library(profile: Path) -> None:
    (profile / "environment" / f"xlwings64-{xlwings.__version__}.dll").unlink()
    with pytest.raises(UnavailableError, match=r"xlwings64-.*\.dll is in neither .*Scripts nor "):
        excel.install()
    assert not (start(profile) / "voladdin.xlam").exists()


def test_a_path_that_vba_cannot_read(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where the configuration is in the system's code page."""
    monkeypatch.setattr(installer, "_code_page", lambda: "cp1252")
    monkeypatch.setattr(sys, "executable", str(profile / "środowisko" / "Scripts" / "python.exe"))
    (profile / "środowisko" / "Scripts").mkdir(parents=True)
    (profile / "środowisko" / f"xlwings64-{xlwings.__version__}.dll").touch()
    with pytest.raises(UnavailableError, match="has 'ś'; expected characters of the system's code page"):
        excel.install()
    assert not (start(profile) / "voladdin.xlam").exists()


@pytest.mark.parametrize("action", ["install", "uninstall"])
def test_the_command_line_knows_its_hosts(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([action, "word"])
    assert "invalid choice: 'word'" in capsys.readouterr().err


def test_the_task_starts_this_interpreters_server(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERDOMAIN", "DESK & CO")
    python = profile / "it's" / "pythonw.exe"
    root = fromstring(task.xml(python, at_logon=True).encode("utf-16"))
    space = {"t": root.tag.strip("{}").split("}")[0]}
    user = f"DESK & CO\\{task.name().removeprefix('voladdin ')}"
    assert [e.text for e in root.iterfind(".//t:UserId", space)] == [user, user]
    assert root.findtext(".//t:Command", "", space) == str(python)
    code = root.findtext(".//t:Arguments", "", space).removeprefix('-P -c "').removesuffix('"')
    assert '"' not in code and "'--idle','0'" in code and str(folder().absolute()) in code
    compile(code, "task", "exec")
    on_call = task.xml(python, at_logon=False)
    assert "LogonTrigger" not in on_call and "'--idle','1800'" in on_call


@pytest.mark.parametrize("name", ["O'Brien", "two words", "Jürgen", "back\\slash", "a 'b' \\'"])
def test_the_task_of_a_user_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A double quote, as Python has it about a single one, would end the command line's argument."""
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / name))
    root = fromstring(task.xml(tmp_path / "pythonw.exe", at_logon=False).encode("utf-16"))
    space = {"t": root.tag.strip("{}").split("}")[0]}
    code = root.findtext(".//t:Arguments", "", space).removeprefix('-P -c "').removesuffix('"')
    values = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert '"' not in code and str(tmp_path / name) in values


def test_the_choices_of_an_installation(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def register(python: Path, at_logon: bool) -> str:
        asked.append((python.name, at_logon))
        return ""

    monkeypatch.setattr(task, "register", register)
    monkeypatch.setattr(task, "remove", lambda: asked.append("removed"))
    monkeypatch.setattr(doctor, "summarise", lambda _: 0)
    assert main(["install", "excel", "--start", "logon", "--transport", "http"]) == 0
    assert b'"TRANSPORT","http"' in (profile / ".voladdin" / "voladdin.conf").read_bytes()
    excel.install(transport="com")
    excel.uninstall()
    assert asked == [("pythonw.exe", True), "removed"]
    assert "expected Windows" in task._scheduled("/Create") or sys.platform == "win32"
