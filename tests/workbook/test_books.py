"""The desks' books, each built, filled by the runner and read back."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import pytest
from openpyxl import load_workbook

from voladdin.xlsx.runner import Report
from workbook import clinic, fx, hundred, ladder, listed, rates
from workbook.books import BOOKS, write
from workbook.style import reproducible

Made = tuple[Report, Any, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Of each book: the run's report, its values, its formulas."""
    folder = tmp_path_factory.mktemp("books")
    reports = {name: write(name, folder) for name in BOOKS}
    return {
        name: (report, load_workbook(report.output, data_only=True), load_workbook(report.output))
        for name, report in reports.items()
    }


def grid(book: Any, sheet: str, reference: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in book[sheet][reference]]


def numbers(book: Any, sheet: str, reference: str) -> list[float]:
    return [cell for row in grid(book, sheet, reference)[1:] for cell in row[1:]]


@pytest.mark.parametrize("name", BOOKS)
def test_every_formula_has_a_value_and_none_an_error(name: str, made: dict[str, Made]) -> None:
    report, values, formulas = made[name]
    assert [(o.cell, o.message) for o in report.outcomes if o.status != "ok"] == []
    for sheet in formulas:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            value = values[sheet.title][cell.coordinate].value
            assert not (isinstance(value, str) and value.startswith("#")), (sheet.title, cell.coordinate)
            plain = isinstance(cell.value, str) and cell.value.startswith("=")
            assert not plain or value is not None, (sheet.title, cell.coordinate)
        assert sheet.freeze_panes and sheet.conditional_formatting


@pytest.mark.parametrize("name", BOOKS)
def test_building_again_gives_the_same_bytes(name: str) -> None:
    assert reproducible(BOOKS[name]()) == reproducible(BOOKS[name]())


def test_fx_keeps_its_quotes_and_fills_its_holes(made: dict[str, Made]) -> None:
    values = made["fx-surface"][1]
    quotes, filled = (numbers(values, "Surface", cells) for cells in (fx.TODAY, fx.FILLED))
    assert None in quotes
    assert all(q is None or q == f for q, f in zip(quotes, filled, strict=True))
    assert all(0.15 < vol < 0.28 for vol in filled)
    assert values["Surface"]["D16"].value == pytest.approx(0.21, abs=1e-9)


def test_the_clinic_finds_corrects_and_repairs(made: dict[str, Made]) -> None:
    values = made["arbitrage-clinic"][1]
    label, vol, implied, _, zscore = grid(values, "Clinic", clinic.SUSPECT)[1]
    assert (label, vol) == ("3M ATM", 0.094)
    assert abs(zscore) > 4 and implied == pytest.approx(0.074, abs=0.001)
    assert values["Clinic"]["D27"].value == implied
    assert [bool(values["Clinic"].cell(row, 10).value) for row in (16, 17, 18)] == [False, False, True]


def test_the_chain_gives_back_its_smile(made: dict[str, Made]) -> None:
    values = made["listed-chain"][1]
    for row in grid(values, "Chain", "H7:R10"):
        days, forward = int(row[0][:-1]), row[1]
        assert forward == pytest.approx(listed.SPOT * math.exp(0.01 * days / 365), rel=1e-3)
        for strike, vol in zip(listed.STRIKES, row[2:], strict=True):
            k = math.log(strike / forward)
            assert vol == pytest.approx(0.18 - 0.25 * k / (1 + days / 365) + 0.4 * k * k, abs=0.004)


def test_the_desk_prices_by_black_and_its_ladder_rises(made: dict[str, Made]) -> None:
    values = made["scenario-desk"][1]["Desk"]
    for row in range(18, 22):
        years, strike, vol, call = (values.cell(row, column).value for column in (2, 5, 6, 7))
        width = vol * math.sqrt(years)
        up = math.log(100 / strike) / width + width / 2
        cdf = NormalDist().cdf
        assert call == pytest.approx(100 * cdf(up) - strike * cdf(up - width), abs=1e-9)
    gains = [values.cell(row, 6).value for row in range(27, 32)]
    assert gains[2] == pytest.approx(0, abs=1e-8)
    assert gains == sorted(gains) and gains[0] < 0 < gains[-1]


def test_rates_and_months_keep_what_is_quoted(made: dict[str, Made]) -> None:
    values = made["rates-commodities"][1]
    for sheet, before, after in (
        ("Rates", rates.MATRIX, "H5:M9"),
        ("Rates", rates.SMILE, "I14:O17"),
        ("Commodity", rates.MONTHS, "H5:M9"),
    ):
        pairs = zip(numbers(values, sheet, before), numbers(values, sheet, after), strict=True)
        assert all(new > 0 and (old is None or new == pytest.approx(old, rel=1e-12)) for old, new in pairs)
    assert bool(values["Rates"]["S14"].value)


def test_the_index_shows_a_hundred_surfaces(made: dict[str, Made]) -> None:
    values = made["hundred-surfaces"][1]
    assert len(values.sheetnames) == hundred.COUNT + 1
    rows = grid(values, "Index", f"A6:E{5 + hundred.COUNT}")
    assert all(holes == 10 for *_, holes in rows)
    for i, (_, month, two, year, _) in enumerate(rows):
        level = 1 + i / 100
        assert (month, two, year) == pytest.approx((0.0725 * level, 0.073 * level, 0.078 * level), rel=0.02)


def test_the_formula_of_black_names_its_cells() -> None:
    assert ladder.black("A1", "B1", "C1", "D1").startswith("(A1*NORMSDIST(LN(A1/B1)/(C1*SQRT(D1))")


@pytest.mark.parametrize("name", BOOKS)
def test_charts_are_live_on_cells_with_numbers(name: str, made: dict[str, Made]) -> None:
    """Every series and label is a range of its own sheet, of one length; only quotes have holes."""
    _, values, formulas = made[name]
    charts = [(sheet, chart) for sheet in formulas for chart in sheet._charts]
    assert charts
    for sheet, chart in charts:
        lengths = set()
        for series in chart.series:
            cells, labels = (_cells_of(r.numRef or r.strRef, values) for r in (series.val, series.cat))
            assert all(isinstance(cell, str | float | int) for cell in labels), (sheet.title, chart.title)
            lengths |= {len(cells), len(labels)}
            title = series.tx.v
            numbers_ = [isinstance(cell, float | int) for cell in cells]
            assert any(numbers_) and (title == "Quotes" or all(numbers_)), (sheet.title, title)
            low = chart.y_axis.scaling.min
            assert low is None or all(cell > low for cell in cells if cell is not None)
        assert len(lengths) == 1


def _cells_of(reference: Any, values: Any) -> list[Any]:
    sheet, _, cells = reference.f.rpartition("!")
    return [cell.value for row in values[sheet.strip("'")][cells] for cell in row]
