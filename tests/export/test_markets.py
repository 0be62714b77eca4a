"""The simulated markets: each family against a closed form, an independent library or a published number."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from export.simulation.fourier import expand, otm_prices
from export.simulation.markets import (
    FAMILIES,
    MASKS,
    TABLED,
    UNSEEN_MASKS,
    draw_batch,
    draw_truth,
    hide,
    stream,
)
from export.simulation.markets.__main__ import features, largest_trades
from export.simulation.markets.affine import AFFINE, smile_table
from export.simulation.markets.clocks import Clock, draw_clocks
from export.simulation.markets.grids import call_deltas, moneyness_at_deltas
from export.simulation.markets.levy import Kou, Merton, expiries
from export.simulation.markets.mixtures import draw_mixtures
from export.simulation.markets.pool import build_pool, draw_tabulated, load
from export.simulation.markets.rough import conditional_smile, integrals, paths
from export.simulation.markets.sabr import draw_sabr
from export.simulation.markets.smile_tables import TIMES, Tabulated
from export.simulation.markets.ssvi import draw_ssvi
from voladdin import black

DIRECT = [family for family in FAMILIES if family not in TABLED]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def straight(count: int) -> Clock:
    """A clock that shows the time."""
    return Clock(np.ones((count, 14)), np.zeros((count, 1)), np.zeros((count, 1)))


# clocks -----------------------------------------------------------------------------------------------------


def test_a_clock_runs_forward_and_jumps_at_its_events(rng):
    clock = draw_clocks(rng, 50, events=True)
    years = np.tile(np.linspace(0.001, 3, 500), (50, 1))
    tau = clock.at(years)
    assert (np.diff(tau, axis=1) > 0).all()
    date = clock.dates[:, :1]
    jump = clock.at(date) - clock.at(date - 1e-9)
    np.testing.assert_allclose(jump, clock.sizes[:, :1], atol=1e-6)


def test_a_straight_clock_shows_the_time():
    years = np.array([[0.002, 0.3, 9.0]])
    np.testing.assert_allclose(straight(1).at(years), years)


# closed forms -----------------------------------------------------------------------------------------------


def test_mixtures_are_the_weighted_black_prices(rng):
    truth = draw_mixtures(rng, 20)
    years = np.tile([0.02, 0.4, 2.0], (20, 1))
    x = np.linspace(-3, 3, 9)
    moneyness = truth.level[:, None, None] * np.sqrt(years)[..., None] * x
    vols = truth.vols(years, moneyness)
    deviation = (truth.level[:, None] * np.sqrt(truth.clock.at(years)))[..., None]
    price = sum(
        w * f * black.call_price(moneyness - np.log(f), m * deviation)
        for w, f, m in (
            (
                truth.weights[:, i, None, None],
                truth.forwards[:, i, None, None],
                truth.multiples[:, i, None, None],
            )
            for i in range(3)
        )
    )
    np.testing.assert_allclose(
        black.call_price(moneyness, vols * np.sqrt(years)[..., None]), price, atol=1e-12
    )
    np.testing.assert_allclose((truth.weights * truth.forwards).sum(axis=1), 1.0)


def test_ssvi_has_its_variance_at_the_money_and_its_sufficient_condition(rng):
    truth = draw_ssvi(rng, 200)
    years = np.tile([0.1, 1.0], (200, 1))
    w = truth.vols(years, np.zeros((200, 2, 1)))[..., 0] ** 2 * years
    np.testing.assert_allclose(w, truth.level[:, None] ** 2 * truth.clock.at(years))
    assert (truth.eta * (1 + np.abs(truth.near)) <= 2.0).all()
    assert (truth.gamma <= 0.5).all()


def test_sabr_vols_are_those_of_quantlib(rng):
    ql = pytest.importorskip("QuantLib")
    truth = draw_sabr(rng, 10)
    years, k = np.tile([0.1, 1.5], (10, 1)), np.array([-0.2, 0.05])
    vols = truth.vols(years, np.broadcast_to(k, (10, 2, 2)))
    alpha = truth.level[:, None] * np.sqrt(truth.clock.at(years) / years)
    rho = truth.rho[:, None] * (1 - truth.fade[:, None] * np.exp(-years / 0.3))
    nu = truth.nu[:, None] * years ** -truth.power[:, None]
    for i, t, j in np.ndindex(10, 2, 2):
        given = (float(a[i, t]) for a in (alpha, nu, rho))
        a, n, r = given
        theirs = ql.sabrVolatility(
            float(np.exp(k[j])), 1.0, float(years[i, t]), a, float(truth.beta[i]), n, r
        )
        assert vols[i, t, j] == pytest.approx(theirs, rel=1e-6)


def test_merton_is_his_poisson_series():
    params = {"vol": 0.16, "intensity": 1.3, "jump_mean": -0.12, "jump_std": 0.15}
    years = np.array([0.05, 0.5, 3.0])
    items = expiries(Merton, {name: np.array([value]) for name, value in params.items()}, years)
    nodes = np.array([-3.0, -1.0, 0.0, 1.5])
    found = otm_prices(items, nodes)
    mean, spread = params["jump_mean"], params["jump_std"]
    compensator = np.expm1(mean + 0.5 * spread**2)
    for row, year in enumerate(years):
        k = nodes * np.sqrt(items.total_variance[row])
        call = np.zeros_like(k)
        rate = params["intensity"] * year
        for n in range(60):
            log_forward = n * (mean + 0.5 * spread**2) - rate * compensator
            total = np.sqrt(params["vol"] ** 2 * year + n * spread**2)
            weight = np.exp(-rate) * rate**n / factorial(n)
            call += weight * np.exp(log_forward) * black.call_price(k - log_forward, total)
        np.testing.assert_allclose(found[row], call + np.expm1(np.minimum(k, 0)), atol=1e-11)


def test_kou_gives_his_published_price():
    """Kou (2002), section 5: 9.14732 for K = 98, r = 5%, half a year."""
    params = {"vol": 0.16, "intensity": 1.0, "up": 0.4, "gain": 10.0, "loss": 5.0}
    items = expiries(Kou, {name: np.array([value]) for name, value in params.items()}, np.array([0.5]))
    k = np.log(98 / 100) - 0.05 * 0.5
    put = otm_prices(items, np.array([k / np.sqrt(items.total_variance[0, 0])]))[0, 0]
    assert 100 * (put - np.expm1(k)) == pytest.approx(9.14732, abs=1e-5)


@pytest.mark.parametrize("family", ["heston", "bates"])
def test_tables_of_affine_models_are_quantlibs_prices(family):
    pytest.importorskip("QuantLib")
    from export.simulation.quantlib import quantlib_prices

    params = {"v0": 0.05, "kappa": 1.5, "theta": 0.04, "xi": 0.6, "rho": -0.7}
    if family == "bates":
        params |= {"intensity": 0.8, "jump_mean": -0.1, "jump_std": 0.08}
    table = smile_table(expand({n: np.array([v]) for n, v in params.items()}, TIMES), np.array([0.2]))
    truth = Tabulated(table, straight(1), np.ones(1), np.ones(1))
    years = np.array([14, 182, 730]) / 365
    k = 0.2 * np.sqrt(years)[:, None] * np.array([-2.5, -1.0, 0.0, 1.0, 2.0])
    theirs = black.implied_total_vol(quantlib_prices(params, years, k), k) / np.sqrt(years)[:, None]
    np.testing.assert_allclose(truth.vols(years[None], k[None])[0], theirs, rtol=2e-4)


def test_rough_bergomi_gives_a_published_price():
    """0.0791 (5.6e-5): Bayer, Ben Hammouda, Tempone (2020), table of reference solutions, K = 1, T = 1."""
    x, increments = paths(0.07, 200, 12)
    sums = integrals(1.9, x, increments, 0.07)
    total = conditional_smile(*sums, -0.9, 0.235**2, np.zeros(1))
    assert black.call_price(0.0, total)[0] == pytest.approx(0.0791, abs=4e-4)


def test_rough_bergomi_paths_have_their_covariance():
    hurst, steps = 0.1, 40
    x, increments = paths(hurst, steps, 13)
    t = np.arange(steps) / steps
    np.testing.assert_allclose(x.var(axis=0), t ** (2 * hurst), atol=0.02)
    w = increments.sum(axis=1)
    cross = np.sqrt(2 * hurst) * t ** (hurst + 0.5) / (hurst + 0.5)
    np.testing.assert_allclose((x * w[:, None]).mean(axis=0), cross, atol=0.02)


def test_rough_bergomi_skew_is_a_power_of_time():
    """d ln|skew| / d ln T is H - 1/2 for short times (Fukasawa 2017)."""
    hurst, eta, xi = 0.1, 1.5, 0.04
    x, increments = paths(hurst, 120, 11)

    def skew(year: float) -> float:
        sums = integrals(eta * year**hurst, x, increments, hurst)
        k = 0.1 * np.array([-1.0, 1.0])
        total = conditional_smile(*sums, -0.7, xi * year, k)
        return float(np.diff(total)[0] / np.sqrt(year) / (0.2 * np.sqrt(xi * year)))

    slope = np.log(skew(0.01) / skew(0.001)) / np.log(10)
    assert slope == pytest.approx(hurst - 0.5, abs=0.06)


# tables -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.simulation.markets.pool.TABLED", ("merton", "kou"))
        build_pool(folder, 12)
    return folder


def test_a_mirrored_and_a_boosted_surface_stay_in_their_market(rng):
    table = AFFINE["merton"](rng, 3)
    years, k = np.tile([0.1, 0.7], (3, 1)), np.linspace(-0.2, 0.2, 5)
    plain, mirrored, boosted = (
        Tabulated(table, straight(3), np.full(3, boost), np.full(3, mirror))
        for boost, mirror in ((1.0, 1.0), (1.0, -1.0), (1.5, 1.0))
    )
    grid = np.broadcast_to(k, (3, 2, 5))
    np.testing.assert_allclose(mirrored.vols(years, grid), plain.vols(years, grid)[..., ::-1], rtol=1e-12)
    later = plain.vols(2.25 * years, grid) * 1.5
    np.testing.assert_allclose(boosted.vols(years, grid), later, rtol=1e-9)


def test_the_pool_is_made_once_and_names_the_command_where_absent(pool, rng, tmp_path):
    before = (pool / "merton.npz").stat().st_mtime_ns
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.simulation.markets.pool.TABLED", ("merton",))
        build_pool(pool, 12)
    assert (pool / "merton.npz").stat().st_mtime_ns == before
    assert len(load(pool, "kou")) == 12
    with pytest.raises(FileNotFoundError, match="pool"):
        load(tmp_path, "kou")
    truth = draw_tabulated(rng, 30, load(pool, "kou"))
    assert np.isfinite(features(truth)["ATM"]).all()


# the stream -------------------------------------------------------------------------------------------------


def test_the_stream_is_reproducible_and_leaves_families_out():
    first, again = (stream(3, exclude=("sabr", "peg"), size=4) for _ in range(2))
    for _ in range(12):
        a, b = next(first), next(again)
        assert a.family == b.family and a.family not in ("sabr", "peg")
        np.testing.assert_array_equal(a.mid, b.mid)
        np.testing.assert_array_equal(a.shown, b.shown)


def test_a_stream_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="black"):
        next(stream(0, families=("black",)))
    with pytest.raises(ValueError, match="pool"):
        next(stream(0, families=("heston",)))


@pytest.mark.parametrize("family", DIRECT)
@pytest.mark.parametrize("grid", ["deltas", "moneyness", "listed"])
def test_a_batch_is_what_a_desk_sees(family, grid, rng):
    batch = draw_batch(rng, family, grid, 24)
    quoted = np.isfinite(batch.mid)
    assert (np.diff(batch.years, axis=1) > 0).all()
    assert (np.diff(batch.moneyness, axis=2) > 0).all()
    assert np.isfinite(batch.vols).all() and (batch.vols > 0).all()
    assert not (batch.shown & batch.hidden).any()
    np.testing.assert_array_equal(batch.shown | batch.hidden, quoted)
    assert batch.shown.any(axis=(1, 2)).all()
    assert not (quoted & ~batch.listed).any()
    sided = np.isfinite(batch.bid)
    assert (batch.bid[sided] <= batch.mid[sided]).all() and (batch.mid[sided] <= batch.ask[sided]).all()
    again = call_deltas(batch.years, batch.moneyness, batch.vols)
    np.testing.assert_allclose(batch.deltas, again)


@pytest.mark.parametrize("family", ["sabr", "peg"])
def test_no_quote_lies_beyond_any_strike_of_a_delta(family: str) -> None:
    """Near Lee's bound N(d1) stays above a delta however far the strike: nobody quotes it."""
    rng = np.random.default_rng(5)
    batches = [draw_batch(rng, family, "deltas", 100) for _ in range(6)]
    farthest = []
    for batch in batches:
        root = np.sqrt(batch.years)[..., None]
        at_money = batch.truth.vols(batch.years, np.zeros((*batch.years.shape, 1))) * root
        deviations = np.abs(batch.moneyness) / at_money
        farthest.append(deviations.max())
        assert deviations[batch.listed].max() < 15.0
        assert np.abs(batch.moneyness[batch.listed]).max() < np.log(50.0)
        np.testing.assert_array_equal(np.isfinite(batch.mid) & ~batch.listed, False)
    assert max(farthest) > 15.0


