"""Conditioning of Gaussians against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin.imputation.conditioning import NUGGET, condition, core_mean, inverse_root, times_transposed

CELLS = 7


def _case(seed: int, batch: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((CELLS, CELLS))
    covariance = root @ root.T + 0.1 * np.eye(CELLS)
    observed = rng.random((batch, CELLS)) < 0.5
    observed[:, 0] = True
    return rng.standard_normal(CELLS), covariance, rng.standard_normal((batch, CELLS)), observed


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_condition_is_the_textbook_formula(seed: int) -> None:
    mean, covariance, values, observed = _case(seed)
    result = condition(mean, covariance, values, observed)
    for b, seen in enumerate(observed):
        inner = covariance[np.ix_(seen, seen)] + NUGGET * np.eye(seen.sum())
        gain = np.linalg.solve(inner, covariance[seen]).T
        residual = values[b, seen] - mean[seen]
        np.testing.assert_allclose(result.mean[b], mean + gain @ residual, atol=1e-9)
        left = np.diag(covariance) - np.einsum("ij,ji->i", gain, covariance[seen])
        np.testing.assert_allclose(result.std[b] ** 2, np.maximum(left, NUGGET), atol=1e-7)
        np.testing.assert_allclose(result.distance[b], residual @ np.linalg.solve(inner, residual), rtol=1e-8)


def test_inverse_roots_whiten_and_what_is_no_covariance_is_refused() -> None:
    roots = np.random.default_rng(1).standard_normal((3, CELLS, CELLS))
    covariances = roots @ roots.swapaxes(1, 2) + np.eye(CELLS)
    whiten = inverse_root(covariances.copy())
    np.testing.assert_array_equal(whiten, np.tril(whiten))
    white = whiten @ covariances @ whiten.swapaxes(1, 2)
    np.testing.assert_allclose(white, np.broadcast_to(np.eye(CELLS), white.shape), atol=1e-9)
    covariances[1, 2, 2] = -1.0
    with pytest.raises(np.linalg.LinAlgError, match="definite"):
        inverse_root(covariances)


@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 4, 6), (2, 0, 6), (1, 1, 1)])
def test_rows_times_transposed_triangles_are_written_over(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    rows, roots = (
        rng.standard_normal(shape),
        np.tril(rng.standard_normal((*shape[:-2], shape[-1], shape[-1]))),
    )
    expected = rows @ roots.swapaxes(-1, -2)
    assert times_transposed(rows, roots) is rows
    np.testing.assert_allclose(rows, expected, atol=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_zscore_is_leave_one_out(seed: int) -> None:
    mean, covariance, values, observed = _case(seed, batch=1)
    full = condition(mean, covariance, values, observed)
    for i in np.flatnonzero(observed[0]):
        without = observed.copy()
        without[0, i] = False
        if not without.any():
            continue
        other = condition(mean, covariance, values, without)
        expected = (values[0, i] - other.mean[0, i]) / np.sqrt(other.std[0, i] ** 2 + NUGGET)
        np.testing.assert_allclose(full.zscore[0, i], expected, rtol=1e-5)
    assert np.isnan(full.zscore[~observed]).all()


def test_quotes_are_met() -> None:
    mean, covariance, values, observed = _case(1)
    result = condition(mean, covariance, values, observed)
    np.testing.assert_allclose(result.mean[observed], values[observed], atol=1e-6)


def test_batched_covariances_equal_one_at_a_time() -> None:
    mean, covariance, values, observed = _case(2)
    scales = np.array([0.5, 1.0, 2.0])
    together = condition(mean, covariance * scales[:, None, None], values, observed)
    for b, scale in enumerate(scales):
        alone = condition(mean, covariance * scale, values[b : b + 1], observed[b : b + 1])
        np.testing.assert_allclose(together.mean[b], alone.mean[0], rtol=1e-6)
        np.testing.assert_allclose(together.std[b], alone.std[0], rtol=1e-6)


def test_core_mean_through_an_observation() -> None:
    mean, covariance, _, _ = _case(3)
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((4, CELLS))
    cells = rng.standard_normal((1, 4))
    seen = np.array([[True, False, True, True]])
    cell_covariance = matrix @ covariance @ matrix.T
    residual = np.where(seen, cells - matrix @ mean, 0.0)
    cross = matrix @ covariance
    got = core_mean(mean, cross, cell_covariance, seen, residual)
    two = core_mean(mean, cross, cell_covariance, np.repeat(seen, 2, 0), np.repeat(residual, 2, 0))
    np.testing.assert_allclose(two, np.repeat(got, 2, 0), rtol=1e-9)
    used = matrix[seen[0]]
    gain = covariance @ used.T @ np.linalg.inv(used @ covariance @ used.T + NUGGET * np.eye(3))
    np.testing.assert_allclose(got[0], mean + gain @ (cells[0, seen[0]] - used @ mean), rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_one_surface_is_a_batch_of_one(seed: int) -> None:
    mean, covariance, values, observed = _case(seed)
    together = condition(mean, covariance, values, observed)
    for b in range(len(values)):
        alone = condition(mean, covariance, values[b : b + 1], observed[b : b + 1])
        for name in ("mean", "std", "distance", "count", "scale", "zscore"):
            np.testing.assert_allclose(
                getattr(alone, name)[0], getattr(together, name)[b], rtol=1e-6, atol=1e-9
            )
