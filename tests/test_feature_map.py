"""Features: exact on polynomials, linear, invariant, and honest about what a grid cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from export.simulation.sabr import hagan_vol
from voladdin import black
from voladdin.feature_map import MONOMIALS, feature_weights

TENORS = np.linspace(0.1, 0.6, 28)
MONEYNESS = np.linspace(-0.27, 0.27, 28)


def axis(low: float, high: float, size: int) -> st.SearchStrategy[list[float]]:
    """Increasing, at least a fifth of an even step apart."""
    step = (high - low) / size
    jitter = st.lists(st.floats(0, 0.8), min_size=size, max_size=size)
    return jitter.map(lambda parts: [low + step * (k + part) for k, part in enumerate(parts)])


@st.composite
def grids(draw: st.DrawFn, least: int = 4) -> tuple[np.ndarray, np.ndarray]:
    tenors = draw(st.integers(least, 9).flatmap(lambda n: axis(0.02, draw(st.sampled_from([0.5, 10.0])), n)))
    moneyness = draw(st.integers(least, 9).flatmap(lambda n: axis(-0.4, 0.5, n)))
    return np.array(tenors), np.array(moneyness)


coefficients = st.lists(st.floats(-1, 1), min_size=10, max_size=10).map(np.array)


def polynomial(beta: np.ndarray, tenors: np.ndarray, m: np.ndarray) -> np.ndarray:
    """A cubic that stays within (0, 2): small terms around a vol of 1 for |m| <= 0.5 and tenors up to 10."""
    tau = np.asarray(tenors)[:, None]
    terms = [b * tau**i * m**j for b, (i, j) in zip(beta, MONOMIALS, strict=True)]
    return 1 + 0.09 * sum(terms)


def scaled(beta: np.ndarray, tenors: np.ndarray) -> np.ndarray:
    return beta / np.array([tenors[-1] ** i for i, _ in MONOMIALS])


def expected(beta: np.ndarray) -> np.ndarray:
    found = dict(zip(MONOMIALS, 0.09 * beta, strict=True))
    return np.array([1 + found[0, 0], found[0, 1], 2 * found[0, 2], found[1, 0]])


def error(f: va.Features, truth: np.ndarray) -> float:
    """Largest error over what the rounding of vols of about 1 makes of it."""
    return float(np.max(np.abs(f.values - truth) / (1e-15 + np.linalg.norm(f.weights, axis=(1, 2)))))


@given(grids(), coefficients)
def test_polynomials_of_the_fits_degree_are_recovered(grid: tuple, beta: np.ndarray) -> None:
    tenors, m = grid
    beta = scaled(beta, tenors)
    f = va.features(va.Surface(polynomial(beta, tenors, m), tenors, moneyness=m))
    assert error(f, expected(beta)) < 1e-12


@given(grids(5), coefficients, st.integers(0, 2**31))
def test_holes_are_left_out(grid: tuple, beta: np.ndarray, seed: int) -> None:
    tenors, m = grid
    beta = scaled(beta, tenors)
    vols = polynomial(beta, tenors, m)
    rows, columns = np.random.default_rng(seed).integers(0, 5, (2, 1))
    vols[rows, columns] = np.nan
    f = va.features(va.Surface(vols, tenors, moneyness=m))
    assert error(f, expected(beta)) < 1e-12
    assert (f.weights[:, rows, columns] == 0).all()


@given(grids(), st.integers(0, 2**31))
def test_weights_are_those_of_least_squares(grid: tuple, seed: int) -> None:
    tenors, m = grid
    vols = np.random.default_rng(seed).uniform(0.05, 0.6, (len(tenors), len(m)))
    tau, k = np.meshgrid(tenors, m, indexing="ij")
    design = np.stack([(tau**i * k**j).ravel() for i, j in MONOMIALS], axis=1)
    scale = np.abs(design).max(axis=0)
    beta = np.linalg.lstsq(design / scale, vols.ravel(), rcond=None)[0] / scale
    found = dict(zip(MONOMIALS, beta, strict=True))
    f = va.features(va.Surface(vols, tenors, moneyness=m))
    assert error(f, np.array([found[0, 0], found[0, 1], 2 * found[0, 2], found[1, 0]])) < 1e-11
    np.testing.assert_allclose(feature_weights(tenors[:, None], m), f.weights.reshape(4, -1), atol=0)
    np.testing.assert_allclose(np.sum(f.weights * vols, axis=(1, 2)), f.values, atol=1e-9)


@given(grids(), st.integers(0, 2**31), st.floats(0.1, 3), st.floats(-0.04, 0.5))
def test_features_follow_scale_shift_mirror_and_clock(
    grid: tuple, seed: int, factor: float, shift: float
) -> None:
    tenors, m = grid
    vols = np.random.default_rng(seed).uniform(0.05, 0.6, (len(tenors), len(m)))
    f = va.features(va.Surface(vols, tenors, moneyness=m))

    def close(other: va.Features, truth: np.ndarray) -> None:
        size = np.linalg.norm(other.weights, axis=(1, 2)) + np.abs(truth) / f.values[0]
        np.testing.assert_allclose(other.values / size, truth / size, atol=1e-9)

    close(va.features(va.Surface(factor * vols, tenors, moneyness=m)), factor * f.values)
    close(va.features(va.Surface(vols + shift, tenors, moneyness=m)), f.values + np.array([shift, 0, 0, 0]))
    close(
        va.features(va.Surface(vols[:, ::-1], tenors, moneyness=-m[::-1])), f.values * np.array([1, -1, 1, 1])
    )
    close(va.features(va.Surface(vols, factor * tenors, moneyness=m)), f.values / np.array([1, 1, 1, factor]))


def test_a_flat_surface_is_its_level() -> None:
    f = va.features(va.Surface(np.full((28, 28), 0.343), TENORS, moneyness=MONEYNESS))
    np.testing.assert_allclose(f.values, [0.343, 0, 0, 0], atol=1e-13)


def test_sabr_has_the_features_of_its_expansion() -> None:
    """Lognormal SABR at tau -> 0: alpha, rho nu/2, (2 - 3 rho^2) nu^2/(6 alpha) (Hagan et al. 2002)."""
    alpha, rho, nu = 0.2, -0.4, 0.3
    tenors, m = np.linspace(0.02, 0.2, 9), np.linspace(-0.05, 0.05, 9)
    vols = hagan_vol(m, tenors[:, None], alpha, 1.0, rho, nu)
    curvature = (2 - 3 * rho**2) * nu**2
    term = alpha * (rho * nu * alpha / 4 + curvature / 24)
    f = va.features(va.Surface(vols, tenors, moneyness=m))
    assert f.level == pytest.approx(alpha, rel=1e-5)
    assert f.skew == pytest.approx(rho * nu / 2, rel=1e-3)
    assert f.curv == pytest.approx(curvature / (6 * alpha), rel=1e-2)
    assert f.term == pytest.approx(term, rel=1e-3)


def test_every_strike_axis_gives_the_same_features() -> None:
    tenors, deltas = np.array([0.1, 0.25, 0.5, 1.0]), np.array([0.9, 0.75, 0.5, 0.25, 0.1])
    vols = 0.1 + 0.02 * (deltas - 0.45) ** 2 + 0.01 * np.sqrt(tenors)[:, None] * (1 + deltas)
    m = black.moneyness_from_delta(deltas, vols * np.sqrt(tenors)[:, None])
    forwards = np.array([1.1, 1.2, 1.3, 1.4])
    by_delta = va.features(va.Surface(vols, tenors, deltas=deltas))
    by_moneyness = va.features(va.Surface(vols, tenors, moneyness=m))
    by_strike = va.features(
        va.Surface(vols, tenors, strikes=np.exp(m) * forwards[:, None], forwards=forwards)
    )
    np.testing.assert_allclose(by_delta.values, by_moneyness.values, rtol=1e-12)
    np.testing.assert_allclose(by_strike.values, by_moneyness.values, rtol=1e-9)
    assert by_delta.condition == pytest.approx(by_moneyness.condition)


# ---- what a grid cannot tell


@settings(max_examples=50)
@given(grids(), coefficients, st.integers(1, 4), st.integers(1, 4))
def test_small_grids_lose_features_and_keep_the_others_right(
    grid: tuple, beta: np.ndarray, rows: int, columns: int
) -> None:
    tenors, m = grid[0][:rows], grid[1][:columns]
    beta = scaled(beta, grid[0]) * [i < rows and j < columns for i, j in MONOMIALS]
    f = va.features(va.Surface(polynomial(beta, tenors, m), tenors, moneyness=m))
    known = np.array([True, columns > 1, columns > 2, rows > 1])
    np.testing.assert_array_equal(np.isfinite(f.values), known)
    np.testing.assert_array_equal(np.isfinite(f.weights).all(axis=(1, 2)), known)
    size = np.linalg.norm(f.weights[known], axis=(1, 2))
    assert np.max(np.abs(f.values - expected(beta))[known] / size) < 1e-12


def test_at_the_money_deltas_have_no_skew() -> None:
    """Their strikes differ from tenor to tenor, but no tenor shows a smile."""
    vols = [[0.10], [0.11], [0.13], [0.12]]
    f = va.features(va.Surface(vols, ["1M", "3M", "6M", "1Y"], deltas=[0.5]))
    assert np.isnan([f.skew, f.curv]).all()
    assert np.isfinite([f.level, f.term]).all()


def test_one_smile_among_at_the_money_quotes_gives_skew_and_curvature() -> None:
    tenors, m = [0.1, 0.2, 0.3, 0.4, 0.5], np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    vols = np.full((5, 5), np.nan)
    vols[:, 2] = [0.21, 0.22, 0.23, 0.24, 0.25]
    vols[0] = 0.21 - 0.1 * m + 0.3 * m**2
    f = va.features(va.Surface(vols, tenors, moneyness=m))
    np.testing.assert_allclose(f.values, [0.2, -0.1, 0.6, 0.1], atol=1e-12)


def test_condition_tells_how_far_the_anchor_is() -> None:
    surface = va.Surface(np.full((28, 28), 0.2), TENORS, moneyness=MONEYNESS)
    far = va.Surface(np.full((28, 28), 0.2), TENORS + 1, moneyness=MONEYNESS + 0.5)
    near, away = va.features(surface), va.features(far)
    assert 1 < near.condition < away.condition / 10
    amplified = [np.linalg.norm(f.weights, axis=(1, 2)) for f in (near, away)]
    assert (amplified[0] < amplified[1]).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(va.InputError, match=r"surface is a list; expected a voladdin\.Surface"):
        va.features([[0.1]])  # type: ignore[arg-type]
    with pytest.raises(va.InputError, match="no quote at all"):
        va.features(va.Surface([[np.nan]], ["1M"], deltas=[0.5]))
    with pytest.raises(va.InputError, match="must be finite"):
        feature_weights([0.1, np.nan], [0.0, 0.1])
    with pytest.raises(va.InputError, match="broadcast"):
        feature_weights([0.1, 0.2, 0.3], [0.0, 0.1])
    with pytest.raises(va.InputError, match="at least one cell"):
        feature_weights([], [])
