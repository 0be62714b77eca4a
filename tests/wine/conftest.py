"""A Windows under Wine with the add-in installed, and its local server."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from .machine import DRIVE, HOME, SERVE, environment, excel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """None of them without Wine."""
    skip = pytest.mark.skip(reason="VOLADDIN_WINE names no folder of tests/wine/setup.sh")
    for item in items:
        if "wine" in item.path.parent.name:
            item.add_marker(pytest.mark.slow)
            if not DRIVE.is_dir():
                item.add_marker(skip)


@pytest.fixture(scope="module", autouse=True)
def wine() -> Iterator[None]:
    """What is started here ends here."""
    yield
    subprocess.run(["wineserver", "-k"], env=environment(), check=False)


@pytest.fixture(scope="module")
def installed() -> str:
    shutil.rmtree(DRIVE / "profile", ignore_errors=True)
    return excel("install")


@pytest.fixture(scope="module")
def server(installed: str) -> Iterator[subprocess.Popen[bytes]]:
    """The local server on Windows' event loop, as its task starts it."""
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    started = subprocess.Popen(["wine", "cmd", "/c", SERVE], env=environment(), **pipe)  # type: ignore
    deadline = time.monotonic() + 120
    while not (HOME / "server.json").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    yield started
    started.kill()
    started.wait()
    assert started.stdout is not None
    started.stdout.close()
