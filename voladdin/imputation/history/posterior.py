"""What the quotes, and an earlier surface, say of every cell: the stacked posterior of log-vols.

The answer is an equal mixture of the deep model and the locally weighted Gaussian (weights fitted on held-out
days do not hold in the next year; equal ones do). Its spread follows how surprising the quotes are, as the
Student-t posterior's (nu + d²) / (nu + n), and is calibrated on held-out days so that 90% bands cover 90%.
Quotes that are improbable under all that are answered by the local Gaussian alone, with the quote noise that
makes them likeliest: the filled cells are then smooth where the quotes are not, and the quotes stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import scipy

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditioning import GaussianPosterior, condition, core_mean
from ..model import Bundle
from . import deep_posterior
from .observation import Observation

_IMPROBABLE = 0.05  # tail probability of the quotes under the local Gaussian
TAIL = 4.0  # degrees of freedom of errors: of bands, and of the densities by which models are weighed
CALIBRATED = 0.90  # coverage to which spreads are stretched
NOISES = (1e-5, 1e-4, 1e-3, 1e-2)  # variances of log-vol: 0.3%, 1%, 3%, 10% of vol


@dataclass(frozen=True)
class Posterior:
    """Log-vols of n cells: mean, std, zscore [B, n]; unexplained [B]: quotes beyond the deep model.

    density: [B, n] log predictive density of each quote given the others; NaN where nothing is quoted.
    """

    mean: FloatArray
    std: FloatArray
    zscore: FloatArray
    unexplained: BoolArray
    density: FloatArray

    @classmethod
    def nothing(cls, shape: tuple[int, ...]) -> Posterior:
        """NaN for [B, n]."""
        mean, std, zscore, density = np.full((4, *shape), np.nan)
        return cls(mean, std, zscore, np.zeros(shape[0], dtype=np.bool_), density)

    @classmethod
    def joined(cls, parts: Sequence[Posterior]) -> Posterior:
        """Of all the surfaces, in order."""
        if len(parts) == 1:
            return parts[0]
        each = ([getattr(part, field.name) for part in parts] for field in fields(Posterior))
        return cls(*map(np.concatenate, each))

    def of(self, surfaces: IntArray | BoolArray | slice) -> Posterior:
        """Some of them."""
        return Posterior(*(getattr(self, field.name)[surfaces] for field in fields(Posterior)))


def from_quotes(
    bundle: Bundle, observation: Observation, cells: FloatArray, observed: BoolArray
) -> Posterior:
    """Posterior given the quotes alone; cells [B, n] log-vols, read where `observed`."""
    near, start = local_gaussian(bundle, observation, cells, observed)
    degrees, stretch = float(bundle.arrays["level_degrees"]), float(bundle.arrays["level_stretch"])
    unexplained = improbable(bundle, near)
    mean, std, usual = near.mean.copy(), near.std.copy(), ~unexplained
    if usual.any():
        deep = deep_posterior.posterior(bundle, observation, cells[usual], observed[usual], start[usual])
        mean[usual], std[usual] = mix(mean[usual], std[usual], *deep, float(bundle.arrays["stack"]))
    std *= student_t_inflation(near, degrees) * stretch
    zscore, density = _zscore(near, degrees) / stretch, _density(near, degrees, stretch)
    if unexplained.any():
        mean[unexplained], std[unexplained], density[unexplained] = _noisy(
            bundle, observation, cells[unexplained], observed[unexplained], near.of(unexplained)
        )
    return Posterior(mean, std, zscore, unexplained, density)


def improbable(bundle: Bundle, near: GaussianPosterior) -> BoolArray:
    """[B] whether quotes lie in the tail of the local Gaussian, beyond what the deep model explains."""
    tail = scipy.special.fdtrc(near.count, float(bundle.arrays["level_degrees"]), near.distance / near.count)
    return np.array(tail < _IMPROBABLE, ndmin=1)


def _noisy(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    without: GaussianPosterior,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, std and density of the local Gaussian with the quote noise that makes the quotes likeliest.

    without: its answer with none.
    """
    degrees, stretch = float(bundle.arrays["level_degrees"]), float(bundle.arrays["level_stretch"])
    found, _ = likeliest_noise(bundle, observation, cells, observed, without)
    std = found.std * student_t_inflation(found, degrees) * stretch
    return found.mean, std, _density(found, degrees, stretch)


