"""The public surface of the package."""

from __future__ import annotations

import subprocess
import sys

import voladdin


def test_all_is_sorted_and_there() -> None:
    assert voladdin.__all__ == sorted(voladdin.__all__)
    for name in voladdin.__all__:
        assert getattr(voladdin, name) is not None


def test_import_is_light() -> None:
    code = (
        "import sys, voladdin;"
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'onnxruntime', 'fastapi', 'xlwings', 'openpyxl',"
        " 'scipy.special', 'scipy.optimize') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_objects_are_documented() -> None:
    for name in voladdin.__all__:
        assert getattr(voladdin, name).__doc__, name
