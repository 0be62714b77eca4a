"""Decoded log vols on any axes: linear in ln T, cubic splines in x = -N^-1(delta), the last smile beyond.

Between two tenors ln of total variance is linear in ln T, so that it increases where it does at the nodes.
At a log-moneyness m the vol is that of the smile where it crosses m = s (x + s / 2), s = v sqrt(T).
"""

from __future__ import annotations

import numpy as np
import scipy

from .._typing import FloatArray
from ..bundles.any_axes import SurfaceGenerator
from ..surface import Surface

_FINE = 65  # points of a smile at which a strike is first looked for
_REACH = 6.0  # deviations
_NEWTON, _SETTLED = 5, 1e-13  # steps at most, and of log vols
_IN_CACHE = 2**15  # cells of surfaces that are brought to strikes together


def on_axes(model: SurfaceGenerator, logs: FloatArray, axes: Surface) -> FloatArray:
    """[B, T, K] vols on the axes of a surface, for log vols [B, T0 * K0] on the model's grid."""
    a = model.arrays
    smiles = logs.reshape(len(logs), len(a["tenors"]), -1)
    time = _linear(np.log(a["tenors"]), np.log(axes.tenors))
    there = np.einsum("ti,bik->btk", time, smiles)[..., ::-1]  # x increases where deltas fall
    x = -scipy.special.ndtri(a["deltas"])[::-1]
    if axes.deltas is not None:
        ahead = np.broadcast_to(-scipy.special.ndtri(axes.deltas), _shape(there, axes))
        return np.asarray(np.exp(_Smiles(x, there).at(ahead)))
    m = axes.log_moneyness
    assert m is not None
    size, root = max(_IN_CACHE // m.size, 1), np.sqrt(axes.tenors)[:, None]
    parts = (there[first : first + size] for first in range(0, len(there), size))
    return np.concatenate([_at_moneyness(_Smiles(x, part), m, root) for part in parts])


def _shape(there: FloatArray, axes: Surface) -> tuple[int, int, int]:
    return (len(there), *axes.shape)


class _Smiles:
    """Natural cubic splines through log vols [B, T, K] at x [K], the ends' values beyond them."""

    def __init__(self, x: FloatArray, logs: FloatArray) -> None:
        from scipy.interpolate import CubicSpline  # not at import, which is to be light

        self.x, self.pieces = x, CubicSpline(x, logs, axis=2, bc_type="natural").c  # [4, K - 1, B, T]

    def at(self, x: FloatArray) -> FloatArray:
        """Log vols at x [B, T, N]."""
        return self.with_slope(x)[0]

    def with_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """And their derivatives, 0 beyond the ends."""
        (a, b, c, d), step, beyond = self._place(x)
        slope = np.where(beyond, 0.0, (3 * a * step + 2 * b) * step + c)
        return np.asarray(((a * step + b) * step + c) * step + d), slope

    def _place(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        inside = np.clip(x, self.x[0], self.x[-1])
        index = np.clip(np.searchsorted(self.x, inside, side="right") - 1, 0, len(self.x) - 2)
        rows, columns = np.ogrid[: x.shape[0], : x.shape[1]]
        pieces = np.moveaxis(self.pieces, 1, 3)[:, rows[..., None], columns[..., None], index]
        return pieces, inside - self.x[index], inside != x


def _at_moneyness(smiles: _Smiles, m: FloatArray, root: FloatArray) -> FloatArray:
    """[B, T, K] vols at log-moneyness [T, K]."""
    x = np.linspace(-_REACH, _REACH, _FINE)
    count = smiles.pieces.shape[2]
    fine = smiles.at(np.broadcast_to(x, (count, len(m), _FINE)))
    s = np.exp(fine) * root
    along = np.maximum.accumulate(s * (x + s / 2), axis=2)
    logs = np.stack(
        [[np.interp(*row) for row in zip(m, *one, strict=True)] for one in zip(along, fine, strict=True)]
    )
    for _ in range(_NEWTON):
        s = np.exp(logs) * root
        at = m / s - s / 2
        found, slope = smiles.with_slope(at)
        step = np.clip((found - logs) / np.maximum(1 + slope * (m / s + s / 2), 0.2), -0.5, 0.5)
        logs = logs + step
        if np.abs(step).max() < _SETTLED:
            break
    return np.asarray(np.exp(logs))


def _linear(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """[N, nodes] of values at `nodes` joined by lines at `points`; the last beyond them."""
    return np.stack([np.interp(points, nodes, row) for row in np.eye(len(nodes))], axis=1)
