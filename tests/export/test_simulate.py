"""The market simulator: prices against QuantLib and published values, smiles, histories."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

import export.simulation as simulate
from export.simulation.factors import crisis_path, mix, ou_path
from export.simulation.fourier import expand, otm_prices
from export.simulation.market import noise_width, pair_parameters, quote_noise
from export.simulation.quantlib import price_differences
from export.simulation.sabr import hagan_vol
from export.simulation.smile import MODELS, FourierSmile, model_vols
from export.simulation.surfaces import random_parameters, simulate_surfaces
from voladdin import black

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
YEARS = np.array([7 / 365, 1 / 12, 0.5, 1.0, 5.0])
DELTAS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
MASTER = np.array(simulate.MASTER_TENORS)
MASTER_DELTAS = np.array(simulate.MASTER_DELTAS)


def reference(name: str) -> dict:
    path = DATA / "reference_values.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository")
    return json.loads(path.read_text())[name]


def draw(model: str, count: int, years: np.ndarray = YEARS, seed: int = 0) -> dict[str, np.ndarray]:
    return random_parameters(np.random.default_rng(seed), count, model, years)


def heston(params: dict[str, float]) -> dict[str, list[float]]:
    names = {"v0": "v0", "kappa": "kappa", "theta": "theta", "xi": "sigma", "rho": "rho"}
    return {ours: [params[theirs]] for ours, theirs in names.items()}


def test_public_names_are_sorted_and_exist() -> None:
    assert simulate.__all__ == sorted(simulate.__all__)
    assert all(hasattr(simulate, name) for name in simulate.__all__)


# ---- prices


def test_lewis_heston_prices() -> None:
    lewis = reference("heston_lewis")
    p = lewis["params"]
    forward, discount = p["S0"] * np.exp((p["r"] - p["q"]) * p["T"]), np.exp(-p["r"] * p["T"])
    k = np.log(np.array(lewis["strikes"]) / forward)
    vols = model_vols("heston", heston(p), [p["T"]], log_moneyness=k)[0, 0]
    puts = discount * forward * black.put_price(k, vols * np.sqrt(p["T"]))
    calls = discount * forward * black.call_price(k, vols * np.sqrt(p["T"]))
    np.testing.assert_allclose(np.stack([puts, calls], axis=1), lewis["prices"], rtol=0, atol=1e-11)
    exact = float(reference("heston_lewis_50digit")["price"])
    assert abs(calls[2] - exact) < 1e-12


def test_forde_heston_vols() -> None:
    """The published end columns belong to strikes 50 and 150: they agree there, to 1e-8."""
    forde = reference("heston_forde_vols")
    strikes = np.array([50.0, *forde["K"][1:-1], 150.0]) / forde["params"]["F"]
    years = np.array(forde["T"])
    vols = model_vols("heston", heston(forde["params"]), years, log_moneyness=np.log(strikes))[0]
    published = np.array(forde["vols"])
    np.testing.assert_allclose(vols[1:], published[1:], atol=5e-8)
    np.testing.assert_allclose(vols[0, 1:-1], published[0, 1:-1], atol=1e-9)
    k, width = np.log(strikes), np.sqrt(years)[:, None]
    prices = black.otm_price(k, vols * width), black.otm_price(k, published * width)
    np.testing.assert_allclose(*prices, atol=1e-10)


def test_prices_match_quantlib() -> None:
    pytest.importorskip("QuantLib")
    for model, differences in price_differences(seed=3, count=1).items():
        assert np.abs(differences).max() < 1e-7, model


def test_small_vol_of_variance_is_black_with_mean_variance() -> None:
    params = {"v0": [0.04], "kappa": [1.5], "theta": [0.09], "xi": [1e-3], "rho": [0.0]}
    vols = model_vols("heston", params, [0.1, 1.0, 10.0], deltas=DELTAS)[0]
    years = np.array([0.1, 1.0, 10.0])
    mean = 0.09 + (0.04 - 0.09) * -np.expm1(-1.5 * years) / (1.5 * years)
    np.testing.assert_allclose(vols, np.sqrt(mean)[:, None] * np.ones(5), atol=1e-5)


def test_no_jumps_and_no_shift_reduce_to_heston() -> None:
    params = draw("heston", 5)
    none = np.zeros(5)
    plain = model_vols("heston", params, YEARS, deltas=DELTAS)
    jumps = {"intensity": none, "jump_mean": none, "jump_std": none}
    np.testing.assert_allclose(model_vols("bates", params | jumps, YEARS, deltas=DELTAS), plain, atol=1e-12)
    shifted = model_vols("heston++", params | {"shift": np.zeros((5, 5))}, YEARS, deltas=DELTAS)
    np.testing.assert_allclose(shifted, plain, atol=1e-12)


def test_jumps_only_are_merton() -> None:
    """Bates with (almost) constant variance is Merton's Poisson mixture of Black prices."""
    year, vol, intensity, mean, std = 0.5, 0.1, 1.3, -0.04, 0.06
    params = {"v0": [vol**2], "kappa": [1.0], "theta": [vol**2], "xi": [1e-3], "rho": [0.0]}
    params |= {"intensity": [intensity], "jump_mean": [mean], "jump_std": [std]}
    nodes = np.linspace(-3, 3, 7)[None]
    items = expand({k: np.array(v) for k, v in params.items()}, np.array([year]))
    k = nodes[0] * np.sqrt(items.total_variance[0, 0])
    merton, weight = 0.0, np.exp(-intensity * year)
    for jumps in range(25):
        drift = jumps * (mean + 0.5 * std**2) - intensity * year * np.expm1(mean + 0.5 * std**2)
        total = np.sqrt(vol**2 * year + jumps * std**2)
        merton += weight * np.exp(drift) * black.call_price(k - drift, total)
        weight *= intensity * year / (jumps + 1)
    expected = merton - np.maximum(-np.expm1(k), 0)
    np.testing.assert_allclose(otm_prices(items, nodes)[0], expected, atol=1e-7)


