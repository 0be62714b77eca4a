"""What feeds, terminals and keyboards leave in cells: full-width digits, marks of no quote, sentinels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import CALL_DELTAS, DELTAS, QUOTES, TENORS, YEARS, table, vols, with_cell
from voladdin.cells import Cells, parse
from voladdin.errors import LabelError, UnitsError
from voladdin.labels.dates import date_of_text

BODY = [[8.9, 8.5, 8.1, 8.3, 8.8], [9.3, 8.6, 8.2, 8.3, 8.6], [9.9, 9.2, 8.9, 9.1, 9.8]]
WIDE = {code - 0xFEE0: chr(code) for code in range(0xFF01, 0xFF5F)}


def test_full_width_digits_and_letters_are_as_the_others() -> None:
    cells: Cells = [
        [c.translate(WIDE) if isinstance(c, str) else c for c in row] for row in table(with_text(QUOTES))
    ]
    grid = parse(cells)
    np.testing.assert_allclose(grid.surface.vols, vols(QUOTES), rtol=1e-15)
    np.testing.assert_allclose(grid.surface.tenors, YEARS)
    np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS)
    assert grid.raw == cells


def with_text(body: list[list[Any]]) -> list[list[Any]]:
    return [[None if cell is None else str(cell) for cell in row] for row in body]


@pytest.mark.parametrize("minus", ["−", "–", "﹣", "－"])
def test_every_minus_is_one(minus: str) -> None:
    top = [f"{minus}10", f"{minus}25", "ATM", "25", "10"]
    np.testing.assert_allclose(parse(table(BODY, top=top)).surface.deltas, CALL_DELTAS)


@pytest.mark.parametrize(
    "mark",
    ["#N/A N/A", "#N/A Requesting Data...", "#N/A Field Not Known", "#NV", "n.q.", "k.A."],
)
def test_marks_of_no_quote_are_holes_without_a_word(mark: str) -> None:
    grid = parse(with_cell(table(BODY), 2, 3, mark))
    assert np.isnan(grid.surface.vols[1, 2]) and grid.warnings == []
    typed = parse(with_cell(table(BODY), 2, 3, "8.2 mid"))
    assert "'8.2 mid', no number" in typed.warnings[0]


@pytest.mark.parametrize("sentinel", [999, 99.99, 1.0])
def test_a_sentinel_among_vols_is_named(sentinel: float) -> None:
    grid = parse(with_cell(table(BODY), 2, 3, sentinel))
    assert f"cell D3 of the range is {sentinel}, " in grid.warnings[0] and "kept" in grid.warnings[0]
    assert grid.surface.vols[1, 2] == pytest.approx(sentinel / 100)


def test_a_steep_but_even_smile_has_no_such_word() -> None:
    steep = [[60.0, 30.0, 12.0, 11.0, 10.0], [50.0, 28.0, 13.0, 12.0, 11.0], [40.0, 25.0, 15.0, 14.0, 13.0]]
    assert parse(table(steep)).warnings == []
    with pytest.raises(UnitsError, match="differ in unit"):
        parse(with_cell(table(BODY), 2, 3, 0.01))


def test_tenors_and_labels_keep_what_was_typed() -> None:
    cells = table(BODY, side=["１Ｗ", *TENORS[1:]], top=["１０Ｐ", *DELTAS[1:]])
    assert parse(cells).raw[1][0] == "１Ｗ" and parse(cells).raw[0][1] == "１０Ｐ"


@pytest.mark.parametrize(
    "expiries",
    [
        ["Fri 20-Mar-26", "Fri 19-Jun-26", "Fri 18-Dec-26"],
        ["Friday, 20 March 2026", "Friday, 19 June 2026", "Friday, 18 December 2026"],
        ["Freitag, 20. März 2026", "Freitag, 19. Juni 2026", "Freitag, 18. Dezember 2026"],
        ["2026年3月20日", "2026年6月19日", "2026年12月18日"],
    ],
)
def test_dates_with_weekdays_and_of_east_asia(expiries: list[str]) -> None:
    grid = parse(table(BODY, side=expiries, corner="2026-01-05"))
    np.testing.assert_allclose(365 * grid.surface.tenors, [74, 165, 347])


@pytest.mark.parametrize("text", ["Fri", "Mon 5", "Sun 20-Mar", "Sat 03/04/2026"])
def test_a_weekday_alone_dates_nothing(text: str) -> None:
    assert date_of_text(text) is None


@pytest.mark.parametrize(
    "side",
    [
        ["1周", "3个月", "1年6个月"],
        ["1週間", "3ヶ月", "1.5年"],
        ["1주", "3개월", "1년6개월"],
        ["1 settimana", "3 meses", "1,5 anos"],
        ["1 uke", "3 mês", "1.5Y"],
    ],
)
def test_tenors_in_more_languages(side: list[str]) -> None:
    for corner in (None, "2026-01-05"):
        years = parse(table(BODY, side=side, corner=corner)).surface.tenors
        np.testing.assert_allclose(years, [7 / 365, 0.25, 1.5])
    with pytest.raises(LabelError, match="'3月'; expected a tenor"):
        parse(table(BODY, side=[side[0], "3月", side[2]]))
