"""The table of what answers cost: every row is asked and printed; no time is asserted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from export.bench import speed
from voladdin._typing import FloatArray


def test_every_row_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(speed, "CHAINS", ((2, 5), (3, 4), (900, 900)))
    monkeypatch.setattr(speed, "POINTS", 5)
    assert speed.main(["--quick"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == [
        "| import voladdin",
        "| 8 x 5 deltas, one",
        "| 8 x 5 deltas, each of 20",
        "| 8 x 5 deltas of a pair, one",
        "| 8 x 5 deltas of a pair, each of 20",
        "| 10 cells at strikes",
        "| 12 cells at strikes",
        *(
            f"| VOLINTERP of a known surface, {n} by {kind}"
            for n in (1, 5)
            for kind in ("delta", "moneyness")
        ),
        "| book of 5 surfaces, 20 formulas",
    ]
    assert all(float(cell.strip(" |")) > 0 for row in rows for cell in row[1:])


@pytest.mark.parametrize("drawn", [speed.pillars, speed.pairs])
def test_surfaces_are_holed_and_never_empty(drawn: Callable[[int], FloatArray]) -> None:
    vols = drawn(50)
    assert 0.3 < np.isnan(vols).mean() < 0.5
    assert np.isfinite(vols).any((1, 2)).all()
