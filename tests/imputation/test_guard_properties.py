"""Any mask, any quotes: filled cells add no violation, and quotes stay to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

import voladdin as va
from export.bench.repair.random_grids import random_surface
from tests.any_grid import grids
from tests.imputation.example import DELTAS, TENORS, surface
from voladdin.arbitrage.verdicts import arbitrage_free


def adds_none(grid: va.Surface, result: va.Imputation) -> None:
    """The contract of `impute`."""
    seen = grid.observed
    assert (result.filled[seen] == grid.vols[seen]).all()
    assert (result.low <= result.filled).all() and (result.filled <= result.high).all()
    assert not result.moved[seen | result.disputed].any()
    found = va.check(grid) if seen.any() else None
    if found is not None:
        assert result.disputed.any() == result.disputed[seen].any() == (not found.ok)
    kept = np.where(result.disputed, np.nan, result.filled)
    if np.isfinite(kept).any() and "still add arbitrage" not in result.model:
        assert va.check(grid.replace(kept)).ok


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.8]))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_kind_of_axis(seed: int, near: bool, share: float) -> None:
    rng = np.random.default_rng(seed)
    drawn = random_surface(rng, near=near)
    grid = drawn.replace(np.where(rng.random(drawn.shape) < share, np.nan, drawn.vols))
    if grid.observed.any():
        adds_none(grid, va.impute(grid))


@given(grids(), st.booleans())
@example((np.array([[np.nan, 1e-30]]), {"tenors": [1.0], "deltas": [0.25, 0.5]}), False)  # below any fill
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_vols_at_all(grid: tuple[np.ndarray, dict[str, object]], with_prior: bool) -> None:
    vols, axes = grid
    try:
        found = va.Surface(vols, **axes)  # type: ignore[arg-type]
        prior = found.replace(np.full(vols.shape, 0.1)) if with_prior else None
        result = va.impute(found, prior=prior)
    except va.VoladdinError:
        reject()
    adds_none(found, result)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3), st.floats(0.05, 0.97), st.booleans())
@settings(max_examples=60, deadline=None)
def test_damaged_quotes(seed: int, noise: float, share: float, with_prior: bool) -> None:
    """A desk's grid, where an admissible vol is always found."""
    rng = np.random.default_rng(seed)
    vols = surface() * np.exp(noise * rng.standard_normal((8, 5)))
    vols = np.where(rng.random(vols.shape) < share, np.nan, vols)
    vols[rng.integers(8), rng.integers(5)] = 0.08
    grid = va.Surface(vols, TENORS, deltas=DELTAS)
    result = va.impute(grid, prior=grid.replace(surface()) if with_prior else None)
    adds_none(grid, result)
    free = va.impute(grid, prior=grid.replace(surface()) if with_prior else None, arbitrage_free=False)
    np.testing.assert_array_equal(result.mean, free.filled)
    if va.check(grid.replace(free.filled)).ok:
        np.testing.assert_array_equal(result.filled, free.filled)


@given(st.integers(0, 7), st.integers(0, 4), st.floats(0.01, 2.0))
@settings(max_examples=40, deadline=None)
def test_one_quote(row: int, column: int, vol: float) -> None:
    vols = np.full((8, 5), np.nan)
    vols[row, column] = vol
    grid = va.Surface(vols, TENORS, deltas=DELTAS)
    result = va.impute(grid)
    adds_none(grid, result)
    assert not result.disputed.any()


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(99053, True)  # two strikes that agree to 12 digits, and a trade of the tolerance
def test_batched_verdicts_are_those_of_check(seed: int, near: bool) -> None:
    grid = random_surface(np.random.default_rng(seed), near=near)
    assert bool(arbitrage_free(grid, grid.vols[None])[0]) == va.check(grid).ok
