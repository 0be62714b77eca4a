"""`voladdin bench calc`: a small run in a real LibreOffice, and what it says where there is none."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from export.bench.calc import office, recalculation
from voladdin.cli.program import main
from voladdin.errors import UnavailableError


def has_uno() -> bool:
    try:
        office.uno_python()
    except UnavailableError:
        return False
    return True


@pytest.mark.office
def test_a_small_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not has_uno():
        pytest.skip("no Python has the module uno (Debian: python3-uno)")
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "untouched"))
    options = ["--formulas", "3", "--repeats", "1", "--output", str(tmp_path / "calc.md")]
    assert main(["bench", "calc", *options]) == 0
    assert os.environ["VOLADDIN_HOME"] == str(tmp_path / "untouched")
    assert not (tmp_path / "untouched").exists()
    text = (tmp_path / "calc.md").read_text("utf-8")
    assert capsys.readouterr().out == text + "\n"
    calls = {
        line.split(" | ")[0].removeprefix("| "): re.findall(r"\| (\d+); ", line)
        for line in text[text.index("**The server") :].splitlines()
    }
    assert calls["VOLIMPUTE"] == ["1", "1", "0"]  # one request for all
    assert calls["VOLIMPUTE, a formula in each grid"] == ["3", "3", "0"]
    assert calls["VOLINFO"] in (
        ["3", "3", "3"],
        ["4", "3", "3"],
    )  # the first tells of a warning that was shown
    assert calls["mean of the grid (built in)"] == ["0", "0", "0"]
    assert calls["no-op requests, without Calc"] == ["3"]


def test_without_libreoffice(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert main(["bench", "calc"]) == 2
    assert "LibreOffice is absent" in capsys.readouterr().err


def test_sizes_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "calc", "--formulas", "0"]) == 2
    assert "--formulas 0 --repeats 3; expected 1 or more" in capsys.readouterr().err


def test_tables() -> None:
    step = recalculation.Step(2.0, 500, 1.5)
    found = {
        recalculation.OURS: {
            column: [step, recalculation.Step(3.0, 500, 1.5)] for column in recalculation.COLUMNS
        },
        recalculation.REQUESTS: {recalculation.COLUMNS[1]: [recalculation.Step(0.5, 500, 0.2)]},
    }
    text = recalculation.render(found, 500)
    assert "| VOLIMPUTE | 2.50 [2.00, 3.00] | 2.50 [2.00, 3.00] | 2.50 [2.00, 3.00] |" in text
    assert "| no-op requests, without Calc |  | 5.0 |  |" in text
    assert "| VOLIMPUTE | 500; 1.50 | 500; 1.50 | 500; 1.50 |" in text
