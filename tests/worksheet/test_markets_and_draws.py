"""Bid, ask and drawn surfaces in VOLIMPUTE."""

from __future__ import annotations

import pytest

from voladdin.errors import InputError
from voladdin.worksheet import registry
from voladdin.worksheet.registry import evaluate


class TestMarketsAndDraws:
    """On a small grid with headers."""

    TABLE = (["", "25P", "ATM", "25C"], ["1M", 0.2, None, 0.19], ["1Y", None, 0.2, None])

    def fill(self, *given: object) -> list[list[object]]:
        registry.clear_cache()
        return evaluate("VOLIMPUTE", [[list(row) for row in self.TABLE], *given])

    def test_a_drawn_surface_keeps_the_quotes(self) -> None:
        blank = [None] * 12
        drawn, same, other = (self.fill("draw", *blank, None, None, seed)[1:] for seed in (1, 1, 2))
        assert drawn == same != other
        assert drawn[0][1] == 0.2 and drawn[0][3] == 0.19 and drawn[1][2] == 0.2

    def test_the_middle_of_bid_and_ask_is_a_quote(self) -> None:
        blank = [None] * 12
        bid, ask = ([list(row) for row in self.TABLE] for _ in range(2))
        bid[1][2], ask[1][2] = 0.185, 0.187
        bid[1][1], ask[1][1] = 0.19, 0.21
        filled = self.fill("fill", *blank, bid, ask)
        assert filled[1][2] == pytest.approx(0.186)

    def test_a_seed_is_a_whole_number(self) -> None:
        with pytest.raises(InputError, match=r"seed is 1\.5"):
            self.fill("draw", *[None] * 12, None, None, 1.5)

    def test_a_market_without_headers_has_those_of_the_vols(self) -> None:
        blank = [None] * 12
        low, high = [[0.19, 0.185, None], [None, None, None]], [[0.21, 0.187, None], [None, None, None]]
        headed = [
            [self.TABLE[0], *([row[0], *side] for row, side in zip(self.TABLE[1:], sides, strict=True))]
            for sides in (low, high)
        ]
        assert self.fill("fill", *blank, low, high) == self.fill("fill", *blank, *headed)
        assert self.fill("fill", low) == self.fill("fill", headed[0])
        with pytest.raises(InputError, match=r"bid: .* no header was found in 1 x 3 cells"):
            self.fill("fill", *blank, low[:1], high)

    def test_a_grid_without_a_vol_is_in_the_unit_of_what_goes_with_it(self) -> None:
        registry.clear_cache()
        blank = [["", "25P", "ATM", "25C"], ["1M", None, None, None], ["1Y", None, None, None]]
        percent = [blank[0], ["1M", 20.0, 19.0, 19.0], ["1Y", 20.0, 20.0, 20.0]]
        assert evaluate("VOLIMPUTE", [blank, "fill", percent])[1][1] == pytest.approx(20.0, rel=1e-3)
        market = [*[None] * 12, percent, percent]
        assert evaluate("VOLIMPUTE", [blank, "fill", *market]) == percent
        asks = [blank[0], ["1M", 20.0, 18.0, 19.0], percent[2]]
        with pytest.raises(InputError, match="bid is 19 for C2 of the surface, above the ask 18;"):
            evaluate("VOLIMPUTE", [blank, "fill", *[None] * 12, percent, asks])

    @pytest.mark.parametrize("unit", [1.0, 100.0])
    def test_a_vol_outside_its_market_is_named_as_the_sheet_has_it(self, unit: float) -> None:
        registry.clear_cache()
        grid, bid, ask = (
            [self.TABLE[0], ["1M", unit * put, None, None], ["1Y", None, unit * 0.2, None]]
            for put in (0.2, 0.21, 0.19)
        )
        for sides, said, side in (((bid, None), "below its bid", 0.21), ((None, ask), "above its ask", 0.19)):
            wrong = f"surface: B2 is {unit * 0.2:g}, {said} {unit * side:g}; expected a vol inside"
            with pytest.raises(InputError, match=wrong):
                evaluate("VOLIMPUTE", [grid, "fill", *[None] * 12, *sides])
