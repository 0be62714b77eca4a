"""Any rectangle of cells is read or refused; what is read comes back; turning the range changes nothing."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voladdin.cells import Grid, parse, render
from voladdin.errors import InputError, VoladdinError

TENORS = ["ON", "1W", "2w", "1M", "3M", "0.5", "9M", "1Y", "18M", "2 y", "3J", "5Y", "10Y"]
DELTAS = ["5P", "10P", "25D Put", "35p", "50Δ", "35C Δ", 0.25, "10C", "5C"]
STRIKES = ["K=0.9", 1.0, "1.05", "K=1.1", 1.15, "1,25"]
MONEYNESS = ["m=-0.3", -0.2, "-0.1", "k=0", 0.1, "K/F=1.25"]
MISSING = [None, "", " ", "n/a", "-", "#N/A", "#VALUE!", 0, -0.01, "text"]

numbers = st.floats(width=64) | st.integers(-5, 60_000) | st.floats(0.01, 0.5) | st.floats(2, 40)
texts = st.sampled_from(["foo", "8,25", "8.25%", "1e400", "25%", "F", "Fwd", "2026-12-18", "9" * 400 + "M"])
labels = st.sampled_from([*TENORS, *DELTAS, *STRIKES, *MONEYNESS])
dates = st.dates(date(1900, 1, 1), date(2190, 1, 1)) | st.datetimes(
    datetime(1990, 1, 1), datetime(2090, 1, 1)
)
cells = st.one_of(
    numbers, texts, labels, st.sampled_from(MISSING), st.booleans(), dates, st.text(max_size=8), st.integers()
)


@st.composite
def rectangles(draw: st.DrawFn, content: st.SearchStrategy[Any] = cells, most: int = 9) -> list[list[Any]]:
    rows, columns = draw(st.integers(1, most)), draw(st.integers(1, most))
    line = st.lists(content, min_size=columns, max_size=columns)
    return draw(st.lists(line, min_size=rows, max_size=rows))


@st.composite
def ordered(draw: st.DrawFn, choices: list[Any]) -> list[Any]:
    chosen = draw(st.sets(st.integers(0, len(choices) - 1), min_size=1))
    return [choices[i] for i in sorted(chosen)]


@st.composite
def headed(draw: st.DrawFn, vols: st.SearchStrategy[Any], axis: list[Any] = DELTAS) -> list[list[Any]]:
    """A grid with text in both headers and a body of `vols` and missing cells."""
    side, top = draw(ordered(TENORS)), draw(ordered(axis))
    side, top = side if any(isinstance(x, str) and x[-1] in "NWwMYy" for x in side) else ["ON"], top
    corner = draw(st.sampled_from([None, "", "EURUSD", "Tenor"]))
    body = [[draw(vols | st.sampled_from(MISSING)) for _ in top] for _ in side]
    return [[corner, *top], *([label, *row] for label, row in zip(side, body, strict=True))]


@st.composite
def damaged(draw: st.DrawFn) -> list[list[Any]]:
    """A grid with headers, a few of whose cells are anything."""
    axis = draw(st.sampled_from([DELTAS, STRIKES, MONEYNESS, ["Fwd", *STRIKES]]))
    values = draw(headed(numbers, axis))
    for _ in range(draw(st.integers(0, 3))):
        i, j = draw(st.integers(0, len(values) - 1)), draw(st.integers(0, len(values[0]) - 1))
        values[i][j] = draw(cells)
    return turned(values) if draw(st.booleans()) else values


def turned(cells: list[list[Any]]) -> list[list[Any]]:
    return [list(line) for line in zip(*cells, strict=True)]


def outcome(*arguments: Any, **named: Any) -> Grid | None:
    """The grid, or None where it was refused; anything but an InputError fails the test."""
    try:
        return parse(*arguments, **named)
    except VoladdinError as error:
        assert isinstance(error, InputError) and str(error)
        return None


def assert_sound(grid: Grid, values: list[list[Any]]) -> None:
    vols = grid.surface.vols
    assert ((vols > 0) & (vols <= 10) | np.isnan(vols)).all()
    out = render(grid, np.where(grid.surface.observed, vols, 0.1))
    assert [len(row) for row in out] == [len(row) for row in values]
    body = {(i, j) for i in grid.rows for j in grid.columns}
    for i, row in enumerate(out):
        for j, cell in enumerate(row):
            if (i, j) not in body:
                assert cell is values[i][j]
            else:
                assert isinstance(cell, float) and math.isfinite(cell)


@settings(max_examples=300, deadline=None)
@given(rectangles() | damaged())
@example([[None, "10P"], ["1M", 1e6]])
@example([["", 0.1], [0.25, "x"]])
@example([["", "1e400", "1e400"], ["1M", 1, 2]])
@example([[46000, "ATM"], [46001, 0.1]])
def test_any_rectangle_is_read_or_refused(values: list[list[Any]]) -> None:
    grid = outcome(values)
    if grid is not None:
        assert_sound(grid, values)


@settings(max_examples=200, deadline=None)
@given(
    rectangles(most=4),
    st.none() | rectangles(labels | cells, most=4),
    st.none() | rectangles(labels | cells, most=4),
    st.none() | rectangles(numbers, most=3),
    st.sampled_from([None, "", "percent", "decimal", "bp", 1]),
    st.none() | st.dates(),
)
@example([["", ""], ["", "0.1"]], None, None, [[1.0]], None, None)
def test_any_arguments_are_read_or_refused(
    values: Any, tenors: Any, strikes: Any, forwards: Any, units: Any, valuation: date | None
) -> None:
    grid = outcome(values, tenors, strikes, units, forwards, valuation=valuation)
    if grid is not None:
        assert_sound(grid, values)


@settings(deadline=None)
@given(st.one_of(headed(st.floats(0.02, 0.29)), headed(st.floats(0.02, 0.29), MONEYNESS[:1] + MONEYNESS[3:])))
def test_a_decimal_grid_comes_back(values: list[list[Any]]) -> None:
    grid = outcome(values)
    if grid is None:  # nothing but text
        assert not any(isinstance(cell, float) and cell > 0 for row in values[1:] for cell in row[1:])
        return
    assert not grid.percent and grid.surface.shape == (len(values) - 1, len(values[0]) - 1)
    again = render(grid, grid.surface.vols)
    assert again[0] == values[0]
    for new, old in zip(again[1:], values[1:], strict=True):
        expected = ["" if cell in MISSING else cell for cell in old[1:]]
        assert new == [old[0], *expected]
    back = parse(again)
    np.testing.assert_array_equal(back.surface.vols, grid.surface.vols)
    np.testing.assert_array_equal(back.surface.tenors, grid.surface.tenors)


@settings(deadline=None)
@given(headed(st.floats(5.5, 20)))
def test_percent_points_come_back_to_the_last_bit(values: list[list[Any]]) -> None:
    grid = outcome(values)
    if grid is None or not grid.surface.observed.any():
        return
    assert grid.percent
    vols = grid.surface.vols
    out = render(grid, vols)
    for i, j in zip(*np.nonzero(grid.surface.observed), strict=True):
        assert out[i + 1][j + 1] == values[i + 1][j + 1]
        assert vols[i, j] == values[i + 1][j + 1] / 100


@settings(deadline=None)
@given(st.one_of(headed(st.floats(0.02, 1.5)), headed(st.floats(0.5, 30))))
def test_turning_the_range_turns_the_answer(values: list[list[Any]]) -> None:
    grid, other = outcome(values), outcome(turned(values))
    assert (grid is None) == (other is None)
    if grid is None or other is None:
        return
    assert not grid.transposed and other.transposed
    np.testing.assert_array_equal(other.surface.vols, grid.surface.vols)
    np.testing.assert_array_equal(other.surface.tenors, grid.surface.tenors)
    np.testing.assert_array_equal(other.surface.deltas, grid.surface.deltas)
    full = np.where(grid.surface.observed, grid.surface.vols, 0.1)
    assert render(other, full) == turned(render(grid, full))


@settings(deadline=None)
@given(headed(st.floats(0.5, 2), STRIKES), st.floats(0.5, 2))
def test_strikes_and_one_forward(values: list[list[Any]], forward: float) -> None:
    grid = outcome(values, forwards=[[forward]])
    if grid is not None:
        assert grid.surface.strikes is not None and grid.surface.log_moneyness is not None
        assert_sound(grid, values)
