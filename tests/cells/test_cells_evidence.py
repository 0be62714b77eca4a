"""Numbers whose notation the sheet tells, and numbers that are refused with both readings named."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import CALL_DELTAS, DELTAS, QUOTES, flip, table, vols
from voladdin.cells import MarketCells, parse, render
from voladdin.errors import InputError, LabelError, UnitsError

STRIKES = [0.62, 0.64, 0.66, 0.68, 0.7]
PEG = [[0.55, 0.45, 0.4, 0.47, 0.62], [0.8, 0.62, 0.55, 0.68, 0.95], [1.15, 0.85, 0.72, 0.95, 1.3]]


class TestTenors:
    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize(
        ("corner", "years"),
        [
            *(
                (word, 1 / 365)
                for word in ["DTE", "Days", "days to expiry", "# days", "Tenor (d)", "Exp [d]"]
            ),
            *(
                (word, 1 / 365)
                for word in ["Maturity [days]", "Expiry, d", "Laufzeit (Tage)", "Restlaufzeit in Tagen"]
            ),
            *(
                (word, 1 / 365)
                for word in ["Échéance (jours)", "Jours", "Plazo (días)", "Löptid (dagar)", "DTE\\Delta"]
            ),
            *((word, 7 / 365) for word in ["Weeks", "Wks", "Wochen", "Semaines", "Semanas", "Veckor"]),
            *(
                (word, 1 / 12)
                for word in ["Months", "Mths", "Tenor (m)", "Monate", "Mois", "Meses", "Månader"]
            ),
            *(
                (word, 1.0)
                for word in [
                    "Years",
                    "T (yrs)",
                    "Maturity [y]",
                    "Jahre",
                    "Laufzeit (J)",
                    "Années",
                    "Años",
                    "År",
                ]
            ),
        ],
    )
    def test_the_corner_names_the_unit(self, corner: str, years: float, turned: bool) -> None:
        cells = table(side=[7, 14, 30], corner=corner)
        grid = parse(flip(cells) if turned else cells)
        np.testing.assert_allclose(grid.surface.tenors, np.array([7, 14, 30]) * years, rtol=1e-12)
        assert grid.warnings == []

    @pytest.mark.parametrize("side", [[7, 14, 30], [30, 60, 90], [30, 90, 365], ["7", "30", "91"], [0, 1, 2]])
    def test_usual_days_are_days_with_a_warning(self, side: list[Any]) -> None:
        grid = parse(table(side=side))
        days = np.array([float(x) for x in side])
        np.testing.assert_allclose(grid.surface.tenors, days[days > 0] / 365)
        assert grid.warnings[-1].startswith("tenors read as days")

    @pytest.mark.parametrize("side", [[1, 2, 3], [1, 2, 5], [1, 3, 6], [0.5, 1.5, 6.5], [6.73, 13.73, 40.73]])
    def test_open_units_are_refused_with_each_reading(self, side: list[float]) -> None:
        with pytest.raises(LabelError, match=r"may be years or .*days; expected .* the argument tenors"):
            parse(table(side=side))
        for word, years in (("days", 1 / 365), ("years", 1.0)):
            grid = parse(table(side=side), tenors=[[word]])
            np.testing.assert_allclose(grid.surface.tenors, np.array(side) * years)

    def test_labels_beside_a_number_tell_its_unit(self) -> None:
        np.testing.assert_allclose(parse(table(side=["1W", 30, "2M"])).surface.tenors[1], 30 / 365)
        with pytest.raises(LabelError, match=r"tenors 3 may be years or months or weeks or days"):
            parse(table(side=["1D", "2D", 3]))

    def test_business_days_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"'Business days': business days; expected calendar days"):
            parse(table(side=[7, 14, 30], corner="Business days"))

    @pytest.mark.parametrize(
        "side",
        [
            ["20.03.2026", "20.04.2026", "20.03.2027"],
            ["20/03/2026", "20/04/2026", "20/03/2027"],
            ["03/20/2026", "04/20/2026", "03/20/2027"],
            ["20. März 2026", "20 avril 2026", "20-mar-27"],
            ["March 20, 2026", "Apr 20th 2026", "Mar-20-27"],
            [20260320, 20260420, 20270320],
        ],
    )
    def test_dates_of_a_plain_order(self, side: list[Any]) -> None:
        surface = parse(table(side=side, corner=date(2026, 3, 2))).surface
        np.testing.assert_allclose(surface.tenors, [18 / 365, 49 / 365, 383 / 365])

    def test_one_date_tells_the_order_of_all(self) -> None:
        surface = parse(table(side=["03/04/2026", "05/04/2026", "20/04/2026"], corner="02/03/2026")).surface
        np.testing.assert_allclose(surface.tenors, np.array([32, 34, 49]) / 365)

    def test_open_dates_are_refused_with_both(self) -> None:
        with pytest.raises(LabelError, match=r"'03/04/2026' is 3 April 2026 or 4 March 2026; expected"):
            parse(table(side=["03/04/2026", "05/06/2026", "07/08/2026"], corner=date(2026, 1, 2)))

    @pytest.mark.parametrize("serial", [False, True])
    def test_times_of_day_count(self, serial: bool) -> None:
        moments = [
            datetime(2026, 3, 20, 20),
            datetime(2026, 3, 21, 8),
            datetime(2026, 3, 22),
            datetime(2026, 3, 27, 8),
        ]
        corner, *side = (
            [(m - datetime(1899, 12, 30)).total_seconds() / 86400 for m in moments] if serial else moments
        )
        grid = parse(table(side=side, corner=corner))
        np.testing.assert_allclose(grid.surface.tenors, np.array([0.5, 1 + 1 / 6, 6.5]) / 365, rtol=1e-9)

    def test_a_time_of_the_valuation_alone_counts_for_nothing(self) -> None:
        surface = parse(
            table(side=[date(2026, 3, 21), "1W", "1M"], corner=datetime(2026, 3, 20, 16, 30))
        ).surface
        assert surface.tenors[0] == 1 / 365


class TestStrikes:
    @pytest.mark.parametrize(
        "top",
        [
            STRIKES,
            [60, 65, 70, 75, 80],
            [0.48, 0.49, 0.5, 0.51, 0.52],
            [17, 17.5, 18, 18.5, 19],
            [18, 19, 20, 21, 22],
        ],
    )
    def test_strikes_like_deltas_need_evidence(self, top: list[float]) -> None:
        with pytest.raises(InputError, match=r"strike"):
            parse(table(top=top))
        forward = float(np.median(top)) * 1.01
        np.testing.assert_array_equal(parse(table(top=top), forwards=[[forward]]).surface.strikes, top)
        market = MarketCells(spot=forward, domestic=[[0.05]], foreign=[[0.02]])
        surface = parse(table(top=top), market=market).surface
        np.testing.assert_allclose(surface.forwards, forward * np.exp(0.03 * surface.tenors))

    def test_both_readings_are_named_and_the_argument_settles(self) -> None:
        with pytest.raises(
            LabelError, match=r'deltas .* or strikes .* the argument strikes "delta" or "strike"'
        ):
            parse(table(top=STRIKES))
        np.testing.assert_allclose(parse(table(top=STRIKES), strikes=[["delta"]]).surface.deltas, STRIKES)

    @pytest.mark.parametrize(
        "spot", [{"spot": 1.1}, {"domestic": [[0.01]]}, {"spot": 1.1, "foreign": [[0.01]]}]
    )
    def test_spot_and_rates_come_together(self, spot: dict[str, Any]) -> None:
        with pytest.raises(InputError, match=r"is missing; expected spot, domestic and foreign together"):
            parse(table(), market=MarketCells(**spot))

    @pytest.mark.parametrize("top", [[25, 40, 50, 60, 75], [0.25, 0.4, 0.5, 0.6, 0.75]])
    def test_deltas_that_are_strikes_about_the_forward_are_refused(self, top: list[float]) -> None:
        with pytest.raises(LabelError, match=r"may be deltas .* or strikes"):
            parse(table(top=top), forwards=[[top[2]]])

    @pytest.mark.parametrize(
        ("top", "corner", "deltas"),
        [
            ([-0.1, -0.2, -0.3, -0.4, -0.5], "Delta", [0.9, 0.8, 0.7, 0.6, 0.5]),
            ([0.1, 0.2, 0.3, 0.4, 0.5], "delta put", [0.9, 0.8, 0.7, 0.6, 0.5]),
            ([10, 20, 30, 40, 50], "Put Δ", [0.9, 0.8, 0.7, 0.6, 0.5]),
            ([-10, -20, -30, -40, -50], "", [0.9, 0.8, 0.7, 0.6, 0.5]),
            ([-0.1, -0.25, -0.5, 0.25, 0.1], "", CALL_DELTAS),
            (["10%", "25%", "50%", "75%", "90%"], "Call delta", CALL_DELTAS[::-1]),
            (["10Δ", "25Δ", "50Δ", "25Δ", "10Δ"], "", CALL_DELTAS),
            (["90Δ", "75Δ", "ATM", "25Δ", "10Δ"], "", CALL_DELTAS),
            ([10, 25, 50, 25, 10], "", CALL_DELTAS),
            ([10, 25, "ATM", 25, 10], "Delta", CALL_DELTAS),
            (["0,1", "0,25", "DNS", "0,25", "0,1"], "", CALL_DELTAS),
            (["10-delta put", "25 Δ Put", "50Δ", "25C Δ", "Call 10Δ"], "Δ", CALL_DELTAS),
            (["−0,10", "−0,25", "ATMF", "0,25", "0,10"], "", CALL_DELTAS),
        ],
    )
    def test_deltas(self, top: list[Any], corner: str, deltas: list[float]) -> None:
        np.testing.assert_allclose(parse(table(top=top, corner=corner)).surface.deltas, deltas)

    @pytest.mark.parametrize("top", [[-0.1, -0.2, -0.3, -0.4, -0.5], [-0.5, -0.4, -0.3, -0.2, -0.1]])
    def test_one_sided_negative_numbers_are_refused(self, top: list[float]) -> None:
        with pytest.raises(LabelError, match=r"may be deltas .* or log-moneyness"):
            parse(table(top=top))

    @pytest.mark.parametrize(
        ("banner", "top"),
        [
            (["{0}", "", "", "{1}", ""], [10, 25, "ATM", 25, 10]),
            (["", "{0}s", "", "", "{1}s"], ["10", "25", "50", "25", "10"]),
            (["{0}", "{0}", "ATM", "{1}", "{1}"], ["10Δ", "25Δ", "50Δ", "25Δ", "10Δ"]),
            (["OTM {0}", "", "ATM", "OTM {1}", ""], [0.1, 0.25, "", 0.25, 0.1]),
        ],
    )
    @pytest.mark.parametrize("calls_first", [False, True])
    @pytest.mark.parametrize("flipped", [False, True])
    def test_words_above_say_which_are_puts(
        self, banner: list[str], top: list[Any], calls_first: bool, flipped: bool
    ) -> None:
        sides = ("Call", "Put") if calls_first else ("Put", "Call")
        cells = [["", *(cell.format(*sides) for cell in banner)], *table(top=top)]
        grid = parse(flip(cells) if flipped else cells)
        expected = CALL_DELTAS[::-1] if calls_first else CALL_DELTAS
        np.testing.assert_allclose(grid.surface.deltas, expected)
        np.testing.assert_array_equal(grid.surface.vols, vols(QUOTES))
        assert not grid.warnings

    def test_words_above_leave_strikes_and_call_deltas(self) -> None:
        above = ["", "Put", "", "", "Call", ""]
        strikes = parse([above, *table(top=[3600, 3800, 4000, 4200, 4400])], forwards=[[4000.0]])
        np.testing.assert_array_equal(strikes.surface.strikes, [3600, 3800, 4000, 4200, 4400])
        narrow = parse([above, *table(top=[22, 23, 24, 25, 26])], forwards=[[24.0]])
        np.testing.assert_array_equal(narrow.surface.strikes, [22, 23, 24, 25, 26])

    def test_deltas_by_their_place_are_said(self) -> None:
        (said,) = parse(table(top=[10, 25, 50, 25, 10])).warnings
        assert said.startswith("deltas on the left read as puts")

    def test_a_delta_without_a_side(self) -> None:
        with pytest.raises(LabelError, match=r"'10Δ', a put or a call; expected one such as 25P or 25C"):
            parse(table([row[:3] for row in QUOTES], top=["10Δ", "25Δ", "50Δ"]))

    @pytest.mark.parametrize(
        ("top", "corner", "forward"),
        [
            ([0.8, 0.9, 1, 1.1, 1.2], "", 4900.0),
            ([80, 90, 100, 110, 120], "", 4900.0),
            ([80, 90, 100, 110, 120], "% of forward", None),
            ([0.8, 0.9, 1, 1.1, 1.2], "K/F", None),
            ([80, 90, 100, 110, 120], "Moneyness", None),
            (["80%", "90%", "100%", "110%", "120%"], "K/F", None),
        ],
    )
    def test_ratios_to_the_forward(self, top: list[Any], corner: str, forward: float | None) -> None:
        surface = parse(
            table(top=top, corner=corner), forwards=None if forward is None else [[forward]]
        ).surface
        np.testing.assert_allclose(surface.moneyness, np.log([0.8, 0.9, 1, 1.1, 1.2]), atol=1e-15)

    @pytest.mark.parametrize("turned", [False, True])
    def test_two_lines_of_numbers(self, turned: bool) -> None:
        def read(**named: Any) -> Any:
            cells = table(**named)
            return parse(flip(cells) if turned else cells)

        assert read(side=[7, 30, 90], top=CALL_DELTAS[::-1]).transposed is turned
        with pytest.raises(
            LabelError, match=r"tenors across and strikes down, or strikes across and tenors down"
        ):
            read(body=[row[:3] for row in QUOTES], side=[0.25, 0.5, 0.75], top=[0.25, 0.5, 0.75])


class TestUnits:
    @pytest.mark.parametrize("pair", ["USDHKD", "usd/hkd", "EUR-DKK", "USDAED vols"])
    def test_pegged_pairs(self, pair: str) -> None:
        cells = table(PEG, corner=pair)
        assert parse(cells).percent and parse(cells).surface.vols[0, 0] == 0.55 / 100
        decimals = table((np.array(PEG) / 100).tolist(), corner=pair)
        assert not parse(decimals).percent

    def test_a_title_names_the_pair(self) -> None:
        assert parse([["USDHKD - DESK MARKS", *[None] * 5], *table(PEG)]).percent

    @pytest.mark.parametrize("corner", ["EURUSD", "EURCHF vol %", "vol pts", "Vols in %"])
    def test_low_percent_points(self, corner: str) -> None:
        body = (np.array(PEG) + 1.5).tolist()
        assert parse(table(body, side=["1D", "2D", "1W"], corner=corner)).percent

    def test_an_unnamed_peg_is_assumed_decimal_with_a_warning_or_refused(self) -> None:
        grid = parse(table(PEG))
        assert not grid.percent and "read as decimals" in grid.warnings[0]

    @pytest.mark.parametrize("top", [[0.8, 0.9, 1.0, 1.1, 1.2], [80, 90, 100, 110, 120]])
    @pytest.mark.parametrize("level", [1.4, 2.6, 4.0])
    def test_the_distance_of_strikes_tells_decimals_above_two(self, top: list[float], level: float) -> None:
        body = np.full((3, 5), level).tolist()
        grid = parse(table(body, side=["1D", "3D", "1W"], top=top, corner="K/F"))
        assert not grid.percent and grid.surface.vols[0, 0] == level

    def test_the_distance_of_strikes_tells_percent_points_of_pegs(self) -> None:
        assert parse(table(PEG, top=[7.75, 7.78, 7.8, 7.82, 7.85]), forwards=[[7.8]]).percent

    @pytest.mark.parametrize("level", [1.4, 2.6, 4.0])
    def test_open_units_are_refused_with_both(self, level: float) -> None:
        body = np.full((3, 5), level).tolist()
        with pytest.raises(UnitsError, match=r"% \(decimals\) or .*% \(percent points\); expected"):
            parse(table(body, side=["1D", "3D", "1W"]))

    def test_years_at_such_vols_are_percent_points(self) -> None:
        grid = parse(table(np.full((3, 5), 4.5).tolist(), side=["1M", "1Y", "5Y"]))
        assert grid.percent and "read as percent points" in grid.warnings[0]

    def test_basis_points_are_refused(self) -> None:
        with pytest.raises(UnitsError, match=r"basis points; expected lognormal vols"):
            parse(table((1e4 * vols(QUOTES)).tolist(), corner="normal vol (bp)"))

    def test_cells_with_a_percent_sign_tell_the_others(self) -> None:
        body = [["0.55%", 0.45, 0.4, 0.47, 0.62], *PEG[1:]]
        assert parse(table(body)).surface.vols[0, 1] == 0.45 / 100

    def test_another_grid_of_the_market_tells(self) -> None:
        surface = parse(table(PEG, corner="USDHKD"))
        assert parse(table(PEG), like=surface).percent
        days = parse(table(side=[1, 2, 3], corner="Days"))
        np.testing.assert_allclose(parse(table(side=[1, 2, 3]), like=days).surface.tenors[0], 1 / 365)

    @pytest.mark.parametrize("cell", ["8,25", "\u00a08,25\u202f", "'8.25", "+8,25", "8.25 %", "82.5e-1"])
    def test_how_numbers_are_written(self, cell: str) -> None:
        body = [[cell, 8, 8, 8, 8], *(100 * np.array(PEG[1:]) / 10).tolist()]
        assert parse(table(body)).surface.vols[0, 0] == 0.0825


def test_render_keeps_what_was_read_as_days() -> None:
    cells = table(side=[7, 14, 30], corner="DTE")
    out = render(parse(cells), np.full((3, 5), 0.1))
    assert [row[0] for row in out] == ["DTE", 7, 14, 30] and out[0][1:] == DELTAS
    assert math.isclose(parse(out).surface.tenors[2], 30 / 365)


def test_percentages_of_which_one_is_no_delta_are_strikes_over_forwards() -> None:
    found = parse([["Expiry", "80%", "90%", "100 %", "110%"], ["1M", 0.3, 0.25, 0.2, 0.19]]).surface
    np.testing.assert_allclose(found.moneyness, np.log([0.8, 0.9, 1.0, 1.1]))
    with pytest.raises(LabelError, match="B1 of the range is '80%', a delta or K/F"):
        parse([["Expiry", "80%", "90%"], ["1M", 0.3, 0.25]])


@pytest.mark.parametrize(("about", "unit"), [(0.9, 0.01), (1.2, 0.01), (0.4, 1.0), (0.6, 1.0)])
def test_no_pair_of_majors_is_about_ninety_percent(about: float, unit: float) -> None:
    row = [1.1 * about, about, 1.08 * about]
    found = parse([["EURCHF", "25P", "ATM", "25C"], ["1W", *row]]).surface
    np.testing.assert_allclose(found.vols[0], unit * np.array(row))


def test_the_pair_is_not_asked_for_where_it_is_there() -> None:
    with pytest.raises(UnitsError, match=r'expected the argument units "decimal" or "percent"$'):
        parse([["EURCHF", "25P", "ATM", "25C"], ["1W", 0.8, 0.75, 0.79]])


@pytest.mark.parametrize("corner", ["Moneyness %", "ln(K/F)", "log-moneyness"])
def test_moneyness_of_a_thousand_percent_is_refused(corner: str) -> None:
    with pytest.raises(LabelError, match="-10, -5, 0, 5, 10 may be log-moneyness, percent or standard dev"):
        parse(table(QUOTES, top=[-10, -5, 0, 5, 10], corner=corner))


@pytest.mark.parametrize(
    ("day", "months", "valued", "said"),
    [
        (1, (3, 6, 9), date(2026, 1, 5), True),
        (27, (3, 6, 9), date(2026, 1, 5), True),  # Mar-27 typed in 2026 is 27 March 2026
        (20, (3, 6, 9), date(2026, 1, 5), False),
        (5, (3, 6, 9), date(2026, 1, 5), False),
        (1, (3, 6, 9), date(2026, 2, 1), False),
    ],
)
def test_dates_that_a_sheet_made_of_months_are_said(
    day: int, months: tuple[int, ...], valued: date, said: bool
) -> None:
    side = [date(2026, month, day) for month in months]
    notes = str(parse(table(QUOTES, side, corner=valued)).warnings)
    assert ("which a sheet makes of a month" in notes) is said
