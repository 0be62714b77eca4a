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