def likeliest_noise(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    without: GaussianPosterior,
) -> tuple[GaussianPosterior, IntArray]:
    """The local Gaussian's answer with none of `NOISES` or the likeliest, and [B] which: 0 or its place."""
    degrees, count = float(bundle.arrays["level_degrees"]), len(cells)
    many, quoted = np.tile(cells, (len(NOISES), 1)), np.tile(observed, (len(NOISES), 1))
    rough, _ = local_gaussian(bundle, observation, many, quoted, np.repeat(NOISES, count))
    every = GaussianPosterior.joined([without, rough])
    evidence = every.scale - 0.5 * (degrees + every.count) * np.log1p(every.distance / degrees)
    best = evidence.reshape(-1, count).argmax(0)
    return every.of(best * count + np.arange(count)), best


def from_prior(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    prior: FloatArray,
    age: float,
    alone: Posterior | None = None,
) -> Posterior:
    """Posterior given the quotes and a full earlier surface `prior` [B, n] (log-vols), `age` days old.

    Changes since then have the robust scatter of the prior's regime, growing with age; as they outgrow what
    the quotes alone leave open, the answer goes over to the surface-only one (`alone`, where it is known).
    """
    change = changed(bundle, observation, cells, observed, prior, age)
    spread = student_t_inflation(change, float(bundle.arrays["change_degrees"]))
    quoted: BoolArray = np.any(observed, axis=1, keepdims=False)
    mean, std, unexplained = change.mean, change.std * spread, np.zeros(len(cells), dtype=np.bool_)
    weight = np.ones_like(std)
    if quoted.any():
        if alone is None:
            alone = from_quotes(bundle, observation, cells[quoted], observed[quoted])
        else:
            alone = alone.of(quoted)
        unexplained[quoted] = alone.unexplained
        weight[quoted] = prior_share(std[quoted], alone.std, float(bundle.arrays["sharpness"]))
        mean[quoted], std[quoted] = mix(alone.mean, alone.std, mean[quoted], std[quoted], weight[quoted])
    stretch = float(bundle.arrays["change_stretch"])
    degrees = float(bundle.arrays["change_degrees"])
    zscore, density = _zscore(change, degrees) / stretch, _density(change, degrees, stretch)
    return Posterior(mean, std * stretch**weight, zscore, unexplained, density)


def local_gaussian(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    noise: FloatArray | None = None,
) -> tuple[GaussianPosterior, FloatArray]:
    """The locally weighted Gaussian's answer, and the core log-vols [B, c] it takes as today's surface.

    noise: [B] variance of each cell about all that.
    """
    moments, start = local_moments(bundle, observation, cells, observed, noise)
    return condition(*moments, cells, observed), start


def local_moments(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    noise: FloatArray | None = None,
) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Its mean and covariance of the cells before they are quoted, and that core."""
    more = 0.0 if noise is None else noise[:, None, None] * np.eye(cells.shape[1])
    start = core_of(bundle, observation, cells, observed, more)
    moments = bundle.levels.near(start)
    mean, covariance = observation.push(moments[0], moments[1] + bundle.scale)
    return (mean, covariance + more), start


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
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    prior: FloatArray,
    age: float,
) -> GaussianPosterior:
    """Cells given the quotes and an earlier surface, by the scatter of changes alone."""
    return condition(prior, of_changes(bundle, observation, prior, age), cells, observed)


def of_changes(bundle: Bundle, observation: Observation, prior: FloatArray, age: float) -> FloatArray:
    """[B, n, n] covariance of the cells' changes since earlier surfaces [B, n] (log-vols), `age` days old."""
    place = core_of(bundle, observation, prior, np.ones(prior.shape, dtype=np.bool_))
    spread = observation.matrix @ bundle.changes.scatter_near(place) @ observation.matrix.T
    return np.asarray((spread + observation.changes) * age ** float(bundle.arrays["growth"]))


