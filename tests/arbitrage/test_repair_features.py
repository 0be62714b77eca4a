"""Repair with the features kept: nearest, exact, and what is said where that cannot be."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import voladdin as va
from export.bench.repair.random_grids import random_surface
from export.simulation.equity import MONEYNESS, TENORS, simulate_equity
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.prices import quoted_nodes
from voladdin.arbitrage.repair import repair
from voladdin.arbitrage.repair.keep_features import keep
from voladdin.arbitrage.repair.quadratic_program import Quadratic
from voladdin.arbitrage.repair.quoted_features import QuotedFeatures
from voladdin.arbitrage.verdicts import arbitrage_free, largest_gain
from voladdin.errors import InfeasibleError, InputError
from voladdin.feature_map import feature_weights, features

WEIGHTS = feature_weights(TENORS[:, None], MONEYNESS)
AXES = Rectangle(TENORS, MONEYNESS)


@pytest.fixture(scope="module")
def surfaces() -> np.ndarray:
    """[n, 784] Heston and SABR surfaces without arbitrage."""
    return np.concatenate(list(simulate_equity(60, seed=4)[0].values())).reshape(-1, 784)


@pytest.fixture(scope="module")
def moved(surfaces: np.ndarray) -> list[np.ndarray]:
    """[28, 28] surfaces moved along the data's covariance by features until they have arbitrage."""
    covariance = np.cov(surfaces.T)
    gain = covariance @ WEIGHTS.T @ np.linalg.inv(WEIGHTS @ covariance @ WEIGHTS.T)
    spread = (surfaces @ WEIGHTS.T).std(axis=0)
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    while len(found) < 8:
        size = spread * rng.standard_normal(4) * rng.choice([0.3, 1.0, 2.0])
        vols = (surfaces[rng.integers(len(surfaces))] + gain @ size).reshape(28, 28)
        if vols.min() > 0.02 and not arbitrage_free(AXES, vols[None])[0]:
            found.append(vols)
    return found


def surface28(vols: np.ndarray) -> va.Surface:
    return va.Surface(vols.reshape(28, 28), TENORS, moneyness=MONEYNESS)


def assert_kept(found: Any, before: va.Surface) -> None:
    assert found.ok and found.method == "features", found.message
    assert va.check(found.surface).ok
    assert np.nanmax(np.abs(features(found.surface).values - features(before).values)) < 1e-10
    assert np.nanmax(np.abs(found.features_moved)) < 1e-10
    assert "kept" in found.message


def test_moved_surfaces_are_repaired_with_their_features(moved: list[np.ndarray]) -> None:
    for vols in moved:
        assert_kept(repair(surface28(vols), keep_features=True), surface28(vols))


@pytest.mark.parametrize("noise", [0.0005, 0.005, 0.02])
def test_noise_is_repaired_with_the_features(surfaces: np.ndarray, noise: float) -> None:
    rng = np.random.default_rng(1)
    before = surface28(surfaces[0] * np.exp(noise * rng.standard_normal(784)))
    assert not va.check(before).ok
    found = repair(before, keep_features=True)
    assert_kept(found, before)
    assert found.mean < 2e4 * noise * before.vols.mean()


def test_even_random_vols_are_repaired_with_their_features() -> None:
    """The steps start from vols without arbitrage, since none lead there from these."""
    before = surface28(np.random.default_rng(1).uniform(0.01, 1.0, (28, 28)))
    assert_kept(repair(before, keep_features=True), before)


def test_a_naive_shift_that_breaks_the_calendar_is_repaired() -> None:
    """Total variance all but constant in tenor; less one vol point, it falls."""
    smile = 0.06 + 0.02 * MONEYNESS**2 - 0.01 * MONEYNESS
    vols = (smile + 1e-4 * TENORS[:, None]) / np.sqrt(TENORS)[:, None]
    assert va.check(surface28(vols)).ok
    before = surface28(vols - 0.01)
    assert {violation.kind for violation in va.check(before).violations} >= {"calendar"}
    assert_kept(repair(before, keep_features=True), before)


