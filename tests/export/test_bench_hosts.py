"""`voladdin bench hosts`: the ways to Python, timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.bench.calc.recalculation import own_home
from export.bench.hosts import transports, wine
from voladdin.errors import InputError
from voladdin.service.process import ensure_running, stop
from voladdin.worksheet.wire import answer, read_answer


@pytest.mark.parametrize("apart", [True, False])
def test_lines_are_answered_in_the_head_and_apart(apart: bool, tmp_path: Path) -> None:
    with own_home(tmp_path):
        state = ensure_running()
        lines = transports.Lines(state.port, apart=apart)
        try:
            for kind in transports.KINDS:
                for call in transports.calls(kind, 2, np.random.default_rng(3)):
                    assert read_answer(lines(call))[0] == read_answer(answer(call))[0]
        finally:
            lines.close()
            stop(state)


def test_known_calls_are_one_and_new_ones_differ() -> None:
    known, new = (transports.calls(kind, 5, np.random.default_rng(0)) for kind in ("known", "new"))
    assert len(set(known)) == 1 and len(set(new)) == 5


def test_a_row_each_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wine, "DRIVE", tmp_path / "absent")
    transports.main(["--count", "2", "--output", str(tmp_path / "out.md")])
    said = capsys.readouterr().out
    assert (tmp_path / "out.md").read_text() + "\n" == said
    rows = [line.split("|")[1].strip() for line in said.splitlines() if line.startswith("| ")]
    assert rows[1:6] == [
        "in Python",
        "HTTP, JSON, one send each",
        "HTTP, lines, in the head",
        "HTTP, lines, head and body apart",
        "figure",
    ]
    of_basic = [
        "A:F with an 8 x 5 grid, made a call by the VBA",
        "broken Python, first formula, the VBA's part",
        "broken Python, each later formula",
    ]
    assert rows[6:-1] in (of_basic, ["the add-in's VBA"])  # with LibreOffice, and without
    assert rows[-1] == "through COM"
    with pytest.raises(InputError, match="--count is 1"):
        transports.main(["--count", "1"])
