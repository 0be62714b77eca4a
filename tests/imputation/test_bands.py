"""Bands: their tails are those of errors, and they grow outside the range of the quotes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtr

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, of_quotes, surface
from voladdin.imputation import weighing
from voladdin.imputation.answers import levels_alone
from voladdin.imputation.history.posterior import TAIL, factor_of_band
from voladdin.imputation.model import UniversalBundle, imputer
from voladdin.imputation.processes.coordinates import from_deltas
from voladdin.imputation.processes.evidence import mixture
from voladdin.imputation.spreads import of_few, outside, regressors, stretch_of
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
def test_spreads_are_stretched_as_the_quotes_tell(axis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = np.zeros((1, surface(0.2).size))
    monkeypatch.setattr(weighing, "with_parametric", lambda axes, cells, found, tried, **_: (found, nobody))
    loaded = imputer("universal")
    assert isinstance(loaded, UniversalBundle)
    vols = surface(0.2)
    vols[:, [0, 4]] = np.nan
    vols[2, 2] = np.nan
    axes = va.Surface(vols, TENORS, **{axis: DELTAS if axis == "deltas" else np.linspace(-0.2, 0.2, 5)})
    both = np.stack([np.log(vols), np.full_like(vols, np.nan)])
    plain, found = levels_alone(loaded, axes, both), answers(loaded, axes, both[:1], None, 1.0)[0]
    factor = stretch_of(loaded, axes, both, plain)
    assert (factor[1] == 1.0).all()
    assert factor[0].reshape(vols.shape)[0, 0] > factor[0].reshape(vols.shape)[2, 2]
    missing = np.isnan(both[0]).ravel()
    scale = float(loaded.arrays["level_stretch"]) * factor[0]
    np.testing.assert_allclose(found.std[0, missing], (plain.std[0] * scale)[missing], rtol=1e-12)


def test_what_quotes_tell() -> None:
    """Of two expiries one is quoted: its cells hear of errors of quotes, the other's of expiries."""
    u, rows = np.array([-1.0, 0.0, 1.0, -1.0, 0.0, 2.0]), np.array([0, 0, 0, 1, 1, 1])
    values = np.array([[0.0, 0.0, 0.0, np.nan, np.nan, np.nan]])
    zscore, expiries = np.array([[1.6449, -3.2898, 0.1, np.nan, np.nan, np.nan]]), np.full((1, 6), 0.7)
    single = np.log(2.0) * 3 / (3 + 120)
    wanted = [[1, single, 0, 0, 0]] * 3 + [[0, 0, 1, 0.7, 0]] * 2 + [[0, 0, 1, 0.7, 2 / 3]]
    np.testing.assert_allclose(regressors(u, rows, values, zscore, expiries)[0], wanted, atol=1e-9)


def test_errors_of_expiries_are_those_of_expiries_taken_away() -> None:
    """In closed form, against conditioning on the other expiries' quotes alone under the same prior."""
    universal = va.load("universal", UniversalBundle).levels
    tenors, deltas = np.array([0.1, 0.25, 0.5, 1.0, 2.0]), np.array(DELTAS)
    points = from_deltas(tenors, deltas)
    values = np.log(surface(0.2))[: len(tenors)].ravel()
    values[-len(deltas) :] = np.nan
    answer = universal.at(points, values)
    given, quotes = answer.given, points[answer.used]
    covariance, mean = of_quotes(given.candidates, quotes), given.candidates.mean(quotes)
    residual, errors = values[answer.used] - answer.centre - mean, []
    for row in range(4):
        out, rest = np.flatnonzero(quotes.rows == row), np.flatnonzero(quotes.rows != row)
        gain = covariance[:, out][:, :, rest] @ np.linalg.inv(covariance[:, rest][:, :, rest])
        off = residual[:, out] - (gain @ residual[:, rest, None])[..., 0]
        left = covariance[:, out][:, :, out] - gain @ covariance[:, rest][:, :, out]
        centre, variance = mixture(
            given.weight, off, given.spread[:, None] * np.diagonal(left, axis1=1, axis2=2)
        )
        errors.append(np.sqrt((centre**2 / variance).mean()))
    np.testing.assert_allclose(answer.expiries, np.log(np.median(errors)) * 4 / (4 + 4), rtol=1e-6)


