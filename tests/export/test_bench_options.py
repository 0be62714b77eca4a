"""`voladdin bench options` on small counts: what its tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from export.bench.options import main
from export.bench.published_grids import against_delta_grid

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the market data is not beside the repository")


def test_small_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "20000", "--chains", "2", "--grids", "20"]) == 0
    printed = capsys.readouterr().out
    error = re.search(r"\| voladdin \| [\d,]+ \| 0 \| (\S+) \|", printed)
    assert error is not None and float(error[1]) <= 1e-12
    assert re.search(r"\| 20 \| \d+ \| \d+ \| 0 \|", printed)


@real
@pytest.mark.data
def test_two_providers_of_one_day_agree_where_the_chain_has_expiries() -> None:
    rows = re.findall(r"^\| (\d+)D \|.*\| ([\d.]+) \| [\d.]+ \|$", against_delta_grid(DATA), re.MULTILINE)
    assert len(rows) == 13
    assert all(float(size) < 0.45 for days, size in rows if int(days) > 18)
