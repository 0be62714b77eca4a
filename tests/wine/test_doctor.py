"""The doctor in Windows' own Python: all of it, and its formula by COM."""

from __future__ import annotations

import re
import subprocess

from export.bench.hosts.wine import DRIVE, PYTHON, in_profile

ASK = r"""
from pathlib import Path
from voladdin.hosts.doctor import transports
python = Path(r"C:\py", {python!r})
found = transports.through_com(Path(r"C:\py", {library!r}), python, r"C:\project")
print(found.state, found.said)
"""


def asked(python: str) -> str:
    library = next((DRIVE / "py").glob("xlwings64-*.dll")).name
    (DRIVE / "c" / "by_com.py").write_text(ASK.format(python=python, library=library))
    return in_profile(PYTHON, "-B", r"C:\c\by_com.py")


def test_a_formula_by_com(installed: str) -> None:
    said = asked("pythonw.exe")
    assert said.startswith("ok VOLIMPUTE in "), said


def test_an_interpreter_that_is_absent(installed: str) -> None:
    assert asked("absent.exe").startswith("FAULT C:\\py\\absent.exe, started by xlwings64-")


def test_the_whole_doctor(server: subprocess.Popen[bytes]) -> None:
    """voladdin lies in a folder here, which pip did not install; by COM the limit is a busy machine's too."""
    said = in_profile(PYTHON, "-B -m voladdin doctor")
    found = re.findall(r"^(ok|note|FAULT)\s+(.+?)  +(.+?)\r?$", said, re.M)
    fine = {what for state, what, _ in found if state == "ok"}
    wanted = {"home", "token", "port", "server", "in Python", "over HTTP", "as lines"}
    assert fine >= wanted | {"Excel add-in", "Excel's server", "Excel's Python", "Excel's DLL"}, said
    faults = [words for state, what, words in found if state == "FAULT" and what != "by COM"]
    assert len(faults) == 2 and all("No package metadata" in words for words in faults), said
    assert {what for state, what, _ in found if state == "note"} == {"LibreOffice", "Excel"}, said
