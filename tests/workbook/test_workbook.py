"""The demo workbook, built, filled by the shipped model and read back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from voladdin.xlsx.runner import Report, run
from workbook import __main__ as demonstration
from workbook import build


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Any, Any]:
    """The run's report, the book as built, and the filled book's values."""
    folder = tmp_path_factory.mktemp("demo")
    book = build.build(folder / "demo.xlsx")
    report = run(book, folder / "filled.xlsx")
    return report, load_workbook(book), load_workbook(folder / "filled.xlsx", data_only=True)


def cells(book: Any, reference: str, sheet: str = build.SHEET) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in book[sheet][reference]]


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = build.build(tmp_path / "first.xlsx").read_bytes()
    assert first == build.build(tmp_path / "second.xlsx").read_bytes()


def test_the_committed_book_is_what_build_writes(demo: tuple[Report, Any, Any]) -> None:
    committed, built = load_workbook(build.PATH), demo[1]
    assert committed.sheetnames == built.sheetnames
    for sheet in built.sheetnames:
        area = built[sheet].dimensions
        ours, theirs = (
            [[getattr(v, "text", v) for v in row] for row in cells(book, area, sheet)]
            for book in (committed, built)
        )
        assert ours == theirs


def test_every_formula_has_its_value(demo: tuple[Report, Any, Any]) -> None:
    assert [(outcome.cell, outcome.message) for outcome in demo[0].outcomes if outcome.status != "ok"] == []
    assert len(demo[0].outcomes) == 16


@pytest.mark.parametrize("reference", [build.FILLED, build.FILLED_WITH_PRIOR])
def test_holes_are_filled_and_quotes_kept(reference: str, demo: tuple[Report, Any, Any]) -> None:
    quotes, filled = cells(demo[1], build.QUOTES), cells(demo[2], reference)
    assert filled[0][1:] == quotes[0][1:]
    assert [row[0] for row in filled[1:]] == list(build.TENORS)
    for before, after in zip(quotes[1:], filled[1:], strict=True):
        for quote, vol in zip(before[1:], after[1:], strict=True):
            assert 0.05 < vol < 0.15
            assert quote is None or vol == quote


@pytest.mark.parametrize("reference", [build.STD, build.STD_WITH_PRIOR])
def test_uncertainty_is_zero_at_quotes_only(reference: str, demo: tuple[Report, Any, Any]) -> None:
    quotes, stds = cells(demo[1], build.QUOTES), cells(demo[2], reference)
    for before, after in zip(quotes[1:], stds[1:], strict=True):
        for quote, std in zip(before[1:], after[1:], strict=True):
            assert (std == 0) == (quote is not None)
            assert 0 <= std < 0.02


def test_the_prior_helps(demo: tuple[Report, Any, Any]) -> None:
    alone, helped = (
        [std for row in cells(demo[2], reference)[1:] for std in row[1:]]
        for reference in (build.STD, build.STD_WITH_PRIOR)
    )
    assert sum(helped) < sum(alone)


def test_clarks_smile(demo: tuple[Report, Any, Any]) -> None:
    vols = cells(demo[2], "H6:M11", "Clark quotes")
    assert [row[0] for row in vols] == [quotes[0] for quotes in build.CLARK]
    for row, (_, atm, rr25, _, _, _) in zip(vols, build.CLARK, strict=True):
        assert row[3] == pytest.approx(atm, abs=0.05)
        assert row[4] - row[2] == pytest.approx(rr25, abs=0.15)
        assert all(math.isfinite(vol) and 15 < vol < 35 for vol in row[1:])
    strikes = cells(demo[2], "P6:T11", "Clark quotes")
    assert all(row == sorted(row) for row in strikes)


def test_one_vol_anywhere(demo: tuple[Report, Any, Any]) -> None:
    assert 0.07 < demo[2][build.SHEET]["C30"].value < 0.1


def test_the_repair_has_no_arbitrage_and_the_report_names_what_was_typed_wrong(
    demo: tuple[Report, Any, Any],
) -> None:
    sheet = demo[2][build.ARBITRAGE]
    assert (sheet["C15"].value, sheet["J15"].value) == (False, True)
    change = cells(demo[2], build.CHANGE, build.ARBITRAGE)
    moved = {row[0] for row in change[1:] if any(row[1:])}
    assert {"3M", "1Y"} <= moved
    sizes = [row[2] for row in cells(demo[2], build.TRADES, build.ARBITRAGE)[1:]]
    assert sizes == sorted(sizes, reverse=True)


def test_the_generated_surface_has_the_features_typed_in(demo: tuple[Report, Any, Any]) -> None:
    report = cells(demo[2], build.FEATURES, build.SCENARIOS)
    assert [row[1] for row in report[1:5]] == pytest.approx([value for _, value in build.SCENARIO], abs=1e-10)


def test_the_shifted_surface_keeps_its_headers(demo: tuple[Report, Any, Any]) -> None:
    before = cells(demo[2], build.FILLED)
    after = cells(demo[2], build.SHIFTED, build.SCENARIOS)
    assert after[0][1:] == before[0][1:]
    assert [row[0] for row in after] == [row[0] for row in before]
    assert after[4][3] > before[4][3]


@pytest.mark.office
def test_the_demo_ends_well_and_calc_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "home"))  # the demo sets its own, for good
    monkeypatch.setattr(demonstration, "OUT", tmp_path / "out")
    monkeypatch.setattr(demonstration, "build", lambda: build.build(tmp_path / "demo.xlsx"))
    assert demonstration.main() == 0
    assert "(the same vols)" in capsys.readouterr().out
