"""Two headers of numbers: which holds the tenors; and strikes that are said to be ratios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cells.cell_tables import flip
from voladdin.cells import parse
from voladdin.errors import LabelError

WIDE = [30, 45, 67, 100, 150, 224]
RATIOS = [0.8, 0.9, 1, 1.1, 1.2]


def grid(corner: Any, top: list[Any], side: list[Any], level: float = 0.2) -> list[list[Any]]:
    return [[corner, *top], *([one, *(level + 0.001 * (i + j) for j in range(len(top)))]
                              for i, one in enumerate(side))]  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("cells", "forward"),
    [
        (grid(None, RATIOS, [0.25, 0.5, 0.75]), None),
        (grid(None, [0.25, 0.5, 0.75], [0.75, 1, 1.5]), None),
        (grid(None, [25, 43, 76, 132, 231], [0.75, 2, 5, 10]), 100.0),
    ],
)
def test_quarters_of_a_year_or_deltas_are_refused(
    cells: list[list[Any]], forward: float | None, turned: bool
) -> None:
    forwards = None if forward is None else [[forward]]
    with pytest.raises(LabelError, match="tenors across and strikes down, or strikes across and tenors"):
        parse(flip(cells) if turned else cells, forwards=forwards)


@pytest.mark.parametrize(
    ("corner", "side", "forward"), [("Days", WIDE, 100.0), ("Months", [0.99, 0.995, 1, 1.005, 1.01], None)]
)
def test_a_corner_that_the_numbers_contradict_does_not_decide(
    corner: str, side: list[float], forward: float | None
) -> None:
    forwards = None if forward is None else [[forward]]
    with pytest.raises(LabelError, match="tenors across and strikes down, or strikes across and tenors"):
        parse(grid(corner, [182, 1095, 3650], side), forwards=forwards)


@pytest.mark.parametrize("turned", [False, True])
def test_k_over_f_in_the_corner_says_which_line_is_about_one(turned: bool) -> None:
    for top in (RATIOS, [92.9, 94.9, 96.9, 99.0, 101.1]):
        cells = grid("K/F", top, [0.25, 0.75])
        found = parse(flip(cells) if turned else cells)
        np.testing.assert_array_equal(found.surface.tenors, [0.25, 0.75])
        assert found.transposed is turned


def test_no_line_of_days_begins_after_ten_years() -> None:
    cells = grid(None, [3950, 4350, 4750, 5000, 5250], [0.25, 0.5])
    np.testing.assert_array_equal(parse(cells, forwards=[[5000.0]]).surface.tenors, [0.25, 0.5])


@pytest.mark.parametrize(
    "top", [RATIOS, [100 * x for x in RATIOS], [f"{x:.0%}" for x in RATIOS], [-0.1, 0, 0.1]]
)
@pytest.mark.parametrize(
    "corner",
    [
        "K/S",
        "% of spot",
        "Spot moneyness",
        "Moneyness (spot)",
        "Strike / Spot",
        "Tenor \\ Strike (% spot)",
        "ln(K/S)",
    ],
)
def test_ratios_to_spot_are_refused(top: list[Any], corner: str) -> None:
    for forwards in (None, [[100.0]]):
        with pytest.raises(LabelError, match=r"are said to be of spot; expected K/F"):
            parse(grid(corner, top, ["1M", "1Y"]), forwards=forwards)


def test_a_title_says_the_ratio_too() -> None:
    cells = [
        ["Strike (% of spot)", *[None] * 5],
        *grid(None, ["80%", "90%", "100%", "110%", "120%"], ["1M", "1Y"]),
    ]
    with pytest.raises(LabelError, match="are said to be of spot"):
        parse(cells)


@pytest.mark.parametrize("corner", ["Spot delta", "Strike, spot 4210", "Spot"])
def test_other_words_of_spot_say_no_ratio(corner: str) -> None:
    assert parse(grid(corner, ["25P", "ATM", "25C"], ["1M", "1Y"])).surface.deltas is not None
    if corner != "Spot delta":
        found = parse(grid(corner, [4000, 4200, 4400], ["1M", "1Y"]), forwards=[[4200.0]])
        np.testing.assert_array_equal(np.ravel(found.surface.strikes)[:3], [4000, 4200, 4400])


def test_moneyness_may_be_written_with_percent_signs() -> None:
    found = parse(grid("Moneyness", ["80%", "100%", "120%"], ["1M", "1Y"]))
    np.testing.assert_allclose(np.ravel(found.surface.log_moneyness), np.tile(np.log([0.8, 1, 1.2]), 2))


def test_k_over_f_is_about_one() -> None:
    with pytest.raises(LabelError, match="4000, 4200, 4400 are said to be K/F; expected these about 1"):
        parse(grid("% Fwd", [4000, 4200, 4400], ["1M", "1Y"]), forwards=[[4200.0]])
