"""Arbitrage of many surfaces at once: the verdicts of `check`, surface by surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin import black
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.tolerances import TOLERANCE
from voladdin.arbitrage.verdicts import arbitrage_free, largest_gain

TENORS, MONEYNESS = np.array([0.1, 0.2, 0.45, 0.6]), np.array([-0.3, -0.1, -0.02, 0.05, 0.1, 0.3])
AXES = Rectangle(TENORS, MONEYNESS)


def smooth(rng: np.random.Generator, count: int, size: float) -> np.ndarray:
    """Flat surfaces with relative noise of that size."""
    level = rng.uniform(0.1, 0.5, (count, 1, 1))
    return level * (1 + size * rng.standard_normal((count, len(TENORS), len(MONEYNESS))))


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-6, 1e-3, 0.01, 0.03, 0.1])
def test_verdicts_are_those_of_check(size: float) -> None:
    vols = smooth(np.random.default_rng(3), 60, size)
    expected = [va.check(va.Surface(v, TENORS, moneyness=MONEYNESS)).ok for v in vols]
    np.testing.assert_array_equal(arbitrage_free(AXES, vols), expected)
    assert all(expected) or size > 1e-3
    assert not all(expected) or size < 0.1


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(-13, -9))
def test_gains_near_the_tolerance_are_left_to_check(seed: int, power: float) -> None:
    """Damage in one call price of about the tolerance, where gains of neighbours could add up."""
    rng = np.random.default_rng(seed)
    vols = smooth(rng, 1, 0.0) * np.ones((1, 4, 6))
    vols[0, rng.integers(4), rng.integers(6)] += 10.0**power
    expected = va.check(va.Surface(vols[0], TENORS, moneyness=MONEYNESS)).ok
    assert arbitrage_free(AXES, vols)[0] == expected


def test_it_is_the_largest_gain() -> None:
    """A cell of twice the vol: the best trade of neighbours is the best that `check` finds."""
    vols = np.full((1, 4, 6), 0.2)
    vols[0, 1, 3] = 0.4
    found = va.check(va.Surface(vols[0], TENORS, moneyness=MONEYNESS)).violations
    assert largest_gain(vols, TENORS, MONEYNESS)[0] == pytest.approx(found[0].size, rel=1e-9)


def test_what_is_no_vol_is_not_free() -> None:
    vols = np.full((4, 4, 6), 0.2)
    vols[1, 0, 0], vols[2, 1, 1], vols[3, 2, 2] = 0.0, -0.1, 11.0
    np.testing.assert_array_equal(arbitrage_free(AXES, vols), [True, False, False, False])


def test_a_hole_is_left_out() -> None:
    vols = np.full((3, 4, 6), 0.2)
    vols[1, 2, 2] = np.nan
    vols[2, 1, 1], vols[2, 1, 3] = np.nan, 0.4
    np.testing.assert_array_equal(arbitrage_free(AXES, vols), [True, True, False])


def test_strikes_as_good_as_equal_are_no_overflow() -> None:
    """Nothing is said of the neighbours then; the whole verdict decides."""
    axes = va.Surface(np.full((2, 3), 0.2), [0.5, 1.0], moneyness=[300.0, np.nextafter(300.0, 301.0), 301.0])
    vols = np.full((1, 2, 3), 0.2)
    assert arbitrage_free(axes, vols).shape == (1,)


@pytest.mark.parametrize("digits", [11, 12, 13, 14, 15])
@pytest.mark.parametrize("share", [1 - 1e-3, 1 - 1e-6, 1.0, 1 + 1e-6, 1 + 1e-3])
def test_strikes_as_good_as_equal_have_one_verdict(digits: int, share: float) -> None:
    """A later call of almost the same strike is worth less by the tolerance, more or less."""
    m = np.array([[-0.1, 0.0, 0.1], [-0.1, np.log1p(10.0**-digits), 0.1]])
    first = black.otm_price(np.zeros(1), np.array([0.1]))
    later = black.implied_total_vol(first - share * TOLERANCE, m[1, 1:2]) / np.sqrt(2)
    vols = np.array([[0.1, 0.1, 0.1], [0.1, later[0], 0.1]])
    surface = va.Surface(vols, [1.0, 2.0], moneyness=m)
    assert bool(arbitrage_free(surface, vols[None])[0]) == va.check(surface).ok
