"""From core nodes to any cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import ndtri

import voladdin as va


@pytest.fixture(scope="module")
def bundle() -> va.Bundle:
    return va.load("fx")


def test_core_nodes_are_themselves(bundle: va.Bundle) -> None:
    grid = bundle.card["grid"]
    tenors = np.repeat(grid["tenors_years"], len(grid["call_deltas"]))
    deltas = np.tile(grid["call_deltas"], len(grid["tenors_years"]))
    observation = bundle.extension.observation(tenors, deltas)
    np.testing.assert_allclose(observation.matrix, np.eye(len(tenors)), atol=1e-6)
    np.testing.assert_allclose(observation.offset, 0.0, atol=1e-6)
    np.testing.assert_allclose(observation.covariance, 0.0, atol=1e-9)


def test_a_shift_of_all_vols_shifts_every_cell(bundle: va.Bundle) -> None:
    tenors = np.geomspace(1 / 365, 10, 23)
    observation = bundle.extension.observation(tenors, np.linspace(0.05, 0.95, 23))
    np.testing.assert_allclose(observation.matrix.sum(1), 1.0, atol=0.02)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_between_nodes_cells_follow_natural_splines(bundle: va.Bundle, count: int) -> None:
    """In ln T and N⁻¹(Δ), as scipy has them; beyond the last node they stay."""
    of = bundle.extension
    nodes, strikes = np.geomspace(0.05, 3.0, count) ** 1.1, of.deltas[[0, 1, -1]]
    size = 3 * count
    few = replace(of, tenors=nodes, deltas=strikes, matrix=np.eye(size), offset=np.zeros(size))
    few = replace(few, covariance=np.zeros((size, size)), changes=np.zeros((size, size)))
    few = replace(few, between_tenors=np.zeros(count - 1), between_deltas=np.zeros(2))
    tenors, deltas = np.geomspace(0.01, 9.0, 17), np.linspace(0.02, 0.98, 17)
    each = [
        CubicSpline(own, np.eye(len(own)), bc_type="natural")(np.clip(at, own[0], own[-1]))
        for own, at in ((np.log(nodes), np.log(tenors)), (ndtri(strikes), ndtri(deltas)))
    ]
    found = few.observation(tenors, deltas).matrix.reshape(17, count, 3)
    np.testing.assert_allclose(found, each[0][:, :, None] * each[1][:, None], atol=1e-12)


def test_covariances_are_sound_and_grow_outside(bundle: va.Bundle) -> None:
    tenors, deltas = np.geomspace(0.5 / 365, 40, 30), np.linspace(0.01, 0.99, 30)
    observation = bundle.extension.observation(tenors, deltas)
    assert np.linalg.eigvalsh(observation.covariance).min() > -1e-9
    inside = bundle.extension.observation(np.array([1.0, 5.0]), np.array([0.25, 0.25])).covariance.diagonal()
    outside = bundle.extension.observation(
        np.array([30.0, 5.0]), np.array([0.25, 0.01])
    ).covariance.diagonal()
    assert (outside > inside + 1e-4).all()


def test_nearly_on_a_node_is_on_it(bundle: va.Bundle) -> None:
    month = bundle.extension.observation(np.array([30.4375 / 365.25]), np.array([0.25]))
    exact = bundle.extension.observation(np.array([1 / 12]), np.array([0.25]))
    np.testing.assert_allclose(month.matrix, exact.matrix)


def test_cells_beyond_the_same_side_share_their_slope(bundle: va.Bundle) -> None:
    """Alone each has the variance it always had; a neighbour beyond the other side tells nothing."""
    tenors, deltas = np.array([1.0, 1.0, 1.0, 20.0, 30.0]), np.array([0.01, 0.02, 0.99, 0.5, 0.25])
    extension = bundle.extension
    together = extension.observation(tenors, deltas).covariance
    alone = [extension.observation(tenors[i : i + 1], deltas[i : i + 1]).covariance[0, 0] for i in range(5)]
    np.testing.assert_allclose(together.diagonal(), alone)
    flat = extension.observation(tenors, np.clip(deltas, 0.05, 0.95)).covariance  # beyond no delta
    own = np.sqrt(np.outer(*[together.diagonal() - flat.diagonal()] * 2))
    assert (together - flat)[0, 1] > 0.85 * own[0, 1] > 0
    assert (together - flat)[0, 2] == pytest.approx(0, abs=1e-15)
    long = extension.observation(np.minimum(tenors, 10.0), deltas).covariance
    assert (together - long)[3, 4] > 0.5 * np.sqrt((together - long)[3, 3] * (together - long)[4, 4]) > 0


def test_a_fill_beyond_the_grid_lies_between_its_quoted_neighbours() -> None:
    """One month at 20%: m = 0.1 is 4 delta, and all further strikes too are beyond the grid."""
    made = va.generate(
        0.2, -0.1, 0.3, 0.02, tenors=["1M", "3M", "6M"], moneyness=np.linspace(-0.25, 0.25, 11)
    )
    full = made.surface()
    vols = full.vols.copy()
    holes = [(0, 8), (0, 1), (1, 1)]
    for hole in holes:
        vols[hole] = np.nan
    filled = va.impute(full.replace(vols)).filled
    for row, column in holes:
        low, high = sorted(full.vols[row, [column - 1, column + 1]])
        assert low < filled[row, column] < high
        assert filled[row, column] == pytest.approx(full.vols[row, column], abs=0.003)
