"""Classical models by one suite: each finds its own surface, priced by QuantLib where it can price it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ql = pytest.importorskip("QuantLib")
from export.bench.classical import andreasen_huge  # noqa: E402
from export.bench.classical.catalogue import CLASSICAL  # noqa: E402
from export.bench.classical.factors import Pca, Ppca  # noqa: E402
from export.bench.classical.mixture import STARTS, _of, _slopes, fit  # noqa: E402
from export.bench.classical.strikes import OfStrikes  # noqa: E402
from export.bench.data import DeltaAxes, History  # noqa: E402
from export.simulation.quantlib import quantlib_prices  # noqa: E402
from voladdin import Surface, black, check  # noqa: E402

AXES = DeltaAxes(np.array([30, 91, 182, 365, 730]) / 365, np.array([0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9]))
HESTON = {"v0": 0.012, "kappa": 1.4, "theta": 0.02, "xi": 0.3, "rho": -0.35}
JUMPS = {"intensity": 0.3, "jump_mean": -0.04, "jump_std": 0.05}
SHIFT = {"shift": np.cumsum(np.linspace(0.001, 0.003, 5) * np.diff(AXES.tenors, prepend=0.0))}
TOLERANCES = {  # of vols, at hidden cells
    "Heston": 1e-4,
    "Bates": 5e-4,
    "Heston++": 1e-6,
    "SABR by tenor": 2e-6,
    "SVI": 2e-5,
    "SSVI": 2e-5,
    "mixture of log-normals": 2e-5,
    "Andreasen-Huge": 1e-3,
    "PCA": 1e-4,
    "PPCA": 1e-4,
    "Gaussian conditional": 1e-4,
}
FREE = ("Heston", "Bates", "Heston++", "mixture of log-normals")  # whatever they are fitted to
LEARNED = ("PCA", "PPCA", "Gaussian conditional")
SLOW = ("Heston", "Bates", "Heston++")  # one quote: `test_a_fit_takes_a_single_quote`
names = pytest.mark.parametrize("name", list(CLASSICAL))
quick = pytest.mark.parametrize("name", [name for name in CLASSICAL if name not in SLOW])


def _affine(params):
    def vols(tenors, moneyness):
        return black.implied_total_vol(quantlib_prices(params, tenors, moneyness), moneyness)

    return vols


def _sabr(tenors, moneyness):
    rows = zip(tenors, moneyness, np.linspace(1.0, 0.4, len(tenors)), strict=True)
    vols = [
        [ql.sabrVolatility(float(np.exp(k)), 1.0, float(t), 0.11, 1.0, float(nu), -0.3) for k in row]
        for t, row, nu in rows
    ]
    return np.array(vols) * np.sqrt(tenors)[:, None]


def _svi_row(tenor, row, a, b, sigma, rho, m):
    section = ql.SviSmileSection(float(tenor), 1.0, [a, b, sigma, rho, m])
    return [section.variance(float(np.exp(k))) for k in row]


def _svi(tenors, moneyness):
    rows = zip(tenors, moneyness, strict=True)
    w = [_svi_row(t, row, 0.004 * t, 0.03 * np.sqrt(t), 0.08, -0.3, 0.01) for t, row in rows]
    return np.sqrt(w)


def _ssvi(tenors, moneyness):
    """Each expiry of SSVI is an SVI smile (Gatheral and Jacquier 2014, section 4)."""
    rho, theta = -0.3, 0.0144 * tenors
    phi = 0.9 * theta**-0.45 * (1.0 + theta) ** -0.55
    parts = zip(tenors, moneyness, theta, phi, strict=True)
    w = [
        _svi_row(t, row, 0.5 * th * (1 - rho**2), 0.5 * th * p, np.sqrt(1 - rho**2) / p, rho, -rho / p)
        for t, row, th, p in parts
    ]
    return np.sqrt(w)


def _mixture(tenors, moneyness):
    """Two scenarios, a third likely to be wilder and lower."""
    weights, forwards = np.array([0.65, 0.35]), np.array([1.01, (1 - 0.65 * 1.01) / 0.35])
    variances = np.stack([0.007 * tenors, 0.03 * tenors])
    price = np.zeros_like(moneyness)
    for i, j in np.ndindex(*moneyness.shape):
        side = ql.Option.Call if moneyness[i, j] >= 0 else ql.Option.Put
        strike = float(np.exp(moneyness[i, j]))
        for m in range(2):
            deviation = float(np.sqrt(variances[m, i]))
            price[i, j] += weights[m] * ql.blackFormula(side, strike, float(forwards[m]), deviation)
    return black.implied_total_vol(price, moneyness)


def _flat(tenors, moneyness):
    return 0.12 * np.sqrt(tenors)[:, None] * np.ones_like(moneyness)


TRUTHS = {
    "Heston": _affine(HESTON),
    "Bates": _affine(HESTON | JUMPS),
    "Heston++": _affine(HESTON | SHIFT),
    "SABR by tenor": _sabr,
    "SVI": _svi,
    "SSVI": _ssvi,
    "mixture of log-normals": _mixture,
    "Andreasen-Huge": _flat,
}


def _on_deltas(total):
    """Vols [T, K] at the deltas of AXES of a surface of total vols: the strike moves until both agree."""
    s = 0.12 * np.sqrt(AXES.tenors)[:, None] * np.ones(AXES.shape)
    for _ in range(40):
        s, before = total(AXES.tenors, black.moneyness_from_delta(AXES.deltas, s)), s
        if np.abs(s - before).max() < 1e-12:
            break
    return s / np.sqrt(AXES.tenors)[:, None]


def _history(rank=3, days=300):
    """Log-vols of `rank` factors and the least of noise."""
    rng = np.random.default_rng(1)
    loadings = 0.1 * rng.normal(size=(rank, 35))
    logs = np.log(0.12) + rng.normal(size=(days, rank)) @ loadings + 1e-6 * rng.normal(size=(days, 35))
    dates = np.datetime64("2020-01-01") + np.arange(days)
    return History(("EURUSD",), dates, AXES, np.exp(logs).reshape(1, days, *AXES.shape))


def _own(name):
    """The method, and a surface that is its own."""
    method, history = CLASSICAL[name](), _history()
    method.fit(history)
    return method, history.vols[0, 7] if name in LEARNED else _on_deltas(TRUTHS[name])


def _hidden(seed=2, rate=0.5):
    """Five quotes an expiry are left, which SVI needs."""
    mask = np.random.default_rng(seed).random(AXES.shape) < rate
    mask[:, [0, 2, 3, 4, 6]] = False
    return mask


def test_every_model_has_a_tolerance_and_a_truth():
    assert set(TOLERANCES) == set(CLASSICAL) == set(TRUTHS) | set(LEARNED)


@names
def test_a_model_finds_its_own_surface(name):
    method, vols = _own(name)
    hidden = _hidden()
    got = method.predict(np.where(hidden, np.nan, vols)[None], AXES).mean[0]
    np.testing.assert_allclose(got, vols, rtol=0.0, atol=TOLERANCES[name])
    assert hidden.sum() > 3


def _is_free(vols):
    return not check(Surface(vols, tenors=AXES.tenors, deltas=AXES.deltas), tolerance=1e-6).violations


@pytest.mark.parametrize("name", FREE)
def test_what_is_fitted_to_quotes_with_arbitrage_has_none(name):
    """Noise of 20% a quote: the quotes violate, the model's own vols do not."""
    rng = np.random.default_rng(0)
    noisy = _on_deltas(_ssvi) * np.exp(0.2 * rng.normal(size=AXES.shape))
    assert not _is_free(noisy)
    shown = noisy.copy()
    shown[:, 1] = np.nan  # a row that is whole stays as it is quoted
    got = CLASSICAL[name]().predict(shown[None], AXES).mean[0]
    assert _is_free(got)


