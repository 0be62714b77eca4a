"""What a marked test needs, and that it is skipped, with the reason, where that is absent."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NEEDED: dict[str, tuple[Callable[[], bool], str]] = {
    "office": (lambda: shutil.which("soffice") is not None, "LibreOffice (soffice) is not installed"),
    "torch": (lambda: importlib.util.find_spec("torch") is not None, "torch is not installed (extra: train)"),
    "data": (DATA.is_dir, "the market data lies beside the repository; it is absent here"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "office" in getattr(item, "fixturenames", ()):
            item.add_marker("office")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (there, reason) in NEEDED.items():
        if item.get_closest_marker(marker) is not None and not there():
            pytest.skip(reason)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of market data beside the repository."""
    if not DATA.is_dir():
        pytest.skip(NEEDED["data"][1])
    return DATA
