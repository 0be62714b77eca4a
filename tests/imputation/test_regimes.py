"""Regimes: cluster moments stand for the days they were summed from."""

from __future__ import annotations

import numpy as np

from voladdin.imputation.history.regimes import Regimes


def _regimes(
    days: np.ndarray, labels: np.ndarray, width: float, floor: float = 0.0, shrink: float = 0.0
) -> Regimes:
    groups = [days[labels == k] for k in range(labels.max() + 1)]
    weight = np.array([len(g) for g in groups]) / len(days)
    mean = np.stack([g.mean(0) for g in groups])
    scatter = np.stack([np.cov(g.T, bias=True) for g in groups])
    return Regimes(weight, mean, scatter, days.mean(0), np.eye(days.shape[1]), width, floor, shrink)


def test_a_regime_a_day_is_the_locally_weighted_gaussian() -> None:
    rng = np.random.default_rng(0)
    days = rng.standard_normal((200, 3))
    regimes = Regimes(
        np.full(200, 1 / 200), days, np.zeros((200, 3, 3)), days.mean(0), np.eye(3), 0.7, 0.0, 0.0
    )
    today = rng.standard_normal((4, 3))
    mean, covariance = regimes.near(today)
    for b in range(4):
        weight = np.exp(-0.5 * ((days - today[b]) ** 2).sum(1) / 0.7**2)
        weight /= weight.sum()
        np.testing.assert_allclose(mean[b], weight @ days)
        centred = days - weight @ days
        np.testing.assert_allclose(covariance[b], (centred * weight[:, None]).T @ centred, atol=1e-12)


def test_whole_is_the_moments_of_all_days_whatever_the_clusters() -> None:
    rng = np.random.default_rng(1)
    days = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 4))
    mean, covariance = _regimes(days, rng.integers(0, 9, 300), 1.0).whole
    np.testing.assert_allclose(mean, days.mean(0))
    np.testing.assert_allclose(covariance, np.cov(days.T, bias=True))


def test_far_from_all_history_all_of_it_answers() -> None:
    rng = np.random.default_rng(2)
    days = rng.standard_normal((300, 4))
    regimes = _regimes(days, rng.integers(0, 9, 300), 1.0, floor=1e-2, shrink=0.1)
    mean, covariance = regimes.near(np.full((1, 4), 50.0))
    np.testing.assert_allclose(mean[0], regimes.whole[0])
    np.testing.assert_allclose(covariance[0], regimes.whole[1])
    np.testing.assert_allclose(regimes.kernel(days).sum(1), 1.0)
