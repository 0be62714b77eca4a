"""Fits of SVI smiles beside the processes: exact on their own kind, and no harm elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

import voladdin as va
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.imputation import weighing
from voladdin.imputation.fits import essvi, parametric
from voladdin.imputation.fits.essvi import SHAPE, Prior
from voladdin.imputation.fits.families import ESSVI, SSVI, SVI, Family
from voladdin.imputation.fits.fitted_quotes import Places, Quotes
from voladdin.imputation.fits.gauss_newton import Fits, fitted
from voladdin.imputation.history.posterior import Posterior
from voladdin.imputation.model import imputer
from voladdin.imputation.notes import words

TENORS = np.array([0.08, 0.25, 0.5, 1.0, 2.0, 4.0])
T = np.log(TENORS)
U = np.linspace(-2.0, 2.0, 9)
DELTAS = np.array([0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1])
DRIFTING = Family(0.02, 0.1)


def ssvi(k, tenors=TENORS, level=0.2, rho=-0.5, eta=1.0, gamma=0.4):
    """[T, K] vols at ln(K/F); the ATM vol rises with the tenor. Gatheral and Jacquier (2014), section 4."""
    theta = (level**2 * tenors * (1.0 + 0.1 * np.log(tenors + 1.0)))[:, None]
    y = eta * theta**-gamma * (1.0 + theta) ** (gamma - 1.0) * k
    w = 0.5 * theta * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho * rho))
    return np.sqrt(w / tenors[:, None])


def processes_alone(axes, cells, found, tried, *, earlier=False):
    return found, np.zeros_like(found.mean)


def strikes(level=0.2, width=1.0):
    return width * level * np.sqrt(TENORS)[:, None] * U


def places(k):
    rows = np.repeat(np.arange(len(TENORS)), k.shape[1])
    return Places(rows, k.reshape(1, -1), np.tile(U, len(TENORS)))


def quotes_of(k, vols, weight=1.0):
    values = np.log(vols).reshape(1, -1)
    return Quotes(places(k), values, np.broadcast_to(weight, values.shape))


def fit_of(k, vols, weight=1.0) -> Fits:
    prior = Prior.of(T, np.log([np.median(vols)]), DRIFTING)
    quotes = quotes_of(k, vols, weight)
    start = prior.near(np.log(vols[None, :, 4]), quotes)
    return fitted(prior, start, quotes, np.array([0.01]))


def asked(fit: Fits, at: Places):
    """Mean and variance [1, n] of ln vols quoted at cells."""
    about = fit.linear(at)
    return about.value, fit.spread(about)


@given(st.floats(0.005, 1.0), st.floats(-0.9, 0.9), st.floats(0.1, 1.0), st.floats(0.2, 0.5))
@settings(max_examples=25, deadline=None)
def test_an_ssvi_surface_is_found_and_goes_on_beyond_its_quotes(level, rho, eta, gamma):
    shape = {"level": level, "rho": rho, "eta": eta, "gamma": gamma}
    fit = fit_of(strikes(level), ssvi(strikes(level), **shape))
    beyond = strikes(level, 2.0)
    mean, variance = asked(fit, places(beyond))
    error = mean[0] - np.log(ssvi(beyond, **shape)).ravel()
    assert np.abs(error).max() < 0.03 and fit.noise[0] < 2e-3
    assert (variance > 0).all()


def test_smiles_at_the_edge_of_correlations_have_numbers():
    """One wing flat in total variance: rho of one, which rounding would take over."""
    k = strikes()
    for side in (-1.0, 1.0):
        vols = (
            0.2
            * np.sqrt(0.5 * (1.0 + 6.0 * side * U + np.abs(1.0 + 6.0 * side * U)) + 1e-9)
            * np.ones((6, 1))
        )
        fit = fit_of(k, vols)
        assert np.isfinite(fit.e).all() and np.isfinite(asked(fit, places(strikes(width=3.0)))).all()


def test_the_start_is_the_smile_that_flat_surfaces_share():
    """Of one theta at all expiries the two numbers are exact, but for beta."""
    years = np.full(3, 0.5) * [1.0, 1.0001, 1.0002]
    prior, k = Prior.of(np.log(years), np.log([0.2]), DRIFTING), np.tile(0.14 * U, (3, 1))
    vols = ssvi(k, years)
    at = Places(np.repeat(np.arange(3), len(U)), k.reshape(1, -1), np.tile(U, 3))
    values = np.log(vols).reshape(1, -1)
    start = prior.near(np.log(vols[None, :, 4]), Quotes(at, values, np.ones_like(values)))
    np.testing.assert_allclose(prior.linear(start, at).value, values, atol=2e-4)


@pytest.mark.parametrize("family", [ESSVI, SVI])
def test_derivatives_are_those_of_differences(family):
    prior, at = Prior.of(T, np.log([0.2]), family), places(strikes())
    e = 0.3 * np.cos(np.arange(prior.size))[None]
    slopes = prior.linear(e, at).by_e
    for number in range(e.shape[1]):
        step = 1e-5 * (np.arange(e.shape[1]) == number)
        ends = [prior.linear(e + sign * step, at).value for sign in (1.0, -1.0)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-5, slopes[..., number], atol=1e-7)


@pytest.mark.parametrize("family", [SSVI, SVI])
def test_sums_expiry_by_expiry_are_those_of_all_derivatives(family):
    """Of two surfaces, each with cells of its own."""
    prior, rng, k = Prior.of(T, np.log([0.2, 0.3]), family), np.random.default_rng(4), strikes().ravel()
    cells = np.stack([rng.permutation(len(k))[:25] for _ in range(2)])
    at = Places(np.repeat(np.arange(len(TENORS)), len(U))[cells], k[cells], np.tile(U, len(TENORS))[cells])
    about = prior.linear(0.3 * rng.standard_normal((2, prior.size)), at)
    quotes = Quotes(at, rng.standard_normal(cells.shape), rng.random(cells.shape))
    sums, turns = about.sums(quotes, at.members(len(TENORS))), prior.turns
    left, weighed = quotes.values - about.value, about.by_e * quotes.trust[..., None]
    products = np.einsum("rjp,frjk,rkq->fpq", turns, sums[..., :-1, :-1], turns)
    np.testing.assert_allclose(products, weighed.swapaxes(1, 2) @ about.by_e, atol=1e-12)
    slope = np.einsum("rjp,frj->fp", turns, sums[..., :-1, -1])
    np.testing.assert_allclose(slope, np.einsum("fnp,fn->fp", weighed, left), atol=1e-12)
    np.testing.assert_allclose(sums[..., -1, -1].sum(1), (left**2 * quotes.trust).sum(1))
    root = rng.standard_normal((2, prior.size, prior.size))
    dense = ((about.by_e @ root.swapaxes(1, 2)) ** 2).sum(-1)
    np.testing.assert_allclose(about.spread(root), dense, rtol=1e-9)


def test_a_quote_left_out_is_what_a_fit_without_it_says():
    k, left = strikes(), 20
    noisy = ssvi(k) * np.exp(0.01 * np.random.default_rng(0).standard_normal(k.shape))
    fit, again = fit_of(k, noisy), fit_of(k, noisy, weight=1.0 * (np.arange(k.size) != left))
    mean, _ = asked(again, places(k))
    said = np.log(noisy).ravel()[left] - mean[0, left]
    assert fit.residual[0, left] == pytest.approx(said, abs=1e-3)


def test_surfaces_are_fitted_together_as_alone():
    """Some of them with more quotes than others, and one that is no smile."""
    k, rng = strikes(), np.random.default_rng(2)
    several = np.stack([ssvi(k, rho=rho) for rho in (-0.7, 0.0, 0.4, -0.2)])
    several[3] *= np.exp(0.2 * rng.standard_normal(k.shape))
    weight = 1.0 * (rng.random((4, k.size)) < 0.7)
    values, prior = np.log(several).reshape(4, -1), Prior.of(T, np.log(np.full(4, 0.2)), DRIFTING)
    quotes = Quotes(replace(places(k), k=np.tile(k.ravel(), (4, 1))), values, weight)
    typical, start = np.full(4, 0.01), np.zeros((4, prior.size))
    found = fitted(prior, start, quotes, typical)
    assert (found.noise > 0.02).tolist() == [False, False, False, True]
    for i in range(4):
        one = np.array([i])
        alone = fitted(prior.some(one), start[one], quotes.of(one), typical[one])
        np.testing.assert_allclose(alone.e[0], found.e[i], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(alone.variance[0], found.variance[i], rtol=1e-9)


def without(vols, share, seed=1):
    hidden = np.random.default_rng(seed).random(vols.shape) < share
    return np.where(hidden, np.nan, vols), hidden


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_fills_of_an_ssvi_surface_are_exact(share, monkeypatch):
    vols = ssvi(strikes())
    shown, hidden = without(vols, share)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    found = va.impute(surface, model="universal")
    filled = found.filled
    assert np.abs(filled / vols - 1.0)[hidden].max() < 1e-3
    assert "SVI" in found.model
    monkeypatch.setattr(weighing, "with_parametric", processes_alone)
    processes = va.impute(surface, model="universal").filled
    assert np.abs(filled / vols - 1.0)[hidden].mean() < 0.5 * np.abs(processes / vols - 1.0)[hidden].mean()


def test_fewer_quotes_than_two_an_expiry_are_told_by_ssvi_alone(monkeypatch):
    """Eight quotes of six expiries: eSSVI has as many numbers as these, and is not asked."""
    families = []
    monkeypatch.setattr(
        parametric, "fitted", lambda prior, *rest: families.append(prior.family) or fitted(prior, *rest)
    )
    vols, shown = ssvi(strikes()), np.full((6, 9), np.nan)
    at = [0, 1, 1, 2, 3, 3, 4, 5], [6, 1, 6, 7, 2, 7, 8, 3]
    shown[at] = vols[at]
    found = va.impute(va.Surface(shown, TENORS, moneyness=strikes()), model="universal")
    assert families == [SSVI] and "SVI" in found.model
    hidden = np.isnan(shown)
    monkeypatch.setattr(weighing, "with_parametric", processes_alone)
    processes = va.impute(va.Surface(shown, TENORS, moneyness=strikes()), model="universal")
    fitted_error, alone = (np.abs(one.filled / vols - 1.0)[hidden].mean() for one in (found, processes))
    assert fitted_error < alone


def test_deltas_are_those_of_the_fill_itself():
    vols = on_deltas(ssvi)
    shown, hidden = without(vols, 0.4)
    found = va.impute(va.Surface(shown, TENORS, deltas=DELTAS), model="universal")
    assert np.abs(found.filled / vols - 1.0)[hidden].max() < 2e-3


def test_surfaces_of_another_kind_stay_with_the_processes(monkeypatch):
    """Waves across strikes that no three numbers of an expiry have."""
    vols = ssvi(strikes()) * (1.0 + 0.05 * np.sin(4.0 * U))
    shown, _ = without(vols, 0.2)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    mixed = va.impute(surface, model="universal")
    assert "SVI" not in mixed.model
    monkeypatch.setattr(weighing, "with_parametric", processes_alone)
    alone = va.impute(surface, model="universal")
    np.testing.assert_allclose(mixed.filled, alone.filled, rtol=1e-3)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_the_weights_of_an_answer_add_up(history, rest):
    parts = np.array([[history, (1.0 - history) * rest]]).T
    shares = weighing.Shares(*(part[None] for part in parts))
    found = Posterior.nothing((1, 1))
    said = words(imputer("fx"), np.ones((1, 1, 1)), shares, found, None, np.ones((1, 1, 1), dtype=np.bool_))
    weights = {name: int(weight) for name, weight in re.findall(r"(\w+) (\d+)%", said)} or {said: 100}
    asked = {"fx": history, "universal": (1.0 - history) * (1.0 - rest), "SVI": parts[1, 0]}
    assert sum(weights.values()) == 100
    assert all(abs(weights.get(name, 0) - 100.0 * weight) <= 1.0 for name, weight in asked.items())


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


def on_deltas(smiles):
    """[T, K] vols at `DELTAS` of smiles that take ln(K/F)."""
    vols = np.full((len(TENORS), len(DELTAS)), 0.2)
    for _ in range(60):
        total = vols * np.sqrt(TENORS)[:, None]
        vols = smiles(total * (0.5 * total - ndtri(DELTAS)))
    return vols


def test_surfaces_of_a_batch_are_answered_as_alone():
    """Of one of them expiries have quotes enough for smiles of their own."""
    kinds = [(share, rho) for rho in (-0.6, 0.1) for share in (0.5, 0.05)]
    several = (without(on_deltas(partial(ssvi, rho=rho)), share, 1)[0] for share, rho in kinds)
    vols = np.stack(list(several))
    both = va.impute_batch(vols, TENORS, deltas=DELTAS, model="universal")
    for number, one in enumerate(vols):
        alone = va.impute(va.Surface(one, TENORS, deltas=DELTAS), model="universal")
        np.testing.assert_allclose(both.filled[number], alone.filled, rtol=1e-9)


@pytest.mark.parametrize("before", [{"level": 0.22, "rho": -0.45, "eta": 0.95}, {"level": 0.35, "rho": -0.2}])
def test_an_exact_fit_is_heard_beside_yesterdays_surface(before):
    """An SSVI surface whose quotes tell it goes on as these say, whether yesterday's was like it or not."""
    vols = ssvi(strikes())
    shown, hidden = without(vols, 0.4)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    earlier = va.Surface(ssvi(strikes(), **before), TENORS, moneyness=strikes())
    found = va.impute(surface, model="universal", prior=earlier)
    assert np.abs(found.filled / vols - 1.0)[hidden].max() < 2e-3 and "SVI" in found.model


