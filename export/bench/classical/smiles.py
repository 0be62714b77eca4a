"""Rivals with a smile an expiry: SVI and SABR, each held by SSVI where its own quotes do not tell it.

Each takes tenors [T] years, ln(K/F) [T, K] ascending, and vols [T, K] with NaN where hidden, and gives a
function of other ln(K/F) [T, K] at these tenors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares, minimize

from export.simulation.sabr import hagan_vol
from voladdin._typing import FloatArray

from .interpolators import Fitted, ssvi

_Smile = Callable[[FloatArray, FloatArray, FloatArray, float], Callable[[FloatArray], FloatArray]]
_FEW = 5  # quotes that tell a smile by themselves
_HELD = 0.1  # weight of an SSVI vol beside a quote's 1
_GRID, _ZOOMS = 17, 6


def svi(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """SVI for each expiry."""
    return _by_expiry(tenors, moneyness, vols, _svi_smile)


def sabr(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """Lognormal SABR (beta 1, Hagan) for each expiry."""
    return _by_expiry(tenors, moneyness, vols, _sabr_smile)


def _by_expiry(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray, fit: _Smile) -> Fitted:
    """A smile for each expiry: by its quotes where these are five, else by SSVI too, which weighs less."""
    base = ssvi(tenors, moneyness, vols)(moneyness)
    weights = np.isfinite(vols).astype(float)
    few = weights.sum(axis=1) < _FEW
    weights[few] = np.maximum(weights[few], _HELD)
    known = np.where(np.isfinite(vols), vols, base)
    smiles = [
        fit(k[u > 0.0], vol[u > 0.0], u[u > 0.0], float(year))
        for k, vol, u, year in zip(moneyness, known, weights, tenors, strict=True)
    ]
    return lambda at: np.sqrt(
        np.stack([smile(row) / year for smile, row, year in zip(smiles, at, tenors, strict=True)])
    )


def _svi_smile(
    k: FloatArray, vol: FloatArray, u: FloatArray, year: float
) -> Callable[[FloatArray], FloatArray]:
    """Raw SVI total variance (Gatheral 2004) by least squares on total vol, of weights u.

    Quasi-explicit (De Marco and Martini 2009): linear in a, d, c given the centre and the width, which are
    searched on grids.
    """
    w = vol**2 * year
    span = max(float(np.ptp(k)), 1e-6)
    low, high = (
        np.array([k[0] - 0.5 * span, np.log(0.01 * span)]),
        np.array([k[-1] + 0.5 * span, np.log(3.0 * span)]),
    )
    best = np.zeros(5)
    for _ in range(_ZOOMS):
        axes = (np.linspace(a, b, _GRID) for a, b in zip(low, high, strict=True))
        centre, width = (axis.ravel() for axis in np.meshgrid(*axes))
        cost, linear_part = _svi_lines(k, w, u, centre, np.exp(width))
        i = int(cost.argmin())
        best = np.array([*linear_part[i], centre[i], np.exp(width[i])])
        reach = (high - low) / (_GRID - 1)
        low, high = np.array([centre[i], width[i]]) - reach, np.array([centre[i], width[i]]) + reach
    a, d, c, m, s = _polished(k, w, u, best)
    return lambda x: np.maximum(a + d * (x - m) + c * np.sqrt((x - m) ** 2 + s * s), 1e-3 * w.min())


def _polished(k: FloatArray, w: FloatArray, u: FloatArray, best: FloatArray) -> FloatArray:
    """a, d, c, centre, width after a search between the grid's nodes, along a valley that zooms may leave."""

    def cost(place: FloatArray) -> float:
        return float(_svi_lines(k, w, u, place[:1], np.exp(place[1:]))[0][0])

    start = np.array([best[3], np.log(best[4])])
    apart = np.array([[0.0, 0.0], [0.1 * best[4], 0.0], [0.0, 0.1]])
    options = {"initial_simplex": start + apart, "xatol": 1e-8, "fatol": 1e-24, "maxiter": 400}
    found = minimize(cost, start, method="Nelder-Mead", options=options).x
    lines = _svi_lines(k, w, u, found[:1], np.exp(found[1:]))[1][0]
    return np.array([*lines, found[0], np.exp(found[1])])


def _svi_lines(
    k: FloatArray, w: FloatArray, u: FloatArray, centre: FloatArray, width: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Costs [G] and (a, d, c) [G, 3] with |d| <= c of the best SVI smile for each centre and width [G]."""
    y = k - centre[:, None]
    root = np.sqrt(y * y + width[:, None] ** 2)
    weight = 0.5 * u / np.sqrt(w)
    design = np.stack([np.ones_like(y), y, root], axis=-1) * weight[:, None]
    target = w * weight
    square = np.einsum("gki,gkj->gij", design, design)
    scale = np.sqrt(np.einsum("gii->gi", square))
    square /= scale[:, :, None] * scale[:, None, :]
    right = np.einsum("gki,k->gi", design, target) / scale
    found = np.linalg.solve(square + 1e-10 * np.eye(3), right[..., None])[..., 0] / scale
    c = np.maximum(found[:, 2], 0.0)
    d = np.clip(found[:, 1], -c, c)
    rest = target - design[..., 1] * d[:, None] - design[..., 2] * c[:, None]
    a = (rest * weight).sum(axis=1) / (weight * weight).sum()
    cost = ((rest - weight * a[:, None]) ** 2).sum(axis=1)
    return cost, np.stack([a, d, c], axis=1)


def _sabr_smile(
    k: FloatArray, vol: FloatArray, u: FloatArray, year: float
) -> Callable[[FloatArray], FloatArray]:
    """SABR total variance by least squares on vol, of weights u."""

    def vols(p: FloatArray, x: FloatArray) -> FloatArray:
        alpha, nu = np.exp(np.clip(p[[0, 2]], -12.0, 4.0))
        rho = 0.999 * np.tanh(p[1])
        return np.maximum(hagan_vol(x, year, alpha, 1.0, rho, nu), 1e-4)  # type: ignore[arg-type]

    atm = float(np.interp(0.0, k, vol))
    start = [np.log(atm), -0.2, np.log(min(0.6 / np.sqrt(year), 8.0))]
    best = least_squares(lambda p: u * (vols(p, k) - vol) / atm, start, max_nfev=200).x
    return lambda x: vols(best, x) ** 2 * year
