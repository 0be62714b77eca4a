"""Fixed points of slow contractions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin.imputation.fixed_point import Anderson


def steps_to(end: float, matrix: np.ndarray, offset: np.ndarray, plain: bool = False) -> int:
    point, search = np.zeros(len(offset)), Anderson()
    for count in range(1, 200):
        step = matrix @ point + offset + 0.01 * np.sin(point) - point
        if np.abs(step).max() < end:
            return count
        point = point + step if plain else search.next(point, step)
    pytest.fail("no fixed point was found")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_no_more_steps_than_plain_iteration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    matrix = basis @ np.diag(rng.uniform(0, 0.7, 30)) @ basis.T
    offset = 0.1 * rng.standard_normal(30)
    assert steps_to(1e-6, matrix, offset) <= steps_to(1e-6, matrix, offset, plain=True)


def test_few_directions_take_few_steps() -> None:
    matrix = np.diag([0.9, 0.5, 0.0, 0.0])
    assert steps_to(1e-8, matrix, np.full(4, 0.1)) <= 10
    assert steps_to(1e-8, matrix, np.full(4, 0.1), plain=True) > 60


def test_a_step_that_grows_forgets_the_past() -> None:
    search = Anderson()
    search.next(np.zeros(2), np.array([1.0, 0.0]))
    assert search.next(np.ones(2), np.array([3.0, 1.0])) == pytest.approx([4.0, 2.0])


def test_equal_steps_are_no_trouble() -> None:
    search = Anderson()
    search.next(np.zeros(2), np.array([0.1, 0.0]))
    assert np.isfinite(search.next(np.zeros(2), np.array([0.1, 0.0]))).all()
