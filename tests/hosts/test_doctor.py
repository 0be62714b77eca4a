"""The doctor: what it finds in an installation that is well, and in each that is not."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.stubs import server as stub
from tests.stubs.server import LocalServer
from voladdin import bundles
from voladdin.cli import addins
from voladdin.cli.program import main
from voladdin.errors import BundleError, UnavailableError
from voladdin.home import VERSION
from voladdin.hosts import libreoffice
from voladdin.hosts.doctor import (
    findings,
    in_excel,
    in_libreoffice,
    installation,
    local_server,
    program,
    transports,
)
from voladdin.hosts.doctor.findings import FAULT, NOTE, OK, Finding, Look
from voladdin.hosts.excel import waiting, xlam
from voladdin.hosts.libreoffice import extension, installed, installer, programs
from voladdin.service import process
from voladdin.worksheet.registry import evaluate


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "home"
    monkeypatch.setenv("VOLADDIN_HOME", str(folder))
    yield folder
    process.stop_if_running()


def states(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(one.what, one.state) for one in found]


def fault(found: Iterator[Finding]) -> Finding:
    """The one that is not well; it says what mends it."""
    [one] = [finding for finding in found if finding.state != OK]
    assert one.mend
    return one


def test_all_but_the_hosts_is_well(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(program, "HOSTS", {"libreoffice": (), "excel": ()})
    monkeypatch.setattr(metadata, "requires", lambda _: ["numpy>=1.26,<3"])
    for name in ("PYTHONPATH", "PYTHONHOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert main(["doctor", "--quick", "--json"]) == 0
    found = [Finding(*row) for row in json.loads(capsys.readouterr().out)]
    assert {one.state for one in found} == {OK}
    said = {one.what: one.said for one in found}
    assert VERSION in said["voladdin"] and sys.executable in said["Python"]
    assert {"in Python", "over HTTP", "as lines"} <= set(said) and "VOLIMPUTE in" in said["as lines"]
    assert [one.said.split()[0] for one in found if one.what == "model"] == bundles.names()


def test_lines_summary_and_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = Look("port", lambda: [Finding("port", FAULT, "it is shut", "open it")], "")
    fine = Look("home", lambda: [Finding("home", OK, "fine")], "")
    monkeypatch.setattr(program, "_OURS", (fine, faulty))
    monkeypatch.setattr(program, "HOSTS", {"excel": (), "libreoffice": ()})
    assert program.main(["--quick"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split() for line in said] == [
        ["ok", "home", "fine"],
        ["FAULT", "port", "it", "is", "shut"],
        ["->", "open", "it"],
        ["doctor:", "1", "fault"],
    ]
    assert program.summarise("excel") == 1
    assert "fine" not in capsys.readouterr().out
    assert findings.summary([Finding("a", NOTE, "")] * 2) == "doctor: 2 notes"
    assert findings.summary([]) == "doctor: all is well"


@pytest.mark.parametrize("error", [UnavailableError("no"), KeyError("no")])
def test_a_check_that_fails_is_a_fault_and_the_others_go_on(error: Exception) -> None:
    def fails() -> Iterator[Finding]:
        yield Finding("a", OK, "one")
        raise error

    checks = [Look("a", fails, "mend it"), Look("b", lambda: [Finding("b", OK, "")], "")]
    found = list(findings.looked_at(checks))
    assert states(iter(found)) == [("a", OK), ("a", FAULT), ("b", OK)] and found[1].mend == "mend it"


def test_every_host_that_can_be_installed_is_looked_at() -> None:
    assert set(program.HOSTS) == set(addins.HOSTS)


def test_an_installation_ends_with_the_summary(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    asked: list[str] = []
    monkeypatch.setattr(libreoffice, "install", lambda: "installed")
    monkeypatch.setattr(program, "summarise", lambda host: asked.append(host) or 1)
    assert main(["install", "libreoffice"]) == 1
    monkeypatch.setattr(libreoffice, "uninstall", lambda: "uninstalled")
    assert main(["uninstall", "libreoffice"]) == 0
    assert asked == ["libreoffice"]


@pytest.mark.parametrize(
    ("requirement", "said"),
    [("numpy>=99", "numpy is "), ("nothing-of-that-name>=1", "nothing-of-that-name is not installed")],
)
def test_a_package_that_is_absent_or_too_old(
    requirement: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        requirement,
        "numpy>=1",
        f"{requirement}; sys_platform == 'nowhere'",
        f"{requirement}; extra == 'x'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: texts)
    found = fault(installation.interpreter())
    assert (
        found.state == FAULT and found.said.startswith(said) and f'pip install "{requirement}"' in found.mend
    )


def test_variables_and_an_environment_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", f"/usr/bin{os.pathsep}{tmp_path / 'bin'}")
    assert states(installation.environment()) == [("environment", OK)]
    (tmp_path / "pyvenv.cfg").touch()
    found = fault(installation.environment())
    assert str(tmp_path / "bin") in found.said and found.mend.startswith("deactivate")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    assert states(installation.environment()) == [("environment", NOTE)] * 2


def test_a_file_that_is_not_as_it_was_installed(tmp_path: Path) -> None:
    package = tmp_path / "thing-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
    for name in ("good.py", "bad.py"):
        (tmp_path / name).write_text("")
    digest = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"  # of nothing
    record = "".join(f"{name},sha256={digest},0\n" for name in ("good.py", "bad.py", "gone.py"))
    (package / "RECORD").write_text(record)
    (tmp_path / "bad.py").write_text("changed")
    assert list(installation.altered(metadata.PathDistribution(package))) == ["bad.py", "gone.py"]


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ('{"url": "file:///opt/a%20clone", "dir_info": {}}', '"/opt/a clone"'),
        ('{"url": "https://there/v.whl"}', "https://there/v.whl"),
        (None, "voladdin (or install.cmd again)"),
    ],
)
def test_it_is_installed_again_from_where_it_came(
    told: str | None, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # setuptools, where a test imports it, puts a finder of its own before the standard library's
    found = type(metadata.distribution("voladdin"))
    monkeypatch.setattr(found, "read_text", lambda *_: told)
    assert installation.reinstall().endswith(f"--no-deps {source}")


def test_a_damaged_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "models" / "desk").mkdir(parents=True)
    (home / "models" / "desk" / "card.json").write_text("{}")
    found = fault(installation.models())
    assert found.state == FAULT and "desk" in found.said and "--name desk" in found.mend
    monkeypatch.setattr(bundles, "names", lambda: ["fx"])

    def damaged(_: str) -> None:
        raise BundleError("fx is truncated")

    monkeypatch.setattr(bundles, "load", damaged)
    assert "pip install --force-reinstall" in fault(installation.models()).mend


@pytest.mark.skipif(os.name != "posix", reason="rights of files are those of POSIX")
def test_rights_of_home_and_token(home: Path) -> None:
    assert states(local_server.home_folder()) == [("home", OK), ("token", OK)]
    (home / "token").write_text("x" * 43)
    (home / "token").chmod(0o644)
    found = fault(local_server.home_folder())
    assert found.what == "token" and "open to other users" in found.said and "voladdin serve" in found.mend
    home.chmod(0o777)
    found = fault(local_server.home_folder())
    assert found.what == "home" and found.mend == f"chmod 700 {home}"
    home.chmod(0o700)


def test_a_loopback_that_is_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(local_server.loopback()) == [("port", OK)]

    def refused(*_: object) -> None:
        raise PermissionError(13, "not allowed")

    monkeypatch.setattr(socket, "create_connection", refused)
    assert "127.0.0.1 cannot be used" in fault(local_server.loopback()).said


def test_servers_that_run_are_of_other_code_or_hang(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(local_server.server()) == [("server", OK)]
    monkeypatch.setattr(stub, "TOKEN", "a token that is as long as a real one")
    server = LocalServer(home, evaluate)
    try:
        found = fault(local_server.server())
        assert found.state == NOTE and "other code" in found.said
        server.hang()
        monkeypatch.setattr(process.running, "__defaults__", (0.2,))
        found = fault(local_server.server())
        assert found.state == FAULT and "does not answer" in found.said and "voladdin serve" in found.mend
    finally:
        server.die()


def test_a_transport_that_gives_another_answer() -> None:
    right = transports._timed("x", lambda cells: evaluate("VOLIMPUTE", [cells]), "mend")
    assert right.state == OK and "VOLIMPUTE in" in right.said
    for wrong in (lambda cells: cells, lambda cells: [["#N/A"]]):
        assert transports._timed("x", wrong, "mend").state == FAULT


def test_libreoffice_of_any_kind(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_libreoffice, "program", lambda name: Path("/opt/lo/program/soffice"))
    monkeypatch.setattr(in_libreoffice, "run", lambda command: "LibreOffice 7.6.1.2 abc")
    assert "expected 25.2" in fault(in_libreoffice.program_found()).said
    monkeypatch.setattr(in_libreoffice, "run", lambda command: "LibreOffice 26.8.0.1")
    assert states(in_libreoffice.program_found()) == [("LibreOffice", OK)]

    place = tmp_path / "voladdin.oxt"
    for name, data in extension.members().items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    monkeypatch.setattr(installed, "found", lambda: [place])
    assert "cannot start a server" in fault(in_libreoffice.extension()).said
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "install.json").write_text(json.dumps({"python": sys.executable, "path": "x"}))
    assert states(in_libreoffice.extension()) == [("extension", OK)]
    (home / "install.json").write_text(json.dumps({"python": "/nowhere/python", "path": "x"}))
    assert "/nowhere/python, which is absent" in fault(in_libreoffice.extension()).said
    (home / "install.json").write_text(json.dumps({"python": sys.executable, "path": "x"}))
    (place / "python/voladdin_addin.py").write_text("old")
    found = fault(in_libreoffice.extension())
    assert found.state == FAULT and "voladdin_addin.py" in found.said
    monkeypatch.setattr(installed, "found", list)
    assert fault(in_libreoffice.extension()).state == NOTE and not list(in_libreoffice.formula())


def test_the_extension_is_found_by_libreoffices_own_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, office = tmp_path / "user", tmp_path / "office"
    monkeypatch.setattr(installed, "user_folder", lambda: own)
    monkeypatch.setattr(installed, "program", lambda name: office / "program" / name)
    packages = {layer: layer / "uno_packages" / "cache" / "uno_packages" for layer in (own, office / "share")}
    for folder in packages.values():
        (folder / "lu1.tmp_" / "voladdin.oxt").mkdir(parents=True)
    shared = packages[office / "share"]
    assert installed.found() == [shared / "lu1.tmp_" / "voladdin.oxt"]
    (shared / "lu1.tmpremoved").touch()
    assert installed.found() == []
    entry = b"Pmp1\xfforg.voladdin.calc\nlu1.tmp\xffvoladdin.oxt\xffapplication/x\xff0.2.0\xff0\n\n"
    packages[own].with_suffix(".pmap").write_bytes(entry)
    assert installed.found() == [packages[own] / "lu1.tmp_" / "voladdin.oxt"]
    packages[own].with_suffix(".pmap").write_bytes(b"Pmp1\n")
    assert installed.found() == []


@pytest.mark.office
def test_a_formula_in_a_copy_of_the_installed_extension(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the extension of a profile is that of all its users, which LibreOffice finds by its options."""
    profile = tmp_path / "profile"
    libreoffice.install(profile)
    (home / "install.json").unlink()
    process.ensure_running()
    own = installer.convert
    where = programs.layers(profile)[1:]
    monkeypatch.setattr(
        installed, "convert", lambda book, output, options: own(book, output, [*options, *where])
    )
    monkeypatch.setattr(installed, "user_folder", lambda: profile / "user")
    assert states(transports.through_libreoffice()) == [("in LibreOffice", OK)]
    process.stop_if_running()
    assert states(transports.through_libreoffice()) == [("in LibreOffice", FAULT)]


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Excel's start folder of a profile as Windows has it."""
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(transports, "is_windows", lambda: True)
    start = tmp_path / "roaming" / "Microsoft" / "Excel" / "XLSTART"
    start.mkdir(parents=True)
    return start


