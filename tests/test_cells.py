"""Cells to a Surface and back: headers, labels, units, missing marks, messages, rendering."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from voladdin.cells import address, parse, read_number, render
from voladdin.errors import InputError, LabelError, UnitsError

DELTAS = ["10P", "25P", "ATM", "25C", "10C"]
CALL_DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
QUOTES = [
    [0.089, None, 0.081, None, None],
    [0.093, 0.086, 0.082, 0.083, None],
    [None, None, 0.089, None, 0.098],
]
TENORS = ["1W", "1M", "1Y"]
SIDE = [[tenor] for tenor in TENORS]
YEARS = [7 / 365, 1 / 12, 1.0]


def table(
    body: list[list[Any]] = QUOTES, side: list[Any] = TENORS, top: list[Any] = DELTAS, corner: Any = None
) -> list[list[Any]]:
    return [[corner, *top], *([label, *row] for label, row in zip(side, body, strict=True))]


def flip(cells: list[list[Any]]) -> list[list[Any]]:
    return [list(line) for line in zip(*cells, strict=True)]


def vols(body: list[list[Any]]) -> np.ndarray:
    return np.array([[math.nan if cell is None else cell for cell in row] for row in body], dtype=float)


def with_cell(cells: list[list[Any]], row: int, column: int, value: Any) -> list[list[Any]]:
    copy = [list(line) for line in cells]
    copy[row][column] = value
    return copy


class TestHeaders:
    @pytest.mark.parametrize("corner", [None, "", "EURUSD", "Tenor", "EURUSD vols %", 0.0, "#N/A", True])
    def test_the_corner_is_free(self, corner: Any) -> None:
        grid = parse(table(corner=corner))
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
        np.testing.assert_allclose(grid.surface.tenors, YEARS)
        np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS)
        assert (grid.transposed, grid.row_header, grid.column_header) == (False, True, True)
        assert grid.warnings == []

    def test_transposed_comes_back_transposed(self) -> None:
        cells = flip(table(corner="EURUSD"))
        grid = parse(cells)
        assert grid.transposed
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
        full = np.where(grid.surface.observed, grid.surface.vols, 0.1)
        assert render(grid, full) == flip(table(np.where(np.isnan(vols(QUOTES)), 0.1, vols(QUOTES)).tolist(),
                                                corner="EURUSD"))  # fmt: skip

    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("corner", [None, "", "EURUSD", 0])
    def test_numbers_only(self, corner: Any, turned: bool) -> None:
        cells = table(side=[0.25, 0.5, 1], top=[0.9, 0.75, 0.5, 0.25, 0.1], corner=corner)
        grid = parse(flip(cells) if turned else cells)
        assert grid.transposed is turned
        np.testing.assert_array_equal(grid.surface.tenors, [0.25, 0.5, 1])
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))

    def test_numbers_only_in_percent_points_beside_years(self) -> None:
        body = [[9.0, 8.5, 8.1], [9.2, 8.6, 8.2]]
        grid = parse(table(body, side=[1, 2], top=[0.75, 0.5, 0.25], corner=""))
        np.testing.assert_array_equal(grid.surface.tenors, [1, 2])
        assert grid.percent

    @pytest.mark.parametrize("missing", [None, "", "n/a", 0.08])
    @pytest.mark.parametrize("turned", [False, True])
    def test_no_headers_are_the_pillars_of_the_paper(self, missing: Any, turned: bool) -> None:
        body = (0.08 + 0.001 * np.arange(40).reshape(8, 5)).tolist()
        body[0][0] = missing
        grid = parse(flip(body) if turned else body)
        assert (grid.transposed, grid.row_header, grid.column_header) == (turned, False, False)
        np.testing.assert_allclose(grid.surface.tenors, [7 / 365, 1 / 12, 1 / 6, 0.25, 0.5, 0.75, 1, 3])
        np.testing.assert_array_equal(grid.surface.deltas, [0.1, 0.25, 0.5, 0.75, 0.9])
        assert np.isnan(grid.surface.vols[0, 0]) == (missing != 0.08)
        assert "1W 1M 2M" in grid.warnings[0] and "0.1 0.25" in grid.warnings[0]

    def test_eight_by_five_with_headers_is_not_the_paper(self) -> None:
        body = np.full((7, 4), 0.1).tolist()
        grid = parse(
            table(body, side=[1 / 12, 0.25, 0.5, 1, 2, 3, 5], top=[0.75, 0.5, 0.25, 0.1], corner=None)
        )
        assert grid.surface.shape == (7, 4)

    def test_eight_by_five_with_wrong_headers_is_an_error(self) -> None:
        body = np.full((7, 4), 0.1).tolist()
        with pytest.raises(LabelError, match=r"cell A3 of the range is 3 and cell A4 of the range is 0.5"):
            parse(table(body, side=[1 / 12, 3, 0.5, 1, 2, 3, 5], top=[0.75, 0.5, 0.25, 0.1], corner="EURUSD"))

    def test_all_blank_without_headers(self) -> None:
        with pytest.raises(InputError, match=r"the range has no number: cell A1 of the range is blank"):
            parse([[None] * 5] * 8)

    @pytest.mark.parametrize("shape", [(6, 5), (3, 3), (2, 2), (1, 5), (8, 1)])
    def test_no_headers_otherwise_is_an_error(self, shape: tuple[int, int]) -> None:
        with pytest.raises(LabelError, match=r"expected"):
            parse((0.08 + 0.001 * np.arange(math.prod(shape)).reshape(shape)).tolist())

    def test_a_blank_corner_does_not_make_vols_headers(self) -> None:
        body = [[None, 0.082, 0.081], [0.083, 0.081, 0.08], [0.085, 0.084, 0.083]]
        with pytest.raises(LabelError, match=r"no header was found in 3 x 3 cells"):
            parse(body)

    def test_only_tenors(self) -> None:
        cells = [[tenor, *row] for tenor, row in zip(TENORS, QUOTES, strict=True)]
        with pytest.raises(
            LabelError, match=r"cell A1 of the range is '1W': the columns .* argument strikes"
        ):
            parse(cells)
        with pytest.raises(LabelError, match=r"the rows of the range have no header.* argument strikes"):
            parse(flip(cells))

    def test_only_strikes(self) -> None:
        with pytest.raises(LabelError, match=r"cell A1 of the range is '10P': the rows .* argument tenors"):
            parse([DELTAS, *QUOTES])

    def test_two_headers_of_one_kind(self) -> None:
        with pytest.raises(LabelError, match=r"both headers hold tenors"):
            parse(table(top=["1W", "1M", "2M", "3M", "1Y"]))

    def test_headers_only(self) -> None:
        with pytest.raises(InputError, match=r"the range has no vols"):
            parse([["EURUSD"], ["1W"], ["1M"]])

    def test_blank_lines_are_left_alone(self) -> None:
        cells = table(corner="x")
        for row in cells:
            row.insert(3, None)
        cells.insert(2, [""] * 7)
        cells.append([None] * 7)
        grid = parse(cells)
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
        out = render(grid, np.full((3, 5), 0.1))
        assert out[2] == [""] * 7 and out[-1] == [None] * 7 and {row[3] for row in out} == {None, ""}

    def test_quotes_under_a_blank_label_are_an_error(self) -> None:
        with pytest.raises(LabelError, match=r"cell A3 of the range is blank; expected a tenor"):
            parse(with_cell(table(), 2, 0, None))
        with pytest.raises(LabelError, match=r"cell D1 of the range is blank; expected a delta"):
            parse(with_cell(table(), 0, 3, ""))


class TestTenors:
    def test_unsorted(self) -> None:
        side = ["1W", "1Y", "1M"]
        with pytest.raises(
            LabelError, match=r"cell A3 of the range is '1Y' and cell A4 of the range is '1M': out"
        ):
            parse(table(side=side))

    def test_duplicate(self) -> None:
        with pytest.raises(
            LabelError, match=r"A3 of the range is '12M' and cell A4 of the range is '1Y': the same"
        ):
            parse(table(side=["1W", "12M", "1Y"]))

    def test_a_typing_error(self) -> None:
        with pytest.raises(LabelError, match=r"cell A3 of the range is '1N'; expected a tenor such as ON"):
            parse(table(side=["1W", "1N", "1Y"]))

    @pytest.mark.parametrize("bad", [True, "-1M", 0, -1, 150, "1,000", "10%", math.inf])
    def test_no_tenor(self, bad: Any) -> None:
        with pytest.raises(LabelError, match=r"cell A3 of the range is .*expected"):
            parse(table(side=["1W", bad, "1Y"]))

    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize(
        "corner", [date(2026, 3, 2), datetime(2026, 3, 2, 17), 46083, "2026-03-02", "2-Mar-26"]
    )
    @pytest.mark.parametrize(
        "side",
        [
            [date(2026, 3, 9), date(2026, 4, 2), date(2027, 3, 2)],
            [datetime(2026, 3, 9), datetime(2026, 4, 2), datetime(2027, 3, 2)],
            [46090, 46114, 46448],
            ["2026-03-09", "2-Apr-2026", "2027/03/02"],
            ["1W", 46114.0, "12M"],
        ],
    )
    def test_dates(self, side: list[Any], corner: Any, turned: bool) -> None:
        cells = table(side=side, corner=corner)
        grid = parse(flip(cells) if turned else cells)
        np.testing.assert_allclose(grid.surface.tenors, [7 / 365, 31 / 365, 1])
        assert grid.raw[0][0] == corner

    def test_dates_with_numeric_strikes(self) -> None:
        grid = parse(table(side=[46090, 46114, 46448], top=CALL_DELTAS, corner=46083))
        np.testing.assert_allclose(grid.surface.tenors, [7 / 365, 31 / 365, 1])

    def test_valuation_argument(self) -> None:
        grid = parse(table(side=[46090, 46114, 46448]), valuation=date(2026, 3, 2))
        np.testing.assert_allclose(grid.surface.tenors, [7 / 365, 31 / 365, 1])

    @pytest.mark.parametrize("day", [46090, date(2026, 3, 9), "9-Mar-26"])
    def test_dates_without_valuation(self, day: Any) -> None:
        with pytest.raises(
            LabelError, match=r"cell A2 of the range is .*, a date; expected the valuation date"
        ):
            parse(table(side=[day, "1M", "1Y"]))

    def test_expired(self) -> None:
        with pytest.raises(
            LabelError, match=r"cell A2 .*expected a date after the valuation date 2026-03-02"
        ):
            parse(table(side=[46083, 46114, 46448], corner=46083))

    def test_a_date_on_vols_is_no_corner(self) -> None:
        cells = [[46083, 0.09, 0.085, 0.08], [46114, 0.091, 0.086, 0.081], ["1Y", 0.092, 0.087, 0.083]]
        with pytest.raises(LabelError, match=r"the columns of the range have no header"):
            parse(cells)


class TestStrikes:
    @pytest.mark.parametrize(
        "top",
        [
            DELTAS,
            ["10d put", "25D Put", "atm", "25D Call", "10 call"],
            ["P10", "P25", "DNS", "C25", "C10"],
            CALL_DELTAS,
            [90, 75, 50, 25, 10],
            ["0.9", "0,75", " 0.5 ", ".25", "0.1"],
            [-0.1, -0.25, 0.5, 0.25, 0.1],
            [-10, -25, "ATM", 25, 10],
        ],
    )
    @pytest.mark.parametrize("turned", [False, True])
    def test_deltas(self, top: list[Any], turned: bool) -> None:
        cells = table(top=top)
        np.testing.assert_allclose(parse(flip(cells) if turned else cells).surface.deltas, CALL_DELTAS)

    def test_order_is_kept_either_way(self) -> None:
        grid = parse(table(top=DELTAS[::-1]))
        np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS[::-1])
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))

    @pytest.mark.parametrize(
        ("top", "expected"),
        [
            (["m=-0.2", "m=-0.1", "m=0", "m=0.1", "m=0.2"], [-0.2, -0.1, 0, 0.1, 0.2]),
            ([-0.2, -0.1, 0, 0.1, 0.2], [-0.2, -0.1, 0, 0.1, 0.2]),
            (["K/F=0.9", "K/F=1", "K/F=1.1", "m=0.2", 0.3], [math.log(0.9), 0, math.log(1.1), 0.2, 0.3]),
        ],
    )
    def test_moneyness(self, top: list[Any], expected: list[float]) -> None:
        np.testing.assert_allclose(parse(table(top=top)).surface.moneyness, expected, atol=1e-15)

    @pytest.mark.parametrize("top", [[1.0, 1.05, 1.1, 1.15, 1.2], ["K=1.0", "K=1.05", "1.1", 1.15, "K=1.2"]])
    @pytest.mark.parametrize("forwards", [[[1.1, 1.11, 1.12]], [[1.1], [1.11], [1.12]]])
    def test_strikes_with_forwards(self, top: list[Any], forwards: list[list[float]]) -> None:
        surface = parse(table(top=top), forwards=forwards).surface
        np.testing.assert_array_equal(surface.strikes, [1.0, 1.05, 1.1, 1.15, 1.2])
        np.testing.assert_array_equal(surface.forwards, [1.1, 1.11, 1.12])

    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("side", [TENORS, [0.25, 0.5, 1.0]])
    @pytest.mark.parametrize("head", ["F", "fwd", "Forward"])
    def test_a_column_of_forwards(self, head: str, side: list[Any], turned: bool) -> None:
        body = [[forward, *row] for forward, row in zip([1.1, 1.11, 1.12], QUOTES, strict=True)]
        cells = table(body, side, [head, 1.0, 1.05, 1.1, 1.15, 1.2])
        cells = flip(cells) if turned else cells
        grid = parse(cells)
        np.testing.assert_array_equal(grid.surface.forwards, [1.1, 1.11, 1.12])
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
        out = render(grid, np.full((3, 5), 0.1))
        assert (flip(out) if turned else out)[1][:3] == [side[0], 1.1, 0.1]

    def test_strikes_by_tenor(self) -> None:
        strikes = [[1.0, 1.05, 1.1, 1.15, 1.2], [0.9, 1, 1.1, 1.2, 1.3], [0.8, 0.9, 1.1, 1.3, 1.5]]
        for cells, ladder in ((table(), strikes), (flip(table()), flip(strikes))):
            surface = parse(cells, strikes=ladder, forwards=[[1.1]]).surface
            np.testing.assert_array_equal(surface.strikes, strikes)
            np.testing.assert_array_equal(surface.forwards, [1.1] * 3)

    def test_strikes_by_tenor_need_each_cell(self) -> None:
        strikes = [[1.0, 1.05, 1.1, 1.15, 1.2], [0.9, None, 1.1, 1.2, 1.3], [0.8, 0.9, 1.1, 1.3, 1.5]]
        with pytest.raises(LabelError, match=r"cell B2 of the strikes is blank"):
            parse(table(), strikes=strikes, forwards=[[1.1]])
        strikes[1][1] = 1.15
        with pytest.raises(
            LabelError, match=r"cell B2 of the strikes is 1.15 and cell C2 of the strikes is 1.1"
        ):
            parse(table(), strikes=strikes, forwards=[[1.1]])

    def test_a_table_of_deltas_is_refused(self) -> None:
        with pytest.raises(LabelError, match=r"a delta, in a table of strikes by tenor"):
            parse(table(), strikes=[CALL_DELTAS] * 3)

    @pytest.mark.parametrize(
        ("top", "message"),
        [
            (
                ["10P", "25P", "ATM", "25C", "1OC"],
                "cell F1 of the range is '1OC'; expected a delta such as 10P",
            ),
            (["10P", "25P", "ATM", "25C", True], "cell F1 of the range is TRUE; expected a delta"),
            (["10P", "25P", "25P", "25C", "10C"], "C1 of the range is '25P' and cell D1 .* '25P': the same"),
            (
                ["10P", "ATM", "25P", "25C", "10C"],
                "C1 of the range is 'ATM' and cell D1 .* '25P': out of order",
            ),
            (["10P", "25P", "m=0", "25C", "10C"], "B1 of the range is '10P' and cell D1 .* 'm=0': mixed"),
            (["10P", "25%", "ATM", "25C", "10C"], "C1 of the range is '25%', a delta or K/F"),
            ([0.8, 0.9, 1, 1.1, 1.2], "D1 of the range is 1, no delta; .*plain strikes need forwards"),
            ([10, 25, 50, 25, 10], "out of order|the same"),
            (["1M", *DELTAS[1:]], "cell B1 of the range is '1M'; expected a delta"),
        ],
    )
    def test_bad_labels(self, top: list[Any], message: str) -> None:
        with pytest.raises(LabelError, match=message):
            parse(table(top=top))

    def test_thousands_or_a_decimal_comma(self) -> None:
        with pytest.raises(LabelError, match=r"'40,000', a decimal comma or thousands"):
            parse(table(top=["36,000", "37,000", "38,000", "39,000", "40,000"][::-1]), forwards=[[38000]])

    def test_strikes_without_forwards(self) -> None:
        with pytest.raises(InputError, match=r"strikes need forwards"):
            parse(table(top=["K=1.0", "K=1.05", "K=1.1", "K=1.15", "K=1.2"]))

    @pytest.mark.parametrize("bad", [0, -1.1, "x", None, True, "#N/A", math.inf, "1,085"])
    def test_bad_forwards(self, bad: Any) -> None:
        with pytest.raises(InputError, match=r"cell B1 of the forwards is .*; expected a positive forward"):
            parse(table(top=[1.0, 1.05, 1.1, 1.15, 1.2]), forwards=[[1.1, bad, 1.12]])

    def test_number_of_forwards(self) -> None:
        with pytest.raises(InputError, match=r"forwards has 2 cells; expected 3"):
            parse(table(top=[1.0, 1.05, 1.1, 1.15, 1.2]), forwards=[[1.1, 1.2]])


class TestArguments:
    @pytest.mark.parametrize("tenors", [SIDE, [TENORS]])
    @pytest.mark.parametrize("strikes", [[DELTAS], [[delta] for delta in DELTAS]])
    def test_both(self, tenors: Any, strikes: Any) -> None:
        top = [[None, 1, 2, 3, 4, 5], *([0, *row] for row in QUOTES)]
        for cells in (QUOTES, table(), [["", *row] for row in QUOTES], top, [DELTAS, *QUOTES]):
            for turned in (False, True):
                grid = parse(flip(cells) if turned else cells, tenors, strikes)
                assert grid.transposed is turned
                np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
                np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS)

    @pytest.mark.parametrize("corner", [True, False])
    def test_only_tenors(self, corner: bool) -> None:
        cells = table(side=[None] * 3) if corner else [DELTAS, *QUOTES]
        grid = parse(cells, SIDE)
        np.testing.assert_allclose(grid.surface.tenors, YEARS)
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))

    @pytest.mark.parametrize("corner", [True, False])
    @pytest.mark.parametrize("side", [TENORS, [0.25, 0.5, 1]])
    def test_only_strikes(self, corner: bool, side: list[Any]) -> None:
        cells = table(side=side, top=[None] * 5) if corner else table(side=side)[1:]
        grid = parse(cells, strikes=[DELTAS])
        np.testing.assert_allclose(grid.surface.deltas, CALL_DELTAS)
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))

    def test_an_argument_overrides_its_header(self) -> None:
        np.testing.assert_array_equal(parse(table(), tenors=[[1, 2, 3]]).surface.tenors, [1, 2, 3])

    def test_a_named_blank_row_is_a_tenor(self) -> None:
        grid = parse([*QUOTES, [None] * 5], [[*TENORS, "2Y"]], [DELTAS])
        assert grid.surface.shape == (4, 5)
        grid = parse([["", *DELTAS], *(["", *row] for row in [*QUOTES, [None] * 5])], [[*TENORS, "2Y"]])
        assert grid.surface.shape == (4, 5)

    @pytest.mark.parametrize("across", [False, True])
    def test_a_square_goes_by_the_direction_of_tenors(self, across: bool) -> None:
        body = [[0.08, 0.081], [0.09, 0.091]]
        tenors = [["1M", "1Y"]] if across else [["1M"], ["1Y"]]
        assert parse(body, tenors, [["25P"], ["25C"]]).transposed is across

    def test_one_vol(self) -> None:
        grid = parse([[0.08]], [["1M"]], [["ATM"]])
        assert grid.surface.shape == (1, 1) and render(grid, [[0.08]]) == [[0.08]]

    def test_wrong_number(self) -> None:
        with pytest.raises(
            InputError, match=r"4 x 6 cells, the argument tenors 1 x 5; expected .* a header of str"
        ):
            parse(table(), tenors=[["1W", "1M", "2M", "3M", "6M"]], strikes=None, units=None)
        with pytest.raises(InputError, match=r"the argument tenors 1 x 7 and strikes 1 x 5"):
            parse(table(), tenors=[["1W", "1M", "2M", "3M", "6M", "1Y", "2Y"]], strikes=[DELTAS])

    def test_messages_name_the_argument(self) -> None:
        with pytest.raises(LabelError, match=r"cell A2 of the tenors is 'x'; expected a tenor"):
            parse(table(), tenors=[["1W"], ["x"], ["1Y"]])


class TestVols:
    @pytest.mark.parametrize(
        "cell",
        [None, "", "  ", "n/a", "N/A", "-", "–", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "nan", math.nan],
    )
    def test_missing(self, cell: Any) -> None:
        grid = parse(with_cell(table(), 2, 3, cell))
        assert np.isnan(grid.surface.vols[1, 2]) and grid.warnings == []

    @pytest.mark.parametrize(
        "cell", [0, -0.1, "0", "call desk", "8.1/8.3", "1.234,5", date(2026, 1, 1), "9" * 99 + "x"]
    )
    def test_missing_with_a_warning(self, cell: Any) -> None:
        grid = parse(with_cell(table(), 2, 3, cell))
        assert np.isnan(grid.surface.vols[1, 2])
        assert grid.warnings[0].startswith("cell D3 of the range is ") and len(grid.warnings[0]) < 120

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
        assert parse(wild).surface.vols[0, 0] == 0.025
        assert parse(wild, units=" Decimal ").surface.vols[0, 0] == 2.5
        assert parse(with_cell(cells, 1, 1, 12.0), units="percent").surface.vols[0, 0] == 0.12

    @pytest.mark.parametrize("units", ["bp", "%", 5, True])
    def test_bad_units(self, units: Any) -> None:
        with pytest.raises(UnitsError, match='expected "percent", "decimal" or nothing'):
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
        with pytest.raises(
            InputError, match=r"the range has 200 x 200 cells; expected one surface, at most 20,000"
        ):
            parse([[0.08] * 200] * 200)

    def test_large(self) -> None:
        side, top = [(i + 1) / 10 for i in range(100)], [round(0.01 + 0.98 * j / 179, 6) for j in range(180)]
        grid = parse(table(np.full((100, 180), 0.08).tolist(), side, top))
        assert grid.surface.shape == (100, 180)

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
