"""The body of a range: vols, units, missing marks, shapes, messages, and rendering."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import DELTAS, QUOTES, TENORS, table, vols, with_cell
from voladdin.cells import address, parse, read_number, render
from voladdin.errors import InputError, UnitsError


class TestVols:
    @pytest.mark.parametrize(
        "cell",
        [None, "", "  ", "n/a", "N/A", "-", "–", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "nan", math.nan],
    )
    def test_missing(self, cell: Any) -> None:
        grid = parse(with_cell(table(), 2, 3, cell))
        assert np.isnan(grid.surface.vols[1, 2]) and grid.warnings == []

    @pytest.mark.parametrize(
        "cell", [0, -0.1, "0", "call desk", "8.1/8.3", "1.2.3", date(2026, 1, 1), "9" * 99 + "x"]
    )
    def test_missing_with_a_warning(self, cell: Any) -> None:
        grid = parse(with_cell(table(), 2, 3, cell))
        assert np.isnan(grid.surface.vols[1, 2])
        assert grid.warnings[0].startswith("cell D3 of the range is ") and len(grid.warnings[0]) < 120

    def test_warnings_are_few(self) -> None:
        grid = parse(table([[0] * 5] * 3))
        assert len(grid.warnings) == 11 and grid.warnings[-1] == "5 more cells are read as missing"

    def test_vols_far_from_others_are_not_called_missing(self) -> None:
        rows = [[20.0] * 5 for _ in range(24)]
        for i in range(0, 24, 2):
            rows[i][i % 5] = 150.0
        heads = ["", "10C", "20C", "30C", "40C", "ATM"]
        grid = parse([heads, *([f"{i + 1}Y", *row] for i, row in enumerate(rows))], units="percent")
        assert all("kept" in warning for warning in grid.warnings) and len(grid.warnings) == 11
        assert grid.warnings[-1] == "2 more vols far from those beside them: kept"

    @pytest.mark.parametrize(
        "cell", [0.0825, "0.0825", " 0.0825 ", "0,0825", "8.25%", "8,25 %", "8.25e-2", "\xa0.0825"]
    )
    def test_numeric_text_in_decimals(self, cell: Any) -> None:
        grid = parse(with_cell(table(), 2, 3, cell))
        assert grid.surface.vols[1, 2] == 0.0825 and not grid.percent
        assert render(grid, grid.surface.vols)[2][3] == 0.0825

    @pytest.mark.parametrize("cell", [8.25, "8.25", " 8,25", "8.25%", "+8.25"])
    def test_numeric_text_in_percent_points(self, cell: Any) -> None:
        body = [[None if x is None else 100 * x for x in row] for row in QUOTES]
        grid = parse(with_cell(table(body), 2, 3, cell))
        assert grid.surface.vols[1, 2] == 0.0825 and grid.percent
        assert render(grid, grid.surface.vols)[2][3] == 8.25

    def test_percent_signs_only(self) -> None:
        grid = parse([["", "25P", "25C"], ["1M", "8.5%", "8.1%"], ["1Y", "9%", ""]])
        np.testing.assert_array_equal(grid.surface.vols, [[0.085, 0.081], [0.09, math.nan]])
        assert not grid.percent

    @pytest.mark.parametrize("cell", [True, False])
    def test_true_and_false_are_refused(self, cell: bool) -> None:
        with pytest.raises(
            InputError, match=f"cell D3 of the range is {str(cell).upper()}; expected a vol such as"
        ):
            parse(with_cell(table(), 2, 3, cell))

    def test_one_quote_and_none(self) -> None:
        blank: list[list[Any]] = [[None] * 5] * 3
        assert not parse(table(blank)).surface.observed.any()
        assert parse(table(with_cell(blank, 0, 0, 8.25))).surface.vols[0, 0] == 0.0825

    def test_mixed_units_name_two_cells(self) -> None:
        body = [[None if x is None else 100 * x for x in row] for row in QUOTES]
        with pytest.raises(
            UnitsError, match=r"cell D3 of the range is 0.082 .* and cell F4 of the range is 9.8"
        ):
            parse(with_cell(table(body), 2, 3, 0.082))
        with pytest.raises(
            UnitsError, match=r"cell D2 of the range is 0.081 .* and cell D3 of the range is 8.2"
        ):
            parse(with_cell(table(), 2, 3, 8.2))

    def test_units_override(self) -> None:
        pegged = [[0.4, 0.5], [0.6, 0.9]]
        cells = table(pegged, ["1M", "1Y"], ["25P", "25C"])
        assert parse(cells).surface.vols[0, 0] == 0.4
        assert parse(cells, units="percent").surface.vols[0, 0] == 0.004
        wild = table([[2.5, 3.0], [2.2, 2.6]], ["1D", "1W"], ["25P", "25C"])
        with pytest.raises(UnitsError, match=r"may be 255% \(decimals\) or 2.55% \(percent points\)"):
            parse(wild)
        assert parse(wild, units=" Decimal ").surface.vols[0, 0] == 2.5
        assert parse(with_cell(cells, 1, 1, 12.0), units="percent").surface.vols[0, 0] == 0.12

    @pytest.mark.parametrize("units", ["pips", "%", 5, True])
    def test_bad_units(self, units: Any) -> None:
        with pytest.raises(UnitsError, match='expected "percent", "decimal", "bp"'):
            parse(table(), units=units)

    @pytest.mark.parametrize(
        ("cell", "shown"), [(1e6, "1e"), ("1000000%", "1e"), (math.inf, "inf"), (10**400, "inf")]
    )
    def test_beyond_any_volatility(self, cell: Any, shown: str) -> None:
        with pytest.raises(
            UnitsError, match=f"cell B2 of the range is .*a vol of {shown}.*expected 0.001% to 1000%"
        ):
            parse([["", "ATM"], ["1M", cell]])

    def test_strings_everywhere(self) -> None:
        with pytest.raises(
            InputError, match=r"the range has no number: cell A1 .* 'foo'; expected a vol such as"
        ):
            parse([["foo"] * 4] * 4)
        with pytest.raises(
            InputError, match=r"no cell of the grid is a vol: cell B2 of the range is 'foo'; expected"
        ):
            parse(table([["foo"] * 5] * 3))


class TestShapes:
    @pytest.mark.parametrize("cell", [0.08, "1M", None, True, "#N/A"])
    def test_one_cell(self, cell: Any) -> None:
        with pytest.raises(
            InputError, match=r"the range is one cell: cell A1 of the range is .*expected a vol"
        ):
            parse([[cell]])

    @pytest.mark.parametrize("cells", [[], [[]]])
    def test_empty(self, cells: Any) -> None:
        with pytest.raises(InputError, match=r"the range is empty"):
            parse(cells)

    def test_ragged(self) -> None:
        with pytest.raises(InputError, match=r"rows of 2 and of 3 cells; expected a rectangle"):
            parse([[1, 2, 3], [1, 2]])

    def test_huge(self) -> None:
        with pytest.raises(InputError, match=r"the range has 201 x 200 cells; expected at most 40,002"):
            parse([[0.08] * 200] * 201)
        side, top = [(i + 1) / 100 for i in range(101)], [(j + 1) / 201 for j in range(200)]
        with pytest.raises(InputError, match=r"vols has 20200 cells; at most 20000 are accepted"):
            parse(table(np.full((101, 200), 0.08).tolist(), side, top, corner="Years"))

    def test_large(self) -> None:
        """20,000 vols, their headers not counted."""
        side, top = [(i + 1) / 10 for i in range(100)], [round(0.01 + 0.98 * j / 199, 6) for j in range(200)]
        grid = parse(table(np.full((100, 200), 0.08).tolist(), side, top, corner="Years"))
        assert grid.surface.shape == (100, 200)
        tenors = [round(0.001 * (i + 1), 3) for i in range(20_000)]
        tall = parse(table(np.full((20_000, 1), 0.08).tolist(), tenors, [0.5], corner="Years"))
        assert tall.surface.shape == (20_000, 1)

    def test_tuples_and_arrays(self) -> None:
        cells = table()
        np.testing.assert_array_equal(parse(tuple(map(tuple, cells))).surface.vols, vols(QUOTES))  # type: ignore[arg-type]
        array = np.array(vols(QUOTES))
        np.testing.assert_array_equal(parse(array, [TENORS], [DELTAS]).surface.vols, array)  # type: ignore[arg-type]


class TestRender:
    def test_quotes_come_back_to_the_last_bit(self) -> None:
        generator = np.random.default_rng(0)
        body = (100 * generator.uniform(0.03, 0.4, (3, 5))).tolist()
        grid = parse(table(body))
        assert grid.percent
        assert [row[1:] for row in render(grid, grid.surface.vols)[1:]] == body

    def test_filled_cells_are_in_the_unit_of_the_grid(self) -> None:
        body = [[None if x is None else 100 * x for x in row] for row in QUOTES]
        grid = parse(table(body))
        full = np.where(grid.surface.observed, grid.surface.vols, 0.125)
        assert render(grid, full)[1] == ["1W", 8.9, 12.5, 8.1, 12.5, 12.5]
        assert render(grid, full, scale=False)[1][2] == 0.125

    def test_missing_values_are_empty_text(self) -> None:
        grid = parse(table())
        assert render(grid, np.full((3, 5), math.nan))[1:] == [[tenor, *[""] * 5] for tenor in TENORS]

    def test_headers_and_input_are_untouched(self) -> None:
        corner = datetime(2026, 3, 2)
        cells = table(side=[" 1w", 46114, "1 Y"], top=["10p", "25 P", "atm", 0.25, "10C "], corner=corner)
        copy = [list(row) for row in cells]
        out = render(parse(cells), np.full((3, 5), 0.1))
        assert out[0] == copy[0] and [row[0] for row in out] == [row[0] for row in copy]
        assert cells == copy

    def test_shape(self) -> None:
        with pytest.raises(InputError, match=r"values has shape \(2, 2\); expected \(3, 5\)"):
            render(parse(table()), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("place", "name"), [((0, 0), "A1"), ((3, 25), "Z4"), ((0, 26), "AA1"), ((9, 702), "AAA10")]
)
def test_address(place: tuple[int, int], name: str) -> None:
    assert address(*place) == name


@pytest.mark.parametrize(
    ("cell", "value"),
    [("8.25%", 0.0825), ("−0.1", -0.1), ("1e-2", 0.01), (",5", 0.5), (3, 3.0), (np.float64(0.1), 0.1)],
)
def test_read_number(cell: Any, value: float) -> None:
    number = read_number(cell)
    assert number is not None and number.fraction == value


@pytest.mark.parametrize(
    "cell", [None, True, "", "1 000", "1,0,0", "0x10", "1_000", "inf", "nan", "²", date(2026, 1, 1)]
)
def test_no_number(cell: Any) -> None:
    assert read_number(cell) is None


@pytest.mark.parametrize("number", [1e308, -1e308, 1e-308])
def test_numbers_at_the_edge_of_floats_are_refused_without_a_warning(number: float) -> None:
    with pytest.raises(InputError):
        parse([["", number, number], [number, number, number], [number, number, number]])