def test_fits_are_heard_less_beside_yesterdays_surface(monkeypatch):
    """Of a surface with noise that moved as a whole: what yesterday's says of it is as good as any fit."""
    rng, vols = np.random.default_rng(2), ssvi(strikes())
    vols = vols * np.exp(0.01 * rng.standard_normal(vols.shape))
    shown, _ = without(vols, 0.4)
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    before = va.Surface(
        1.05 * vols * np.exp(0.004 * rng.standard_normal(vols.shape)), TENORS, moneyness=strikes()
    )

    def weight():
        said = va.impute(surface, model="universal", prior=before).model
        return int((re.findall(r"SVI (\d+)%", said) or ["0"])[0])

    found = weight()
    monkeypatch.setattr(parametric, "_AGAINST_EARLIER", 0.0)
    assert found < 0.5 * weight()


def test_of_an_expiry_without_quotes_yesterdays_surface_says_more_than_a_fit(monkeypatch):
    shown = ssvi(strikes())
    shown[2] = np.nan
    surface = va.Surface(shown, TENORS, moneyness=strikes())
    before = va.Surface(ssvi(strikes(), level=0.21), TENORS, moneyness=strikes())
    found = va.impute(surface, model="universal", prior=before).filled
    monkeypatch.setattr(weighing, "with_parametric", processes_alone)
    np.testing.assert_allclose(found, va.impute(surface, model="universal", prior=before).filled, rtol=1e-9)


