"""Black's formula against QuantLib, 40-digit arithmetic, closed forms and itself."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from voladdin import black

TOTAL_VOLS = [1e-4, 1e-3, 0.02, 0.1, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0, 10.0]
HIGHS = [0.0, 1e-6, 0.01, 0.3, 1.0, 1.9, 2.1, 5.0, 12.0, 20.0, 30.0]


def exact_otm(m: float, s: float) -> float:
    with mpmath.workdps(50):
        m, s = mpmath.mpf(m), mpmath.mpf(s)
        d1, d2 = -m / s + s / 2, -m / s - s / 2
        if m >= 0:
            return float(mpmath.ncdf(d1) - mpmath.exp(m) * mpmath.ncdf(d2))
        return float(mpmath.exp(m) * mpmath.ncdf(-d2) - mpmath.ncdf(-d1))


@pytest.mark.parametrize("s", TOTAL_VOLS)
@pytest.mark.parametrize("side", [1, -1])
def test_otm_price_keeps_its_relative_accuracy(s, side):
    m = side * s * np.array(HIGHS)
    exact = np.array([exact_otm(x, s) for x in m])
    rounding_of_exponent = 1e-15 * (5 + np.array(HIGHS) ** 2 + s**2)
    assert (np.abs(black.otm_price(m, s) - exact) <= rounding_of_exponent * exact).all()


@pytest.mark.parametrize("s", TOTAL_VOLS)
@pytest.mark.parametrize("side", [1, -1])
def test_implied_total_vol_inverts_the_price_as_well_as_rounding_allows(s, side):
    m = side * s * np.array(HIGHS)
    price = black.otm_price(m, s)
    price_error_in_vol = price / (black.vega(m, s) * s) * np.finfo(float).eps
    error = np.abs(black.implied_total_vol(price, m) / s - 1)
    assert (error <= 8e-15 + 4 * price_error_in_vol).all()


@pytest.mark.parametrize("kind", [ql.Option.Call, ql.Option.Put])
@pytest.mark.parametrize("s", [0.02, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("m", [-0.4, -0.05, 0.0, 0.1, 0.8])
def test_prices_and_vega_match_quantlib(kind, m, s):
    ours = black.call_price(m, s) if kind == ql.Option.Call else black.put_price(m, s)
    assert ours == pytest.approx(ql.blackFormula(kind, np.exp(m), 1.0, s), abs=2e-15)
    theirs = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, np.exp(m)), 1.0, s)
    assert black.vega(m, s) == pytest.approx(theirs.vega(1.0), rel=1e-9, abs=1e-15)
    assert black.call_delta(m, s) - (kind == ql.Option.Put) == pytest.approx(theirs.deltaForward(), abs=1e-14)


def test_implied_total_vol_matches_quantlib():
    for m, price in [(0.1, 0.02), (-0.3, 0.01), (0.0, 0.08), (0.5, 0.3)]:
        kind = ql.Option.Call if m >= 0 else ql.Option.Put
        theirs = ql.blackFormulaImpliedStdDev(kind, np.exp(m), 1.0, price, 1.0, 0.0, 0.2, 1e-15)
        assert black.implied_total_vol(price, m) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("price", "m"),
    [(-1e-9, 0.1), (1.0, 0.1), (1.5, 0.0), (np.exp(-0.2), -0.2), (0.9, -0.2), (np.nan, 0.0), (0.1, np.nan)],
)
def test_prices_outside_the_bounds_have_no_implied_vol(price, m):
    assert np.isnan(black.implied_total_vol(price, m))


def test_zero_vol_and_zero_price():
    m = np.array([-0.2, 0.0, 0.2])
    np.testing.assert_array_equal(black.otm_price(m, 0.0), 0.0)
    np.testing.assert_array_equal(black.implied_total_vol(np.zeros(3), m), 0.0)
    np.testing.assert_array_equal(black.call_delta(m, 0.0), [1.0, 0.5, 0.0])
    np.testing.assert_allclose(black.call_price(m, 0.0), np.maximum(1 - np.exp(m), 0), rtol=1e-15)
    assert np.isnan(black.otm_price(0.1, -0.1))
    assert np.isnan(black.vega(0.1, np.nan))


def test_everything_broadcasts():
    m, s = np.linspace(-1, 1, 5)[:, None], np.array([0.1, 0.2, 0.4])
    for function in (black.call_price, black.put_price, black.otm_price, black.vega, black.call_delta):
        assert function(m, s).shape == (5, 3)
    assert black.implied_total_vol(black.otm_price(m, s), m).shape == (5, 3)
    assert black.otm_price(np.empty((0, 3)), s).shape == (0, 3)
    assert black.implied_total_vol([], []).shape == (0,)


@given(m=st.floats(-3, 3), s=st.floats(1e-3, 5))
def test_put_call_parity_and_bounds(m, s):
    call, put = black.call_price(m, s), black.put_price(m, s)
    assert call - put == pytest.approx(-np.expm1(m), abs=1e-14)
    assert max(-np.expm1(m), 0) <= call <= 1
    assert max(np.expm1(m), 0) <= put <= np.exp(m) * (1 + 1e-15)


@given(m=st.floats(-50, 50), price=st.floats(1e-300, 1.0, exclude_max=True))
def test_any_price_within_bounds_is_repriced(m, price):
    price = price * min(1.0, np.exp(m))
    s = black.implied_total_vol(price, m)
    if np.isnan(s):  # the product rounded up to the bound
        assert price >= min(1.0, np.exp(m)) * (1 - 1e-15)
        return
    again = black.otm_price(m, s)
    assert again == pytest.approx(price, rel=1e-13 * (10 + abs(np.log(price))))


@given(m=st.floats(-300, 300), short=st.floats(1e-12, 0.5))
def test_prices_just_short_of_the_bound_have_a_vol(m, short):
    price = (1.0 - short) * min(1.0, np.exp(m))
    left = 1.0 - price / min(1.0, np.exp(m))
    s = float(black.implied_total_vol(price, m))
    with mpmath.workdps(50):
        d1, k = mpmath.mpf(-abs(m)) / s + mpmath.mpf(s) / 2, mpmath.mpf(abs(m))
        exact = mpmath.ncdf(-d1) + mpmath.exp(k) * mpmath.ncdf(d1 - s)
    assert float(exact) == pytest.approx(left, rel=1e-12 + 1e-15 / left)


@given(delta=st.floats(1e-6, 1 - 1e-6), s=st.floats(1e-3, 3))
def test_moneyness_from_delta_inverts_call_delta(delta, s):
    m = black.moneyness_from_delta(delta, s)
    assert black.call_delta(m, s) == pytest.approx(delta, abs=1e-12)
