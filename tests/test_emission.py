"""From core nodes to any cell."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va


@pytest.fixture(scope="module")
def bundle() -> va.Bundle:
    return va.load("fx")


def test_core_nodes_are_themselves(bundle: va.Bundle) -> None:
    grid = bundle.card["grid"]
    tenors = np.repeat(grid["tenors_years"], len(grid["call_deltas"]))
    deltas = np.tile(grid["call_deltas"], len(grid["tenors_years"]))
    emission = bundle.extension.emission(tenors, deltas)
    np.testing.assert_allclose(emission.matrix, np.eye(len(tenors)), atol=1e-6)
    np.testing.assert_allclose(emission.offset, 0.0, atol=1e-6)
    np.testing.assert_allclose(emission.covariance, 0.0, atol=1e-9)


def test_a_shift_of_all_vols_shifts_every_cell(bundle: va.Bundle) -> None:
    tenors = np.geomspace(1 / 365, 10, 23)
    emission = bundle.extension.emission(tenors, np.linspace(0.05, 0.95, 23))
    np.testing.assert_allclose(emission.matrix.sum(1), 1.0, atol=0.02)


def test_covariances_are_sound_and_grow_outside(bundle: va.Bundle) -> None:
    tenors, deltas = np.geomspace(0.5 / 365, 40, 30), np.linspace(0.01, 0.99, 30)
    emission = bundle.extension.emission(tenors, deltas)
    assert np.linalg.eigvalsh(emission.covariance).min() > -1e-9
    inside = bundle.extension.emission(np.array([1.0, 5.0]), np.array([0.25, 0.25])).covariance.diagonal()
    outside = bundle.extension.emission(np.array([30.0, 5.0]), np.array([0.25, 0.01])).covariance.diagonal()
    assert (outside > inside + 1e-4).all()


def test_nearly_on_a_node_is_on_it(bundle: va.Bundle) -> None:
    month = bundle.extension.emission(np.array([30.4375 / 365.25]), np.array([0.25]))
    exact = bundle.extension.emission(np.array([1 / 12]), np.array([0.25]))
    np.testing.assert_allclose(month.matrix, exact.matrix)
