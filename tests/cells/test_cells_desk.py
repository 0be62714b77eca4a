"""Sheets as desks have them: what stands around a grid, other words, and what is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import CALL_DELTAS, QUOTES, YEARS, flip, table, vols
from voladdin.cells import Grid, parse, render
from voladdin.errors import InputError, LabelError, UnitsError

PERCENT = [[None if x is None else round(100 * x, 6) for x in row] for row in QUOTES]
GRID = table(PERCENT)
DATES = table(PERCENT, [date(2026, 3, 20), date(2026, 6, 19), date(2027, 3, 19)])
TRADED = date(2026, 1, 5)
MIDDLE = [0.62, 0.64, 0.66, 0.68, 0.7]


def wide(*lines: list[Any]) -> list[list[Any]]:
    most = max(map(len, lines))
    return [[*line, *[None] * (most - len(line))] for line in lines]


def read_as_ever(cells: list[list[Any]], years: Any = YEARS) -> Grid:
    """The surface of the example, and every other cell given back as it was."""
    grid = parse(cells)
    np.testing.assert_allclose(grid.surface.tenors, years, rtol=1e-12)
    assert grid.surface.deltas is not None
    np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS)
    np.testing.assert_allclose(grid.surface.vols, vols(QUOTES))
    blank = [["" if x is None else x for x in line] for line in cells]
    assert [["" if x is None else x for x in line] for line in render(grid, grid.surface.vols)] == blank
    return grid


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "behind",
    [
        [["Source: broker, mid"]],
        [[], ["Source: broker, mid"]],
        [[], ["indicative only"], ["see desk notes, page 2"]],
        [[None, "quoted 14:30 by phone"]],
    ],
)
def test_notes_behind_a_grid_are_left_alone(behind: list[list[Any]], turned: bool) -> None:
    cells = wide(*GRID, *behind)
    grid = read_as_ever(flip(cells) if turned else cells)
    assert "read as a note: its line is left as it is" in grid.warnings[-1]


def test_a_remark_beside_a_grid_is_left_alone() -> None:
    cells = [[*row, None, "stale" if i == 2 else None] for i, row in enumerate(GRID)]
    assert "H3 'stale' read as a note" in read_as_ever(cells).warnings[-1]


@pytest.mark.parametrize("label", ["5Yr2", "Average", "6 Mx", "Total"])
def test_a_mistyped_tenor_is_no_note(label: str) -> None:
    with pytest.raises(LabelError, match=f"cell A5 of the range is '{label}'; expected a tenor"):
        parse(wide(*GRID, [label]))


@pytest.mark.parametrize(
    "above",
    [
        [["EURUSD implied vol"]],
        [["EURUSD implied vol"], ["mid, indicative"]],
        [["Valuation", TRADED]],
        [["As of", TRADED]],
        [["EURUSD"], ["Val date:", TRADED], []],
    ],
)
def test_titles_are_left_alone(above: list[list[Any]]) -> None:
    read_as_ever(wide(*above, *GRID))


@pytest.mark.parametrize(
    "above",
    [
        [["Valuation", TRADED]],
        [["As of 2026-01-05"]],
        [["Valuation date: 5-Jan-2026"]],
        [["EURUSD", "as of 05.01.2026"]],
        [["Stichtag: 05.01.2026"], ["EURUSD"]],
    ],
)
def test_the_valuation_date_of_a_title(above: list[list[Any]]) -> None:
    grid = read_as_ever(wide(*above, *DATES), np.array([74, 165, 438]) / 365)
    assert grid.valuation == TRADED


@pytest.mark.parametrize("title", ["Updated", "Next meeting", "EURUSD"])
def test_another_date_above_is_no_valuation_date(title: str) -> None:
    with pytest.raises(LabelError):
        parse(wide([title, TRADED], *DATES))


@pytest.mark.parametrize("place", ["corner", "title"])
@pytest.mark.parametrize(
    ("title", "years"),
    [
        *(("Maturity (years)", 1.0), ("Years", 1.0), ("Laufzeit in Jahren", 1.0), ("Looptijd (jaar)", 1.0)),
        *(("Tenor in days", 1 / 365), ("Days to expiry", 1 / 365), ("DTE", 1 / 365), ("Dagen", 1 / 365)),
        *(("Term (months)", 1 / 12), ("Maanden", 1 / 12), ("Days/365", 1.0), ("ACT/365", 1.0)),
    ],
)
def test_a_heading_names_the_unit(title: str, years: float, place: str) -> None:
    cells = table(PERCENT, [1, 2, 5], corner=title if place == "corner" else None)
    if place == "title":
        cells = wide([title, "Delta"], *cells)
    np.testing.assert_allclose(parse(cells).surface.tenors, np.array([1, 2, 5]) * years)


@pytest.mark.parametrize("corner", ["Y", "y", "J", "Year frac", "yearfrac", "Jaren", "Prazo (anos)"])
def test_a_corner_of_years(corner: str) -> None:
    np.testing.assert_allclose(parse(table(PERCENT, [1, 2, 5], corner=corner)).surface.tenors, [1, 2, 5])


@pytest.mark.parametrize("title", ["EURUSD 1 year ago", "month end", "5 days of history", "Year end 2025"])
def test_other_titles_leave_whole_numbers_open(title: str) -> None:
    with pytest.raises(LabelError, match=r"tenors 1, 2, 5 may be years or months .* the argument tenors"):
        parse(wide([title], *table(PERCENT, [1, 2, 5])))


@pytest.mark.parametrize("corner", ["T", "M", "Mat", "Exp", "Tenor", "Maturity", "Q"])
def test_other_corners_leave_whole_numbers_open(corner: str) -> None:
    with pytest.raises(LabelError, match=r"tenors 1, 2, 5 may be years or months .* the argument tenors"):
        parse(table(PERCENT, [1, 2, 5], corner=corner))


@pytest.mark.parametrize(
    "corner",
    ["dias úteis", "Werkdagen", "giorni lavorativi", "Bdays", "Arbeitstage", "días hábiles", "jours ouvrés"],
)
def test_business_days_in_other_words_are_refused(corner: str) -> None:
    with pytest.raises(InputError, match="business days; expected calendar days"):
        parse(table(PERCENT, [7, 14, 30], corner=corner))


@pytest.mark.parametrize("title", ["Strike", "Strikes", "Basispreis"])
def test_a_heading_above_the_strikes(title: str) -> None:
    cells = wide([None, title], *table(PERCENT, top=MIDDLE))
    with pytest.raises(InputError, match="strikes need forwards"):
        parse(cells)
    np.testing.assert_allclose(np.ravel(parse(cells, forwards=[[0.66]]).surface.strikes), MIDDLE)


@pytest.mark.parametrize(("title", "first"), [("Call delta", 0.62), ("Delta (put)", 0.38)])
def test_a_heading_above_the_deltas(title: str, first: float) -> None:
    deltas = parse(wide([None, title], *table(PERCENT, top=MIDDLE))).surface.deltas
    assert deltas is not None and deltas[0] == pytest.approx(first)


def test_basis_points_of_vol_are_refused_without_a_word() -> None:
    basis = [[None if x is None else 100 * x for x in row] for row in PERCENT]
    with pytest.raises(UnitsError, match=r"percent points \(\d+%\) or basis points \(8\.\d+%\)"):
        parse(table(basis))
    assert parse(table(basis), units="percent").surface.vols[0, 0] == pytest.approx(8.9)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([a + b for a, b in zip(GRID, GRID, strict=True)], "cell G1 of the range is blank"),
        ([[*a, None, *b] for a, b in zip(GRID, GRID, strict=True)], "cell H1 of the range is blank"),
        ([*GRID, [None] * 6, *GRID], "cell A6 of the range is blank"),
        ([*GRID, ["Average", 9.0, 8.6, 8.4, 8.3, 9.8]], "cell A5 of the range is 'Average'"),
        ([[*row, "Avg" if i == 0 else 9.0] for i, row in enumerate(GRID)], "cell G1 of the range is 'Avg'"),
        ([GRID[0], *GRID[:0:-1]], "'1Y' and cell A3 of the range is '1M': out of order"),
        (table(PERCENT, ["Jun-26", "Sep-26", "Dec-26"]), "cell A2 of the range is 'Jun-26'"),
        (table(PERCENT, ["H6", "M6", "Z6"]), "cell A2 of the range is 'H6'"),
        (table(PERCENT, ["1W", "3M*", "1Y"]), r"cell A3 of the range is '3M\*'"),
        (table(PERCENT, top=["10%", "25%", "50%", "75%", "90%"]), "'10%', a delta or K/F"),
        (table(PERCENT, top=["ATM", "25RR", "25BF", "10RR", "10BF"]), "VOLQUOTES reads risk reversals"),
        (table(PERCENT, top=["10P", "10P", "ATM", "25C", "10C"]), "the same; expected strikes"),
        (table(PERCENT, top=["10P", "25P", "ATM", "25C", "10C mid"]), "cell F1 of the range is '10C mid'"),
        (table(PERCENT, top=[0.8, 0.9, 1.0, 1.1, 1.2]), "may be strikes .* or K/F"),
        (DATES, "a date; expected the valuation date in the corner"),
    ],
)
def test_what_is_refused_names_the_cell(cells: list[list[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(cells)
