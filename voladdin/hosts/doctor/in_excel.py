"""Excel: the add-in's files, its Python, and what policies say of add-ins, as far as the registry shows."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from voladdin.hosts.excel import installer, task, waiting, xlam
from voladdin.hosts.excel.names import ADDIN

from . import transports
from .findings import FAULT, NOTE, OK, Finding

INSTALL = "voladdin install excel"
_OFFICE = r"Software\Microsoft\Office\16.0\Excel\Security"
_POLICY = r"Software\Policies\Microsoft\Office\16.0\Excel\Security"
_CHILDREN = (
    "d4f940ab-401b-4efc-aadc-ad5f3c50688a"  # "block all Office applications from creating child processes"
)
_RULES = r"Software\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
_TRUST = "ask for the add-in to be signed (voladdin build excel --sign), or for its folder to be trusted"
# A value that keeps the add-in out, or its Python: hive, key, name, the value, what it means, what mends it.
_FORBIDDEN: tuple[tuple[str, str, str, int, str, str], ...] = (
    *(
        (hive, key, name, value, said, _TRUST)
        for hive, key in (("user", _POLICY), ("user", _OFFICE), ("machine", _POLICY))
        for name, value, said in (
            ("DisableAllAddins", 1, "every add-in is disabled"),
            ("RequireAddinSig", 1, "add-ins must be signed, and this one is not unless you signed it"),
            ("VBAWarnings", 4, "macros are disabled without notice"),
            ("VBAWarnings", 3, "macros must be signed"),
        )
    ),
    (
        "machine",
        _RULES,
        _CHILDREN,
        1,
        "Office may start no program (COM, but HTTP works)",
        "voladdin serve at logon",
    ),
)
Read = Callable[[str, str, str], Any]


def add_in() -> Iterator[Finding]:
    """The files that `voladdin install excel` writes, and what their configuration names."""
    if not transports.is_windows():
        yield Finding(
            "Excel", NOTE, "is not on this system; `voladdin build excel` writes the add-in anywhere"
        )
        return
    place = installer.start_folder() / ADDIN
    if not place.is_file():
        yield Finding("Excel add-in", NOTE, f"{place} is absent", f"{INSTALL}, where Excel is wanted")
        return
    has, ours = (hashlib.sha256(data).hexdigest() for data in (place.read_bytes(), xlam.xlam()))
    if has == ours:
        yield Finding("Excel add-in", OK, f"{place}, sha256 {has[:12]}")
    elif waiting.files():
        said = "the new version waits for Excel to be closed; the local server then puts it in its place"
        yield Finding("Excel add-in", NOTE, said, "close Excel")
    else:
        said = f"{place} is not this version's: sha256 {has[:12]}; expected {ours[:12]}"
        yield Finding("Excel add-in", FAULT, said, f"close Excel, then {INSTALL}")
    if _marked(place):
        said = "it is marked as from the internet, and Excel keeps it out"
        yield Finding("Excel add-in", FAULT, said, f'powershell Unblock-File "{place}"')
    yield from _configured()


def _marked(place: Path) -> bool:
    try:
        return "ZoneId=3" in Path(f"{place}:Zone.Identifier").read_text("utf-8", "replace")
    except OSError:
        return False


def _configured() -> Iterator[Finding]:
    """What the add-in reads at its start: the transport, and the interpreter."""
    place = installer.profile_folder() / installer.CONFIG
    try:
        entries = dict(re.findall(r'^"(.*?)","(.*?)"', place.read_text(errors="replace"), re.M))
        python, path, transport = (
            Path(entries["INTERPRETER_WIN"]),
            entries["PYTHONPATH"],
            entries["TRANSPORT"],
        )
    except (OSError, KeyError) as error:
        yield Finding("Excel's Python", FAULT, f"{place} cannot be read: {error}", INSTALL)
        return
    if python.parent != Path(sys.executable).parent:
        yield Finding("Excel's Python", NOTE, f"{python}, and not this one, {sys.executable}", INSTALL)
    if transport != "com":
        yield _task(FAULT if transport == "http" else NOTE)
    if transport != "http":
        yield transports.com_interpreter(python.with_name("python.exe"), path)
        yield from _by_com(python, path)


def _task(missing: str) -> Finding:
    """Windows' task that starts the server for Excel."""
    refused = task.refused()
    if not refused:
        return Finding("Excel's server", OK, f"the task {task.name()} starts it")
    return Finding("Excel's server", missing, f"the task {task.name()} cannot start it: {refused}", INSTALL)


def _by_com(python: Path, path: str) -> Iterator[Finding]:
    """xlwings' library, where VBA looks for it, and a formula through it."""
    import xlwings

    name = f"xlwings64-{xlwings.__version__}.dll"
    found = [folder / name for folder in (python.parent, python.parent.parent) if (folder / name).exists()]
    if found:
        yield Finding("Excel's DLL", OK, name)
        yield transports.through_com(found[0], python, path)
        return
    mend = f'"{sys.executable}" -m pip install --force-reinstall "xlwings=={xlwings.__version__}"'
    yield Finding("Excel's DLL", FAULT, f"{name} is neither beside {python} nor above it", mend)


def trust() -> Iterator[Finding]:
    """What the registry says of Excel's version and of add-ins and macros."""
    if transports.is_windows():
        yield from trusted(_read)


def trusted(read: Read) -> Iterator[Finding]:
    """The same of any registry; read: the value of hive ("user", "machine"), key and name, or None."""
    release = read("machine", r"Software\Microsoft\Office\ClickToRun\Configuration", "VersionToReport")
    path = read("machine", r"Software\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", "")
    if path:
        yield Finding("Excel", OK, f"{release or 'version unknown'}, {path}")
    else:
        yield Finding("Excel", NOTE, "is not installed, or from the Microsoft Store, which runs no COM")
    found = [rule for rule in _FORBIDDEN if read(*rule[:3]) in (rule[3], str(rule[3]))]
    for hive, key, name, value, said, mend in found:
        yield Finding("Excel's trust", FAULT, f"{said} ({hive} {key}, {name} = {value})", mend)
    if not found:
        yield Finding("Excel's trust", OK, "no policy or setting that is known keeps the add-in out")


def _read(hive: str, key: str, name: str) -> Any:
    winreg: Any = importlib.import_module("winreg")
    root = winreg.HKEY_CURRENT_USER if hive == "user" else winreg.HKEY_LOCAL_MACHINE
    try:
        with winreg.OpenKey(root, key) as opened:
            return winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None
