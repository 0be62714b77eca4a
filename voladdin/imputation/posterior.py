"""What the quotes, and an earlier surface, say of every cell: the stacked posterior of log-vols.

The answer is an equal mixture of the deep model and the locally weighted Gaussian (weights fitted on held-out
days do not hold in the next year; equal ones do). Its spread follows how surprising the quotes are, as the
Student-t posterior's (nu + d²) / (nu + n), and is calibrated on held-out days so that 90% bands cover 90%.
Quotes that are improbable under all that are answered by the local Gaussian alone, with the quote noise that
makes them likeliest: the filled cells are then smooth where the quotes are not, and the quotes stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from .._typing import BoolArray, FloatArray
from ..imputation.model import Bundle
from . import deep_posterior
from .conditioning import Conditional, condition, core_mean
from .observation import Emission

IMPROBABLE = 0.05  # tail probability of the quotes under the local Gaussian
NOISES = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)  # variances of log-vol: 0.3%, 1%, 3%, 10% of vol


@dataclass(frozen=True)
class Posterior:
    """Log-vols of n cells: mean, std, zscore [B, n]; far [B]: quotes that the deep model cannot explain."""

    mean: FloatArray
    std: FloatArray
    zscore: FloatArray
    far: BoolArray


def from_quotes(bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray) -> Posterior:
    """Posterior given the quotes alone; cells [B, n] log-vols, read where `observed`."""
    near, start = local_gaussian(bundle, emission, cells, observed)
    deep = deep_posterior.posterior(bundle, emission, cells, observed, start)
    mean, std = mix(near.mean, near.std, *deep, float(bundle.arrays["stack"]))
    degrees = float(bundle.arrays["level_degrees"])
    spread = surprise(near, degrees) * float(bundle.arrays["level_stretch"])
    far: BoolArray = np.array(fdtrc(near.count, degrees, near.distance / near.count) < IMPROBABLE, ndmin=1)
    std *= spread
    if far.any():
        mean[far], std[far] = _noisy(bundle, emission, cells[far], observed[far])
    return Posterior(mean, std, _zscore(near, degrees) / float(bundle.arrays["level_stretch"]), far)


def _noisy(
    bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and std [B, n] of the local Gaussian with the quote noise that makes the quotes likeliest."""
    degrees, stretch = float(bundle.arrays["level_degrees"]), float(bundle.arrays["level_stretch"])
    answers = [local_gaussian(bundle, emission.rougher(noise), cells, observed)[0] for noise in NOISES]
    evidence = [a.scale - 0.5 * (degrees + a.count) * np.log1p(a.distance / degrees) for a in answers]
    best, rows = np.argmax(evidence, axis=0), np.arange(len(cells))
    mean = np.stack([a.mean for a in answers])[best, rows]
    std = np.stack([a.std * surprise(a, degrees) for a in answers])[best, rows]
    return mean, std * stretch


def from_prior(
    bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray, prior: FloatArray, age: float
) -> Posterior:
    """Posterior given the quotes and a full earlier surface `prior` [B, n] (log-vols), `age` days old.

    Changes since then have the robust scatter of the prior's regime, growing with age; as they outgrow what
    the quotes alone leave open, the answer goes over to the surface-only one.
    """
    moved = changed(bundle, emission, cells, observed, prior, age)
    spread = surprise(moved, float(bundle.arrays["change_degrees"]))
    quoted = observed.any(-1)
    mean, std, far = moved.mean, moved.std * spread, np.zeros(len(cells), dtype=np.bool_)
    weight = np.ones_like(std)
    if quoted.any():
        alone = from_quotes(bundle, emission, cells[quoted], observed[quoted])
        far[quoted] = alone.far
        weight[quoted] = prior_share(std[quoted], alone.std, float(bundle.arrays["sharpness"]))
        mean[quoted], std[quoted] = mix(alone.mean, alone.std, mean[quoted], std[quoted], weight[quoted])
    stretch = float(bundle.arrays["change_stretch"])
    zscore = _zscore(moved, float(bundle.arrays["change_degrees"])) / stretch
    return Posterior(mean, std * stretch**weight, zscore, far)


def local_gaussian(
    bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray
) -> tuple[Conditional, FloatArray]:
    """The locally weighted Gaussian's answer, and the core log-vols [B, c] it takes as today's surface."""
    start = _core(bundle, emission, cells, observed)
    mean, covariance = bundle.levels.near(start)
    moments = emission.push(mean, covariance + bundle.scale)
    return condition(*moments, cells, observed), start


def mix(
    mean: FloatArray,
    std: FloatArray,
    other_mean: FloatArray,
    other_std: FloatArray,
    share: FloatArray | float,
) -> tuple[FloatArray, FloatArray]:
    """Mean and std of a mixture that gives the other component the weight `share`."""
    mixed = mean + share * (other_mean - mean)
    variance = (1.0 - share) * std**2 + share * other_std**2
    return mixed, np.sqrt(variance + share * (1.0 - share) * (other_mean - mean) ** 2)


def changed(
    bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray, prior: FloatArray, age: float
) -> Conditional:
    """Cells given the quotes and an earlier surface, by the scatter of changes alone."""
    power = float(bundle.arrays["growth"])
    place = _core(bundle, emission, prior, np.ones_like(observed))
    scatter = bundle.changes.scatter_near(place)
    spread = emission.matrix @ scatter @ emission.matrix.T + emission.changes
    return condition(prior, spread * age**power, cells, observed)


def surprise(given: Conditional, degrees: float) -> FloatArray:
    """[B, 1] factor on the spread: that of a multivariate t, given how far the quotes lie from their mean."""
    ratio: FloatArray = np.sqrt((degrees + given.distance) / (degrees + given.count))
    return ratio[:, None]


def _core(bundle: Bundle, emission: Emission, cells: FloatArray, observed: BoolArray) -> FloatArray:
    mean, covariance = bundle.levels.whole
    covariance = covariance + bundle.scale
    cell_mean, cell_covariance = emission.push(mean, covariance)
    residual = np.where(observed, cells - cell_mean, 0.0)
    return core_mean(mean, covariance, emission.matrix, cell_covariance, observed, residual)


def _zscore(given: Conditional, degrees: float) -> FloatArray:
    """Leave-one-out residuals [B, n] in Student-t spreads that leave the quote itself out too."""
    others = given.distance[:, None] - given.zscore**2
    spread = (degrees + np.maximum(others, 0.0)) / (degrees + given.count[:, None] - 1.0)
    zscore: FloatArray = given.zscore / np.sqrt(spread)
    return zscore


def prior_share(std: FloatArray, other: FloatArray, power: float) -> FloatArray:
    """Weight of what an earlier surface says, of spread `std`, beside what the quotes alone say."""
    weight: FloatArray = 1.0 / (1.0 + (std / other) ** (2.0 * power))
    return weight
