"""Modules of the .oxt import each other by the names they have in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for name in ("machine", "connection", "discovery", "formulas", "values"):
    module = importlib.import_module(f"voladdin.hosts.libreoffice.inside.{name}")
    sys.modules.setdefault(f"voladdin_{name}", module)

from voladdin.hosts.libreoffice.inside.client import FunctionClient  # noqa: E402 - once they are there


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[FunctionClient]:
    """The client of Calc's add-in, at home in the test's folder."""
    asked = FunctionClient(tmp_path)
    yield asked
    asked._server.close()
