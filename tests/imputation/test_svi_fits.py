"""Expiries with raw SVI smiles of their own: their numbers, what a surface gains, where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

import voladdin as va
from voladdin.imputation.fits import parametric, svi
from voladdin.imputation.fits.essvi import Prior
from voladdin.imputation.fits.families import ESSVI, SSVI, SVI
from voladdin.imputation.fits.fitted_quotes import Places, Quotes
from voladdin.imputation.fits.gauss_newton import fitted

TENORS = np.array([0.05, 0.1, 0.25, 0.5, 1.0, 2.0])
DELTAS = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])


def raw(k, a, b, rho, m, sigma):
    """Total variance; Gatheral and Jacquier (2014), equation 3.1."""
    return a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))


def smiles_of(k, seed=3):
    """[T, K] vols at ln(K/F): each expiry's shift, floor and width are its own."""
    rng, rows = np.random.default_rng(seed), []
    for row, years in zip(k, TENORS, strict=True):
        unit = 0.25 * np.sqrt(years)
        m, sigma, rho = rng.uniform(-0.8, 0.8) * unit, rng.uniform(0.3, 1.5) * unit, rng.uniform(-0.6, 0.3)
        b = rng.uniform(0.2, 0.5) * unit
        a = unit**2 - raw(0.0, 0.0, b, rho, m, sigma)
        rows.append(np.sqrt(raw(row, a, b, rho, m, sigma) / years))
    return np.stack(rows)


def on_deltas():
    vols = np.full((len(TENORS), len(DELTAS)), 0.25)
    for _ in range(200):
        total = vols * np.sqrt(TENORS)[:, None]
        vols += 0.5 * (smiles_of(total * (0.5 * total - ndtri(DELTAS))) - vols)
    return vols


@pytest.mark.parametrize(("m", "sigma", "a"), [(0.05, 0.1, 0.01), (-0.1, 0.05, 0.002), (0.0, 0.3, -0.005)])
def test_the_smile_has_the_five_numbers_of_raw_svi(m, sigma, a):
    b, rho, k = 0.1, -0.4, np.linspace(-0.5, 0.5, 41)
    scale = np.sqrt(1.0 - rho**2) / sigma
    shift = rho + scale * m
    theta = raw(0.0, a, b, rho, m, sigma)
    at_zero = 1.0 - rho * shift + np.sqrt((rho - shift) ** 2 + 1.0 - rho**2)
    lift = np.log(b * at_zero / (scale * theta))
    value, *_ = svi.of_strikes(rho, scale * k, shift, lift)
    np.testing.assert_allclose(theta * np.exp(2.0 * value), raw(k, a, b, rho, m, sigma), rtol=1e-9)


def test_own_deviations_are_those_of_the_smile_itself():
    y = np.linspace(-4.0, 4.0, 33)
    value = svi.of_own(-0.5, y, 0.3, 0.4)
    np.testing.assert_allclose(svi.of_strikes(-0.5, y * np.exp(value), 0.3, 0.4)[0], value, atol=1e-6)


def test_a_fit_that_starts_from_another_family_begins_where_that_ended():
    t = np.log(TENORS)
    before, after = (Prior.of(t, np.log([0.25]), family) for family in (ESSVI, SVI))
    e = 0.5 * np.sin(np.arange(before.size))[None]
    rows, k = np.repeat(np.arange(len(t)), 5), np.tile(np.linspace(-0.3, 0.3, 5), len(t))[None]
    at = Places(rows, k, np.zeros(len(rows)))
    said = [prior.linear(z, at).value for prior, z in ((before, e), (after, after.started(before, e)))]
    np.testing.assert_allclose(*said, atol=1e-9)


def test_smiles_of_their_own_are_found():
    k = 0.25 * np.sqrt(TENORS)[:, None] * np.linspace(-2.5, 2.5, 15)
    vols, t = np.log(smiles_of(k)).reshape(1, -1), np.log(TENORS)
    places = Places(np.repeat(np.arange(len(t)), 15), k.reshape(1, -1), np.zeros(vols.size))
    quotes, typical = Quotes(places, vols, np.ones_like(vols)), np.array([0.01])
    prior = Prior.of(t, np.log([0.25]), SSVI)
    e, noise, left = prior.near(vols.reshape(1, len(t), -1)[..., 7], quotes), None, []
    for family in (SSVI, ESSVI, SVI):
        before, prior = prior, Prior.of(t, np.log([0.25]), family)
        fits = fitted(prior, prior.started(before, e), quotes, typical, noise if family is SVI else None)
        e, noise = fits.e, fits.noise
        left.append(np.abs(prior.linear(e, places).value - vols).max())
    assert left[2] < 2e-3 < 0.02 < left[1] < left[0]


@pytest.mark.parametrize("listed", [True, False])
def test_a_surface_of_them_is_filled_as_svi_has_it(listed, monkeypatch):
    k = 0.25 * np.sqrt(TENORS)[:, None] * np.linspace(-2.0, 2.0, 11)
    vols, axis = (smiles_of(k), {"moneyness": k}) if listed else (on_deltas(), {"deltas": DELTAS})
    hidden = np.random.default_rng(5).random(vols.shape) < 0.2
    surface = va.Surface(np.where(hidden, np.nan, vols), TENORS, **axis)
    error = np.abs(va.impute(surface, model="universal").filled / vols - 1.0)[hidden].mean()
    monkeypatch.setattr(parametric, "_OWN_QUOTES", 1_000)
    before = np.abs(va.impute(surface, model="universal").filled / vols - 1.0)[hidden].mean()
    assert error < 0.4 * before


def test_they_say_nothing_of_an_expiry_with_fewer_quotes_than_numbers(monkeypatch):
    vols, few = on_deltas(), np.array([2, 4])
    vols[2], vols[4, 4:], vols[0, 3] = np.nan, np.nan, np.nan
    surface = va.Surface(vols, TENORS, deltas=DELTAS)
    found = va.impute(surface, model="universal", arbitrage_free=False).filled
    monkeypatch.setattr(parametric, "_OWN_QUOTES", 1_000)
    without = va.impute(surface, model="universal", arbitrage_free=False).filled
    np.testing.assert_allclose(found[few], without[few], rtol=1e-9)
    assert abs(found[0, 3] / without[0, 3] - 1.0) > 1e-5


@pytest.mark.parametrize("hidden", ["wings", "most of an expiry"])
def test_smiles_that_drift_are_essvis_where_expiries_have_many_quotes_too(hidden):
    """Nine strikes an expiry: SSVI's smiles with correlations that rise with it, and the wings' own power."""
    tenors, k = np.array([0.1, 0.25, 0.5, 1.0, 2.0]), np.linspace(-0.35, 0.3, 9)
    rho, theta = np.linspace(-0.7, -0.3, 5)[:, None], 0.04 * tenors[:, None]
    y = theta**-0.4 * (1.0 + theta) ** -0.6 * k
    w = 0.5 * theta * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho**2))
    vols = np.sqrt(w / tenors[:, None])
    shown = vols.copy()
    if hidden == "wings":
        shown[:, :2] = shown[:, -2:] = np.nan
    else:
        shown[1, [0, 1, 3, 5, 7, 8]] = np.nan
    found = va.impute(va.Surface(shown, tenors, moneyness=np.tile(k, (5, 1))), model="universal")
    assert np.abs(found.filled / vols - 1.0).max() < 1e-4