@pytest.mark.parametrize(("bent", "too"), [(3.99, False), (6.0, False), (6.5, True)])
@pytest.mark.parametrize("rho", [-0.9, -0.6, 0.0, 0.3])
def test_smiles_may_bend_as_far_as_none_has_butterflies_and_a_little_farther(rho, bent, too):
    """Of a short expiry, on dense strikes; Gatheral and Jacquier (2014), theorem 4.2."""
    level, (tenor, c) = 0.2, (0.02, np.sqrt(bent / (1.0 + abs(rho))))
    theta = level**2 * tenor
    e = np.zeros((1, 5))
    e[0, 0] = (np.arctanh(rho) - SHAPE[0, 0]) / SHAPE[0, 1]
    e[0, 2] = (np.log(c) - 0.1 * np.log(theta) + 0.6 * np.log1p(theta)) / SHAPE[2, 1]
    prior = Prior.of(np.log([tenor]), np.log([level]), SSVI)
    u = np.linspace(-6.0, 6.0, 241)
    at = Places(np.zeros(len(u), dtype=int), (u * np.sqrt(theta))[None], u)
    smile = np.exp(prior.linear(e, at).value)
    expected = level * np.sqrt(0.5 * (1.0 + rho * c * u + np.sqrt((c * u + rho) ** 2 + 1.0 - rho**2)))
    np.testing.assert_allclose(smile[0], expected, rtol=1e-6)
    assert arbitrage_free(va.Surface(smile, [tenor], moneyness=at.k), smile[None])[0] or bent > 4.0
    assert prior.too_bent(e)[0] == too


