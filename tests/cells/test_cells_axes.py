"""Labels of a range: tenors and dates, deltas, strikes, log-moneyness, forwards."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import CALL_DELTAS, DELTAS, QUOTES, TENORS, flip, table, vols
from voladdin.cells import parse, render
from voladdin.errors import InputError, LabelError


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

    @pytest.mark.parametrize("bad", [True, "-1M", 0, -1, "1,000", "10%", math.inf])
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
            parse(table(side=[46082, 46114, 46448], corner=46083))

    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize(
        ("corner", "side"),
        [
            (46083, [46083, 46114, 46448]),
            ("DTE", [0, 31, 365]),
            (datetime(2026, 3, 2, 17), [46083, 46114, 46448]),
        ],
    )
    def test_an_expiry_today_is_left_as_it_is(self, corner: Any, side: list[Any], turned: bool) -> None:
        cells = table(side=side, corner=corner)
        grid = parse(flip(cells) if turned else cells)
        np.testing.assert_allclose(grid.surface.tenors, [31 / 365, 1])
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES)[1:])
        assert "expires today" in grid.warnings[0]
        out = render(grid, np.full((2, 5), 0.1))
        assert (flip(out) if turned else out)[1] == [side[0], *QUOTES[0]]

    def test_only_today(self) -> None:
        with pytest.raises(InputError, match=r"every expiry of the range is today"):
            parse([[46083, "ATM"], [46083, 0.1]])

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

    @pytest.mark.parametrize(
        ("top", "forward", "kind"),
        [
            ([0.66, 0.68, 0.7, 0.72, 0.74], 0.69, "strikes"),
            ([0.9, 0.75, 0.5, 0.25, 0.1], 0.69, "deltas"),
            ([0.7, 0.6, 0.5, 0.4, 0.3], 1.1, "deltas"),
            ([1.2, 1.0, 0.9, 0.8, 0.7], 1.1, "strikes"),
        ],
    )
    def test_deltas_beside_forwards(self, top: list[float], forward: float, kind: str) -> None:
        surface = parse(table(top=top), forwards=[[forward]]).surface
        np.testing.assert_array_equal(getattr(surface, kind), top)

    @pytest.mark.parametrize("turned", [False, True])
    def test_plain_strikes_are_the_line_nearer_the_forwards(self, turned: bool) -> None:
        cells = table(side=[0.25, 1, 3], top=[1.0, 1.05, 1.1, 1.15, 1.2])
        grid = parse(flip(cells) if turned else cells, forwards=[[1.1]])
        assert grid.transposed is turned
        np.testing.assert_array_equal(grid.surface.tenors, [0.25, 1, 3])

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
            ([0.8, 0.9, 1, 1.1, 1.2], r"strikes 0.8, 0.9, 1, 1.1, 1.2 may be strikes .* or K/F"),
            ([10, 25, 30, 25, 10], "strikes 10, 25, 30, 25, 10 may be deltas .* or strikes"),
            (["10C", "25C", "ATM", "25C", "10C"], "B1 of the range is '10C' and cell F1 .* '10C': the same"),
            (["10P", "25P", "ATM", "25P", "10C"], "C1 of the range is '25P' and cell E1 .* '25P': the same"),
            (["25D RR", *DELTAS[1:]], "VOLQUOTES reads risk reversals and butterflies"),
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
