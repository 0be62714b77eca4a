"""Headers of a range: where they are, which way round, and the arguments in their place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import (
    CALL_DELTAS,
    DELTAS,
    QUOTES,
    SIDE,
    TENORS,
    YEARS,
    flip,
    table,
    vols,
    with_cell,
)
from voladdin.cells import Grid, find_matrix, parse, render
from voladdin.errors import InputError, LabelError
from voladdin.worksheet.registry import evaluate


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
        grid = parse(table(body, side=[1, 2], top=[0.75, 0.5, 0.25], corner="Years"))
        np.testing.assert_array_equal(grid.surface.tenors, [1, 2])
        assert grid.percent

    @pytest.mark.parametrize("missing", [None, "", "n/a", 0.08])
    @pytest.mark.parametrize("turned", [False, True])
    def test_no_headers_are_the_pillars_of_the_paper_when_asked(self, missing: Any, turned: bool) -> None:
        body = (0.08 + 0.001 * np.arange(40).reshape(8, 5)).tolist()
        body[0][0] = missing
        with pytest.raises(
            LabelError, match=r'no header was found .*the arguments tenors and strikes \("paper"'
        ):
            parse(flip(body) if turned else body)
        grid = parse(flip(body) if turned else body, "paper", "paper")
        assert (grid.transposed, grid.row_header, grid.column_header) == (turned, False, False)
        np.testing.assert_allclose(grid.surface.tenors, [7 / 365, 1 / 12, 1 / 6, 0.25, 0.5, 0.75, 1, 3])
        np.testing.assert_array_equal(grid.surface.deltas, [0.1, 0.25, 0.5, 0.75, 0.9])
        assert np.isnan(grid.surface.vols[0, 0]) == (missing != 0.08)
        assert "1W 1M 2M" in grid.warnings[0] and "0.1 0.25" in grid.warnings[1]

    def test_eight_by_five_with_headers_is_not_the_paper(self) -> None:
        body = np.full((7, 4), 0.1).tolist()
        grid = parse(
            table(body, side=[1 / 12, 0.25, 0.5, 1, 2, 3, 5], top=[0.75, 0.5, 0.25, 0.1], corner=None)
        )
        assert grid.surface.shape == (7, 4)

    def test_eight_by_five_with_wrong_headers_is_an_error(self) -> None:
        body = np.full((7, 4), 0.1).tolist()
        with pytest.raises(
            LabelError, match=r"cell A3 of the range is 3 and cell A7 of the range is 3: the same"
        ):
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
        np.testing.assert_array_equal(parse(table(), tenors=[["1Y", "2Y", "3Y"]]).surface.tenors, [1, 2, 3])

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


def test_an_argument_one_line_too_short_makes_no_header_of_vols() -> None:
    body = [[0.0895, 0.0845, 0.0812, 0.0828, 0.0861], [0.0932, None, 0.0823, 0.0831, 0.0872]]
    body += [[0.0965, 0.0882, 0.0835, 0.0842, None], [0.0990, 0.0899, 0.0848, 0.0856, 0.0908]]
    for rows in (body, [[None, *body[0][1:]], *body[1:]]):
        with pytest.raises(InputError, match=r"4 x 5 cells, the argument tenors 3 x 1 and strikes 1 x 5"):
            parse(rows, tenors=[["1W"], ["1M"], ["3M"]], strikes=[DELTAS])
    with pytest.raises(InputError, match=r"6 x 5 cells, the argument tenors 4 x 1 and strikes 1 x 5"):
        parse(
            [[None, *body[0][1:]], *body, body[3]], tenors=[["1Y"], ["2Y"], ["3Y"], ["4Y"]], strikes=[DELTAS]
        )


def test_an_argument_may_repeat_a_header_that_looks_like_vols() -> None:
    top = [0.25, 0.5, 0.75]
    grid = parse([["Years", *top], [1, 0.3, 0.4, None], [2, 0.31, 0.41, 0.5]], strikes=[top])
    np.testing.assert_array_equal(grid.surface.deltas, top)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(
    "above",
    [
        [["EURUSD implied vols", *[None] * 5]],
        [["EURUSD", *[None] * 5], [None] * 6],
        [[None, "Puts", None, None, "Calls", None]],
        [[None] * 6, [None] * 6],
    ],
)
@pytest.mark.parametrize("top", [DELTAS, [0.9, 0.75, 0.5, 0.25, 0.1]])
def test_titles_and_merged_headings_stay(above: list[list[Any]], top: list[Any], flipped: bool) -> None:
    cells = [[None, *row] for row in [*above, *table(top=top)]]
    if flipped:
        cells = flip(cells)
    grid = parse(cells)
    np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
    assert grid.transposed is flipped
    assert render(grid, grid.surface.vols) == [
        ["" if i and cell is None and _is_body(grid, i, j) else cell for j, cell in enumerate(row)]
        for i, row in enumerate(cells)
    ]


def _is_body(grid: Grid, row: int, column: int) -> bool:
    return row in grid.rows and column in grid.columns


def test_a_header_that_is_no_label_is_no_title() -> None:
    with pytest.raises(LabelError, match=r"cell B1 of the range is 'foo'; expected a delta"):
        parse(table(top=["foo", "bar", "x", "y", "z"]))


def test_messages_below_a_title_name_the_cell_of_the_range() -> None:
    with pytest.raises(LabelError, match=r"cell A5 of the range is '3X'; expected a tenor"):
        parse([["EURUSD", *[None] * 5], *table(side=["1W", "1M", "3X"])])


def test_the_valuation_date_below_a_title() -> None:
    cells = table(corner="2026-01-15", side=["2026-02-15", "2026-03-15", "2027-01-15"])
    assert parse([["EURUSD", *[None] * 5], *cells]).surface.tenors[2] == 1.0


@pytest.mark.parametrize(
    "top",
    [
        ["10D Put", "25D Put", "50D", "25D Call", "10D Call"],
        ["10D", "25D", "50D", "25D", "10D"],
        ["10D", "25D", "ATM", "25D", "10D"],
        ["90D", "75D", "50D", "25D", "10D"],
    ],
)
def test_d_is_delta_beside_tenors(top: list[str]) -> None:
    """25D is 25 days too, and no swap has a tenor of days."""
    cells = table(QUOTES, top=top)
    np.testing.assert_allclose(parse(cells).surface.deltas, CALL_DELTAS)
    turned = [list(line) for line in zip(*cells, strict=True)]
    np.testing.assert_allclose(parse(turned).surface.deltas, CALL_DELTAS)
    assert find_matrix(cells) is None
    assert evaluate("VOLINTERP", [cells, "3M", "50D"]) == evaluate("VOLINTERP", [cells, "3M", "ATM"])


def test_days_that_do_not_lie_about_50_are_days() -> None:
    matrix = find_matrix(
        [
            ["", "1Y", "5Y", "10Y"],
            ["30D", 60.0, 65.0, 70.0],
            ["60D", 85.0, 84.0, 80.0],
            ["90D", 86.0, 84.0, 76.0],
        ]
    )
    assert matrix is not None and matrix.expiries == pytest.approx([30 / 365, 60 / 365, 90 / 365])
