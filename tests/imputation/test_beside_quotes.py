"""The vol beside a quote is the quote's, but for the smile's own slope over the step: on every real surface.

A smile of 2,000 bp of vol for a unit of delta moves by 0.02 bp over 1e-6 of it, and that is no jump. So the
vol function is extended to the quote from 1e-6 and 2e-6 on each side, along the line through both, and must
meet it within a hundredth of a basis point.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import voladdin as va
from export.bench.markets.quoted_surfaces import real_surfaces
from tests.imputation.test_interpolation_stressed import STRESSED, stressed
from voladdin._typing import FloatArray
from voladdin.imputation.interpolation import interpolate_many

STEP = 1e-6
NAMES = [
    "DAX strikes",
    "index strikes",
    "RIC:.STOXX50E 2023-06-05",
    "SPX 2019-12-30",
    "SPX chain",
    "DHER chain",
]
NAMES += ["USDCAD 2017-05-26", "EURUSD 2019-12-30", "USDJPY 2019-12-30", "EURUSD 2023-06-05"]


@lru_cache(maxsize=1)
def real() -> dict[str, va.Surface]:
    return {one.name: one.surface(~one.quoted) for one in real_surfaces(every=10)}


def misses(surface: va.Surface) -> FloatArray:
    """[quotes, 4] of vol: along the strike axis from both sides, and along tenors (in ln T) from both."""
    rows, columns = np.nonzero(surface.observed)
    years, quotes = surface.tenors[rows], surface.vols[rows, columns]
    kind = "moneyness" if surface.deltas is None else "delta"
    axis = (
        surface.quoted_moneyness()
        if surface.deltas is None
        else np.broadcast_to(surface.deltas, surface.shape)
    )
    places = axis[rows, columns]

    def vols(along: float, later: float) -> FloatArray:
        return interpolate_many(surface, years * np.exp(later), places + along, kind=kind)

    sides = [(sign * STEP, 0.0) for sign in (1, -1)] + [(0.0, sign * STEP) for sign in (1, -1)]
    met = [2 * vols(along, later) - vols(2 * along, 2 * later) for along, later in sides]
    return np.stack(met, axis=1) - quotes[:, None]


@pytest.mark.parametrize("name", STRESSED)
def test_stressed_surfaces(name: str) -> None:
    assert np.abs(misses(stressed(name))).max() < 1e-6


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_real_surfaces(name: str) -> None:
    assert np.abs(misses(real()[name])).max() < 1e-6


@pytest.mark.data
def test_every_real_surface_is_named() -> None:
    assert sorted(real()) == sorted(NAMES)
