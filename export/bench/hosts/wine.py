"""Programs of Windows under Wine, and the add-in's calls to Python by each transport there.

VOLADDIN_WINE names the folder that `tests/wine/setup.sh` made.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from voladdin.hosts.excel.activated import command_line

TARGET = os.environ.get("VOLADDIN_WINE", "")
DRIVE = Path(TARGET, "prefix", "drive_c")
END = "\f"
HOME = DRIVE / "profile" / ".voladdin"
PYTHON = r"C:\py\python.exe"
ENDING = f'"{PYTHON}" -B -c "raise SystemExit(3)"'  # a Python that ends at once
SERVE = rf"set VOLADDIN_HOME=C:\profile\.voladdin&& cd /d C:\project&& {PYTHON} -B -m voladdin serve"


def windows(*words: str, seconds: float = 180) -> str:
    """What a program of Windows says, until it ends: what it starts may hold the pipe open.

    Python does not start where a standard stream is a file.
    """
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["wine", *words], cwd=DRIVE / "c", env=environment(), **pipe) as ran:  # type: ignore
        assert ran.stdout is not None
        ran.wait(seconds)
        os.set_blocking(ran.stdout.fileno(), False)
        return (ran.stdout.read() or b"").decode("utf-8", "replace")


def environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    wine = {"WINEPREFIX": str(DRIVE.parent), "WINEARCH": "win64", "WINEDEBUG": "-all"}
    return own | wine | {"WINEDLLOVERRIDES": "mscoree,mshtml="}


def in_profile(*words: str) -> str:
    """A command with a user's profile of its own, which Wine would set itself."""
    sets = r"cd /d C:\project&& set USERPROFILE=C:\profile&& set APPDATA=C:\profile\AppData&& "
    return windows("cmd", "/c", sets + " ".join(words))


def excel(action: str) -> str:
    """What the add-in's installer says; the doctor that the command line asks then needs minutes here."""
    script = f"from voladdin.hosts import excel\nprint(excel.{action}())\n"
    (DRIVE / "c" / "excel.py").write_text(script)
    return in_profile(PYTHON, "-B", r"C:\c\excel.py")


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program of Windows that goes on; ends with the block."""
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    program = subprocess.Popen(["wine", *words], env=environment(), **pipe)  # type: ignore
    try:
        yield program
    finally:
        program.kill()
        program.wait()
        assert program.stdout is not None
        program.stdout.close()


@contextmanager
def served() -> Iterator[subprocess.Popen[bytes]]:
    """The local server on Windows' event loop, as its task starts it; ends with the block."""
    (HOME / "server.json").unlink(missing_ok=True)
    with started("cmd", "/c", SERVE) as program:
        wait_for(HOME / "server.json")
        yield program


def wait_for(path: Path, other: bytes = b"", seconds: float = 120) -> bytes:
    """What a file says once it is there and says something else. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = path.read_bytes() if path.exists() else b""
        if said not in (b"", other):
            return said
        time.sleep(0.2)
    raise TimeoutError(f"{path} is {said!r} after {seconds:g} s")


def stop_all() -> None:
    """Ends every program of this Wine."""
    subprocess.run(["wineserver", "-k"], env=environment(), check=False)


def asked(program: Sequence[str], calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    """The answers that a program of ours gets, and what it says."""
    (DRIVE / "c" / "calls.txt").write_bytes("".join(call + END for call in calls).encode())
    (DRIVE / "c" / "answers.txt").unlink(missing_ok=True)
    said = windows(*program, "calls.txt", "answers.txt", *more)
    assert "FAILED" not in said and "no Python" not in said, said
    return (DRIVE / "c" / "answers.txt").read_bytes().decode().split(END)[:-1], said


def by_http(calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    return asked(["http.exe", r"C:\profile\.voladdin"], calls, *more)


def by_com(calls: Sequence[str], *more: str) -> tuple[list[str], str]:
    entries = dict(re.findall(r'^"(.*)","(.*)"', (HOME / "voladdin.conf").read_text(), re.M))
    line = command_line(entries["INTERPRETER_WIN"], entries["PYTHONPATH"])
    return asked(_activating(line), calls, *more)


def given_up(line: str) -> float:
    """Seconds until xlwings' library gives up a Python that does not serve."""
    (DRIVE / "c" / "calls.txt").write_bytes(b"")
    said = windows(*_activating(line), "calls.txt", "answers.txt", seconds=150)
    assert "no Python" in said, said
    return float(said.split(" in ")[1].split(" s")[0])


def _activating(line: str) -> list[str]:
    (DRIVE / "c" / "command.txt").write_text(line)
    return ["com.exe", rf"C:\py\{next((DRIVE / 'py').glob('xlwings64-*.dll')).name}", "command.txt"]
