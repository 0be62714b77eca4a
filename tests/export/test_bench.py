"""The bench: masks, exact baselines against brute force, scores, splits and the command."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr

from export.bench.classical import gaussian
from export.bench.classical.gaussian import DailyChangeGaussian, Gaussian, LocalGaussian, condition
from export.bench.classical.grid import interpolation
from export.bench.classical.simple import LinearVariance, ThinPlate, Yesterday
from export.bench.data import DeltaAxes, History, load_history, pair_split, test_set, time_split
from export.bench.imputation import grids, impute
from export.bench.imputation.product import Product, product_methods
from export.bench.masks import HOLES, RATES, all_masks
from export.bench.methods import Method, Prediction
from export.bench.metrics import Score, evaluate, gaussian_crps, latency, ratio_interval, score  # type: ignore

FX, OTHER = grids.FX, grids.OTHER
needs_data = pytest.mark.data


def random_history(
    days: int = 200, seed: int = 0, start: str = "2016-07-01", axes: DeltaAxes = FX
) -> History:
    """Smooth random log-vols: a few factors and noise, slowly moving."""
    rng = np.random.default_rng(seed)
    cells = int(np.prod(axes.shape))
    factors = np.cumsum(rng.normal(size=(2, days, 5)), axis=1) * 0.02
    logs = factors @ rng.normal(size=(5, cells)) + 0.01 * rng.normal(size=(2, days, cells)) - 2.3
    dates = np.datetime64(start) + np.arange(days)
    return History(("AAABBB", "CCCDDD"), dates, axes, np.exp(logs).reshape(2, days, *axes.shape))


@pytest.fixture(scope="module")
def history() -> History:
    return random_history()


def hidden_surfaces(history: History, count: int = 6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    vols = history.vols[:, -count:].reshape(-1, *history.axes.shape)
    return vols, np.where(np.random.default_rng(seed).random(vols.shape) < 0.5, np.nan, vols)


# masks


@pytest.mark.parametrize("axes", [FX, OTHER, DeltaAxes(np.array([0.1, 1.0]), np.array([0.25, 0.5, 0.75]))])
def test_masks_are_seeded_and_hide_what_they_say(axes: DeltaAxes) -> None:
    masks = all_masks(20, axes, seed=3)
    assert list(masks) == [*(f"{rate}%" for rate in RATES), *HOLES]
    cells = int(np.prod(axes.shape))
    for rate in RATES:
        hidden = masks[f"{rate}%"].sum(axis=(1, 2))
        assert (hidden == min(max(round(cells * rate / 100), 1), cells - 1)).all()
    for name, mask in masks.items():
        assert mask.shape == (20, *axes.shape)
        assert (mask.any(axis=(1, 2)) & ~mask.all(axis=(1, 2))).all() or name == "atm+rr"
        np.testing.assert_array_equal(mask, all_masks(20, axes, seed=3)[name])
    assert (masks["50%"] != all_masks(20, axes, seed=4)["50%"]).any()


def test_structured_holes_are_a_desks() -> None:
    masks = all_masks(50, FX)
    assert (masks["tenor"].all(axis=2).sum(axis=1) == 1).all() and (
        masks["tenor"].sum(axis=(1, 2)) == 5
    ).all()
    assert (masks["wings"].sum(axis=1) == [4, 0, 0, 0, 4]).all()
    assert (masks["sides"].sum(axis=1) == [4, 4, 0, 4, 4]).all()
    assert (masks["atm"] == [True, True, False, True, True]).all()
    assert (masks["atm+rr"] == [True, False, False, False, True]).all()


# Gaussian conditionals


def brute_condition(mean: np.ndarray, cov: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.isfinite(values)
    out, std = values.copy(), np.zeros(len(values))
    gain = cov[np.ix_(~seen, seen)] @ np.linalg.inv(cov[np.ix_(seen, seen)])
    out[~seen] = mean[~seen] + gain @ (values[seen] - mean[seen])
    left = cov[np.ix_(~seen, ~seen)] - gain @ cov[np.ix_(seen, ~seen)]
    std[~seen] = np.sqrt(np.diag(left))
    return out, std


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_condition_is_the_textbook_formula(seed: int, size: int, own_covariance: bool) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(5, size, size))
    cov = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(size)
    mean, values = rng.normal(size=(5, size)), rng.normal(size=(5, size))
    values[rng.random(values.shape) < 0.5] = np.nan
    if not own_covariance:
        mean, cov = mean[0], cov[0]
    got, std = condition(mean, cov, values)
    for b in range(5):
        expected = brute_condition(
            mean[b] if own_covariance else mean, cov[b] if own_covariance else cov, values[b]
        )
        np.testing.assert_allclose(got[b], expected[0], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(std[b], expected[1], rtol=1e-6, atol=1e-6)


def test_condition_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch, history: History) -> None:
    model = Gaussian()
    model.fit(history)
    _, hidden = hidden_surfaces(history)
    whole = model.predict(hidden, FX)
    monkeypatch.setattr(gaussian, "CHUNK", 3 * 40**2)
    np.testing.assert_allclose(model.predict(hidden, FX).mean, whole.mean, rtol=1e-12)


def test_leaving_one_cell_out_is_dubrules_formula(history: History) -> None:
    model = Gaussian()
    model.fit(history)
    vols = history.vols[0, -1]
    precision = np.linalg.inv(model.cov)
    residual = precision @ (np.log(vols).ravel() - model.mean)
    expected = np.log(vols).ravel() - residual / np.diag(precision)
    holes = np.where(np.eye(40, dtype=bool).reshape(40, *FX.shape), np.nan, vols)
    got = model.predict(holes, FX)
    np.testing.assert_allclose(np.log(got.mean).reshape(40, 40).diagonal(), expected, rtol=1e-6)
    assert got.std is not None
    np.testing.assert_allclose(got.std.reshape(40, 40).diagonal() ** 2, 1 / np.diag(precision), rtol=1e-5)


def test_no_quotes_give_the_unconditional_moments(history: History) -> None:
    model = Gaussian(0.25)
    model.fit(history)
    got = model.predict(np.full((1, *FX.shape), np.nan), FX)
    logs = np.log(history.vols).reshape(-1, 40)
    np.testing.assert_allclose(np.log(got.mean).ravel(), logs.mean(axis=0))
    assert got.std is not None
    np.testing.assert_allclose(got.std.ravel() ** 2, logs.var(axis=0, ddof=1) * (1 + 1e-5) + 0.25**2)


def test_a_wide_scale_shift_makes_the_level_free(history: History) -> None:
    model = Gaussian(shift=1e3)
    model.fit(history)
    _, hidden = hidden_surfaces(history)
    np.testing.assert_allclose(
        model.predict(3 * hidden, FX).mean, 3 * model.predict(hidden, FX).mean, rtol=1e-5
    )


def test_local_gaussian_with_a_wide_kernel_is_the_augmented_one(history: History) -> None:
    wide, whole = LocalGaussian(width=1e6), Gaussian(0.25)
    _, hidden = hidden_surfaces(history)
    for model in (wide, whole):
        model.fit(history)
    got, expected = wide.predict(hidden, FX), whole.predict(hidden, FX)
    np.testing.assert_allclose(got.mean, expected.mean, rtol=2e-3)
    assert got.std is not None and expected.std is not None
    np.testing.assert_allclose(got.std, expected.std, rtol=1e-2)


def test_local_moments_are_the_weighted_ones(history: History) -> None:
    model = LocalGaussian()
    model.fit(history)
    nodes = np.log(history.vols[:, -1]).reshape(2, 40)
    mean, cov = model.moments(nodes)
    samples = np.log(history.vols).reshape(-1, 40)
    plain = np.cov(samples, rowvar=False)
    jitter = 1e-5 * np.diag(np.diag(plain))
    distance = (((nodes[0] - samples) @ model.whiten) ** 2).sum(axis=1)
    weights = np.exp(-distance / 8)
    weights /= weights.sum()
    local_mean = weights @ samples
    local = (samples - local_mean).T @ ((samples - local_mean) * weights[:, None])
    np.testing.assert_allclose(mean[0], 0.9 * local_mean + 0.1 * samples.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(cov[0], 0.9 * local + 0.1 * plain + jitter + 0.25**2, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(np.cov(model.scores, rowvar=False), np.eye(6), atol=0.05)  # less the jitter


def test_daily_changes_start_at_the_prior_and_follow_the_quotes(history: History) -> None:
    model = DailyChangeGaussian()
    model.fit(history)
    vols, hidden = hidden_surfaces(history)
    prior = vols * 1.1
    empty = model.predict(np.full_like(vols, np.nan), FX, prior)
    np.testing.assert_allclose(empty.mean, prior)
    got = model.predict(hidden, FX, prior)
    expected = brute_condition(np.zeros(40), model.cov, (np.log(hidden[0]) - np.log(prior[0])).ravel())
    np.testing.assert_allclose(got.mean[0].ravel(), prior[0].ravel() * np.exp(expected[0]), rtol=1e-8)


@pytest.mark.parametrize("method", [DailyChangeGaussian(), Yesterday()])
def test_prior_methods_ask_for_the_prior(method: Method, history: History) -> None:
    method.fit(history)
    with pytest.raises(ValueError, match="yesterday"):
        method.predict(history.vols[0, -1:], FX)


# other grids


def test_kriging_is_exact_at_nodes_and_on_planes() -> None:
    weights, missed = interpolation(FX, FX)
    np.testing.assert_allclose(weights, np.eye(40), atol=1e-3)
    assert np.abs(missed).max() < 1e-6
    weights, missed = interpolation(FX, OTHER)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=0.02)
    assert (np.linalg.eigvalsh(missed) > -1e-9).all()
    spread = np.sqrt(np.diag(missed)).reshape(OTHER.shape)
    assert spread[0].min() > 2 * spread[1:-1, 1:-1].max()  # 1W lies outside, the rest between nodes


@pytest.mark.parametrize("method", [Gaussian(0.25), LocalGaussian(), DailyChangeGaussian()])
def test_part_of_the_grid_is_answered_as_the_whole(method: Method, history: History) -> None:
    method.fit(history)
    vols, _ = hidden_surfaces(history)
    part = DeltaAxes(FX.tenors[::2], FX.deltas[1:4])
    wide = np.full_like(vols, np.nan)
    wide[:, ::2, 1:4] = np.where(
        np.random.default_rng(0).random((len(vols), 4, 3)) < 0.5, np.nan, vols[:, ::2, 1:4]
    )
    small = wide[:, ::2, 1:4]
    on_part = method.predict(small, part, vols[:, ::2, 1:4] * 1.02)
    on_all = method.predict(wide, FX, vols * 1.02)
    np.testing.assert_allclose(on_part.mean, on_all.mean[:, ::2, 1:4], rtol=5e-3)


# interpolations


@pytest.mark.parametrize("method", [LinearVariance(), ThinPlate()], ids=lambda m: m.name)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.97))
def test_interpolations_fill_any_pattern(method: Method, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    vols = rng.uniform(0.05, 0.3, (1, *FX.shape))
    hidden = np.where(rng.random(vols.shape) < share, np.nan, vols)
    hidden[0, rng.integers(8), rng.integers(5)] = 0.1
    got = method.predict(hidden, FX).mean
    assert np.isfinite(got).all() and (got > 0).all()
    np.testing.assert_allclose(got[np.isfinite(hidden)], hidden[np.isfinite(hidden)], rtol=1e-6)
    flat = np.where(np.isfinite(hidden), 0.12, np.nan)
    np.testing.assert_allclose(method.predict(flat, FX).mean, 0.12, rtol=1e-9)


def test_linear_variance_is_linear_in_variance() -> None:
    vols = np.sqrt((0.002 + 0.01 * FX.tenors) / FX.tenors)[:, None] * np.ones(5)
    hidden = vols.copy()
    hidden[1:7, :] = np.nan
    np.testing.assert_allclose(LinearVariance().predict(hidden[None], FX).mean[0], vols)


def test_thin_plate_reproduces_a_plane_of_log_vol() -> None:
    from export.bench.classical.grid import coordinates

    vols = np.exp(-2 + coordinates(FX) @ [0.1, -0.05]).reshape(FX.shape)
    hidden = np.where(all_masks(1, FX)["70%"][0], np.nan, vols)
    np.testing.assert_allclose(ThinPlate().predict(hidden[None], FX).mean[0], vols, rtol=1e-8)


# fitted models


MODEL = {"v0": 0.008, "kappa": 1.8, "theta": 0.012, "xi": 0.35, "rho": -0.3}
JUMPS = {"intensity": 0.3, "jump_mean": -0.02, "jump_std": 0.04}


def model_surface(name: str) -> np.ndarray:
    """A surface of the simulator, which prices by other formulas than the fits."""
    from export.simulation import model_vols

    shift = np.cumsum(np.linspace(0.001, 0.003, 8) * np.diff(FX.tenors, prepend=0.0))
    extra = {"heston": {}, "bates": JUMPS, "heston++": {"shift": shift[None]}}[name]
    params = {k: np.atleast_1d(v) for k, v in (MODEL | extra).items()}
    return model_vols(name, params, FX.tenors, deltas=FX.deltas)[0]


@pytest.mark.parametrize(("name", "tolerance"), [("heston", 1e-4), ("bates", 5e-4), ("heston++", 1e-6)])
def test_a_fit_recovers_its_own_models_surface(name: str, tolerance: float) -> None:
    from export.bench.classical.stochastic_vol import Bates, Heston, HestonShift

    method = {"heston": Heston(), "bates": Bates(), "heston++": HestonShift()}[name]
    vols = model_surface(name)
    missing = all_masks(1, FX, seed=2)["30%"][0]
    got = method.predict(np.where(missing, np.nan, vols)[None], FX).mean[0]
    assert np.abs(got - vols)[missing].max() < tolerance
    np.testing.assert_array_equal(got[~missing.any(axis=1)], vols[~missing.any(axis=1)])


@pytest.mark.parametrize("name", ["Heston", "Bates", "Heston++"])
def test_a_fit_takes_a_single_quote(name: str) -> None:
    method = next(m for m in impute.fitted_models() if m.name == name)
    vols = np.full((1, *FX.shape), np.nan)
    vols[0, 3, 2] = 0.1
    got = method.predict(vols, FX).mean
    assert np.isfinite(got).all() and (got > 0).all()


def test_fourier_prices_are_quantlibs() -> None:
    import QuantLib as ql

    from export.bench.classical.fourier import NODES, lewis_call_price
    from export.bench.classical.stochastic_vol import _TODAY, heston_characteristic

    ql.Settings.instance().evaluationDate = _TODAY
    flat = ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, 0.0, ql.Actual365Fixed()))
    parameters = (MODEL["v0"], MODEL["kappa"], MODEL["theta"], MODEL["xi"], MODEL["rho"])
    process = ql.HestonProcess(flat, flat, ql.QuoteHandle(ql.SimpleQuote(1.0)), *parameters)
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-11, 100_000)
    characteristic = heston_characteristic(*(MODEL[k] for k in ("theta", "kappa", "xi", "rho", "v0")))
    for days in (30, 365, 1825):
        m = np.linspace(-2, 2, 9) * 0.1 * np.sqrt(days / 365)
        u = NODES / np.sqrt(0.01 * days / 365)
        got = lewis_call_price(m, 0.01 * days / 365, characteristic(u - 0.5j, days / 365), u)
        for x, price in zip(m, got, strict=True):
            option = ql.VanillaOption(
                ql.PlainVanillaPayoff(ql.Option.Call, float(np.exp(x))),
                ql.EuropeanExercise(_TODAY + ql.Period(days, ql.Days)),
            )
            option.setPricingEngine(engine)
            assert price == pytest.approx(option.NPV(), abs=1e-8)


# the VAE


def test_vae_runs_and_repeats_itself(history: History) -> None:
    import torch

    from export.bench.imputation.rival_vae import SigmaVAE
    from export.imputation.networks.residual import Size
    from voladdin.errors import InputError

    torch.set_num_threads(1)
    _, hidden = hidden_surfaces(history, count=4)
    predictions = []
    for _ in range(2):
        model = SigmaVAE(steps=60, refit_steps=4, samples=32, size=Size(width=16, latent=4))
        model.fit(history)
        predictions.append(model.predict(hidden, FX))
    first, second = predictions
    assert np.isfinite(first.mean).all() and first.std is not None
    np.testing.assert_array_equal(first.std > 0, np.isnan(hidden))
    np.testing.assert_array_equal(first.mean, second.mean)
    with pytest.raises(InputError, match="axes are"):
        model.predict(np.full((1, *OTHER.shape), 0.1), OTHER)


# scores


@given(st.floats(-4, 4), st.floats(0.05, 3))
def test_crps_is_its_integral(z: float, std: float) -> None:
    below = quad(lambda x: ndtr(x / std) ** 2, -12 * std - 5, z)[0]
    above = quad(lambda x: (1 - ndtr(x / std)) ** 2, z, 12 * std + 5)[0]
    got = gaussian_crps(np.array(z), np.array(0.0), np.array(std))
    assert float(got) == pytest.approx(below + above, rel=1e-5, abs=1e-7)


def test_crps_of_a_point_is_its_error() -> None:
    np.testing.assert_array_equal(gaussian_crps(np.array([1.0]), np.array([3.0]), np.array([0.0])), [2.0])


def test_score_counts_hidden_cells_only() -> None:
    truth = np.full((2, 2, 2), 0.10)
    missing = np.zeros(truth.shape, bool)
    missing[:, 0, 0] = True
    off = truth + 0.001
    off[:, 1] = 9.0
    point = score(truth, missing, Prediction(off))
    assert point.mae == pytest.approx(10.0) and point.mean_crps == pytest.approx(10.0)
    assert np.isnan(point.coverage)
    banded = score(truth, missing, Prediction(off, np.full(truth.shape, 0.02)))
    assert banded.coverage == 100.0 and banded.mean_crps < banded.mae
    own = score(truth, missing, Prediction(off, np.full(truth.shape, 0.02), low=truth + 1e-4, high=truth + 1))
    assert own.coverage == 0.0
    off[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        score(truth, missing, Prediction(off))


def test_lognormal_band_covers_ninety_percent() -> None:
    rng = np.random.default_rng(0)
    truth = 0.1 * np.exp(0.05 * rng.normal(size=(400, 8, 5)))
    shape = truth.shape
    got = score(truth, np.ones(shape, bool), Prediction(np.full(shape, 0.1), np.full(shape, 0.05)))
    assert got.coverage == pytest.approx(90, abs=0.8)


def test_pooled_scores_are_sums() -> None:
    first = Score(np.ones(2), np.ones(2), np.ones(2), np.full(2, 4.0), 1.0)
    second = Score(np.full(1, 3.0), np.ones(1), np.ones(1), np.ones(1), 4.0)
    both = Score.pooled([first, second])
    assert both.mae == pytest.approx(5 / 9) and both.ms == pytest.approx(2.0)
    assert both.rows(np.array([2])).mae == 3.0


def test_bootstrap_interval() -> None:
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(50), 3)
    error = rng.gamma(2, size=150)
    assert ratio_interval(error, error, day) == (1.0, 1.0, 1.0)
    np.testing.assert_allclose(ratio_interval(0.5 * error, error, day), 0.5)
    assert np.isnan(ratio_interval(0 * error, 0 * error, day)).all()
    noisy = error * rng.lognormal(0, 0.3, 150)
    ratio, low, high = ratio_interval(noisy, error, day)
    assert low < ratio < high and ratio == pytest.approx(noisy.sum() / error.sum())
    assert ratio_interval(noisy, error, day) == (ratio, low, high)
    _, low3, high3 = ratio_interval(noisy, error, day // 10)
    assert high3 - low3 != high - low


def test_bootstrap_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(200):
        base = rng.gamma(4, size=60)
        _, low, high = ratio_interval(
            base * rng.uniform(0.6, 1.4, 60), base, np.arange(60), draws=300, seed=seed
        )
        inside += low <= 1.0 <= high
    assert 0.83 <= inside / 200 <= 0.96


# splits and the command


def test_splits_do_not_leak() -> None:
    history = random_history(900, start="2016-06-01")
    split = time_split(history, every=7)
    assert split.train.dates.max() < np.datetime64("2017-01-01") <= split.validation.dates.min()
    assert (history.dates[split.test.day] >= np.datetime64("2018-01-01")).all()
    at = list(history.pairs).index(split.test.pair[-1])
    np.testing.assert_array_equal(split.test.vols[-1], history.vols[at, split.test.day[-1]])
    assert split.test.priors is not None
    np.testing.assert_array_equal(split.test.priors[-1], history.vols[at, split.test.day[-1] - 1])
    left = pair_split(history, "AAABBB")
    assert left.train.pairs == left.validation.pairs == ("CCCDDD",) and set(left.test.pair) == {"AAABBB"}
    with pytest.raises(KeyError, match="XXXYYY"):
        history.select(["XXXYYY"])


def test_the_first_day_has_no_prior_and_is_left_out(history: History) -> None:
    assert test_set(history, history.dates[0], every=1).day.min() == 1


@needs_data
def test_real_history_and_raw_quotes() -> None:
    history = load_history()
    assert history.vols.shape == (3, 1641, 8, 5) and history.axes.same(FX)
    raw = {name: (axes, vols) for name, axes, vols in grids.raw_surfaces()}
    axes, vols = raw["EURUSD 2023-06-05"]
    assert vols.shape == axes.shape == (15, 5) and (np.diff(axes.deltas) > 0).all()
    assert vols[1, 2] == pytest.approx(0.0695)  # 1W ATM, as quoted
    assert raw["EURUSD 2019-12-30"][1].shape[1] == 3
    split = grids.quotes_split(history, copies=2)
    assert len(split.tests) == 3 and split.bundle == "time"


def test_simulated_splits_ask_the_same_market_on_two_grids() -> None:
    same, other = grids.simulated_splits(days=40, every=4)
    assert same.test.axes.same(FX) and other.test.axes.same(OTHER) and other.train.axes.same(FX)
    np.testing.assert_array_equal(same.train.vols, other.train.vols)
    fx, others = list(FX.deltas).index(0.5), list(OTHER.deltas).index(0.5)
    between = other.test.vols[:, 1, others]  # 6W, between 1M and 2M
    near = same.test.vols[:, :2, fx]
    assert np.abs(between / near.mean(axis=1) - 1).max() < 0.2


def test_evaluate_gives_every_method_the_same_holes(history: History) -> None:
    class Spy(Yesterday):
        def __init__(self, name: str) -> None:
            self.name, self.seen = name, []

        def predict(self, vols: np.ndarray, axes: DeltaAxes, prior: np.ndarray | None = None) -> Prediction:
            self.seen.append(np.isnan(vols))
            return super().predict(vols, axes, prior)

    vols, _ = hidden_surfaces(history)
    masks = all_masks(len(vols), FX)
    spies = [Spy("one"), Spy("two")]
    scores = evaluate(spies, vols, vols, masks, FX)
    assert all((a == b).all() for a, b in zip(spies[0].seen, spies[1].seen, strict=True))
    assert scores["one", "50%"].mae == 0.0 and len(scores) == 2 * len(masks)


@pytest.fixture
def fake_imputation(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    calls: list[dict] = []

    def impute_batch(vols: np.ndarray, tenors: np.ndarray, **options: object) -> SimpleNamespace:
        calls.append(options)
        mean = np.where(np.isnan(vols), 0.1, vols)
        return SimpleNamespace(mean=mean, std=0.01 * mean, low=0.9 * mean, high=1.1 * mean)

    module = ModuleType("voladdin.imputation.filling")
    module.impute_batch = impute_batch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "voladdin.imputation.filling", module)
    return calls


def test_product_is_asked_as_a_user_asks(tmp_path, fake_imputation: list[dict], history: History) -> None:
    vols, hidden = hidden_surfaces(history)
    (tmp_path / "time").mkdir()
    (tmp_path / "time" / "card.json").write_text("{}")
    plain, with_prior = product_methods(tmp_path, time_split(history), steps=0)
    got = plain.predict(hidden, FX)
    np.testing.assert_allclose(got.std, 0.01)
    assert got.low is not None and fake_imputation[-1]["model"] == str(tmp_path / "time")
    assert fake_imputation[-1]["prior"] is None and plain.name == "voladdin"
    with_prior.predict(hidden, FX, vols)
    assert fake_imputation[-1]["prior"] is vols
    assert latency(Product(tmp_path), test_set(history, history.dates[-9]), np.isnan(hidden[:1]), 2) > 0


def test_the_command_prints_and_writes_tables(
    tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = impute.Settings(0, 4, 1, ("30%", "50%"), 20, 2, 60, 2, tmp_path, 20)
    monkeypatch.setattr(impute, "settings", lambda arguments: small)
    monkeypatch.setattr(impute, "fitted_models", lambda: [LinearHeston()])
    assert impute.main(["--split", "simulated", "--quick", "--output", str(tmp_path / "out.md")]) == 0
    printed = capsys.readouterr()
    assert (tmp_path / "out.md").read_text(encoding="utf-8").strip() in printed.out
    for text in (
        "MAE, bp",
        "CRPS, bp",
        "Coverage",
        "scale-augmented Gaussian",
        "Σ-VAE",
        "atm+rr",
        "| Heston |",
        "| voladdin |",
        "| voladdin + prior |",
    ):
        assert text in printed.out
    assert (tmp_path / "simulated" / "card.json").is_file()


class LinearHeston(LinearVariance):
    name = "Heston"  # stands in for the slow one
