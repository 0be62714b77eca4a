"""Smiles that bend as SSVI's do: a trend of a candidate that is not linear in what it depends on.

About its ATM vol, in x deviations of it (`coordinates.py`),

    S = ln(vol / ATM vol),   vol² / ATM vol² = (1 + rho y + sqrt(y² + 2 rho y + 1)) / 2,   y = c x

(Gatheral and Jacquier 2014), and where x is in deviations of the cell's own vol, as on a delta axis, the
same smile in closed form is vol / ATM vol = (rho y + sqrt(4 + y²)) / 2. Four numbers say what a surface has:
rho = tanh(z_0 + z_1 q) and ln c = z_2 + z_3 q, linear in q = (ln T + 1) / 2.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray

NUMBERS = 4
WIDEST = 4.0  # u over the scale of its compression


def expanded(u: FloatArray, scale: float) -> FloatArray:
    """x of u = s asinh(x / s), s the scale, up to 27 scales."""
    return np.asarray(scale * np.sinh(np.clip(u / scale, -WIDEST, WIDEST)))


def bend(z: FloatArray, q: FloatArray, x: FloatArray, *, own: bool) -> tuple[FloatArray, FloatArray]:
    """S [G, N] and its derivatives [G, N, 4] for z [G, 4] at q and x [1, N]; own: x is in own deviations."""
    rho, y = np.tanh(z[..., :1] + z[..., 1:2] * q), np.exp(z[..., 2:3] + z[..., 3:] * q) * x
    value, by_y, by_rho = (of_own if own else of_strikes)(rho, y)
    slope = np.empty((*value.shape, NUMBERS))
    slope[..., 0], slope[..., 2] = by_rho * (1.0 - rho * rho), by_y * y
    np.multiply(slope[..., ::2], q[..., None], out=slope[..., 1::2])
    return value, slope


def of_strikes(rho: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """S, and its derivatives by y and by rho, where x is in deviations of the ATM vol; all of one shape."""
    twice, by_y, by_rho = twice_squared(rho, y)
    return 0.5 * np.log(0.5 * twice), 0.5 * by_y / twice, 0.5 * by_rho / twice


def twice_squared(rho: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """2 vol² / ATM vol² as above, and its derivatives by y and by rho."""
    from_least = y + rho
    root = np.sqrt(from_least * from_least + (1.0 - rho * rho))
    return 1.0 + rho * y + root, rho + from_least / root, y + y / root


def of_own(rho: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same where x is in deviations of the cell's own vol."""
    root = np.sqrt(4.0 + y * y)
    ratio = 0.5 * (rho * y + root)
    return np.log(ratio), 0.5 * (rho + y / root) / ratio, 0.5 * y / ratio