@pytest.mark.parametrize("model", [model for model in MODELS if model != "sabr"])
def test_slope_of_the_smile_is_its_derivative(model: str) -> None:
    smile = FourierSmile(draw(model, 4), YEARS, strikes=True)
    x = np.tile(np.linspace(-1.5, 1.5, 7), (20, 1))
    _, slope = smile.value_and_slope(x)
    up, down = smile.value_and_slope(x + 1e-4)[0], smile.value_and_slope(x - 1e-4)[0]
    np.testing.assert_allclose(slope, (up - down) / 2e-4, atol=1e-6 * smile.deviation.max())


# ---- SABR


def test_sabr_matches_quantlib() -> None:
    ql = pytest.importorskip("QuantLib")
    for beta in (0.3, 0.5, 1.0):
        for strike in (0.7, 0.95, 1.0, 1.2):
            expected = ql.sabrVolatility(strike, 1.0, 2.0, 0.12, beta, 0.4, -0.3)
            arguments = (np.array(value) for value in (np.log(strike), 2.0, 0.12, beta, -0.3, 0.4))
            assert abs(float(hagan_vol(*arguments)) - expected) < 1e-12


def test_sabr_without_vol_of_vol_is_flat() -> None:
    params = {"alpha": [0.1], "beta": [1.0], "rho": [0.0], "nu": [1e-9]}
    np.testing.assert_allclose(model_vols("sabr", params, YEARS, deltas=DELTAS), 0.1, atol=1e-9)


# ---- model_vols


@pytest.mark.parametrize("model", MODELS)
def test_vols_at_deltas_are_the_smile_at_their_own_strikes(model: str) -> None:
    params = draw(model, 20, MASTER, seed=5)
    if model == "sabr":
        params["nu"] = params["nu"] * 0.5
    vols = model_vols(model, params, MASTER, deltas=MASTER_DELTAS)
    total = vols * np.sqrt(MASTER)[:, None]
    strikes = black.moneyness_from_delta(MASTER_DELTAS, total)
    again = model_vols(model, params, MASTER, log_moneyness=strikes)
    np.testing.assert_allclose(again, vols, rtol=2e-5)


