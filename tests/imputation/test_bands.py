"""Bands: their tails are those of errors, and they grow outside the range of the quotes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtr

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, surface
from voladdin.imputation import weighing
from voladdin.imputation.answers import levels_alone
from voladdin.imputation.model import UniversalBundle, imputer
from voladdin.imputation.outside import outside, outside_stretch
from voladdin.imputation.posterior import TAIL, factor_of_band
from voladdin.imputation.weighing import QuotesAlone, answers

LADDER = np.linspace(0.9, 0.1, 17)


@given(st.floats(0.001, 0.3), st.floats(0.01, 0.999))
def test_a_band_holds_its_share_of_student_s_t(spread: float, coverage: float) -> None:
    reach = np.log(factor_of_band(np.array([spread, 10.0 * spread]), coverage))
    unit = float(np.log(factor_of_band(np.array(spread), 0.5))) / 0.7406970840529513  # of t with 4 degrees
    assert TAIL == 4.0 and stdtr(TAIL, reach[0] / unit) - stdtr(TAIL, -reach[0] / unit) == pytest.approx(
        coverage
    )
    assert reach[1] == pytest.approx(min(10.0 * reach[0], 5.0))


def test_spreads_are_those_of_90_per_cent() -> None:
    grid = va.Surface(holes(surface(), 0.5), TENORS, deltas=DELTAS)
    found = va.impute(grid, arbitrage_free=False)
    missing = found.std > 0
    reach = np.log(found.high / found.mean)[missing]
    np.testing.assert_allclose(reach, ndtri(0.95) * (found.std / found.mean)[missing], rtol=1e-9)
    far = np.log(va.impute(grid, arbitrage_free=False, coverage=0.99).high / found.mean)[missing]
    assert (far > 1.3 * ndtri(0.995) / ndtri(0.95) * reach).all()


def test_the_range_of_the_quotes() -> None:
    u = np.array([[-2.0, -1.0, 0.0, 1.0, 3.0]] * 2)
    quoted = np.array([[False, True, False, True, False], [False, False, True, False, False]])
    np.testing.assert_allclose(outside(u, quoted), [[2 / 3, 0, 0, 0, 0.8], [0.8, 2 / 3, 0, 2 / 3, 6 / 7]])


@pytest.mark.parametrize("axis", ["deltas", "moneyness"])
def test_spreads_grow_outside_the_quotes_alone(axis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighing, "with_parametric", lambda axes, cells, found, tried: found)
    loaded = imputer("universal")
    assert isinstance(loaded, UniversalBundle)
    vols = surface(0.2)
    vols[:, [0, 4]] = np.nan
    vols[2, 2] = np.nan
    axes = va.Surface(vols, TENORS, **{axis: DELTAS if axis == "deltas" else np.linspace(-0.2, 0.2, 5)})
    both = np.stack([np.log(vols), np.full_like(vols, np.nan)])
    factor = outside_stretch(loaded, axes, both).reshape(both.shape)
    assert (factor[1] == 1.0).all() and factor[0, 2, 2] == 1.0
    assert (factor[0, 0, [0, 4]] > 1.0).all() and factor.max() <= np.exp(
        loaded.arrays["level_outside_stretch"]
    )
    plain, found = levels_alone(loaded, axes, both[:1]), answers(loaded, axes, both[:1], None, 1.0)[0]
    missing = np.isnan(both[:1]).reshape(plain.std.shape)
    scale = float(loaded.arrays["level_stretch"]) * factor[:1].reshape(plain.std.shape)
    np.testing.assert_allclose(found.std[missing], (plain.std * scale)[missing], rtol=1e-12)


def test_a_history_is_favoured_on_columns_that_pairs_are_quoted_at() -> None:
    """ATM quotes at 14% say nothing of smiles: on a ladder that no pair has, other kinds stay likelier."""
    fx, years = imputer("fx"), np.array([0.1, 0.25, 0.5, 1.0, 2.0])
    shares = []
    for deltas in (np.array(DELTAS), LADDER):
        vols = np.full((5, len(deltas)), np.nan)
        vols[:, np.abs(deltas - 0.5).argmin()] = 0.14 * np.array([1.04, 1.02, 1.0, 0.99, 0.98])
        axes = va.Surface(vols, years.tolist(), deltas=deltas)
        cells = np.log(vols)[None]
        share = answers(fx, axes, cells, None, 1.0, QuotesAlone.of(fx, axes, cells))[1].reshape(vols.shape)
        shares.append(share[:, np.abs(deltas - 0.1).argmin()])
    assert (shares[1] < shares[0] - 0.1).all()
