"""Normal vols: Bachelier's formula, the check against a martingale program, repair, fills, interpolation."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from export.bench.normal_vols import martingale_distance, random_grid, verdicts
from voladdin.arbitrage.hulls import arbitrage_trades
from voladdin.arbitrage.normal_hulls import NormalHull
from voladdin.arbitrage.repair import normal_program
from voladdin.imputation.interpolation import interpolate_many
from voladdin.options.bachelier import (
    implied_normal_vol,
    normal_call_price,
    normal_otm_price,
    normal_vega,
)

TENORS = [0.25, 1.0, 2.0, 5.0, 10.0]
FORWARDS = np.array([-0.002, 0.001, 0.005, 0.012, 0.018])
OFFSETS = np.array([-0.02, -0.01, -0.005, -0.0025, 0.0, 0.0025, 0.005, 0.01, 0.02])


def smile(strikes: Any = None) -> va.Surface:
    """Free of arbitrage; its strikes and forwards are of both signs."""
    root = np.array(TENORS)[:, None] ** 0.15
    vols = 0.006 + 0.0015 * root + 0.1 * np.abs(OFFSETS) + 0.04 * OFFSETS
    places = FORWARDS[:, None] + OFFSETS if strikes is None else strikes
    return va.Surface(vols, TENORS, strikes=places, forwards=FORWARDS, vol_type="normal")


@given(st.floats(-30, 30), st.floats(1e-8, 1e6))
def test_vols_come_back_from_their_prices(z: float, total: float) -> None:
    price = normal_otm_price(z * total, total)
    found = float(implied_normal_vol(price, z * total))
    assert abs(found - total) * normal_vega(z * total, total) <= 1e-12 * price


def test_prices_are_those_of_quantlib() -> None:
    ql = pytest.importorskip("QuantLib", reason="QuantLib is not installed")
    for strike in (-0.03, -0.001, 0.0, 0.004, 0.05):
        expected = ql.bachelierBlackFormula(ql.Option.Call, strike, -0.002, 0.012)
        assert normal_call_price(strike + 0.002, 0.012) == pytest.approx(expected, rel=1e-12, abs=1e-18)
    assert normal_otm_price(0.0, 0.0) == 0 and np.isnan(implied_normal_vol(-1.0, 0.1))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_check_is_that_of_a_martingale_program(seed: int) -> None:
    found = verdicts(random_grid(np.random.default_rng(seed)))
    assert found.same or found.close, found


def test_the_program_finds_each_kind_of_trade() -> None:
    k = np.array([[-1.0, 0.0, 1.0]])
    fair = normal_call_price(k, np.ones_like(k))
    assert martingale_distance(k, fair) < 1e-9
    for change in ([0.0, 0.2, 0.0], [-0.2, 0.0, 0.0], [0.0, 0.0, 0.5]):
        prices = fair + change
        rows = np.zeros(3, dtype=np.intp)
        trades = list(arbitrage_trades(rows, k[0], prices[0], prices[0], 1e-10, NormalHull))
        assert trades and martingale_distance(k, prices) > 1e-3
    later = np.vstack([fair, 0.9 * fair + 0.1 * np.maximum(-k, 0)])
    assert martingale_distance(np.vstack([k, k]), later) > 1e-3


def test_strikes_below_zero_are_no_bound() -> None:
    """No call of strike 0 worth the forward: what is free of arbitrage stays so anywhere on the line."""
    free = smile()
    assert va.check(free).ok
    moved = va.Surface(
        free.vols, TENORS, strikes=free.strikes - 0.5, forwards=free.forwards - 0.5, vol_type="normal"
    )
    assert va.check(moved).ok


def test_a_trade_in_words_and_in_bp() -> None:
    vols = smile().vols.copy()
    vols[3, 6] *= 1.3
    found = va.check(smile().replace(vols))
    worst = found.violations[0]
    assert worst.kind == "butterfly" and worst.cells[0] == (3, 6)
    assert worst.message.startswith("sell the 5Y 0.017000 call, buy 0.")
    mended = vols.copy()
    mended[3, 6] -= 1.0001e-4 * worst.vol_bp
    assert (3, 6) not in {v.cells[0] for v in va.check(smile().replace(mended)).violations}
    assert found.map[3, 6] >= worst.vol_bp


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_a_repaired_grid_passes_and_moves_no_more_than_it_must(seed: int) -> None:
    surface = random_grid(np.random.default_rng(seed))
    found = va.repair(surface)
    assert found.ok and va.check(found.surface).ok
    if va.check(surface).ok:
        assert found.method == "none" and found.largest == 0
    else:
        assert found.method == "normal" and found.largest > 0
        half = surface.replace(0.5 * (surface.vols + found.surface.vols))
        assert not va.check(half, tolerance=1e-6).ok or found.largest < 0.05


def test_fixed_quotes_and_markets_are_kept() -> None:
    vols = smile().vols.copy()
    vols[3, 6] *= 1.1
    held = np.zeros(vols.shape, dtype=bool)
    held[3, 6] = True
    found = va.repair(smile().replace(vols), fixed=held)
    assert found.surface.vols[3, 6] == vols[3, 6] and found.ok
    low, high = vols - 0.001, vols + 0.001
    inside = va.repair(smile().replace(vols), bid=low, ask=high)
    assert not inside.outside.any() and inside.ok
    every = np.ones(vols.shape, dtype=bool)
    with pytest.raises(va.InfeasibleError, match="the fixed quotes themselves have arbitrage"):
        va.repair(smile().replace(vols), fixed=every)


def test_a_market_in_points_is_read() -> None:
    forwards = np.array([2000.0, 2010.0])
    vols = np.full((2, 3), 300.0)
    points = va.Surface(vols, [0.5, 1.0], strikes=[1900, 2000, 2100], forwards=forwards, vol_type="normal")
    assert va.check(points, bid=vols - 5, ask=vols + 5).ok
    with pytest.raises(va.InputError, match=r"bid\[0, 0\] is -300"):
        va.check(points, bid=-vols, ask=vols)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_fills_keep_quotes_and_add_no_arbitrage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = smile()
    hidden = rng.uniform(size=truth.shape) < 0.4
    hidden[2, 4] = False
    found = va.impute(truth.replace(np.where(hidden, np.nan, truth.vols)))
    np.testing.assert_array_equal(found.filled[~hidden], truth.vols[~hidden])
    assert va.check(truth.replace(found.filled)).ok
    assert (found.low <= found.filled).all() and (found.filled <= found.high).all()
    assert (found.std[hidden] > 0).all() and (found.std[~hidden] == 0).all()
    assert np.abs(found.filled - truth.vols).max() < 0.004
    assert found.model.startswith("universal (normal vols")


def holed(share: float, seed: int = 0) -> va.Surface:
    truth = smile()
    hidden = np.random.default_rng(seed).uniform(size=truth.shape) < share
    return truth.replace(np.where(hidden, np.nan, truth.vols))


@pytest.mark.parametrize("blank", [0.0, 0.2])
def test_a_prior_makes_fills_nearer_and_surer(blank: float) -> None:
    now, truth = holed(0.7), smile().vols
    gone, hidden = np.isnan(holed(blank, seed=1).vols), ~now.observed
    prior = smile().replace(np.where(gone, np.nan, 1.02 * truth))
    alone, after = va.impute(now), va.impute(now, prior=prior, prior_age=2.0)
    alone_off, off = (np.abs(found.filled - truth)[hidden].mean() for found in (alone, after))
    assert off < 0.7 * alone_off
    assert after.std[hidden].mean() < alone.std[hidden].mean()
    assert va.check(smile().replace(after.filled)).ok
    with pytest.raises(va.InputError, match="the prior's strikes are"):
        va.impute(now, prior=smile(FORWARDS[:, None] + 1.1 * OFFSETS))
    with pytest.raises(va.InputError, match="prior_age is 0"):
        va.impute(now, prior=prior, prior_age=0)


def test_bid_and_ask_of_normal_vols() -> None:
    quotes = holed(0.5)
    low, high = 0.99 * quotes.vols, 1.01 * quotes.vols
    found = va.impute(quotes.replace(np.full(quotes.shape, np.nan)), bid=low, ask=high)
    np.testing.assert_allclose(found.filled[quotes.observed], quotes.vols[quotes.observed])
    cell = tuple(np.argwhere(~quotes.observed)[4])
    floor = np.full(quotes.shape, np.nan)
    floor[cell] = 1.002 * found.filled[cell]
    above = va.impute(quotes, bid=floor)
    assert above.filled[cell] == floor[cell] and va.check(quotes.replace(above.filled)).ok


def test_draws_keep_quotes_and_have_no_arbitrage() -> None:
    quotes = holed(0.5)
    found = va.impute(quotes)
    drawn = found.draws(40, seed=3)
    np.testing.assert_array_equal(drawn, found.draws(40, seed=3))
    assert (drawn[:, quotes.observed] == quotes.vols[quotes.observed]).all()
    assert all(va.check(quotes.replace(one)).ok for one in drawn)
    spread = drawn[:, ~quotes.observed].std(0) / found.std[~quotes.observed]
    assert 0.5 < np.median(spread) < 1.5


def test_quotes_with_arbitrage_are_disputed_and_stay() -> None:
    vols = smile().vols.copy()
    vols[3, 6] *= 1.3
    vols[1, 2] = np.nan
    found = va.impute(smile().replace(vols))
    assert found.disputed.any() and np.array_equal(found.filled[~np.isnan(vols)], vols[~np.isnan(vols)])
    rest = np.where(found.disputed, np.nan, found.filled)
    assert va.check(smile().replace(rest)).ok


def test_interpolation_goes_through_the_quotes_and_is_convex() -> None:
    surface = smile()
    years = np.repeat(TENORS, surface.shape[1])
    strikes = surface.strikes
    assert strikes is not None
    found = interpolate_many(surface, years, strikes.ravel(), kind="strike")
    np.testing.assert_allclose(found, surface.vols.ravel(), rtol=1e-12)
    for year in (0.1, 0.6, 1.0, 3.0, 12.0):
        ahead = float(np.interp(year, TENORS, FORWARDS))
        k = np.linspace(-0.015, 0.015, 61)
        vols = interpolate_many(surface, np.full(61, year), ahead + k, kind="strike")
        assert (np.diff(normal_call_price(k, vols * np.sqrt(year)), 2) > -1e-9).all()
    assert va.interpolate(surface, 2.0, 0.005, kind="strike") == surface.vols[2, 4]
    with pytest.raises(va.InputError, match="expected 'strike' of normal vols"):
        va.interpolate(surface, 2.0, 0.5)


def test_what_is_not_of_normal_vols_refuses_them_by_name() -> None:
    with pytest.raises(va.InputError, match=r"the vols are normal \(Bachelier\)"):
        va.features(smile())
    with pytest.raises(va.InputError, match="normal vols are at strikes, with forwards; got deltas"):
        va.Surface([[0.01]], [1.0], deltas=[0.5], vol_type="normal")
    with pytest.raises(va.InputError, match="vol_type is 'bachelier'; expected one of lognormal, normal"):
        va.Surface([[0.01]], [1.0], deltas=[0.5], vol_type="bachelier")
    with pytest.raises(va.InputError, match="the vols are normal; expected method 'auto'"):
        va.repair(smile().replace(smile().vols * [1, 1, 1, 1, 1.5, 1, 1, 1, 1]), keep_features=True)
    with pytest.raises(va.InputError, match="at is of lognormal vols; expected interpolate"):
        va.impute(smile()).at([1.0], strikes=[0.01])


def rough(tenors: int, strikes: int) -> va.Surface:
    """Noisy vols on tenors of which each has a forward of its own."""
    years, places = np.geomspace(0.05, 20, tenors), np.linspace(-0.02, 0.08, strikes)
    forwards = np.linspace(0.02, 0.03, tenors)
    vols = 0.008 * (1 + 0.1 * ((places - forwards[:, None]) / 0.05) ** 2)
    noise = np.exp(0.002 * np.random.default_rng(0).standard_normal(vols.shape))
    return va.Surface(vols * noise, years.tolist(), strikes=places, forwards=forwards, vol_type="normal")


def test_the_program_of_a_large_grid_is_sparse() -> None:
    """5,760 prices of each tenor at the distances of all, whose conditions are a gigabyte as a table."""
    surface = rough(12, 40)
    tracemalloc.start()
    found = va.repair(surface)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert va.check(found.surface).ok and not va.check(surface).ok and peak < 60e6


def test_a_program_that_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normal_program, "_MOST_PRICES", 100)
    with pytest.raises(va.InfeasibleError, match="a linear program of 1,000 prices; at most 100 are solved"):
        va.repair(rough(5, 40))
    holed = rough(5, 40)
    vols = holed.vols.copy()
    vols[::2, ::3] = np.nan
    answer = va.impute(holed.replace(vols))
    assert np.isfinite(answer.draws(3)).all() and "filled cells may have arbitrage" in answer.model
