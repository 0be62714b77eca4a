"""The quick verdict of slopes against the hulls' trades."""

from __future__ import annotations

import numpy as np
import pytest

from voladdin.arbitrage.hulls import arbitrage_trades
from voladdin.arbitrage.verdicts import without_gain

ROUNDING = 1e-14


@pytest.mark.parametrize("shared", [True, False], ids=["shared strikes", "own strikes"])
@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-4, 1e-2])
def test_who_has_no_gain_has_no_trade(*, shared: bool, noise: float) -> None:
    """On convex prices that rise with tenor, and damaged ones, some missing; both verdicts occur."""
    rng = np.random.default_rng(3)
    rows = np.repeat(np.arange(4), 5)
    place = np.sort(rng.uniform(0.5, 1.6, (300, 1 if shared else 4, 5)), axis=2)
    strikes = np.broadcast_to(place, (300, 4, 5)).reshape(300, 20)
    width = 0.1 + 0.05 * rows
    calls = 0.5 * (1.0 - strikes + np.sqrt((1.0 - strikes) ** 2 + width**2)) - 0.5 * (
        np.sqrt(1.0 + width**2) - 1.0
    )
    calls += noise * rng.standard_normal(calls.shape)
    calls[rng.random(calls.shape) < 0.3] = np.nan
    sure = without_gain(rows, strikes, calls)
    for k, c, free in zip(strikes, calls, sure, strict=True):
        here = np.isfinite(c)
        trades = arbitrage_trades(rows[here], k[here], c[here], c[here], ROUNDING)
        assert free == (not trades) or (not free and noise <= ROUNDING)
    assert sure.any() or noise == 1e-2
    assert (~sure).any() == (noise > 1e-12)
