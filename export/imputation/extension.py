"""How the rest of the master grid follows from the core nodes, learned from the market simulator."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from export.simulation import MASTER_DELTAS, MASTER_TENORS, simulate_market, simulate_surfaces
from voladdin._typing import FloatArray
from voladdin.imputation.history.observation import GridExtension

PAIRS = ("AUDUSD", "EURUSD", "GBPUSD", "USDCAD", "USDJPY", "USDMXN")
QUOTE_NOISE = 0.005  # of log-vol: keeps the regression from reading the simulator's exact smoothness
DAYS, SURFACES, MIDPOINT_SURFACES, SEED = 500, 2000, 200, 20_000
RAW_NOISE = 0.0032  # of log-vol: raw quotes lie about 1.8 bp from the smooth fits that history is made of


def fit_extension(
    core_tenors: FloatArray,
    core_deltas: FloatArray,
) -> tuple[GridExtension, FloatArray]:
    """The extension, and simulated core log-vols [n, c].

    The regression is invariant to a shift of all vols: core and master vary by the same scale factor.
    """
    return _fit(tuple(core_tenors.tolist()), tuple(core_deltas.tolist()))


@functools.lru_cache(maxsize=4)
def _fit(core_tenors: tuple[float, ...], core_deltas: tuple[float, ...]) -> tuple[GridExtension, FloatArray]:
    tenors, deltas = _union(MASTER_TENORS, core_tenors), _union(MASTER_DELTAS, core_deltas)
    market = simulate_market(DAYS, pairs=PAIRS, seed=SEED, tenors=tenors, deltas=deltas).vols
    broad = simulate_surfaces(SURFACES, seed=SEED, tenors=tenors, deltas=deltas)
    paths = np.log(market.reshape(len(PAIRS), DAYS, -1))
    invented = np.log(broad.reshape(SURFACES, -1))
    core = _core_index(tenors, deltas, core_tenors, core_deltas)
    logs = np.concatenate([paths.reshape(-1, paths.shape[-1]), invented])
    matrix, offset, covariance = _regression(logs, core)
    steps = np.diff(paths - paths[..., core] @ matrix.T, axis=1).reshape(-1, len(matrix))
    changes = steps.T @ steps / len(steps)
    spread = _interpolation(tenors, deltas)
    return GridExtension(tenors, deltas, matrix, offset, covariance, changes, *spread), invented[:, core]


def _union(master: tuple[float, ...], core: tuple[float, ...]) -> FloatArray:
    """Core nodes, and the master nodes that are not within 2% of one."""
    extra = [m for m in master if min(abs(m - c) for c in core) > 0.02 * m]
    return np.sort(np.array([*core, *extra]))


def _core_index(
    tenors: FloatArray, deltas: FloatArray, core_t: tuple[float, ...], core_d: tuple[float, ...]
) -> NDArray[np.intp]:
    rows, columns = np.searchsorted(tenors, core_t), np.searchsorted(deltas, core_d)
    index: NDArray[np.intp] = (rows[:, None] * len(deltas) + columns[None]).ravel()
    return index


def _regression(logs: FloatArray, core: NDArray[np.intp]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Master = matrix @ core + offset + noise; core rows exact, with no noise."""
    mean = logs.mean(0)
    centred = logs - mean
    covariance = centred.T @ centred / len(logs) + 1.0  # + 1: the scale factor, with unit variance
    inner = covariance[np.ix_(core, core)] + QUOTE_NOISE**2 * np.eye(len(core))
    matrix = np.linalg.solve(inner, covariance[core]).T
    rest = centred - centred[:, core] @ matrix.T
    noise = rest.T @ rest / len(logs)
    matrix[core] = np.eye(len(core))
    noise += RAW_NOISE**2 * np.eye(len(noise))
    noise[core] = 0.0
    noise[:, core] = 0.0
    offset = mean - matrix @ mean[core]
    return matrix, offset, noise


def _interpolation(tenors: FloatArray, deltas: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What splines miss between tenors [T - 1] and deltas [K - 1]; variance slopes outside the grid."""
    middle_t = np.exp((np.log(tenors[:-1]) + np.log(tenors[1:])) / 2)
    fine_t = np.sort(np.concatenate([tenors, middle_t]))
    fine_d = np.sort(np.concatenate([deltas, (deltas[:-1] + deltas[1:]) / 2]))
    logs = np.log(simulate_surfaces(MIDPOINT_SURFACES, seed=SEED + 1, tenors=fine_t, deltas=fine_d))
    identity = np.eye(len(tenors) * len(deltas))
    zero = 0.0 * identity
    none = (np.zeros(len(identity)), zero, zero, 0.0 * tenors, 0.0 * deltas, np.zeros(2))
    bare = GridExtension(tenors, deltas, identity, *none)
    nodes = logs[:, ::2, ::2].reshape(len(logs), -1)
    grid_t, grid_d = np.repeat(fine_t, len(fine_d)), np.tile(fine_d, len(fine_t))
    error = logs - (nodes @ bare.observation(grid_t, grid_d).matrix.T).reshape(logs.shape)
    between_t, between_d = (error[:, 1::2, ::2] ** 2).mean((0, 2)), (error[:, ::2, 1::2] ** 2).mean((0, 1))
    slope_t = np.diff(logs[:, ::2, ::2], axis=1) / np.diff(np.log(tenors))[:, None]
    slope_d = np.diff(logs[:, ::2, ::2], axis=2) / np.diff(ndtri(deltas))
    edges = (slope_t[:, [0, -1]] ** 2).mean(), (slope_d[:, :, [0, -1]] ** 2).mean()
    return between_t, between_d, np.array(edges)