def test_a_surface_without_quotes_gives_way_to_another(rng, monkeypatch):
    monkeypatch.setattr("export.simulation.markets.streaming._MOST", 0.2)
    batch = draw_batch(rng, "ssvi", "deltas", 40)
    assert (batch.listed.sum(axis=(1, 2)) >= 10).all() and batch.shown.any(axis=(1, 2)).all()
    np.testing.assert_allclose(batch.truth.vols(batch.years, batch.moneyness), batch.vols)


def test_points_at_deltas_have_them(rng):
    truth = draw_truth(rng, "essvi", 60)
    years = np.tile([0.05, 0.5, 1.5], (60, 1))
    deltas = np.array([0.9, 0.75, 0.5, 0.25, 0.1])
    k = moneyness_at_deltas(truth, years, deltas)
    found = call_deltas(years, k, truth.vols(years, k))
    np.testing.assert_allclose(found, np.broadcast_to(deltas, found.shape), atol=1e-6)


@pytest.mark.parametrize("family", ["ssvi", "mixture", "peg"])
def test_families_without_arbitrage_have_none(family, rng):
    gains = largest_trades(rng, draw_truth(rng, family, 40))
    assert (gains <= 1e-10).mean() >= 0.97


def test_levels_run_from_pegs_to_coins(rng):
    levels = features(draw_truth(rng, "ssvi", 2000))["ATM"]
    assert levels.min() < 0.006 and levels.max() > 2.5
    assert 0.1 < np.median(levels) < 0.3


