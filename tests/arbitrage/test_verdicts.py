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
