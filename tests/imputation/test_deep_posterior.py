"""The deep model's posterior against many importance weighted draws of it."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from voladdin.imputation.history import deep_posterior
from voladdin.imputation.history.deep_posterior import _evidence, _mode
from voladdin.imputation.history.posterior import local_gaussian
from voladdin.imputation.model import imputer

TENORS, DELTAS = ["1W", "1M", "2M", "3M", "6M", "1Y", "2Y", "5Y"], (0.1, 0.25, 0.5, 0.75, 0.9)
DRAWS = 20_000


def asked(share, count=6):
    """What `deep_posterior.posterior` takes for smiles near the history, of which that share is hidden."""
    rng, x, bundle = np.random.default_rng(3), np.array(DELTAS) - 0.5, imputer("fx")
    years = va.Surface(np.full((8, 5), 0.1), TENORS, deltas=DELTAS).tenors
    level, skew = rng.normal([-2.4, 0.0], [0.3, 0.1], (count, 2)).T
    cells = level[:, None, None] + skew[:, None, None] * x + 0.6 * x**2 + 0.03 * np.log(years)[:, None]
    cells = cells.reshape(count, -1)
    observation = bundle.observation(tuple(np.repeat(years, 5).tolist()), tuple(np.tile(DELTAS, 8).tolist()))
    observed = rng.random(cells.shape) >= share
    return bundle, observation, cells, observed, local_gaussian(bundle, observation, cells, observed)[1]


def by_draws(bundle, observation, cells, observed, start):
    """Mean and std [B, n] by draws of a Student t about the mode, weighted (Gopal 2024, equation 6.1)."""
    evidence, rng = _evidence(bundle, observation, cells, observed), np.random.default_rng(0)
    x = (start - bundle.arrays["mean"]) / bundle.arrays["std"]
    mode = _mode(bundle, evidence, bundle.run("encoder", x=x)[0])
    noise = rng.standard_normal((DRAWS, mode.z.shape[1])) / np.sqrt(rng.chisquare(8.0, (DRAWS, 1)) / 8.0)
    log_proposal = -0.5 * (8.0 + noise.shape[1]) * np.log1p((noise**2).sum(1) / 8.0)
    found = []
    for i in range(len(cells)):
        z = mode.z[i] + np.linalg.solve(np.linalg.cholesky(mode.curvature[i]).T, noise.T).T
        mu = bundle.run("decoder", z=z)[0]
        log = mu @ evidence.pull[i] - 0.5 * ((mu @ evidence.information[i]) * mu).sum(1) - 0.5 * (z**2).sum(1)
        weight = np.exp(log - log_proposal - (log - log_proposal).max())
        weight /= weight.sum()
        said = evidence.still[i] + mu @ evidence.gain[i].T
        mean = weight @ said
        found.append((mean, np.sqrt(evidence.variance[i] + weight @ (said - mean) ** 2)))
    return tuple(map(np.stack, zip(*found, strict=True)))


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_draws_say_the_same(share):
    arguments = asked(share)
    mean, std = deep_posterior.posterior(*arguments)
    drawn, spread = by_draws(*arguments)
    assert np.abs((mean - drawn) / spread).max() < 0.25
    assert np.sqrt((((mean - drawn) / spread) ** 2).mean()) < 0.06
    np.testing.assert_allclose(std, spread, rtol=0.15)