def test_errors_of_quotes_count_less_beyond_the_quotes_of_an_expiry() -> None:
    u, rows = np.array([-3.0, -1.0, 1.0, 1.5, -1.0, 1.0, 3.0]), np.array([0, 0, 0, 0, 1, 1, 1])
    values = np.array([[np.nan, 0.0, 0.0, np.nan, 0.0, 0.0, 0.0]])
    zscore, nothing = np.where(np.isfinite(values), 3.2898, np.nan), np.zeros((1, 7))
    said = regressors(u, rows, values, zscore, nothing)[0, :, 1]
    np.testing.assert_allclose(said / said[1], [0.2, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0])


def test_few_quotes_of_smiles_widen_bands() -> None:
    u, rows = np.array([-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]), np.array([0, 0, 0, 1, 1, 1])
    quoted = np.array([[1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 1, 0], [0, 1, 0, 0, 1, 0]], dtype=bool)
    widths = np.array([4.0, 2.0, 0.0])  # a quote an expiry tells nothing of smiles
    told_by = widths / (widths + 0.3)
    wanted = (1.0 + (14.0 / np.array([6, 3, 2])) ** 2) ** (0.35 * told_by)
    np.testing.assert_allclose(of_few(u, rows, quoted), wanted)
    np.testing.assert_allclose(of_few(np.tile(u, (3, 1)), rows, quoted), wanted)
    many = np.ones((1, 300), dtype=bool)
    assert 1.0 < of_few(np.tile(u, 50), np.arange(300) // 6, many)[0] < 1.001


def test_nothing_is_told_of_expiries_where_all_are_quoted() -> None:
    loaded = imputer("universal")
    assert isinstance(loaded, UniversalBundle)
    axes = va.Surface(holes(surface(0.2), 0.2), TENORS, deltas=DELTAS)
    assert (levels_alone(loaded, axes, np.log(axes.vols)[None]).expiries == 0.0).all()


def test_quotes_that_are_badly_foretold_widen_bands() -> None:
    loaded = imputer("universal")
    assert isinstance(loaded, UniversalBundle)
    u, rows = np.tile(np.linspace(-2, 2, 30), 10), np.repeat(np.arange(10), 30)
    zscore, nothing = np.full((2, 300), [[1.0], [3.0]]), np.zeros((2, 300))
    factor = regressors(u, rows, nothing, zscore, nothing) @ loaded.arrays["level_surface_stretch"]
    assert (factor[1] > factor[0] + np.log(1.5)).all()


def test_a_history_is_favoured_on_columns_that_pairs_are_quoted_at() -> None:
    """ATM quotes at 14% say nothing of smiles: on a ladder that no pair has, other kinds stay likelier."""
    fx, years = imputer("fx"), np.array([0.1, 0.25, 0.5, 1.0, 2.0])
    shares = []
    for deltas in (np.array(DELTAS), LADDER):
        vols = np.full((5, len(deltas)), np.nan)
        vols[:, np.abs(deltas - 0.5).argmin()] = 0.14 * np.array([1.04, 1.02, 1.0, 0.99, 0.98])
        axes = va.Surface(vols, years.tolist(), deltas=deltas)
        cells = np.log(vols)[None]
        given = answers(fx, axes, cells, None, 1.0, QuotesAlone.of(fx, axes, cells))[1]
        share = given.history.reshape(vols.shape)
        shares.append(share[:, np.abs(deltas - 0.1).argmin()])
    assert (shares[1] < shares[0] - 0.1).all()