def band(
    mean: FloatArray, log_std: FloatArray, observed: BoolArray, filled: FloatArray, coverage: float
) -> tuple[FloatArray, FloatArray]:
    """Low and high vols: the band of that coverage about the mean, as far as `filled`; of quotes, these."""
    reach = np.where(observed, 1.0, factor_of_band(log_std, coverage))
    return np.minimum(mean / reach, filled), np.maximum(mean * reach, filled)


def factor_of_band(log_std: FloatArray, coverage: float) -> FloatArray:
    """High end of a band over its middle: spreads are calibrated to cover 90% as a Gaussian's do, errors have
    the tails of Student's t.
    """
    end, calibrated = 0.5 + coverage / 2, 0.5 + CALIBRATED / 2
    wider = scipy.special.stdtrit(TAIL, end) / scipy.special.stdtrit(TAIL, calibrated)
    width = float(scipy.special.ndtri(calibrated) * wider)
    return np.asarray(np.exp(np.minimum(width * log_std, 5.0)))


def student_t_inflation(given: GaussianPosterior, degrees: float) -> FloatArray:
    """[B, 1] factor on the spread: that of a multivariate t, given how far the quotes lie from their mean."""
    ratio: FloatArray = np.sqrt((degrees + given.distance) / (degrees + given.count))
    return ratio[:, None]


def core_of(
    bundle: Bundle,
    observation: Observation,
    cells: FloatArray,
    observed: BoolArray,
    noise: FloatArray | float = 0.0,
) -> FloatArray:
    """[B, c] core log-vols that the whole history makes of quotes [B, n]; noise: [B, n, n] of theirs."""
    mean, cross, cell_mean, cell_covariance = _whole_history(bundle, observation)
    residual = np.where(observed, cells - cell_mean, 0.0)
    return core_mean(mean, cross, cell_covariance + noise, observed, residual)


@lru_cache(maxsize=64)
def _whole_history(bundle: Bundle, observation: Observation) -> tuple[FloatArray, ...]:
    """Mean of core nodes, covariance [n, c] of cells with them, and mean and covariance of cells."""
    mean, covariance = bundle.levels.whole
    covariance = covariance + bundle.scale
    return mean, observation.matrix @ covariance, *observation.push(mean, covariance)


def _zscore(given: GaussianPosterior, degrees: float) -> FloatArray:
    """Leave-one-out residuals [B, n] in Student-t spreads that leave the quote itself out too."""
    return np.asarray(given.zscore / _spread_of_others(given, degrees))


def _density(given: GaussianPosterior, degrees: float, stretch: float) -> FloatArray:
    """Log predictive density [B, n] of each quote given the others."""
    scale = stretch * _spread_of_others(given, degrees)
    return log_density(given.zscore / scale, scale * given.left_out)


def _spread_of_others(given: GaussianPosterior, degrees: float) -> FloatArray:
    """[B, n] factor on the spread, as `student_t_inflation`, of each quote's others."""
    others = given.distance[:, None] - given.zscore**2
    spread = (degrees + np.maximum(others, 0.0)) / (degrees + given.count[:, None] - 1.0)
    return np.asarray(np.sqrt(spread))


def log_density(zscore: FloatArray, scale: FloatArray) -> FloatArray:
    """Log density of Student's t with `TAIL` degrees of freedom, but for a constant."""
    return np.asarray(-0.5 * (TAIL + 1.0) * np.log1p(zscore**2 / TAIL) - np.log(scale))


def prior_share(std: FloatArray, other: FloatArray, power: float) -> FloatArray:
    """Weight of what an earlier surface says, of spread `std`, beside what the quotes alone say."""
    weight: FloatArray = 1.0 / (1.0 + (std / other) ** (2.0 * power))
    return weight
