"""eSSVI surfaces beside the processes: exact on their own kind, and no harm elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

import voladdin as va
from voladdin.imputation import parametric, weighing
from voladdin.imputation.essvi import Fit, Places, Prior, fitted
from voladdin.imputation.model import imputer

TENORS = np.array([0.08, 0.25, 0.5, 1.0, 2.0, 4.0])
T = np.log(TENORS)
U = np.linspace(-2.0, 2.0, 9)


def ssvi(k, tenors=TENORS, level=0.2, rho=-0.5, eta=1.0, gamma=0.4):
    """[T, K] vols at ln(K/F); the ATM vol rises with the tenor. Gatheral and Jacquier (2014), section 4."""
    theta = (level**2 * tenors * (1.0 + 0.1 * np.log(tenors + 1.0)))[:, None]
    y = eta * theta**-gamma * (1.0 + theta) ** (gamma - 1.0) * k
    w = 0.5 * theta * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho * rho))
    return np.sqrt(w / tenors[:, None])


def strikes(level=0.2, width=1.0):
    return width * level * np.sqrt(TENORS)[:, None] * U


def places(k):
    rows = np.repeat(np.arange(len(TENORS)), k.shape[1])
    return Places(rows, k.ravel(), np.tile(U, len(TENORS)))


def fit_of(k, vols, drift=0.02) -> Fit:
    prior, values = Prior.of(T, float(np.log(np.median(vols))), drift), np.log(vols).ravel()
    start = prior.near(np.log(vols[:, 4]), places(k), values)
    found = fitted(prior, start, places(k), values, 0.01, 0.1)
    assert found is not None
    return found


@given(st.floats(0.005, 1.0), st.floats(-0.9, 0.9), st.floats(0.1, 1.0), st.floats(0.2, 0.5))
@settings(max_examples=25, deadline=None)
def test_an_ssvi_surface_is_found_and_goes_on_beyond_its_quotes(level, rho, eta, gamma):
    shape = {"level": level, "rho": rho, "eta": eta, "gamma": gamma}
    fit = fit_of(strikes(level), ssvi(strikes(level), **shape))
    beyond = strikes(level, 2.0)
    mean, variance = fit.ask(places(beyond))
    error = mean - np.log(ssvi(beyond, **shape)).ravel()
    assert np.abs(error).max() < 0.03 and fit.noise < 2e-3
    assert (variance > 0).all()


def test_the_start_is_the_smile_that_flat_surfaces_share():
    """Of one theta at all expiries the two numbers are exact, but for beta."""
    years = np.full(3, 0.5) * [1.0, 1.0001, 1.0002]
    prior, k = Prior.of(np.log(years), np.log(0.2), 0.02), np.tile(0.14 * U, (3, 1))
    vols = ssvi(k, years)
    rows = np.repeat(np.arange(3), len(U))
    at = Places(rows, k.ravel(), np.tile(U, 3))
    found, _ = prior.linear(prior.point(prior.near(np.log(vols[:, 4]), at, np.log(vols).ravel())), at)
    np.testing.assert_allclose(found, np.log(vols).ravel(), atol=2e-4)


def test_derivatives_are_those_of_differences():
    prior, at = Prior.of(T, np.log(0.2), 0.3), places(strikes())
    e = 0.3 * np.cos(np.arange(len(prior.mean)))
    _, slopes = prior.linear(prior.point(e), at)
    for number in range(len(e)):
        step = 1e-5 * (np.arange(len(e)) == number)
        ends = [prior.linear(prior.point(e + sign * step), at)[0] for sign in (1.0, -1.0)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-5, slopes[:, number], atol=1e-7)


def test_a_quote_left_out_is_what_a_fit_without_it_says():
    k = strikes()
    noisy = ssvi(k) * np.exp(0.01 * np.random.default_rng(0).standard_normal(k.shape))
    fit, left = fit_of(k, noisy), 20
    kept = np.setdiff1d(np.arange(k.size), left)
    start = fit.prior.near(np.log(noisy[:, 4]), places(k), np.log(noisy).ravel())
    again = fitted(fit.prior, start, places(k)[kept], np.log(noisy).ravel()[kept], 0.01, 0.1)
    mean, _ = again.ask(places(k)[np.array([left])])
    assert fit.residual[left] == pytest.approx(np.log(noisy).ravel()[left] - mean[0], abs=1e-3)


@given(st.integers(0, 10**6), st.floats(1e-4, 50.0), st.sampled_from(["deltas", "moneyness"]))
@settings(max_examples=25, deadline=None)
def test_quotes_that_no_smile_has_are_answered(seed, longest, axis):
    rng = np.random.default_rng(seed)
    tenors, vols = (
        longest * np.array([0.001, 0.1, 0.5, 1.0]),
        np.exp(rng.uniform(np.log(1e-4), np.log(9.9), (4, 5))),
    )
    shown, hidden = without(vols, 0.3, seed)
    places = np.linspace(0.9, 0.1, 5) if axis == "deltas" else np.linspace(-3.0, 3.0, 5)
    if hidden.all():
        return
    filled = va.impute(va.Surface(shown, tenors, **{axis: places}), model="universal").filled
    assert np.isfinite(filled).all() and (filled > 0).all() and (filled <= 10.0).all()


def without(vols, share, seed=1):
    hidden = np.random.default_rng(seed).random(vols.shape) < share
    return np.where(hidden, np.nan, vols), hidden


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_fills_of_an_ssvi_surface_are_exact(share, monkeypatch):
    vols = ssvi(strikes())
    shown, hidden = without(vols, share)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    filled = va.impute(surface, model="universal").filled
    assert np.abs(filled / vols - 1.0)[hidden].max() < 1e-3
    monkeypatch.setattr(weighing, "with_parametric", lambda axes, cells, found, tried: found)
    processes = va.impute(surface, model="universal").filled
    assert np.abs(filled / vols - 1.0)[hidden].mean() < 0.5 * np.abs(processes / vols - 1.0)[hidden].mean()


def test_deltas_are_those_of_the_fill_itself():
    deltas = np.array([0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1])
    vols = np.full((len(TENORS), len(deltas)), 0.2)
    for _ in range(60):
        total = vols * np.sqrt(TENORS)[:, None]
        vols = ssvi(total * (0.5 * total - ndtri(deltas)))
    shown, hidden = without(vols, 0.4)
    found = va.impute(va.Surface(shown, TENORS, deltas=deltas), model="universal")
    assert np.abs(found.filled / vols - 1.0)[hidden].max() < 2e-3


def test_surfaces_of_another_kind_stay_with_the_processes(monkeypatch):
    """Waves across strikes that no three numbers of an expiry have."""
    vols = ssvi(strikes()) * (1.0 + 0.05 * np.sin(4.0 * U))
    shown, _ = without(vols, 0.2)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    mixed = va.impute(surface, model="universal")
    monkeypatch.setattr(weighing, "with_parametric", lambda axes, cells, found, tried: found)
    alone = va.impute(surface, model="universal")
    np.testing.assert_allclose(mixed.filled, alone.filled, rtol=1e-3)


def test_only_the_quotes_at_the_money_tell_no_smiles_apart(monkeypatch):
    monkeypatch.setattr(parametric, "fitted", lambda *_: pytest.fail("tried"))
    shown = np.full((len(TENORS), len(U)), np.nan)
    shown[:, 4] = 0.2
    va.impute(va.Surface(shown, TENORS, moneyness=strikes()), model="universal")


def test_a_surface_that_the_history_knows_is_left_to_it(monkeypatch):
    monkeypatch.setattr(parametric, "fitted", lambda *_: pytest.fail("tried"))
    history = imputer("fx")
    grid = history.card["grid"]
    usual = np.exp(history.levels.whole[0]).reshape(len(grid["tenors_years"]), len(grid["call_deltas"]))
    shown, _ = without(usual[:, ::-1], 0.4)
    surface = va.Surface(shown, grid["tenors_years"], deltas=grid["call_deltas"][::-1])
    assert va.impute(surface).model.startswith("fx")


def test_surfaces_of_a_batch_are_answered_as_alone():
    vols = np.stack([without(ssvi(strikes(), rho=rho), 0.4, seed)[0] for seed, rho in enumerate((-0.6, 0.1))])
    both = va.impute_batch(vols, TENORS, moneyness=strikes(), model="universal")
    for number, one in enumerate(vols):
        alone = va.impute(va.Surface(one, TENORS, moneyness=strikes()), model="universal")
        np.testing.assert_allclose(both.filled[number], alone.filled, rtol=1e-9)
