"""Rough Bergomi smiles: at-the-money skew like T^(H - 1/2).

dS = S sqrt(v) dB, v_t = xi exp(eta X_t - eta^2 t^(2H) / 2), X_t = sqrt(2H) int_0^t (t - s)^(H - 1/2) dW, and
d<B, W> = rho dt. By self-similarity a smile depends on (H, eta T^H, rho, xi T) alone: one table serves all.

Sources: Bayer, Friz, Gatheral (2016); conditional Monte Carlo: McCrickerd and Pakkanen (2018). Each smile is
a mixture of log-normals, so free of butterfly arbitrage by construction; the Gaussian paths are exact on
their grid (Cholesky), and shared by all nodes of the table, so that smiles move smoothly between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import hyp2f1, logsumexp, ndtr, ndtri
from scipy.stats import qmc

from voladdin._typing import FloatArray

from .implied import resolved_total_vols
from .smile_tables import NODES, TIMES, SmileTable, tabulate
from .ssvi import draw_rho

HURSTS = (0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.43)
_SIZES = np.exp(np.linspace(np.log(0.05), np.log(3.0), 10))  # eta T^H
_RHOS = np.linspace(-0.96, 0.96, 13)
_VARIANCES = np.exp(np.linspace(np.log(1e-5), np.log(8.0), 9))  # xi T
_COLUMNS = 29
_STEPS, _LOG_PATHS = 160, 12
_ROOT_FLOOR = 1e-12


def paths(hurst: float, steps: int, log_paths: int, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """X at i / steps for i = 0 to steps - 1 and the increments of W, both [paths, steps], on [0, 1].

    Exact in law; 2^(log_paths + 1) scrambled Sobol points and their reflections.
    """
    power = hurst - 0.5
    t = np.arange(1, steps) / steps
    low, high = np.minimum(t[:, None], t), np.maximum(t[:, None], t)
    series = hyp2f1(-power, 1.0, power + 2.0, low / high)
    square = 2.0 * hurst * low ** (power + 1.0) * high**power / (power + 1.0) * series
    edges = np.arange(steps + 1) / steps
    left, right = np.maximum(t[:, None] - edges[:-1], 0.0), np.maximum(t[:, None] - edges[1:], 0.0)
    cross = np.sqrt(2.0 * hurst) * (left ** (power + 1.0) - right ** (power + 1.0)) / (power + 1.0)
    joint = np.block([[np.eye(steps) / steps, cross.T], [cross, square]])
    root = np.linalg.cholesky(joint + _ROOT_FLOOR * np.eye(len(joint)))
    uniform = qmc.Sobol(len(joint), seed=seed).random_base2(log_paths)
    normal = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12)) @ root.T
    normal = np.concatenate([normal, -normal])
    x = np.concatenate([np.zeros((len(normal), 1)), normal[:, steps:]], axis=1)
    return x, normal[:, :steps]


def conditional_smile(
    variance: FloatArray, leverage: FloatArray, rho: float, total: float, x: FloatArray
) -> FloatArray:
    """Total vols [X] at ln(K/F) = x sqrt(total), xi T = `total`.

    variance: int v dt / (xi T); leverage: int sqrt(v) dW / sqrt(xi T), [paths]. The forwards of the mixture
    are scaled to a mean of 1.
    """
    log_forward = rho * np.sqrt(total) * leverage - 0.5 * rho**2 * total * variance
    log_forward -= logsumexp(log_forward) - np.log(len(log_forward))
    deviation = np.sqrt((1.0 - rho**2) * total * variance)
    moneyness = np.sqrt(total) * x
    sign = np.where(moneyness >= 0, 1.0, -1.0)[:, None]
    d1 = (log_forward - moneyness[:, None]) / deviation + 0.5 * deviation
    strike = np.exp(moneyness)[:, None]
    price = sign * (np.exp(log_forward) * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation)))
    return np.asarray(resolved_total_vols(price.mean(axis=1)[None], moneyness[None], np.sqrt(total))[0])


def integrals(
    size: float, x: FloatArray, increments: FloatArray, hurst: float
) -> tuple[FloatArray, FloatArray]:
    """int v dt and int sqrt(v) dW over [0, 1] for xi = 1, eta = `size`, [paths]; left-point sums."""
    steps = x.shape[1]
    t = np.arange(steps) / steps
    root = np.exp(0.5 * size * x - 0.25 * size**2 * t ** (2.0 * hurst))
    return (root * root).mean(axis=1), (root * increments).sum(axis=1)


def smile_nodes() -> NDArray[np.float32]:
    """[HURSTS, sizes, rhos, variances, 29 + 1]: log of total vol over that at the money, by moneyness.

    The last column is the log of the total vol at the money over sqrt(xi T).
    """
    shape = (len(HURSTS), len(_SIZES), len(_RHOS), len(_VARIANCES), _COLUMNS + 1)
    table = np.empty(shape, np.float32)
    places = np.linspace(0, len(NODES) - 1, _COLUMNS)
    x = np.interp(places, np.arange(len(NODES)), NODES)
    for h, hurst in enumerate(HURSTS):
        drivers = paths(hurst, _STEPS, _LOG_PATHS)
        for s, size in enumerate(_SIZES):
            sums = integrals(float(size), *drivers, hurst)
            for index in np.ndindex(len(_RHOS), len(_VARIANCES)):
                rho, total = float(_RHOS[index[0]]), float(_VARIANCES[index[1]])
                atm = conditional_smile(*sums, rho, total, np.zeros(1))
                smile = conditional_smile(*sums, rho, total, x * atm / np.sqrt(total))
                table[h, s, *index] = np.append(np.log(smile / atm), np.log(atm / np.sqrt(total)))
    return table


def draw_rough(rng: np.random.Generator, count: int, nodes: NDArray[np.float32]) -> SmileTable:
    """`count` surfaces with a flat forward variance; H is one of HURSTS, eta T^H at most 3 at 20 years.

    nodes: of `smile_nodes`."""
    level = np.exp(rng.triangular(np.log(0.005), np.log(0.2), np.log(0.6), count))
    which = rng.integers(len(HURSTS), size=count)
    hurst = np.array(HURSTS)[which]
    most = np.minimum(3.0 / TIMES[-1] ** hurst, 3.0)
    eta = most * rng.beta(3.0, 1.7, count)
    size = np.clip(eta[:, None] * TIMES ** hurst[:, None], _SIZES[0], _SIZES[-1])
    variance = np.clip(level[:, None] ** 2 * TIMES, _VARIANCES[0], _VARIANCES[-1])
    rho = np.clip(draw_rho(rng, count), _RHOS[0], _RHOS[-1])
    log_atm = 0.5 * np.log(level[:, None] ** 2 * TIMES)
    ratio = np.empty((count, len(TIMES), len(NODES)))
    for h in np.unique(which):
        rows = which == h
        place = _places(size[rows], rho[rows], variance[rows])
        log_atm[rows] += _spline(nodes[h, ..., -1], place)
        columns = np.linspace(0, _COLUMNS - 1, len(NODES))
        ratio[rows] = _spline(nodes[h, ..., :-1], [*(p[..., None] for p in place), columns])
    return tabulate(level, np.exp(log_atm), np.exp(ratio + log_atm[..., None]))


def _places(size: FloatArray, rho: FloatArray, variance: FloatArray) -> list[FloatArray]:
    """Places among the nodes of sizes and variances [n, T] and rho [n]."""

    def place(values: FloatArray, nodes: FloatArray) -> FloatArray:
        return np.asarray((values - nodes[0]) / (nodes[-1] - nodes[0]) * (len(nodes) - 1))

    variances = place(np.log(variance), np.log(_VARIANCES))
    return [place(np.log(size), np.log(_SIZES)), place(rho, _RHOS)[:, None], variances]


def _spline(table: NDArray[np.float32], places: Sequence[FloatArray]) -> FloatArray:
    """Cubic splines through the nodes, at places that broadcast."""
    smooth = spline_filter(table.astype(float), order=3, mode="mirror")
    at = np.stack(np.broadcast_arrays(*places))
    return np.asarray(map_coordinates(smooth, at, order=3, mode="mirror", prefilter=False))
