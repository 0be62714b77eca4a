"""The doctor's formula by COM, in Windows' own Python."""

from __future__ import annotations

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