@pytest.mark.parametrize("model", MODELS)
def test_batch_equals_single(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.simulation.smile._BLOCK", 4)
    params = draw(model, 6)
    batch = model_vols(model, params, YEARS, deltas=DELTAS)
    for i in range(6):
        one = model_vols(model, {k: v[i : i + 1] for k, v in params.items()}, YEARS, deltas=DELTAS)
        np.testing.assert_allclose(one[0], batch[i], rtol=1e-7)


@settings(max_examples=25, deadline=None)
@given(
    vol=st.floats(0.01, 1.0),
    start=st.floats(0.2, 3.0),
    kappa=st.floats(0.05, 12.0),
    xi=st.floats(0.05, 5.0),
    rho=st.floats(-0.98, 0.98),
    jump=st.floats(-3.0, 3.0),
    intensity=st.floats(0.0, 10.0),
)
def test_extreme_parameters_give_finite_positive_vols(vol, start, kappa, xi, rho, jump, intensity) -> None:
    params = {"v0": [(vol * start) ** 2], "theta": [vol**2], "kappa": [kappa], "xi": [xi * vol], "rho": [rho]}
    params |= {"intensity": [intensity], "jump_mean": [0.2 * jump * vol], "jump_std": [0.5 * vol]}
    for axis in ({"deltas": [0.05, 0.5, 0.95]}, {"log_moneyness": [-2.0, -0.1, 0.0, 0.1, 2.0]}):
        vols = model_vols("bates", params, [1 / 365, 0.5, 10.0], **axis)
        assert np.isfinite(vols).all()
        assert (vols > 0).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "sabr2", "deltas": [0.5]}, "model is 'sabr2'; expected one of heston"),
        ({"model": "bates", "deltas": [0.5]}, "expected .*intensity"),
        ({"model": "heston"}, "exactly one of deltas and log_moneyness"),
        (
            {"model": "heston", "deltas": [0.5], "params": draw("heston", 2) | {"rho": [-0.5, 1.5]}},
            "rho is 1.5",
        ),
        ({"model": "heston", "deltas": [0.5], "params": draw("heston", 1) | {"xi": [np.nan]}}, "xi is nan"),
        ({"model": "heston", "deltas": [1.5]}, "deltas .*1.5.*between 0 and 1"),
        ({"model": "heston", "deltas": [0.5], "tenors": [0.0]}, "tenors .*0.*positive"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, words: str) -> None:
    given = {"tenors": YEARS, "params": draw("heston", 1)} | arguments
    with pytest.raises(ValueError, match=words):
        model_vols(given.pop("model"), given.pop("params"), given.pop("tenors"), **given)


# ---- independent surfaces


def test_surfaces_are_reproducible_and_cover_the_regimes() -> None:
    np.testing.assert_array_equal(simulate_surfaces(12, seed=1), simulate_surfaces(12, seed=1))
    assert not np.array_equal(simulate_surfaces(12, seed=1), simulate_surfaces(12, seed=2))
    vols = simulate_surfaces(400, seed=1)
    assert np.isfinite(vols).all()
    assert vols.min() > 0.01
    assert vols.max() < 2.0
    atm, reversal = vols[:, :, 5], (vols[:, :, 1] - vols[:, :, 9]) / vols[:, :, 5]
    assert np.quantile(atm, 0.02) < 0.05
    assert np.quantile(atm, 0.98) > 0.30
    assert 0.3 < (reversal[:, 8] > 0).mean() < 0.7
    assert np.abs(reversal[:, 8]).max() > 0.5
    inverted = atm[:, 3] > 1.1 * atm[:, 11]
    assert 0.05 < inverted.mean() < 0.6


@pytest.mark.parametrize("model", [model for model in MODELS if model != "sabr"])
def test_affine_surfaces_have_no_calendar_or_butterfly_arbitrage(model: str) -> None:
    """Fukasawa (2012): d1 and d2 fall with log-moneyness; total variance rises at the forward."""
    vols = simulate_surfaces(20, seed=4, models=(model,))
    total = vols * np.sqrt(MASTER)[:, None]
    strikes = black.moneyness_from_delta(MASTER_DELTAS, total)
    assert (np.diff(strikes, axis=-1) < 0).all()
    d2 = ndtri(MASTER_DELTAS) - total
    assert (np.diff(d2, axis=-1) > 0).all()
    assert (np.diff(total[:, :, 5], axis=1) > 0).all()


def test_unknown_model_is_named() -> None:
    with pytest.raises(ValueError, match=r"models has .*rough"):
        simulate_surfaces(3, models=("rough",))


# ---- histories


@pytest.fixture(scope="module")
def market() -> simulate.SimulatedHistory:
    return simulate.simulate_market(500, seed=2, tenors=YEARS, deltas=DELTAS)


def test_market_has_shape_and_is_positive(market: simulate.SimulatedHistory) -> None:
    assert market.vols.shape == market.clean.shape == (3, 500, 5, 5)
    for vols in (market.vols, market.clean):
        assert np.isfinite(vols).all()
        assert (vols > 0.01).all()
        assert (vols < 1.5).all()


