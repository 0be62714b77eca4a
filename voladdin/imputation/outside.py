"""How much wider the spread is outside the range of the quotes.

The candidates are weighed by the quotes, and what these say of smiles ends where they end: bands beyond them
cover less than they say. How much they must grow is learned on held-out simulated surfaces, with the priors.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..surface import Surface
from .answers import points_of
from .model import UniversalBundle

_HALF = 0.5  # of u beyond the outermost quote: where the spread has half the growth that it has far out


def outside_stretch(loaded: UniversalBundle, axes: Surface, cells: FloatArray) -> FloatArray:
    """[B, n] factor on the spread of cells of B surfaces; cells: log-vols [B, T, K], NaN where missing."""
    flat = cells.reshape(len(cells), -1)
    quoted, power = np.isfinite(flat), np.zeros_like(flat)
    some = quoted.any(1)
    if some.any():
        known = flat[some]
        u = points_of(axes, known[0]).u if axes.deltas is not None else _each(axes, known)
        power[some] = outside(u, quoted[some])
    return np.asarray(np.exp(float(loaded.arrays["level_outside_stretch"]) * power))


def _each(axes: Surface, cells: FloatArray) -> FloatArray:
    return np.stack([points_of(axes, one).u for one in cells])


def outside(u: FloatArray, quoted: BoolArray) -> FloatArray:
    """[..., N], 0 within the range of the quotes' u and towards 1 far beyond it; quoted: some of [..., N]."""
    low = np.where(quoted, u, np.inf).min(-1, keepdims=True)
    high = np.where(quoted, u, -np.inf).max(-1, keepdims=True)
    beyond = np.maximum(np.maximum(low - u, u - high), 0.0)
    return np.asarray(beyond / (beyond + _HALF))