@quick
def test_one_quote_is_enough(name):
    method, _ = _own(name)
    vols = np.full((1, *AXES.shape), np.nan)
    vols[0, 2, 2] = 0.1
    got = method.predict(vols, AXES).mean
    assert got.shape == vols.shape and np.isfinite(got).all() and (got > 0.0).all()


@quick
def test_a_batch_is_one_at_a_time(name):
    method, vols = _own(name)
    both = np.stack([np.where(_hidden(seed), np.nan, vols) for seed in (3, 4)])
    together = method.predict(both, AXES).mean
    for surface, alone in zip(both, together, strict=True):
        np.testing.assert_allclose(method.predict(surface[None], AXES).mean[0], alone, rtol=1e-9)


def test_a_mixture_has_its_mean_at_the_forward_and_clocks_that_rise():
    vols = _on_deltas(_mixture)
    s = vols * np.sqrt(AXES.tenors)[:, None]
    found = fit(AXES.tenors, black.moneyness_from_delta(AXES.deltas, s)[:, ::-1], vols[:, ::-1])
    assert found.weights @ found.forwards == pytest.approx(1.0)
    assert (np.diff(found.variances, axis=1) >= 0.0).all()
    lighter = int(found.weights.argmin())
    assert found.weights[lighter] == pytest.approx(0.35, abs=0.02)
    np.testing.assert_allclose(found.variances[lighter], 0.03 * AXES.tenors, rtol=0.03)


@given(
    st.floats(-6, 6), st.floats(-0.8, 0.8), st.lists(st.floats(0.01, 0.2), min_size=8, max_size=8)
)  # fmt: skip
def test_slopes_of_a_mixture_are_those_of_its_prices(logit, apart, steps):
    tenors, moneyness = np.array([0.1, 0.5, 1.0, 2.0]), np.linspace(-0.3, 0.3, 5) * np.ones((4, 1))
    p, h = np.array([logit, apart, *steps]), 1e-6
    prices = [
        [_of(p + sign * h * unit, tenors).otm_prices(tenors, moneyness) for sign in (1, -1)]
        for unit in np.eye(10)
    ]
    wanted = np.stack([(up - down) / (2 * h) for up, down in prices], axis=-1)
    np.testing.assert_allclose(_slopes(p, tenors, moneyness), wanted, atol=2e-8)


