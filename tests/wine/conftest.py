"""A Windows under Wine with the add-in installed, and its local server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from export.bench.hosts.wine import DRIVE, excel, served, stop_all


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
    stop_all()


@pytest.fixture(scope="module")
def installed() -> str:
    shutil.rmtree(DRIVE / "profile", ignore_errors=True)
    return excel("install")


@pytest.fixture(scope="module")
def server(installed: str) -> Iterator[subprocess.Popen[bytes]]:
    """The local server on Windows' event loop, as its task starts it."""
    with served() as started:
        yield started
