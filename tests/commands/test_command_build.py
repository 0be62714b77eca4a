"""Build surface on a list of options: a sheet with the surface, its forwards and its report."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import refused, run
from tests.options.test_lists import cells, listed
from tests.stubs import calc
from voladdin.commands import execute
from voladdin.hosts.documents import engine
from voladdin.worksheet.registry import evaluate

SHEET = "voladdin surface"


def opened(rows: list[list[Any]], select: str = "B2") -> Any:
    return calc.opened({"List": {"A1": rows}}, select)


def sheet(document: Any) -> list[list[Any]]:
    return calc.values(document, "A1:S70", SHEET)


def block(values: list[list[Any]], title: str) -> list[list[Any]]:
    """The rows below a title, to the next blank line."""
    start = next(i for i, row in enumerate(values) if str(row[0]).startswith(title)) + 1
    end = next(i for i in range(start, len(values)) if all(cell in (None, "") for cell in values[i]))
    return values[start:end]


def test_the_list_around_the_cursor_becomes_a_sheet() -> None:
    table = cells(listed())
    document = opened(table)
    before = calc.state(document)
    said = run(document, "build")
    assert said.startswith("built the surface of List!A1:E91: 45 of 90 options, 3 expiries; see the sheet")
    values = sheet(document)
    assert values[0][0] == "Surface of List!A1:E91"
    grid = block(values, "Surface of")
    assert grid[0][1:3] == ["F", "10P"] and [row[0] for row in grid[1:]] == ["2M", "3M", "6M", "9M", "1Y"]
    expected = evaluate("VOLGRID", [table, "deltas", *[None] * 5, [["2M", "3M", "6M", "9M", "1Y"]]])
    np.testing.assert_allclose(
        np.array([row[1:] for row in grid[1:]], dtype=float),
        np.array([row[1:] for row in expected[1:]], dtype=float),
    )
    assert block(values, "Standard deviations")[0] == grid[0]
    forwards = block(values, "Forwards")
    assert [row[0] for row in forwards[1:]] == ["40D", "180D", "365D"]
    assert forwards[1][2] == pytest.approx(100 * np.exp(0.02 * 40 / 365), rel=1e-4)
    assert block(values, "Quality")[0][0] == "tenor"
    assert block(values, "What was left out")[0][0] == "every option is used"
    assert calc.state(document)["List"] == before["List"]


def test_dates_count_from_the_list_or_today() -> None:
    day = date.today() - timedelta(days=30)
    rows = [row | {"expiry": str(day + timedelta(days=row["days"])), "date": str(day)} for row in listed()]
    columns = ("expiry", "strike", "side", "bid", "ask")
    document = opened(cells(rows, *columns, "date"))
    assert "from today" not in run(document, "build")
    assert [row[0] for row in block(sheet(document), "Forwards")[1:]] == ["40D", "180D", "365D"]
    document = opened(cells(rows, *columns))
    assert f"expiries count from today, {date.today()}" in run(document, "build")
    assert block(sheet(document), "Forwards")[1][0] == "10D"


def test_a_list_larger_than_a_grid_is_read() -> None:
    table = cells(listed(strikes=40))
    long = [table[0], *(table[1:] * 18)]
    document = opened(long, f"A1:E{len(long)}")
    assert "4080 duplicate" in execute("build", engine.book_of(document))


def test_american_options_need_a_rate_column() -> None:
    rows = [row | {"exercise": "A", "underlying": 100.0, "rate": 0.03} for row in listed(strikes=3)]
    columns = ("days", "strike", "side", "bid", "ask", "exercise", "underlying")
    refused(opened(cells(rows, *columns)), "build", "expected a column headed rate")
    document = opened(cells(rows, *columns, "rate"))
    pytest.importorskip("QuantLib", reason="QuantLib is not installed")
    assert "the premium of early exercise is taken off each price" in run(document, "build")


def test_what_is_no_list_is_refused_and_nothing_changes() -> None:
    refused(opened([["Strike", "Bid"], [100.0, 1.0]]), "build", "no column for expiry or days, call or put")
    bad = cells(listed())
    for row in bad[1:]:
        row[1] = "x"
    refused(opened(bad), "build", "cell B2 is 'x'|B2 .* is 'x'; expected a strike above 0")