@pytest.mark.parametrize("truth", [_svi, _sabr])
def test_a_mixture_is_fitted_as_well_as_it_can_be(truth, monkeypatch):
    """On surfaces that are not its own, 36 more starts find nothing better: what it misses is the model's."""
    vols = _on_deltas(truth)[:, ::-1]
    moneyness = black.moneyness_from_delta(AXES.deltas[::-1], vols * np.sqrt(AXES.tenors)[:, None])

    def missed():
        found = fit(AXES.tenors, moneyness, vols).vols(AXES.tenors, moneyness)
        return float(np.sqrt(((found - vols) ** 2).mean()))

    few, rng = missed(), np.random.default_rng(0)
    more = zip(rng.uniform(-3, 3, 36), rng.uniform(-4, 4, 36), strict=True)
    monkeypatch.setattr("export.bench.classical.mixture.STARTS", (*STARTS, *more))
    assert few > 2e-4
    assert few < 1.02 * missed()


@pytest.mark.parametrize("name", ["SVI", "SABR by tenor"])
def test_a_smile_of_few_quotes_has_the_shape_of_its_neighbours(name):
    """An expiry with one quote, one with none: near the truth, which is of the family that holds them."""
    vols = _on_deltas(_ssvi)
    shown = vols.copy()
    shown[1, np.arange(7) != 3], shown[3] = np.nan, np.nan
    got = CLASSICAL[name]().predict(shown[None], AXES).mean[0]
    np.testing.assert_allclose(got, vols, rtol=0.0, atol=1e-3)


def test_implicit_steps_are_those_of_black():
    """Of one local variance, small steps have the price of a vol."""
    lattice = andreasen_huge.Lattice.of(0.1, 0.1)
    calls = lattice.payoff
    for _ in range(200):
        calls = lattice.after(calls, np.full(len(lattice.x), 0.1**2 / 200))
    k = np.linspace(-0.2, 0.2, 9)
    np.testing.assert_allclose(lattice.total_vols(calls, k, 0.1), 0.1, rtol=3e-3)


@pytest.mark.parametrize("truth", [_svi, _ssvi, _affine(HESTON)])
def test_andreasen_and_huge_give_quotes_back_and_agree_with_quantlib(truth):
    vols = _on_deltas(truth)[:, ::-1]
    k = black.moneyness_from_delta(AXES.deltas[::-1], vols * np.sqrt(AXES.tenors)[:, None])
    fitted = andreasen_huge.andreasen_huge(AXES.tenors, k, vols)
    np.testing.assert_allclose(fitted(k), vols, rtol=2e-4)
    between = 0.5 * (k[:, 1:] + k[:, :-1])
    np.testing.assert_allclose(fitted(between), _in_quantlib(k, vols)(between), atol=1.5e-3)


def _in_quantlib(k, vols):
    """Its own interpolation, linear between the same quotes: vols at other ln(K/F)."""
    today = ql.Date(1, 1, 2020)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    dates, quotes = [today + round(365 * year) for year in AXES.tenors], ql.CalibrationSet()
    for i, j in np.ndindex(*k.shape):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, float(np.exp(k[i, j])))
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(dates[i]))
        quotes.push_back(ql.CalibrationPair(option, ql.SimpleQuote(float(vols[i, j]))))
    method = ql.AndreasenHugeVolatilityInterpl
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    surface = ql.AndreasenHugeVolatilityAdapter(
        method(quotes, spot, flat, flat, method.Linear, method.CallPut, 400)
    )
    return lambda at: np.array(
        [[surface.blackVol(date, float(np.exp(x))) for x in row] for date, row in zip(dates, at, strict=True)]
    )


def test_components_are_those_of_the_history():
    history = _history(rank=3)
    logs = np.log(history.vols[0]).reshape(300, -1)
    ppca, pca = Ppca(3), Pca(3)
    for method in (ppca, pca):
        method.fit(history)
    values = np.linalg.eigvalsh(ppca.cov)
    np.testing.assert_allclose(values[-3:], np.linalg.eigvalsh(np.cov(logs.T))[-3:], rtol=1e-3)
    np.testing.assert_allclose(values[:-3], values[0], rtol=1e-6)
    few = np.full((1, *AXES.shape), np.nan)
    few[0, 0, :2] = history.vols[0, 7, 0, :2]
    np.testing.assert_allclose(pca.predict(few, AXES).mean[0, 0, :2], few[0, 0, :2], rtol=1e-9)


def test_where_a_fit_has_no_answer_linear_variance_stands_in():
    def fails(tenors, moneyness, vols):
        raise RuntimeError("no answer")

    vols = np.full(AXES.shape, 0.1)
    shown = np.where(_hidden(), np.nan, vols)
    got = OfStrikes("fails", fails).predict(shown[None], AXES).mean[0]
    np.testing.assert_allclose(got, vols, rtol=1e-9)
