"""Smiles of a model from its characteristic function: Lewis' integral, and the vols at fixed deltas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voladdin import black
from voladdin._typing import FloatArray

ComplexArray = NDArray[np.complex128]
Characteristic = Callable[[ComplexArray, float], ComplexArray]  # E[exp(i z ln(S_T/F))] at z, tenor

FIXED_POINT_STEPS = 12


def _nodes(order: int = 96) -> tuple[FloatArray, FloatArray]:
    points, weights = np.polynomial.legendre.leggauss(order)
    t = 0.5 * (points + 1)
    return 3 * t / (1 - t), 1.5 * weights / (1 - t) ** 2


NODES, WEIGHTS = _nodes()


def lewis_matrix(m: FloatArray, w: float, u: FloatArray) -> ComplexArray:
    """[K, nodes] such that a forward-normalised call is Black's at variance w plus Re of this times
    (Black's characteristic function less the model's), both at u - i/2; Lewis (2001), w the control."""
    weights = (WEIGHTS / np.sqrt(w)) / (u**2 + 0.25)
    return np.asarray(np.exp(0.5 * m)[:, None] / np.pi * np.exp(-1j * np.outer(m, u)) * weights)


def lewis_call_price(m: FloatArray, w: float, characteristic: ComplexArray, u: FloatArray) -> FloatArray:
    """Forward-normalised calls [K] at log-moneyness m.

    characteristic: E[exp(i (u - i/2) ln(S_T/F))] at the nodes u = NODES / sqrt(w).
    """
    control = np.exp(-0.5 * w * (u**2 + 0.25))
    change = (lewis_matrix(m, w, u) @ (control - characteristic)).real
    return np.asarray(black.call_price(m, np.full_like(m, np.sqrt(w)))) + change


def model_smile(
    quotes: FloatArray, tenor: float, deltas: FloatArray, characteristic: Characteristic
) -> FloatArray:
    """The model's vols [K] at fixed deltas: the strike moves with the vol until both agree."""
    variance = max(-8 * np.log(abs(characteristic(np.array([-0.5j]), tenor)[0])), 1e-8)
    u = NODES / np.sqrt(variance)
    values = characteristic(u - 0.5j, tenor)
    vols = np.where(np.isfinite(quotes), quotes, np.sqrt(variance / tenor))
    for _ in range(FIXED_POINT_STEPS):
        m = black.moneyness_from_delta(deltas, vols * np.sqrt(tenor))
        call = lewis_call_price(m, variance, values, u)
        otm = np.where(m > 0, call, call - 1 + np.exp(m))
        new = black.implied_total_vol(otm, m) / np.sqrt(tenor)
        new = np.where(np.isfinite(new), new, vols)
        if np.abs(new - vols).max() < 1e-8:
            break
        vols = new
    return vols
