"""How the cells of one surface move together, as the history's model has them: for joint draws."""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditioning import left_open
from ..model import Bundle
from .deep_posterior import joint_posterior
from .observation import Observation
from .posterior import (
    NOISES,
    improbable,
    likeliest_noise,
    local_gaussian,
    local_moments,
    of_changes,
    prior_share,
)


def covariance_given(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    prior: FloatArray | None,
    age: float,
) -> FloatArray:
    """[n, n] of the log-vols of one surface's cells given quotes, and an earlier surface `age` days old.

    cells: [1, n], read where `observed`; prior: [1, n] log-vols. Correlations are those of `from_quotes` and
    `from_prior`; their spreads follow from the quotes' surprise too.
    """
    if prior is None:
        return _given_quotes(bundle, observation, cells, observed)
    changes = left_open(of_changes(bundle, observation, prior, age), observed)
    if not observed.any():
        return changes
    alone = _given_quotes(bundle, observation, cells, observed)
    std, other = (np.sqrt(np.diagonal(one)) for one in (changes, alone))
    weight = prior_share(std, other, float(bundle.arrays["sharpness"]))
    share, rest = np.sqrt(weight), np.sqrt(1.0 - weight)
    return np.asarray(np.outer(share, share) * changes + np.outer(rest, rest) * alone)


def _given_quotes(
    bundle: Bundle, observation: Observation, cells: FloatArray, observed: BoolArray
) -> FloatArray:
    near, start = local_gaussian(bundle, observation, cells, observed)
    if improbable(bundle, near).all():
        best = int(likeliest_noise(bundle, observation, cells, observed, near)[1][0])
        noise = np.array([NOISES[best - 1]]) if best else None
        return _local(bundle, observation, cells, observed, noise)
    local, share = _local(bundle, observation, cells, observed), float(bundle.arrays["stack"])
    mean, deep = joint_posterior(bundle, observation, cells, observed, start)
    apart = mean - near.mean[0]
    mixed = (1.0 - share) * local + share * deep
    return np.asarray(mixed + share * (1.0 - share) * np.outer(apart, apart))


def _local(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    noise: FloatArray | None = None,
) -> FloatArray:
    (_, covariance), _ = local_moments(bundle, observation, cells, observed, noise)
    return left_open(covariance, observed)