EVER = np.array([0.003, 0.019, 0.058, 0.082, 0.168, 0.25, 0.499, 1.004, 3.975, 9.972])
PUTS = 0.001 * np.array([1.075, 1.133, 1.27, 1.29, 1.387, 1.446, 1.544, 1.68, 2.012, 2.149])
MONEY = 0.001 * np.array([1.153, 1.153, 1.27, 1.309, 1.387, 1.446, 1.544, 1.68, 2.012, 2.149])


@pytest.mark.parametrize("times", [1.0, 150.0])
def test_beside_the_money_and_a_put_all_but_equal_no_wing_is_far_higher(times, monkeypatch):
    """A pegged pair's, and as high as a stock's. A V between the two suits them as well, with wings at tens
    of their vol.
    """
    deltas = [0.98, 0.9, 0.7, 0.5, 0.3, 0.1, 0.02]
    vols = np.full((len(EVER), len(deltas)), np.nan)
    vols[:, 2], vols[:, 3] = times * PUTS, times * MONEY
    surface = va.Surface(vols, EVER, deltas=deltas)

    def highest():
        return (va.impute(surface, model="universal").filled / vols[:, [3]]).max()

    assert highest() < 2.0
    monkeypatch.setattr(essvi, "_MOST_BENT", np.inf)
    assert highest() > 5.0


def wings(seed):
    """[T, 3] vols with noise of 25 delta on both sides, and none at the money."""
    rng = np.random.default_rng(seed)
    lean, vols = rng.normal(0.0, 0.03) * np.array([1, -1]), np.full((10, 3), np.nan)
    vols[:, ::2] = 0.2 * np.exp(lean + 0.01 * rng.normal(size=(10, 2)))
    return vols


def test_between_two_wings_the_money_is_not_far_below_them(monkeypatch):
    """One of these has a fit that is a V, its tip at a third of them."""
    vols, tenors = np.stack([wings(seed) for seed in range(150)]), np.geomspace(0.02, 5.0, 10)

    def lowest():
        found = va.impute_batch(vols, tenors, deltas=[0.75, 0.5, 0.25], model="universal").filled
        return (found[..., 1] / np.sqrt(found[..., 0] * found[..., 2])).min()

    assert lowest() > 0.9
    monkeypatch.setattr(essvi, "_MOST_BENT", np.inf)
    assert lowest() < 0.6
