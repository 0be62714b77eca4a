"""Arbitrage of many surfaces: the finite grid's, and the paper's conditions f >= 0 and dw/dtau >= 0.

The conditions are those of `voladdin.arbitrage.smooth_conditions` at the nodes, for a whole block at
once: derivatives of the cubic (not-a-knot) splines through total variance are linear in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.interpolate import CubicSpline

from voladdin._typing import BoolArray, FloatArray
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.surface import MAX_VOL

_BLOCK = 500
_ROUNDING = 1e-10


def spline_slopes(nodes: FloatArray, order: int) -> FloatArray:
    """[N, N] derivative of an order at each node, of the spline through values at the nodes."""
    return np.asarray(CubicSpline(nodes, np.eye(len(nodes)))(nodes, order))


def conditions(vols: FloatArray, tenors: FloatArray, moneyness: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Durrleman's f and dw/dtau [B, T, K] of vols [B, T, K] above 0 (Wang, Liu and Vuik, eq. 4 and 7)."""
    w = vols**2 * tenors[:, None]
    first, second = w @ spline_slopes(moneyness, 1).T, w @ spline_slopes(moneyness, 2).T
    f = (1 - moneyness * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 0.25) + second / 2
    return f, np.asarray(spline_slopes(tenors, 1) @ w)


def violations(vols: FloatArray, tenors: FloatArray, moneyness: FloatArray) -> dict[str, BoolArray]:
    """[B] which surfaces [B, T, K] violate: the grid, f, dw/dtau. A vol that is none violates all."""
    names = "grid", "f", "calendar"
    parts = [_violations(block, tenors, moneyness) for block in _blocks(vols)]
    return {name: np.concatenate(part) for name, part in zip(names, zip(*parts, strict=True), strict=True)}


def _blocks(vols: FloatArray) -> Iterator[FloatArray]:
    return (vols[start : start + _BLOCK] for start in range(0, len(vols), _BLOCK))


def _violations(
    vols: FloatArray, tenors: FloatArray, moneyness: FloatArray
) -> tuple[BoolArray, BoolArray, BoolArray]:
    none = np.asarray(~((vols > 0) & (vols <= MAX_VOL)).all(axis=(1, 2)))
    f, calendar = conditions(np.where(none[:, None, None], 0.2, vols), tenors, moneyness)
    below = [np.asarray((values < -_ROUNDING).any(axis=(1, 2)) | none) for values in (f, calendar)]
    return ~arbitrage_free(Rectangle(tenors, moneyness), np.nan_to_num(vols)), below[0], below[1]
