"""Smiles of slow models as tables: cubic splines in the log of business time and in deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d

from voladdin._typing import FloatArray

from .clocks import Clock

SingleArray = NDArray[np.float32]

TIMES = np.exp(np.linspace(np.log(1 / 365), np.log(20.0), 32))  # years
_STRETCH, _FAR = 1.2, 20.0
_ANGLE = float(np.arcsinh(_FAR / _STRETCH))
NODES = _STRETCH * np.sinh(np.linspace(-_ANGLE, _ANGLE, 57))  # ln(K/F) over the total vol at the money


@dataclass(frozen=True, eq=False)
class SmileTable:
    """Spline coefficients of n smiles. level [n]: the vol of a year, roughly.

    atm: [n, TIMES] of the log of the vol at the money, whose total scales NODES. ratio: [n, TIMES, NODES] of
    the log of total vol over it.
    """

    level: FloatArray
    atm: SingleArray
    ratio: SingleArray

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, rows: NDArray[np.int64]) -> SmileTable:
        return SmileTable(self.level[rows], self.atm[rows], self.ratio[rows])


def tabulate(level: FloatArray, atm: FloatArray, total: FloatArray) -> SmileTable:
    """A table of total vols at the money [n, TIMES] and at NODES [n, TIMES, NODES]."""
    ratio = np.log(total / atm[..., None])
    for axis in (1, 2):
        ratio = spline_filter1d(ratio, 3, axis=axis, mode="mirror")
    scale = spline_filter1d(np.log(atm / np.sqrt(TIMES)), 3, axis=1, mode="mirror")
    return SmileTable(level, scale.astype(np.float32), ratio.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Tabulated:
    """n surfaces of a table, each with a clock, a `boost` of its level and a `mirror` (-1: sigma(-k), [n]).

    Both leave a market free of arbitrage: the boost runs the clock faster, the mirror is the market of 1/S.
    """

    table: SmileTable
    clock: Clock
    boost: FloatArray
    mirror: FloatArray

    @property
    def level(self) -> FloatArray:
        """[n] roughly the vol of a year."""
        return self.table.level * self.boost

    def vols(self, years: FloatArray, moneyness: FloatArray) -> FloatArray:
        """[n, T, K] at years [n, T] and ln(K/F) [n, T, K]; smiles go on flat beyond 20 deviations."""
        tau = self.boost[:, None] ** 2 * self.clock.at(years)
        inside = np.clip(tau, TIMES[0], TIMES[-1])
        place = (np.log(inside) - np.log(TIMES[0])) / np.log(TIMES[1] / TIMES[0])
        cell, weights = _basis(place, len(TIMES))
        rows = np.arange(len(tau))[:, None, None]
        index = cell[..., None] + np.arange(-1, 3)
        index = _mirrored(index, len(TIMES))
        atm = np.exp((self.table.atm[rows, index] * weights).sum(axis=2)) * np.sqrt(inside)
        smiles = np.einsum("ntj,ntjx->ntx", weights, self.table.ratio[rows, index])
        x = np.clip(self.mirror[:, None, None] * moneyness / atm[..., None], -_FAR, _FAR)
        spot = (np.arcsinh(x / _STRETCH) + _ANGLE) * ((len(NODES) - 1) / (2.0 * _ANGLE))
        column, weight = _basis(spot, len(NODES))
        ratio = np.zeros_like(x)
        for j in range(4):
            at = _mirrored(column + (j - 1), len(NODES))
            ratio += weight[..., j] * np.take_along_axis(smiles, at, axis=2)
        total = np.exp(ratio) * (atm * np.sqrt(tau / inside))[..., None]
        return np.asarray(total / np.sqrt(years)[..., None])


def _basis(place: FloatArray, nodes: int) -> tuple[NDArray[np.int64], FloatArray]:
    """The cell of each place and the four cubic B-spline weights there, in a new last axis."""
    cell = np.clip(np.floor(place).astype(np.int64), 0, nodes - 2)
    t = place - cell
    u = 1.0 - t
    middle = (2.0 / 3.0 - t * t * (1.0 - 0.5 * t), 2.0 / 3.0 - u * u * (1.0 - 0.5 * u))
    return cell, np.stack([u**3 / 6.0, *middle, t**3 / 6.0], axis=-1)


def _mirrored(index: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    index = np.abs(index)
    return np.where(index >= nodes, 2 * (nodes - 1) - index, index)
