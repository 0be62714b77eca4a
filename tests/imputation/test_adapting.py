"""A surface's own hyper-parameters: the evidence, its slope, and the search for the likeliest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import voladdin as va
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes import coordinates
from voladdin.imputation.processes.adapting import ADAPTED, LogPosterior, adapted, likeliest
from voladdin.imputation.processes.covariance import ListedPairs
from voladdin.imputation.processes.evidence import kept_of
from voladdin.imputation.processes.process import LOGARITHMS, Candidates


@pytest.fixture(scope="module")
def shipped() -> Candidates:
    return va.load("universal", UniversalBundle).levels.candidates


@pytest.mark.parametrize("candidate", [0, 3])
def test_the_gradient_of_the_evidence_is_its_slope(shipped: Candidates, candidate: int) -> None:
    rng = np.random.default_rng(3)
    points = coordinates.from_deltas(np.array([0.1, 0.3, 1.0, 2.0]), np.linspace(0.1, 0.9, 5))
    one, pairs = shipped[np.array([candidate])], ListedPairs.among(points)
    evidence = LogPosterior(one, points, pairs, 0.2 * rng.standard_normal(len(points)))
    move = 0.3 * rng.standard_normal(len(ADAPTED))
    _, slope = evidence(move)
    for i, step in enumerate(1e-3 * np.eye(len(move))):
        by_difference = (evidence(move + step)[0] - evidence(move - step)[0]) / 2e-3
        assert slope[i] == pytest.approx(by_difference, rel=1e-4, abs=1e-4)


def test_what_is_adapted_has_more_evidence(shipped: Candidates) -> None:
    rng = np.random.default_rng(4)
    points = coordinates.from_deltas(np.geomspace(0.05, 3.0, 6), np.linspace(0.05, 0.95, 15))
    candidates = shipped[np.array([1])]
    values = 0.3 * np.cos(3.0 * points.u) + 0.02 * rng.standard_normal(len(points))
    evidence = LogPosterior(candidates, points, ListedPairs.among(points), values)
    found = adapted(candidates, points, values)
    move = [
        np.log(new / old) if name.split("_")[-1] in LOGARITHMS else new - old
        for name in ADAPTED
        for new, old in [(found.hyper[name][0], candidates.hyper[name][0])]
    ]
    assert evidence(np.array(move) / candidates.wander)[0] < evidence(np.zeros(len(ADAPTED)))[0]
    assert found.hyper["noise_std"][0] != candidates.hyper["noise_std"][0]


def test_the_search_for_moves_is_newtons_where_the_curvature_is_known() -> None:
    rng = np.random.default_rng(5)
    root = np.eye(4) + 0.4 * rng.standard_normal((4, 4))
    curvature, best = root @ root.T, 0.5 * rng.standard_normal(4)

    def bowl(move: np.ndarray) -> tuple[float, np.ndarray]:
        away = move - best
        return 0.5 * away @ curvature @ away, curvature @ away

    np.testing.assert_allclose(likeliest(bowl, np.linalg.inv(curvature), 1), best, atol=1e-12)
    np.testing.assert_allclose(likeliest(bowl, np.eye(4), 60), best, atol=1e-6)


@given(st.integers(0, 10**6))
def test_the_search_for_moves_never_ends_where_it_is_worse(seed: int) -> None:
    """Whatever curvature it begins with, and however rough what it searches is."""
    rng = np.random.default_rng(seed)
    waves, size = rng.standard_normal((5, 3)) * 4.0, np.exp(rng.normal(0.0, 3.0))

    def rough(move: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sin(waves @ move + 1.0).sum()), np.cos(waves @ move + 1.0) @ waves

    found = likeliest(rough, size * np.eye(3))
    assert rough(found)[0] <= rough(np.zeros(3))[0] and np.abs(found).max() <= 3.0


def test_one_candidate_is_kept_at_least() -> None:
    """Though none has the weight that is asked for."""
    kept, weight = kept_of(np.array([0.0, 0.1, 0.05]), 2, 0.5)
    assert kept.tolist() == [1] and weight.tolist() == [1.0]