def test_the_files_of_excels_add_in(windows: Path, tmp_path: Path) -> None:
    assert fault(in_excel.add_in()).mend.startswith("voladdin install excel")
    (windows / "voladdin.xlam").write_bytes(xlam.xlam())
    found = fault(in_excel.add_in())
    assert found.what == "Excel's Python" and "voladdin.conf" in found.said
    (tmp_path / ".voladdin").mkdir()
    found_by = {
        "auto": [("Excel's server", NOTE), ("Excel's Python", FAULT), ("Excel's DLL", FAULT)],
        "http": [("Excel's server", FAULT)],
        "com": [("Excel's Python", FAULT), ("Excel's DLL", FAULT)],
    }
    for transport, faults in found_by.items():
        text = f'"TRANSPORT","{transport}"\n"INTERPRETER_WIN","{tmp_path / "pythonw.exe"}"\n'
        (tmp_path / ".voladdin" / "voladdin.conf").write_text(f'{text}"PYTHONPATH","{tmp_path}"\n')
        seen = states(in_excel.add_in())
        assert seen == [("Excel add-in", OK), ("Excel's Python", NOTE), *faults]
    (windows / "voladdin.xlam").write_bytes(b"old")
    (windows / "voladdin.xlam:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    two = list(in_excel.add_in())[:2]
    assert [one.state for one in two] == [FAULT, FAULT]
    assert two[0].mend == "close Excel, then voladdin install excel" and "Unblock-File" in two[1].mend


def test_an_add_in_that_waits_for_excel_to_be_closed(windows: Path, home: Path) -> None:
    (windows / "voladdin.xlam").write_bytes(b"old")
    waiting.put_off({windows / "voladdin.xlam": xlam.xlam()})
    found = next(iter(in_excel.add_in()))
    assert found.state == NOTE and found.mend == "close Excel"


def test_excels_python_that_starts_and_one_that_fails(tmp_path: Path) -> None:
    here = str(Path(__file__).parents[2])
    assert transports.com_interpreter(Path(sys.executable), here).state == OK
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named x' >&2\nexit 3\n")
    python.chmod(0o755)
    found = transports.com_interpreter(python, here)
    assert found.state == FAULT and "fails: No module named x" in found.said


def test_a_library_that_starts_no_python(tmp_path: Path) -> None:
    """Elsewhere than on Windows there is no COM; the answer there is tested under Wine."""
    found = transports.through_com(tmp_path / "x.dll", Path(sys.executable), str(Path(__file__).parents[2]))
    assert (found.what, found.state) == (
        "by COM",
        FAULT,
    ) and "started by x.dll, gives no answer" in found.said


@pytest.mark.parametrize("rule", in_excel._FORBIDDEN, ids=lambda rule: f"{rule[0]} {rule[2]} {rule[3]}")
def test_every_policy_that_keeps_the_add_in_out(rule: tuple[str, str, str, int, str, str]) -> None:
    paths = {("machine", r"Software\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", ""): "excel.exe"}
    assert states(in_excel.trusted(lambda *key: paths.get(key))) == [("Excel", OK), ("Excel's trust", OK)]
    keys = paths | {rule[:3]: rule[3]}
    found = fault(in_excel.trusted(lambda *key: keys.get(key)))
    assert found.state == FAULT and rule[4] in found.said and found.mend == rule[5]


def test_elsewhere_than_on_windows_excel_is_a_note() -> None:
    if sys.platform == "win32":
        pytest.skip("this is Windows")
    assert states(in_excel.add_in()) == [("Excel", NOTE)]
    assert not list(in_excel.trust())


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> Iterator[Finding]:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_OURS", (Look("a", stop, ""),))
    assert main(["doctor"]) == 128 + signal.SIGINT
