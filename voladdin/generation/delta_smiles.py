"""The smiles of a delta grid as functions of ln(K/F), so that a surface can be moved at its strikes.

Through the quotes of each tenor runs a monotone cubic in m (Fritsch and Carlson 1980), straight beyond them.
Moved by a function of (tau, m), each delta is read off where its strike then is: the vol v with

    v = smile(m) + change(tau, m),   m = s (s / 2 - N^-1(delta)),   s = v sqrt(tau).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from .._typing import FloatArray
from ..surface import MAX_VOL, Surface

Curve = Callable[[FloatArray], FloatArray]
_STEPS = 60
_CLOSE = 1e-12  # of a vol
_LEAST_VOL = 1e-4
_SIZE = 1e-6  # of ln(K/F), to differentiate


def moved_at_strikes(surface: Surface, change: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """[T, K] vols of a delta grid after its smiles moved by `change`, or as they were where none is found.

    change: from ln(K/F) [T, K] to vols [T, K].
    """
    smiles = [_smile(*row) for row in zip(surface.quoted_moneyness(), surface.vols, strict=True)]
    z, root = scipy.special.ndtri(surface.deltas), np.sqrt(surface.tenors)[:, None]

    def gap(vols: FloatArray) -> FloatArray:
        m = vols * root * (vols * root / 2 - z)
        return np.stack([smile(row) for smile, row in zip(smiles, m, strict=True)]) + change(m) - vols

    vols = np.where(surface.observed, surface.vols, np.nan)
    off = gap(vols)
    for _ in range(_STEPS):
        if not np.nanmax(np.abs(off)) > _CLOSE:
            return vols
        slope = np.minimum((gap(vols + _SIZE) - off) / _SIZE, -0.1)
        vols = np.clip(np.clip(vols - off / slope, 0.5 * vols, 2 * vols), _LEAST_VOL, MAX_VOL)
        off = gap(vols)
    return surface.vols


def _smile(m: FloatArray, vols: FloatArray) -> Curve:
    """A tenor's vol at any ln(K/F); m, vols: [K], NaN where there is no quote."""
    from scipy.interpolate import PchipInterpolator  # not at import, which is to be light

    known = np.isfinite(vols)
    x, order = np.unique(m[known], return_index=True)
    if len(x) < 2:
        return lambda at: np.full_like(at, vols[known][0] if len(x) else np.nan)
    curve = PchipInterpolator(x, vols[known][order])
    slope = curve.derivative()

    def smile(at: FloatArray) -> FloatArray:
        inside = np.clip(at, x[0], x[-1])
        return np.asarray(curve(inside) + slope(inside) * (at - inside))

    return smile
