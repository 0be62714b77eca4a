"""SVI fits, each alone and with a smooth process of what it leaves of the quotes, mixed by the evidence.

A market that is nearly one of theirs goes on beyond its quotes as the fit does, and between them as they do:
what a fit leaves of clean quotes is no noise. Parameters are linear about their likeliest values, so the two
together are a Gaussian process, and each quote given the others comes from the inverse covariance in closed
form (Rasmussen and Williams 2006, sections 2.7 and 5.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditioning import lower_root, times_transposed, triangular_inverse
from ..history.posterior import log_density, mix
from ..processes.covariance import matern32, matern52
from ..processes.points import Points
from .fitted_quotes import Places
from .gauss_newton import Fits

_LENGTHS = 4.0, 3.0  # of the process, in ln T and in u
_SIZE = 2.0  # its std, over the noise of the fit alone
_NUGGET = 5e-4  # share of its variance that is noise
_LEAST_VARIANCE = 1e-10  # and of what the fit leaves open, which keeps covariances definite


@dataclass(frozen=True)
class Around:
    """Of F fits: mean and std [F, N] of log-vols quoted at cells, and of n quotes given the others the
    z-score and log density [F, n]; log [F], the evidence, but for a constant.
    """

    mean: FloatArray
    std: FloatArray
    zscore: FloatArray
    density: FloatArray
    log: FloatArray

    @classmethod
    def of(
        cls, cells: tuple[FloatArray, FloatArray], left: tuple[FloatArray, FloatArray], log: FloatArray
    ) -> Around:
        """cells: mean and variance; left: residual and variance of quotes given the others."""
        std = np.sqrt(left[1])
        return cls(cells[0], np.sqrt(cells[1]), left[0] / std, log_density(left[0] / std, std), log)

    def beside(self, other: Around) -> Around:
        """The mixture."""
        share = 1.0 / (1.0 + np.exp(np.clip(self.log - other.log, -50.0, 50.0)))[:, None]
        mean, std = mix(self.mean, self.std, other.mean, other.std, share)
        zscore = self.zscore + share * (other.zscore - self.zscore)
        density = self.density + share * (other.density - self.density)
        return Around(mean, std, zscore, density, np.logaddexp(self.log, other.log))


@dataclass(frozen=True)
class Cells:
    """All cells of F surfaces: log-vols `values` [F, N] of those `quoted` [F, N]; used: [F, n], which of them
    fits are given, all that are quoted and some that are not; process: [F, N, n], covariance of the process,
    of size 1, between all cells and those used.
    """

    values: FloatArray
    quoted: BoolArray
    used: IntArray
    process: FloatArray

    @classmethod
    def of(cls, points: Points, at: Places, values: FloatArray, quoted: BoolArray, used: IntArray) -> Cells:
        return cls(values, quoted, used, _process(points, at, used))

    def of_used(self, each: FloatArray | BoolArray) -> FloatArray:
        """[F, n, ...] of each surface's [F, N, ...]."""
        return np.asarray(each[np.arange(len(self.used))[:, None], self.used])


def mixed_with_process(fits: Fits, at: Places, cells: Cells) -> Around:
    """What fits say of all cells at their places."""
    mean, by_e = fits.linear(at)
    alone = Around.of((mean, fits.spread(by_e, at)), (fits.residual, fits.variance), fits.log)
    return alone.beside(_with_process(fits, at, cells, (mean, by_e)))


def _with_process(fits: Fits, at: Places, cells: Cells, linear: tuple[FloatArray, FloatArray]) -> Around:
    """linear: ln vol [F, N] and its derivatives [F, N, p] by e, as the fits have them."""
    size, known, by_e = (_SIZE * fits.noise) ** 2, 1.0 * cells.of_used(cells.quoted), linear[1]
    start = linear[0] - (by_e @ fits.e[..., None])[..., 0]
    across = by_e @ cells.of_used(by_e).swapaxes(1, 2)
    across += size[:, None, None] * cells.process
    across *= known[:, None]
    of_fit = (by_e**2).sum(-1)
    own = _NUGGET * size[:, None] * at.noise + _LEAST_VARIANCE * (1.0 + of_fit)
    between, index = cells.of_used(across) * known[..., None], np.arange(known.shape[1])
    between[:, index, index] = np.where(known > 0, between[:, index, index] + cells.of_used(own), 1.0)
    root = lower_root(between)
    whiten = triangular_inverse(root)
    white = (whiten @ (known * cells.of_used(cells.values - start))[..., None])[..., 0]
    gain, precision = times_transposed(across, whiten), (whiten**2).sum(1)
    before = of_fit + (1.0 - _NUGGET) * size[:, None] * at.noise + own
    variance = np.maximum(before - np.einsum("fij,fij->fi", gain, gain), _LEAST_VARIANCE)
    residual = (white[:, None] @ whiten)[:, 0] / precision
    log = -0.5 * (white**2).sum(1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(1)
    return Around.of((start + (gain @ white[..., None])[..., 0], variance), (residual, 1.0 / precision), log)


def _process(points: Points, at: Places, used: IntArray) -> FloatArray:
    """[F, N, n] covariance of the process, of size 1, between cells and those used: of one surface with no
    other cells, which may be 20,000.
    """
    cells = used[0] if len(used) == 1 else np.arange(len(points))
    late = matern32(np.abs(points.tenors[:, None] - points.tenors) / _LENGTHS[0])
    every = late[points.rows[cells]].take(points.rows, axis=1)
    every *= matern52(np.abs(points.u[cells, None] - points.u) / _LENGTHS[1])
    root = np.sqrt((1.0 - _NUGGET) * at.noise)
    every *= root[cells, None]
    every *= root
    return (every[None] if len(used) == 1 else every.take(used, axis=0)).swapaxes(1, 2)
