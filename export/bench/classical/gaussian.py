"""Gaussian conditionals on log-vols (kriging), exact and batched."""

from __future__ import annotations

import numpy as np
from scipy.linalg import block_diag

from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction, pooled_log_vols
from .grid import interpolation

SCALE_SHIFT = 0.25  # sd of the random log-level shift of the scale augmentation
JITTER = 1e-5  # of each cell's own variance
CHANGE_SCALE = 0.2  # of what interpolation misses of a daily change, against a level
CHUNK = 2**24  # doubles of one batch of covariances


def condition(mean: FloatArray, cov: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation [B, n] of N(mean, cov) given the finite entries of values [B, n].

    mean [n] or [B, n], cov [n, n] or [B, n, n]. Unobserved rows of the covariance become those of the
    identity, so one batched Cholesky serves every pattern of missing cells, exactly.
    """
    batch, size = values.shape
    mean, cov = np.broadcast_to(mean, (batch, size)), np.broadcast_to(cov, (batch, size, size))
    out = np.empty((2, batch, size))
    step = max(CHUNK // size**2, 1)
    for start in range(0, batch, step):
        rows = slice(start, start + step)
        out[:, rows] = _condition(mean[rows], cov[rows], values[rows])
    return out[0], out[1]


def _condition(mean: FloatArray, cov: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    observed = np.isfinite(values)
    both = observed[:, :, None] & observed[:, None, :]
    factor = np.linalg.cholesky(np.where(both, cov, np.eye(values.shape[1])))
    cross = np.where(observed[:, :, None], cov, 0.0)  # rows: observed cells, columns: all cells
    residual = np.where(observed, values - mean, 0.0)
    solved = np.linalg.solve(factor, np.concatenate([cross, residual[:, :, None]], axis=2))
    gain, white = solved[:, :, :-1], solved[:, :, -1]
    posterior = mean + np.einsum("bij,bi->bj", gain, white)
    variance = np.einsum("bii->bi", cov) - np.einsum("bij,bij->bj", gain, gain)
    return (
        np.where(observed, values, posterior),
        np.where(observed, 0.0, np.sqrt(np.maximum(variance, 1e-12))),
    )


def on_axes(
    nodes: DeltaAxes, cells: DeltaAxes, mean: FloatArray, cov: FloatArray, scale: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Mean [..., n] and covariance [..., n, n] of log-vol at cells, from those at nodes, by kriging.

    `scale` multiplies the standard deviation of what the kriging misses.
    """
    if cells.same(nodes):
        return mean, cov
    weights, missed = interpolation(nodes, cells)
    return mean @ weights.T, weights @ cov @ weights.T + scale**2 * missed + 1e-8 * np.eye(len(weights))


class Gaussian:
    """The conditional of a Gaussian fitted to the pooled log-vols; `shift` 0.25 is the scale-augmented one.

    On other axes than it was fitted on, log-vols of the cells are kriged from the nodes (`grid.py`).
    """

    uses_prior = False

    def __init__(self, shift: float = 0.0, name: str | None = None) -> None:
        self.shift = shift
        self.name = name or ("scale-augmented Gaussian" if shift else "Gaussian")

    def fit(self, history: History) -> None:
        self.axes, self.samples = history.axes, pooled_log_vols(history)
        self.mean = self.samples.mean(axis=0)
        cov = np.cov(self.samples, rowvar=False)
        self.plain = cov + JITTER * np.diag(np.diag(cov))
        self.cov = self.plain + self.shift**2

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        values = np.log(vols).reshape(len(vols), -1)
        mean, std = condition(*on_axes(self.axes, axes, self.mean, self.cov), values)
        return Prediction.from_log(mean.reshape(vols.shape), std.reshape(vols.shape))


class LocalGaussian(Gaussian):
    """The scale-augmented Gaussian of the history near today's Gaussian-filled surface.

    Nearness: kernel of width 2 in the first six whitened components; moments shrunk 10% to the whole.
    """

    def __init__(
        self, shift: float = SCALE_SHIFT, width: float = 2.0, components: int = 6, shrink: float = 0.1
    ) -> None:
        super().__init__(shift, "locally weighted Gaussian")
        self.width, self.components, self.shrink = width, components, shrink

    def fit(self, history: History) -> None:
        super().fit(history)
        values, vectors = np.linalg.eigh(self.plain)
        leading = slice(-self.components, None)
        self.whiten = vectors[:, leading] / np.sqrt(values[leading])
        self.centred = self.samples - self.mean
        self.scores = self.centred @ self.whiten
        self.upper = np.triu_indices(len(self.mean))
        self.products = self.centred[:, self.upper[0]] * self.centred[:, self.upper[1]]

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        values = np.log(vols).reshape(len(vols), -1)
        mean, cov = self.moments(self.fill_nodes(values, axes))
        mean, std = condition(*on_axes(self.axes, axes, mean, cov), values)
        return Prediction.from_log(mean.reshape(vols.shape), std.reshape(vols.shape))

    def fill_nodes(self, values: FloatArray, axes: DeltaAxes) -> FloatArray:
        """Log-vols [B, n] of the training grid's nodes, by the whole history's Gaussian."""
        if axes.same(self.axes):
            return condition(self.mean, self.cov, values)[0]
        size = len(self.mean)
        weights, missed = interpolation(self.axes, axes)
        joint = np.vstack([np.eye(size), weights])
        unknown = np.full((len(values), size), np.nan)
        cov = (
            joint @ self.cov @ joint.T
            + block_diag(np.zeros((size, size)), missed)
            + 1e-8 * np.eye(len(joint))
        )
        return condition(joint @ self.mean, cov, np.hstack([unknown, values]))[0][:, :size]

    def moments(self, nodes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weighted mean [B, n] and covariance [B, n, n] of the history near nodes [B, n]."""
        scores = (nodes - self.mean) @ self.whiten
        squared = ((scores[:, None, :] - self.scores) ** 2).sum(axis=2)
        squared -= squared.min(axis=1, keepdims=True)
        weights = np.exp(-0.5 * squared / self.width**2)
        weights /= weights.sum(axis=1, keepdims=True)
        mean = weights @ self.centred
        upper = weights @ self.products - mean[:, self.upper[0]] * mean[:, self.upper[1]]
        local = np.empty((len(nodes), len(self.mean), len(self.mean)))
        local[:, self.upper[0], self.upper[1]] = local[:, self.upper[1], self.upper[0]] = upper
        cov = (1 - self.shrink) * local + self.shrink * self.plain + self.shift**2
        cov += (1 - self.shrink) * JITTER * np.diag(np.diag(self.plain))
        return self.mean + (1 - self.shrink) * mean, cov


class DailyChangeGaussian:
    """Yesterday's full surface plus the conditional of a Gaussian on daily changes of log-vol, pooled.

    Changes have mean zero; the covariance is their second moment.
    """

    name, uses_prior = "Gaussian on daily changes", True

    def fit(self, history: History) -> None:
        changes = np.diff(np.log(history.vols), axis=1).reshape(-1, int(np.prod(history.axes.shape)))
        cov = changes.T @ changes / len(changes)
        self.axes, self.cov = history.axes, cov + JITTER * np.diag(np.diag(cov))

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        if prior is None:
            raise ValueError("needs yesterday's full surface")
        before = np.log(prior).reshape(len(vols), -1)
        zero = np.zeros(len(self.cov))
        moments = on_axes(self.axes, axes, zero, self.cov, CHANGE_SCALE)
        change, std = condition(*moments, np.log(vols).reshape(len(vols), -1) - before)
        return Prediction.from_log((before + change).reshape(vols.shape), std.reshape(vols.shape))
