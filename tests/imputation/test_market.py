"""Bid and ask: the answer stays inside the market where it can without arbitrage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import truncnorm

import voladdin as va
from tests.imputation.test_imputation import DELTAS, TENORS, holes, surface
from voladdin._typing import FloatArray
from voladdin.imputation import normal

WIDE = 0.004
SHOWN = np.isfinite(holes(surface(), 0.4, 2))
BID, ASK = (np.where(SHOWN, surface() + s * WIDE / 2, np.nan) for s in (-1, 1))
EMPTY = va.Surface(np.full((8, 5), np.nan), TENORS, deltas=DELTAS)


def test_the_middle_is_the_quote() -> None:
    result = va.impute(EMPTY, bid=BID, ask=ASK)
    np.testing.assert_allclose(result.filled[SHOWN], surface()[SHOWN], rtol=1e-12)
    assert "bid" not in result.model


@pytest.mark.parametrize(("bid", "ask"), [(0.5, 3.0), (0.01, 20.0)])
def test_a_market_that_says_less_than_the_others_has_no_middle(bid: float, ask: float) -> None:
    plain = va.impute(EMPTY, bid=BID, ask=ASK)
    row, column = np.argwhere(~SHOWN)[3]
    low, high = BID.copy(), ASK.copy()
    low[row, column], high[row, column] = bid * surface()[row, column], ask * surface()[row, column]
    found = va.impute(EMPTY, bid=low, ask=high)
    np.testing.assert_allclose(found.filled, plain.filled, rtol=1e-12)
    np.testing.assert_allclose(found.std, plain.std, rtol=1e-12)
    assert "1 quote too wide in bid and ask to have a middle: filled inside" in found.model
    low[row, column] = 1.2 * plain.filled[row, column]
    assert va.impute(EMPTY, bid=low, ask=high).filled[row, column] == pytest.approx(low[row, column])


def test_wide_markets_have_no_middle_however_many_they_are() -> None:
    grid = va.Surface(np.where(SHOWN, surface(), np.nan), TENORS, deltas=DELTAS)
    few = grid.replace(np.where(np.cumsum(SHOWN).reshape(SHOWN.shape) % 3 == 0, grid.vols, np.nan))
    for quotes in (grid, few):
        hole = ~quotes.observed
        low, high = (np.where(hole, side * surface(), np.nan) for side in (0.01, 40.0))
        found = va.impute(quotes, bid=low, ask=high)
        np.testing.assert_array_equal(found.filled, va.impute(quotes).filled)
        assert f"{hole.sum()} quotes too wide" in found.model


def test_where_every_market_is_wide_the_middles_are_the_quotes() -> None:
    low, high = np.where(SHOWN, 0.5 * surface(), np.nan), np.where(SHOWN, 1.6 * surface(), np.nan)
    found = va.impute(EMPTY, bid=low, ask=high)
    np.testing.assert_allclose(found.filled[SHOWN], 1.05 * surface()[SHOWN], rtol=1e-12)
    assert "too wide" not in found.model


def test_quotes_move_inside_the_market_where_that_suffices() -> None:
    vols = surface()
    vols[1] = np.sqrt(vols[0] ** 2 / 2 * 0.998)  # 2M just below what 1M allows
    bid, ask = np.where(SHOWN, vols - 0.006, np.nan), np.where(SHOWN, vols + 0.006, np.nan)
    grid = va.Surface(np.where(SHOWN, vols, np.nan), TENORS, deltas=DELTAS)
    assert not va.check(grid).ok
    result = va.impute(grid, bid=bid, ask=ask)
    assert va.check(grid.replace(result.filled)).ok
    assert ((result.filled >= bid - 1e-9) & (result.filled <= ask + 1e-9))[SHOWN].all()
    assert "moved inside bid and ask" in result.model and "cannot stay" not in result.model


def test_and_says_where_it_does_not() -> None:
    vols = surface()
    vols[5] *= 0.7  # 1Y far below 9M, in a market that is too narrow
    grid = va.Surface(vols, TENORS, deltas=DELTAS)
    result = va.impute(grid, bid=vols - 1e-4, ask=vols + 1e-4)
    assert va.check(grid.replace(result.filled)).ok
    assert "cannot stay inside bid and ask without arbitrage" in result.model


def test_a_lone_side_bounds_a_filled_cell() -> None:
    grid = va.Surface(holes(surface(), 0.4, 2), TENORS, deltas=DELTAS)
    plain = va.impute(grid).filled
    row, column = np.argwhere(~grid.observed)[3]
    bid = np.full(grid.shape, np.nan)
    bid[row, column] = plain[row, column] + 0.0005
    assert va.impute(grid, bid=bid).filled[row, column] == pytest.approx(bid[row, column], abs=1e-12)
    bid[row, column] = plain[row, column] - 0.0005
    np.testing.assert_allclose(va.impute(grid, bid=bid).filled, plain, rtol=1e-12)


def test_what_a_cell_held_at_a_lone_side_may_be_goes_on_from_there() -> None:
    """A lognormal vol cut off at the side; its std in closed form is that of a truncated normal."""
    grid = va.Surface(holes(surface(), 0.4, 2), TENORS, deltas=DELTAS)
    plain, (row, column) = va.impute(grid, arbitrage_free=False), np.argwhere(~grid.observed)[3]
    spread = plain.std[row, column] / plain.mean[row, column]
    for sign, name in ((1.0, "bid"), (-1.0, "ask")):
        side = np.full(grid.shape, np.nan)
        side[row, column] = plain.mean[row, column] * np.exp(0.5 * sign * spread)
        found = va.impute(grid, arbitrage_free=False, **{name: side})
        low, high, std, filled = (getattr(found, n)[row, column] for n in ("low", "high", "std", "filled"))
        assert (low, high)[sign < 0] == filled and np.log(high / low) > 0.5 * spread
        assert std / filled == pytest.approx(spread * truncnorm.std(0.5, np.inf), rel=1e-6)
        assert np.isnan(found.zscore[row, column])


@pytest.mark.parametrize("arbitrage_free", [True, False])
def test_bands_of_filled_cells_end_at_their_sides_as_draws_do(arbitrage_free: bool) -> None:
    grid = va.Surface(holes(surface(), 0.4, 2), TENORS, deltas=DELTAS)
    plain, missing = va.impute(grid, arbitrage_free=arbitrage_free), ~grid.observed
    bid = np.where(missing, 0.3 * plain.low + 0.7 * plain.filled, np.nan)
    ask = np.where(missing & (np.arange(5) == 1), 0.3 * plain.high + 0.7 * plain.filled, np.nan)
    found = va.impute(grid, bid=np.where(np.isnan(ask), bid, np.nan), ask=ask, arbitrage_free=arbitrage_free)
    np.testing.assert_array_equal(found.filled, plain.filled)
    lone_bid, lone_ask = missing & np.isnan(ask), np.isfinite(ask)
    np.testing.assert_array_equal(found.low[lone_bid], bid[lone_bid])
    np.testing.assert_array_equal(found.high[lone_ask], ask[lone_ask])
    for same, where in (("high", lone_bid | grid.observed), ("low", lone_ask | grid.observed)):
        np.testing.assert_array_equal(getattr(found, same)[where], getattr(plain, same)[where])


def test_a_lone_side_far_from_what_the_others_say_has_a_wide_band() -> None:
    """They contradict each other: a tenth of the distance between them at the least."""
    grid = va.Surface(holes(surface(), 0.4, 2), TENORS, deltas=DELTAS)
    plain, (row, column) = va.impute(grid, arbitrage_free=False), np.argwhere(~grid.observed)[3]
    for factor, name in ((1.5, "bid"), (0.6, "ask")):
        side = np.full(grid.shape, np.nan)
        side[row, column] = plain.mean[row, column] * factor
        found = va.impute(grid, arbitrage_free=False, **{name: side})
        assert found.filled[row, column] == side[row, column]
        width = np.log(found.high / found.low)[row, column]
        assert width > 0.1 * abs(np.log(factor)) > 4.0 * plain.std[row, column] / plain.mean[row, column]


@pytest.mark.parametrize("seed", range(6))
def test_lone_sides_hold_each_other_and_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = va.Surface(holes(surface(), 0.6, seed), TENORS, deltas=DELTAS)
    vols, lone = surface() * (1.0 + 0.03 * rng.standard_normal((8, 5))), rng.random((8, 5))
    bid, ask = (
        np.where(~grid.observed & (lone < end) & (lone >= end - 0.3), vols, np.nan) for end in (0.3, 0.6)
    )
    found = va.impute(grid, bid=bid, ask=ask)
    for filled in (found.filled, *found.draws(5)):
        kept = ~(filled < bid * (1 - 1e-9)) & ~(filled > ask * (1 + 1e-9))
        assert kept.all() or not va.check(grid.replace(np.fmin(np.fmax(filled, bid), ask))).ok
        assert va.check(grid.replace(filled)).ok or found.disputed.any()


def test_a_bid_of_zero_is_none() -> None:
    bid = BID.copy()
    bid[2, 3] = 0.0
    without = np.where(bid == 0, np.nan, bid)
    found = va.impute(EMPTY, bid=bid, ask=ASK).filled
    np.testing.assert_array_equal(found, va.impute(EMPTY, bid=without, ask=ASK).filled)


def test_bad_markets_are_named() -> None:
    with pytest.raises(va.InputError, match=r"bid\[\d+, \d+\] is .*, above the ask"):
        va.impute(EMPTY, bid=ASK, ask=BID)
    with pytest.raises(va.InputError, match=r"ask has shape \(5,\)"):
        va.impute(EMPTY, bid=BID, ask=[0.1] * 5)
    with pytest.raises(va.InputError, match=r"bid\[0, 0\] is -1"):
        va.impute(EMPTY, bid=np.full((8, 5), -1.0))
    quoted = va.Surface(surface() * 1.2, TENORS, deltas=DELTAS)
    with pytest.raises(va.InputError, match="outside bid"):
        va.impute(quoted, bid=BID, ask=ASK)
    with pytest.raises(va.InputError, match="no quote at all"):
        va.impute(EMPTY, bid=BID)


class TestNormalVols:
    """Markets of vols in the unit of the strikes."""

    STRIKES = np.linspace(-0.01, 0.06, 7)
    VOLS = 0.01 * (1.0 + 0.05 * np.arange(6)[:, None] / 6 + 0.02 * np.abs(np.arange(7) - 3) / 7)

    def _of(self, vols: FloatArray) -> va.Surface:
        forwards = np.linspace(0.02, 0.03, 6)
        tenors = [1 / 52, 1 / 12, 0.25, 0.5, 1.0, 2.0]
        return va.Surface(vols, tenors, strikes=self.STRIKES, forwards=forwards, vol_type="normal")

    def test_an_earlier_surface_alone(self) -> None:
        found = va.impute(self._of(np.full((6, 7), np.nan)), prior=self._of(self.VOLS))
        np.testing.assert_allclose(found.filled, self.VOLS, rtol=1e-6)
        assert (found.low < found.filled).all() and (found.filled < found.high).all()
        assert va.check(self._of(found.draws(1)[0])).ok

    def test_quotes_that_no_program_frees_of_arbitrage_are_answered(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each quote of a trade is disputed then."""
        vols = np.where(np.random.default_rng(5).random((6, 7)) < 0.5, np.nan, self.VOLS)
        vols[5, 3] = 0.1 * self.VOLS[5, 3]

        def refuse(*_: Any, **__: Any) -> None:
            raise va.InfeasibleError("none")

        monkeypatch.setattr(normal, "repair", refuse)
        found = va.impute(self._of(vols))
        trades = {cell for violation in va.check(self._of(vols)).violations for cell in violation.cells}
        assert trades and {(int(i), int(j)) for i, j in np.argwhere(found.disputed)} == trades
        assert "filled cells may have arbitrage: none" in found.model and np.isfinite(found.filled).all()

    def test_draws_that_no_program_frees_of_arbitrage_go_towards_the_fill(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vols = np.where(np.random.default_rng(5).random((6, 7)) < 0.5, np.nan, self.VOLS)
        result, quoted = va.impute(self._of(vols)), np.isfinite(vols)

        def refuse(*_: Any, **__: Any) -> None:
            raise va.InfeasibleError("none")

        monkeypatch.setattr(normal, "repair", refuse)
        drawn = result.draws(8)
        assert all(va.check(self._of(one)).ok for one in drawn)
        assert (drawn[:, quoted] == vols[quoted]).all() and np.ptp(drawn, axis=0)[~quoted].max() > 1e-5