def test_market_is_reproducible() -> None:
    runs = [simulate.simulate_market(20, seed=seed, tenors=YEARS, deltas=DELTAS).vols for seed in (7, 7, 8)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_pairs_move_together_and_keep_their_skews(market: simulate.SimulatedHistory) -> None:
    changes = np.diff(np.log(market.clean[:, :, 1, 2]), axis=1)
    correlation = np.corrcoef(changes)[np.triu_indices(3, 1)]
    assert ((correlation > 0.2) & (correlation < 0.95)).all()
    reversal = (market.clean[..., 3, 0] - market.clean[..., 3, 4]).mean(axis=1)
    assert dict(zip(market.pairs, np.sign(reversal), strict=True)) == {
        "AUDUSD": -1,
        "EURUSD": -1,
        "USDCAD": 1,
    }


def test_moments_are_of_the_order_of_history(market: simulate.SimulatedHistory) -> None:
    """1M and 1Y: spread of log-vol and daily changes, measured on three pairs of 2012 to 2018."""
    log_vols = np.log(market.vols[..., 2])
    level, change = log_vols.std(axis=1).mean(axis=0), np.diff(log_vols, axis=1).std(axis=1).mean(axis=0)
    assert 0.10 < level[1] < 0.45
    assert 0.02 < change[1] < 0.08
    assert 0.01 < change[3] < 0.07
    assert change[4] < change[1]


def test_quote_noise_is_widest_at_the_short_end() -> None:
    widths = noise_width(np.array([1 / 365, 1 / 12, 0.5, 1.0, 10.0]))
    assert widths[0] > widths[1] > widths[2]
    assert widths[4] > widths[3]
    noise = quote_noise(np.random.default_rng(0), np.full(4000, 0.10), YEARS, DELTAS)
    expected = noise_width(YEARS) / 0.10 * np.sqrt(1.0 + 0.3**2)
    np.testing.assert_allclose(noise[:, :, 2].std(axis=0), expected, rtol=0.06)


def test_ten_year_vols_are_sane() -> None:
    clean = simulate.simulate_market(250, seed=5, tenors=[1.0, 10.0]).clean[..., 1, :]
    atm = clean[..., 5]
    assert 0.05 < atm.min() < atm.max() < 0.30
    assert (np.abs(clean[..., 1] - clean[..., 9]) < 0.7 * atm).all()
    assert (0.5 * (clean[..., 1] + clean[..., 9]) > atm).mean() > 0.9


def test_unknown_pair_is_named() -> None:
    with pytest.raises(ValueError, match="pairs has 'XAUUSD'"):
        simulate.simulate_market(5, pairs=("XAUUSD",))


def test_one_day_history() -> None:
    assert simulate.simulate_market(1, pairs=("USDJPY",), tenors=[1.0], deltas=[0.5]).vols.shape == (
        1,
        1,
        1,
        1,
    )


# ---- factors


def test_ou_has_its_half_life_and_unit_variance() -> None:
    path = ou_path(np.random.default_rng(1), 4000, 20.0, width=50)
    lagged = (path[20:] * path[:-20]).mean() / (path**2).mean()
    assert abs(lagged - 0.5) < 0.03
    assert abs(path.std() - 1.0) < 0.03


def test_mix_gives_the_correlation_between_pairs() -> None:
    rng = np.random.default_rng(2)
    common, one, other = rng.standard_normal((3, 200_000))
    assert abs(np.corrcoef(mix(common, one, 0.8), mix(common, other, 0.8))[0, 1] - 0.64) < 0.01


def test_crises_spike_and_decay() -> None:
    path = crisis_path(np.random.default_rng(3), 3000)
    assert path.min() >= 0
    assert path.max() > 1.0
    decayed = path[:-1] * 0.5 ** (1 / 8)
    assert (path[1:] >= decayed - 1e-15).all()
    assert 0.015 < (path[1:] > decayed + 1e-15).mean() < 0.035  # one in 40 days


def test_crises_raise_short_vol() -> None:
    days = 400
    quiet = dict.fromkeys(("short", "long", "skew"), np.zeros(days)) | {"crisis": np.zeros(days)}
    loud = quiet | {"crisis": np.ones(days)}
    calm, wild = (
        pair_parameters(np.random.default_rng(1), simulate.PAIRS["EURUSD"], common, YEARS)["v0"]
        for common in (quiet, loud)
    )
    assert (wild > calm).all()
