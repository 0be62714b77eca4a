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
from ..conditioning import inverse_root, times_transposed
from ..history.posterior import log_density, mix
from ..processes.covariance import matern32, matern52
from ..processes.points import Points
from .fitted_quotes import Places
from .gauss_newton import Fits
from .linearised import Linearised

_LENGTHS = 4.0, 3.0  # of the process, in ln T and in u
_SIZE = 2.0  # its std, over the noise of the fit alone
_NUGGET = 5e-4  # share of its variance that is noise
_LEAST_VARIANCE = 1e-10  # and of what the fit leaves open, which keeps covariances definite
_IN_CACHE = 2**13  # covariances at a time


@dataclass(frozen=True)
class Around:
    """Of F fits: mean and std [F, m] of log-vols quoted at the cells that are missing, and of n quotes given
    the others the z-score and log density [F, n]; log [F], the evidence, but for a constant.
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
    """All cells of F surfaces: log-vols `values` [F, N] of those `quoted` [F, N].

    order: [F, N], those quoted first; the first n of it are all that are quoted on any surface, `known`
    [F, n] is 1 where they are, and the last m all that are missing on any. between [F, n, n], across
    [F, m, n]: covariance of the process, of size 1, among quotes, and of those missing with these.
    """

    values: FloatArray
    quoted: BoolArray
    order: IntArray
    known: FloatArray
    between: FloatArray
    across: FloatArray

    @classmethod
    def of(cls, points: Points, at: Places, values: FloatArray, quoted: BoolArray) -> Cells:
        """at: their places."""
        order, count = np.argsort(~quoted, axis=1, kind="stable"), quoted.sum(1)
        used = order[:, : count.max()]
        known = np.take_along_axis(quoted, used, 1).astype(float)
        process = _process(points, at, order, used)
        process *= known[:, None]
        between, across = process[:, : count.max()] * known[..., None], process[:, count.min() :]
        return cls(values, quoted, order, known, between, across)

    @property
    def used(self) -> IntArray:
        """[F, n] of all cells, those quoted and some that are not."""
        return self.order[:, : self.known.shape[1]]

    @property
    def missing(self) -> IntArray:
        """[F, m] of all cells, those missing and some that are quoted."""
        return self.order[:, self.last]

    @property
    def last(self) -> slice:
        """Those missing, of `order`."""
        return slice(self.order.shape[1] - self.across.shape[1], None)


def mixed_with_process(fits: Fits, at: Places, cells: Cells) -> Around:
    """What fits say of cells, of which `at` are the places."""
    about, last = fits.linear(at.some(cells.order)), cells.last
    wide = fits.spread(about)[:, last]
    alone = Around.of((about.value[:, last], wide), (fits.residual, fits.variance), fits.log)
    return alone.beside(_with_process(fits, about, cells))


def _with_process(fits: Fits, about: Linearised, cells: Cells) -> Around:
    """about: of cells in order. What follows is in units of the process's size."""
    noise = about.at.noise
    size, known, n, last = _SIZE * fits.noise[:, None], cells.known, cells.known.shape[1], cells.last
    start, by_e = about.value - (about.by_e @ fits.e[..., None])[..., 0], about.by_e / size[..., None]
    of_fit = np.einsum("fij,fij->fi", by_e, by_e)
    own = _NUGGET * noise + _LEAST_VARIANCE * (size**-2.0 + of_fit)
    of_used = by_e[:, :n] * known[..., None]
    between, index = of_used @ of_used.swapaxes(1, 2), np.arange(n)
    between += cells.between
    between[:, index, index] += np.where(known > 0, own[:, :n], 1.0)
    whiten = inverse_root(between)
    left = known * (np.take_along_axis(cells.values, cells.used, 1) - start[:, :n]) / size
    white = (whiten @ left[..., None])[..., 0]
    across = by_e[:, last] @ of_used.swapaxes(1, 2)
    across += cells.across
    gain, precision = times_transposed(across, whiten), np.einsum("fij,fij->fj", whiten, whiten)
    before = (of_fit + (1.0 - _NUGGET) * noise + own)[:, last]
    variance = np.maximum(before - np.einsum("fij,fij->fi", gain, gain), _LEAST_VARIANCE / size**2)
    residual = (white[:, None] @ whiten)[:, 0] / precision
    log = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(1) - known.sum(1) * np.log(size[:, 0])
    mean = start[:, last] + size * (gain @ white[..., None])[..., 0]
    of_cells, of_quotes = (mean, size**2 * variance), (size * residual, size**2 / precision)
    return Around.of(of_cells, of_quotes, log - 0.5 * (white**2).sum(1))


def _process(points: Points, at: Places, order: IntArray, used: IntArray) -> FloatArray:
    """[F, N, n] covariance of the process, of size 1, between cells in `order` and those used: of one surface
    with no other cells, which may be 20,000.
    """
    one, whole = len(used) == 1, np.arange(len(points))
    rows, columns = (order[0], used[0]) if one else (whole, whole)
    late = matern32(np.abs(points.tenors[:, None] - points.tenors) / _LENGTHS[0])
    late = late.take(points.rows[columns], axis=1)
    u, root = points.u / _LENGTHS[1], np.sqrt((1.0 - _NUGGET) * at.noise)
    every, size = np.empty((len(rows), len(columns))), max(_IN_CACHE // max(len(columns), 1), 1)
    for some in (slice(first, first + size) for first in range(0, len(rows), size)):
        gap = u[rows[some], None] - u[columns]
        part = np.multiply(late[points.rows[rows[some]]], matern52(np.abs(gap, out=gap)), out=every[some])
        part *= root[rows[some], None]
        part *= root[columns]
    return every[None] if one else every.take(order[..., None] * len(points) + used[:, None])
