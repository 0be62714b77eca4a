"""A picture of a sheet as a user sees it: LibreOffice on a virtual display (Linux, Xvfb, ImageMagick)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voladdin.errors import InputError, UnavailableError

from .installer import prepared
from .programs import environment, layers, program

SIZE = "1920x820"
SETTLED = 3  # equal pictures in a row, one every second
TIMEOUT = 90.0  # seconds


def screenshot(book: str | Path, png: str | Path, cell: str = "", profile: str | Path | None = None) -> Path:
    """Opens the book in LibreOffice, recalculates it, and writes a picture of its window to `png`.

    cell: the one to select, such as "EURUSD.H5", so that the picture shows its formula.
    profile: a folder that `install` prepared; None is a temporary one.

    Raises InputError where the book is absent, UnavailableError where LibreOffice, Xvfb or ImageMagick is.
    """
    book, png = Path(book).resolve(), Path(png).resolve()
    if not book.is_file():
        raise InputError(f"book is {str(book)!r}; expected an existing spreadsheet file")
    with prepared(profile) as folder, tempfile.TemporaryDirectory() as copies, _display() as display:
        copy = Path(shutil.copy(book, copies)).as_uri() + (f"#{cell}" if cell else "")
        command = [program("soffice"), "--norestore", "--nologo", *layers(folder), "--calc", copy]
        variables = environment() | {"DISPLAY": display, "SAL_USE_VCLPLUGIN": "gen"}
        empty = _pixels(display)
        with _running(command, env=variables):
            _await_settled(display, empty)
            _import(display, f"png:{png}")
    return png


@contextmanager
def _display() -> Iterator[str]:
    command = [_tool("Xvfb"), "-displayfd", "1", "-screen", "0", f"{SIZE}x24", "-nolisten", "tcp"]
    with _running(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        if not number:
            raise UnavailableError("Xvfb ended at once; expected a virtual display")
        yield f":{number}"


@contextmanager
def _running(command: list[Any], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The process and its children, for the length of the block."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _await_settled(display: str, empty: bytes) -> None:
    deadline = time.monotonic() + TIMEOUT
    last, equal = empty, 0
    while equal < SETTLED:
        if time.monotonic() > deadline:
            raise UnavailableError(f"LibreOffice's window did not come to rest within {TIMEOUT:g} s")
        time.sleep(1.0)
        now = _pixels(display)
        equal = equal + 1 if now == last != empty else 0
        last = now


def _pixels(display: str) -> bytes:
    return _import(display, "rgb:-")


def _import(display: str, target: str) -> bytes:
    command = [_tool("import"), "-display", display, "-window", "root", target]
    return subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(f"{name} is absent; expected Xvfb and ImageMagick on PATH")
    return found