# masks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*MASKS, *UNSEEN_MASKS])
def test_masks_hide_quotes_and_leave_one(kind, rng):
    quoted = rng.random((40, 7, 9)) < 0.8
    quoted[0] = False
    quoted[0, 2, 3] = True
    deltas = np.broadcast_to(np.linspace(0.95, 0.05, 9), quoted.shape)
    hidden = hide(rng, kind, quoted, deltas)
    assert not (hidden & ~quoted).any()
    shown = quoted & ~hidden
    assert shown.any(axis=(1, 2)).all()
    if kind.endswith("%"):
        share = hidden[1:].sum(axis=(1, 2)) / quoted[1:].sum(axis=(1, 2))
        np.testing.assert_allclose(share, int(kind[:-1]) / 100, atol=0.02)
    elif kind == "expiry":
        gone = (hidden.any(axis=2) & ~shown.any(axis=2)).sum(axis=1)
        assert (gone[1:] == 1).all() and not hidden[1:, [0, -1]].any()
    elif kind in ("three", "atm"):
        assert (shown.sum(axis=2) <= (3 if kind == "three" else 1)).all()
    else:
        assert hidden[1:].any(axis=(1, 2)).all()


def test_holes_that_nothing_is_trained_under_are_what_they_say(rng):
    deltas = np.broadcast_to(np.linspace(0.975, 0.025, 20), (5, 7, 20))
    quoted = np.ones(deltas.shape, dtype=bool)
    quoted[:, 1] = False
    shown = {kind: quoted & ~hide(rng, kind, quoted, deltas) for kind in UNSEEN_MASKS}
    of_deltas = {"money": abs(deltas - 0.5) > 0.09, "outer": abs(deltas - 0.5) > 0.29}
    of_deltas |= {"puts": deltas > 0.44, "calls": deltas < 0.56}
    for kind, kept in of_deltas.items():
        np.testing.assert_array_equal(shown[kind], quoted & kept)
    rows = {"alternate": [0, 3, 5], "ends": [0, 6], "short": [0, 2, 3], "long": [4, 5, 6]}
    for kind, kept in rows.items():
        assert np.flatnonzero(shown[kind][0].any(1)).tolist() == kept
    assert (shown["one"].sum(2) == quoted.any(2)).all() and (shown["six"].sum((1, 2)) == 6).all()
    assert not MASKS.keys() & UNSEEN_MASKS.keys()