def test_the_vogt_slice_keeps_what_one_tenor_can_tell() -> None:
    """Gatheral and Jacquier (2014), section 5.1: SVI without butterfly-free wings."""
    k = np.linspace(-1.5, 1.5, 31)
    w = -0.041 + 0.1331 * (0.306 * (k - 0.3586) + np.sqrt((k - 0.3586) ** 2 + 0.4153**2))
    before = va.Surface([np.sqrt(w)], [1.0], moneyness=k)
    assert not va.check(before).ok
    found = repair(before, keep_features=True)
    assert_kept(found, before)
    assert np.isnan(found.features_moved).tolist() == [False, False, False, True]


def test_it_is_the_nearest_in_squares() -> None:
    """As another solver finds it, from the repaired surface on."""
    tenors, m = np.array([0.1, 0.3, 0.6]), np.linspace(-0.2, 0.2, 5)
    rng = np.random.default_rng(3)
    vols = 0.2 + 0.1 * m**2 + 0.03 * rng.standard_normal((3, 5))
    before = va.Surface(vols, tenors, moneyness=m)
    assert not va.check(before).ok
    found = repair(before, keep_features=True)
    assert_kept(found, before)
    weights = feature_weights(tenors[:, None], m)

    root, strikes = np.sqrt(tenors)[:, None], np.exp(m)

    def conditions(x: np.ndarray) -> np.ndarray:
        c = va.black.call_price(m, x.reshape(3, 5) * root)
        slope = np.diff(np.column_stack([np.ones(3), c]), axis=1) / np.diff(np.append(0.0, strikes))
        return np.concatenate([np.diff(slope).ravel(), -slope[:, -1], np.diff(c, axis=0).ravel()])

    def slopes(x: np.ndarray) -> np.ndarray:
        size = 1e-6
        return np.stack(
            [(conditions(x + size * e) - conditions(x - size * e)) / (2 * size) for e in np.eye(15)], axis=1
        )

    best = np.inf
    for start in (vols.ravel(), np.full(15, 0.2), found.surface.vols.ravel()):
        other = minimize(
            lambda x: 1e2 * ((x - vols.ravel()) ** 2).sum(),
            start,
            jac=lambda x: 2e2 * (x - vols.ravel()),
            constraints=[
                {"type": "ineq", "fun": conditions, "jac": slopes},
                {"type": "eq", "fun": lambda x: weights @ (x - vols.ravel()), "jac": lambda x: weights},
            ],
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-10},
        )
        best = min(best, other.fun) if other.success else best
    assert 1e2 * ((found.surface.vols - vols) ** 2).sum() == pytest.approx(best, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_grid_is_valid_and_kept_or_says_what_moved(seed: int) -> None:
    before = random_surface(np.random.default_rng(seed), near=seed % 2 == 1)
    found = repair(before, keep_features=True)
    assert va.check(found.surface).ok
    assert np.isnan(found.surface.vols).tolist() == np.isnan(before.vols).tolist()
    largest = np.nanmax(np.abs(found.features_moved), initial=0.0)
    scale = max(1.0, float(np.nanmax(np.abs(features(before).values))))
    if found.method in ("none", "features"):
        assert largest < 1e-10 * scale
    else:
        assert "could not be kept" in found.message


def test_a_delta_grid_stays_that_grid() -> None:
    before = va.Surface(
        [[0.105, 0.10, 0.095, 0.101, 0.11], [0.05, 0.065, 0.07, 0.065, 0.05], [0.1, 0.095, 0.09, 0.094, 0.1]],
        ["1M", "3M", "1Y"],
        deltas=["10P", "25P", "ATM", "25C", "10C"],
    )
    found = repair(before, keep_features=True)
    assert_kept(found, before)
    assert found.surface.deltas is not None and found.largest < 400


def test_features_of_a_delta_grid_have_the_derivative_they_say() -> None:
    rng = np.random.default_rng(2)
    tenors, deltas = [0.1, 0.5, 1.0, 2.0], [0.9, 0.75, 0.5, 0.25, 0.1]
    vols = 0.1 * np.exp(0.1 * rng.standard_normal((4, 5)))
    given = quoted_nodes(va.Surface(vols, tenors, deltas=deltas), vols)
    years = np.repeat(tenors, 5)
    of_quotes = QuotedFeatures.of(given.along(np.array(deltas)), years, given.m)
    size = 1e-6
    steps = [(of_quotes.at(given.vols + e) - of_quotes.at(given.vols - e)) for e in size * np.eye(20)]
    assert of_quotes.at(given.vols) == pytest.approx(features(va.Surface(vols, tenors, deltas=deltas)).values)
    assert of_quotes.slopes(given.vols) == pytest.approx(
        np.stack(steps, axis=1) / (2 * size), rel=1e-5, abs=1e-6
    )


def test_fixed_quotes_stay_to_the_last_bit(moved: list[np.ndarray]) -> None:
    before = surface28(moved[0])
    fixed = np.zeros((28, 28), dtype=bool)
    fixed[0, [0, 13, 27]] = True
    found = repair(before, keep_features=True, fixed=fixed)
    assert_kept(found, before)
    assert (found.surface.vols[fixed] == moved[0][fixed]).all()


def test_where_features_cannot_be_kept_the_message_says_how_far_each_moved() -> None:
    """Three quotes fix three features, so that none can move and keep them."""
    before = va.Surface([[0.2, 0.28, 0.2]], [0.5], moneyness=[-0.1, 0.0, 0.1])
    found = repair(before, keep_features=True)
    assert found.ok and found.method != "features"
    assert "the features could not be kept" in found.message
    told = dict(re.findall(r"(\w+) by ([+-][\d.e-]+)", found.message))
    assert set(told) <= {"level", "skew", "curv", "term"} and told
    for name, move in zip(("level", "skew", "curv"), found.features_moved[:3], strict=True):
        assert float(told.get(name, 0.0)) == pytest.approx(move, rel=0.06, abs=1e-9)


def test_a_solver_that_fails_falls_through(moved: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Quadratic, "solve", lambda self: None)
    found = repair(surface28(moved[0]), keep_features=True)
    assert found.ok and found.method == "prices" and "could not be kept" in found.message


def test_keep_reaches_other_features(surfaces: np.ndarray) -> None:
    vols = surfaces[3]
    target = WEIGHTS @ vols + [0.02, -0.1, 0.3, -0.05]
    kept = keep(AXES, vols.reshape(28, 28), target)
    assert np.abs(WEIGHTS @ kept.ravel() - target).max() < 1e-10
    assert largest_gain(kept[None], TENORS, MONEYNESS)[0] < 1e-10
    assert va.check(surface28(kept)).ok


def test_keep_leaves_holes() -> None:
    tenors, m = np.array([0.1, 0.3, 0.6]), np.linspace(-0.2, 0.2, 5)
    vols = 0.2 + 0.1 * np.tile(m**2, (3, 1))
    vols[1, 2] = np.nan
    before = features(va.Surface(vols, tenors, moneyness=m)).values
    kept = keep(Rectangle(tenors, m), vols, before + np.array([0.01, 0.0, 0.0, 0.1]))
    after = va.Surface(kept, tenors, moneyness=m)
    assert np.isnan(kept).sum() == 1 and va.check(after).ok
    assert features(after).values - before == pytest.approx([0.01, 0.0, 0.0, 0.1], abs=1e-10)


def test_a_feature_beyond_reach_is_named_with_the_nearest_value(surfaces: np.ndarray) -> None:
    vols = surfaces[5].reshape(28, 28)
    target = WEIGHTS @ surfaces[5] + [0.0, 0.0, 60.0, 0.0]
    with pytest.raises(InfeasibleError, match=r"curv [\d.]+ is beyond reach") as caught:
        keep(AXES, vols, target)
    assert "with the others as asked" in str(caught.value)
    (near,) = re.findall(r"curv ([\d.]+)$", str(caught.value))
    target[2] = 0.99 * float(near)
    kept = keep(AXES, vols, target)
    assert np.abs(WEIGHTS @ kept.ravel() - target).max() < 1e-10 and va.check(surface28(kept)).ok


def test_bad_input_is_named(moved: list[np.ndarray]) -> None:
    with pytest.raises(InputError, match=r"target_features has shape \(3,\); expected 4 numbers"):
        keep(AXES, moved[0], [0.2, 0.0, 0.1])
    with pytest.raises(InputError, match="method is 'prices' and keep_features is True"):
        repair(surface28(moved[0]), keep_features=True, method="prices")
