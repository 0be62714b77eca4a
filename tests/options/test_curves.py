"""Curves through estimates at expiries, and forwards that borrow from their neighbours."""

from __future__ import annotations

import numpy as np

from export.simulation.chains import YEARS, Listing, listed
from voladdin.options import implied
from voladdin.options.curves import smoothed

ERRORS = np.full(7, 1e-4)


def test_errors_about_a_line_are_taken_off() -> None:
    rng = np.random.default_rng(0)
    line = np.log(100) + 0.02 * YEARS
    raw, smooth = [], []
    for _ in range(200):
        values = line + ERRORS * rng.standard_normal(7)
        raw.append(values - line)
        smooth.append(smoothed(YEARS, values, ERRORS, anchored=False) - line)
    assert np.std(smooth) < 0.65 * np.std(raw)


def test_dividends_larger_than_the_errors_stay() -> None:
    values = np.log(100) + 0.02 * YEARS - 0.01 * (YEARS > 0.2) - 0.01 * (YEARS > 0.7)
    assert np.abs(smoothed(YEARS, values, ERRORS, anchored=False) - values).max() < 1e-4
    exact = smoothed(YEARS, values, np.zeros(7), anchored=False)
    np.testing.assert_allclose(exact, values, atol=1e-9)


def test_an_anchored_curve_is_nought_now() -> None:
    assert smoothed(np.array([1.0]), np.array([-0.03]), np.array([0.1]), anchored=True) == [-0.03]
    told = np.where(YEARS > 0.5, 1e-5, 1.0)
    found = smoothed(YEARS, np.where(YEARS > 0.5, -0.03 * YEARS, 0.2), told, anchored=True)
    np.testing.assert_allclose(found, -0.03 * YEARS, atol=1e-5)


def test_forwards_of_stocks_borrow_from_their_neighbours() -> None:
    """Of each expiry alone a tenth of these forwards were further off than 1 bp."""
    listing = Listing(spot=120.0, step=2.5, tick=0.01, width=0.005, outliers=0.05)
    rng = np.random.default_rng(1)
    found = np.array([implied(listed(rng, listing)).forwards for _ in range(20)])
    off = np.abs(found / listing.forwards(YEARS) - 1)
    assert (off <= 1e-4).mean() > 0.94 and np.median(off) < 3e-5
