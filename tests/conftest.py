"""What a marked test needs, and that it is skipped, with the reason, where that is absent."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MOST_REFUSED = 0.5  # of the examples of a property
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


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A property fails where most of its examples are refused, by `assume`, `reject` or a filter."""
    from hypothesis.statistics import collector

    runs: list[dict[str, Any]] = []
    note = collector.value or (lambda _: None)
    with collector.with_value(lambda found: (runs.append(found), note(found))):
        result = yield
    refused, drawn = refusals(runs)
    assert refused <= MOST_REFUSED * drawn, (
        f"{refused} of {drawn} examples are refused; expected at most {MOST_REFUSED:.0%}"
    )
    return result


def refusals(runs: list[dict[str, Any]]) -> tuple[int, int]:
    """How many examples of these runs of hypothesis were refused, and of how many drawn."""
    statuses = [
        case["status"] for run in runs for case in run.get("generate-phase", {}).get("test-cases", ())
    ]
    return statuses.count("invalid"), len(statuses)
