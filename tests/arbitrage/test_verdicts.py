"""The verdict on many surfaces against the trades of each."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from voladdin.arbitrage.tolerances import TOLERANCE
from voladdin.arbitrage.verdicts import arbitrage_free

TENORS = [0.1, 0.25, 0.5, 1.0]
DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
AXES = {
    "shared strikes": {"moneyness": np.linspace(-0.3, 0.3, 5)},
    "own strikes": {"moneyness": np.linspace(-0.2, 0.2, 5) * np.sqrt([1, 2, 4, 8])[:, None]},
    "deltas": {"deltas": DELTAS},
}


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-2, 0.4])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_who_passes_check_is_free(axes: str, noise: float, missing: float) -> None:
    """Smiles that are free of arbitrage, and damaged ones, some of their cells missing."""
    rng = np.random.default_rng(3)
    smile = np.array([0.24, 0.22, 0.2, 0.205, 0.22])
    vols = smile * np.exp(noise * rng.standard_normal((80, 4, 5)))
    vols[rng.random(vols.shape) < missing] = np.nan
    vols[:, 0, 0] = 0.24
    surfaces = [va.Surface(one, TENORS, **AXES[axes]) for one in vols]  # type: ignore[arg-type]
    for tolerance in (TOLERANCE, 1e-6):
        found = arbitrage_free(surfaces[0], vols, tolerance)
        np.testing.assert_array_equal(found, [va.check(s, tolerance=tolerance).ok for s in surfaces])
    assert found.any() or noise == 0.4
    assert not found.all() or noise < 0.4


def test_where_no_strike_is_a_float_nothing_is_traded() -> None:
    far = va.Surface([[9.0, 9.0]], [30.0], deltas=[0.02, 0.01])
    assert (far.quoted_moneyness() > 700).all()
    assert arbitrage_free(far, far.vols[None]).all() and va.check(far).ok


def _large(noise: float) -> va.Surface:
    """Of more cells than all pairs of which are looked at."""
    rng, years = np.random.default_rng(5), np.geomspace(0.02, 3.0, 9)
    z = np.linspace(-2.2, 1.6, 21) * np.ones((9, 1))
    vols = 0.2 * np.exp(-0.13 * z + 0.03 * z**2 + noise * rng.standard_normal(z.shape))
    return va.Surface(vols, years, moneyness=0.2 * z * np.sqrt(years)[:, None])


@pytest.mark.parametrize("noise", [0.0, 1e-7, 2e-3, 0.1])
def test_a_large_grid_passes_where_it_passes_check(noise: float) -> None:
    surface = _large(noise)
    for tolerance in (1e-12, TOLERANCE, 1e-7, 1e-3):
        expected = va.check(surface, tolerance=tolerance).ok
        assert arbitrage_free(surface, surface.vols[None], tolerance).tolist() == [expected]


def test_at_the_very_tolerance_prices_to_the_last_bit_decide() -> None:
    surface = _large(1e-2)
    gains = [violation.size for violation in va.check(surface).violations]
    assert len(gains) > 1
    for gain in gains:
        for tolerance in (gain - 4e-15, gain + 4e-15):
            expected = gains[0] <= tolerance
            assert arbitrage_free(surface, surface.vols[None], tolerance).tolist() == [expected]
            assert va.check(surface, tolerance=tolerance).ok == expected


def test_a_vol_that_has_no_total_is_one_all_the_same() -> None:
    """Its price is the intrinsic value, which rounds to none where prices are taken from N(d1)."""
    surface = _large(0.0)
    vols = surface.vols.copy()
    vols[0, 12] = 1e-323
    at_forward = va.Surface(
        vols, surface.tenors, moneyness=np.where(np.arange(21) == 12, 0.0, surface.log_moneyness)
    )
    assert not va.check(at_forward).ok
    assert not arbitrage_free(at_forward, vols[None])[0]
