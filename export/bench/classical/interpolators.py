"""Rivals that interpolate: linear in total variance, thin-plate spline, and the parametric smiles.

Each takes tenors [T] years, ln(K/F) [T, K] ascending, and vols [T, K] with NaN where hidden. The parametric
ones give a function of other ln(K/F) [T, K] at these tenors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares, minimize

from export.simulation.sabr import hagan_vol
from voladdin._typing import FloatArray

Fitted = Callable[[FloatArray], FloatArray]  # vols [T, K] at ln(K/F) [T, K]
Fit = Callable[[FloatArray, FloatArray, FloatArray], Fitted]  # of tenors, ln(K/F) and vols
Fill = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
_Smile = Callable[[FloatArray, FloatArray, float], Callable[[FloatArray], FloatArray]]
_FEW = 5  # quotes for an SVI smile
_GRID, _ZOOMS = 17, 6


def at_quotes(fit: Fit) -> Fill:
    """Vols [T, K] at the strikes that the fit was given."""
    return lambda tenors, moneyness, vols: fit(tenors, moneyness, vols)(moneyness)


def linear(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T, K]: vol linear in strike and flat outside, total variance linear in time at equal moneyness."""
    rows = {
        i: np.interp(moneyness[i], moneyness[i, seen], vols[i, seen]) ** 2 * tenors[i]
        for i in range(len(tenors))
        if (seen := np.isfinite(vols[i])).any()
    }
    return across_expiries(tenors, rows, lambda i, j: np.interp(moneyness[i], moneyness[j], rows[j]))


def across_expiries(
    tenors: FloatArray, rows: dict[int, FloatArray], at: Callable[[int, int], FloatArray]
) -> FloatArray:
    """Vols [T, K] of known total variances by row; at(i, j) is row j's at the strikes of row i.

    Linear in time between the neighbours; before the first and after the last, the vols of the nearest one.
    """
    w = []
    for i in range(len(tenors)):
        before, after = [j for j in rows if j < i], [j for j in rows if j > i]
        if i in rows:
            w.append(rows[i])
        elif before and after:
            a, b = max(before), min(after)
            share = (tenors[i] - tenors[a]) / (tenors[b] - tenors[a])
            w.append((1.0 - share) * at(i, a) + share * at(i, b))
        else:
            j = max(before) if before else min(after)
            w.append(at(i, j) * tenors[i] / tenors[j])
    return np.asarray(np.sqrt(np.stack(w) / tenors[:, None]))


def plane(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T * K, 2] of ln T and ln(K/F) over the median vol's deviation, which splines and processes run on."""
    scale = np.nanmedian(vols) * np.sqrt(tenors)[:, None]
    return np.asarray(np.c_[np.repeat(np.log(tenors), moneyness.shape[1]), (moneyness / scale).ravel()])


def thin_plate(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[T, K]: a thin-plate spline of the log-vol, 200 neighbours at most."""
    x, seen = plane(tenors, moneyness, vols), np.isfinite(vols).ravel()
    spline = RBFInterpolator(
        x[seen],
        np.log(vols.ravel()[seen]),
        kernel="thin_plate_spline",
        smoothing=1e-6,
        neighbors=min(200, int(seen.sum())),
    )
    return np.asarray(np.exp(spline(x)).reshape(vols.shape))


def svi(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """SVI where an expiry has five quotes, total variance linear in time between; else `linear`."""
    return _by_expiry(tenors, moneyness, vols, _svi_smile, _FEW)


def sabr(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """Lognormal SABR (beta 1, Hagan) where an expiry has three quotes, otherwise as `svi`."""
    return _by_expiry(tenors, moneyness, vols, _sabr_smile, 3)


def _by_expiry(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray, fit: _Smile, few: int) -> Fitted:
    smiles = {
        i: fit(moneyness[i, seen], vols[i, seen], float(tenors[i]))
        for i in range(len(tenors))
        if (seen := np.isfinite(vols[i])).sum() >= few
    }

    def fitted(at: FloatArray) -> FloatArray:
        if not smiles:
            return linear(tenors, at, vols)
        rows = {i: smile(at[i]) for i, smile in smiles.items()}
        return across_expiries(tenors, rows, lambda i, j: smiles[j](at[i]))

    return fitted


def _svi_smile(k: FloatArray, vol: FloatArray, year: float) -> Callable[[FloatArray], FloatArray]:
    """Raw SVI total variance (Gatheral 2004) by least squares on total vol.

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
        cost, linear_part = _svi_lines(k, w, centre, np.exp(width))
        i = int(cost.argmin())
        best = np.array([*linear_part[i], centre[i], np.exp(width[i])])
        reach = (high - low) / (_GRID - 1)
        low, high = np.array([centre[i], width[i]]) - reach, np.array([centre[i], width[i]]) + reach
    a, d, c, m, s = _polished(k, w, best)
    return lambda x: np.maximum(a + d * (x - m) + c * np.sqrt((x - m) ** 2 + s * s), 1e-3 * w.min())


def _polished(k: FloatArray, w: FloatArray, best: FloatArray) -> FloatArray:
    """a, d, c, centre, width after a search between the grid's nodes, along a valley that zooms may leave."""

    def cost(place: FloatArray) -> float:
        return float(_svi_lines(k, w, place[:1], np.exp(place[1:]))[0][0])

    start = np.array([best[3], np.log(best[4])])
    apart = np.array([[0.0, 0.0], [0.1 * best[4], 0.0], [0.0, 0.1]])
    options = {"initial_simplex": start + apart, "xatol": 1e-8, "fatol": 1e-24, "maxiter": 400}
    found = minimize(cost, start, method="Nelder-Mead", options=options).x
    lines = _svi_lines(k, w, found[:1], np.exp(found[1:]))[1][0]
    return np.array([*lines, found[0], np.exp(found[1])])


def _svi_lines(
    k: FloatArray, w: FloatArray, centre: FloatArray, width: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Costs [G] and (a, d, c) [G, 3] with |d| <= c of the best SVI smile for each centre and width [G]."""
    y = k - centre[:, None]
    root = np.sqrt(y * y + width[:, None] ** 2)
    weight = 0.5 / np.sqrt(w)
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


def _sabr_smile(k: FloatArray, vol: FloatArray, year: float) -> Callable[[FloatArray], FloatArray]:
    """SABR total variance by least squares on vol."""

    def vols(p: FloatArray, x: FloatArray) -> FloatArray:
        alpha, nu = np.exp(np.clip(p[[0, 2]], -12.0, 4.0))
        rho = 0.999 * np.tanh(p[1])
        return np.maximum(hagan_vol(x, year, alpha, 1.0, rho, nu), 1e-4)  # type: ignore[arg-type]

    atm = float(np.interp(0.0, k, vol))
    start = [np.log(atm), -0.2, np.log(min(0.6 / np.sqrt(year), 8.0))]
    best = least_squares(lambda p: (vols(p, k) - vol) / atm, start, max_nfev=200).x
    return lambda x: vols(best, x) ** 2 * year


def ssvi(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """SSVI with the power law of Gatheral and Jacquier (2014).

    A total variance at the money for each quoted expiry, linear in time between; one rho, eta and gamma.
    """
    seen = np.isfinite(vols)
    known = np.flatnonzero(seen.any(axis=1))
    near = [int(np.abs(np.where(seen[i], moneyness[i], np.inf)).argmin()) for i in known]
    atm = vols[known, near] ** 2 * tenors[known]

    def model(p: FloatArray, at: FloatArray) -> FloatArray:
        theta = _theta(tenors, tenors[known], np.exp(np.log(atm) + p[3:]))[:, None]
        rho, gamma = 0.999 * np.tanh(p[0]), 1.0 / (1.0 + np.exp(-p[2]))
        y = np.exp(p[1]) * theta**-gamma * (1.0 + theta) ** (gamma - 1.0) * at
        w = 0.5 * theta * (1.0 + rho * y + np.sqrt((y + rho) ** 2 + 1.0 - rho * rho))
        return np.asarray(np.sqrt(w / tenors[:, None]))

    def miss(p: FloatArray) -> FloatArray:
        return np.append((np.log(model(p, moneyness)) - np.log(vols))[seen], 1e-3 * p)

    best = least_squares(miss, np.append([-0.3, 0.0, 0.0], np.zeros(len(known))), max_nfev=60).x
    return lambda at: model(best, at)


def _theta(tenors: FloatArray, known: FloatArray, theta: FloatArray) -> FloatArray:
    """[T] total variance at the money, linear between known tenors; of one vol before and after them."""
    inside = (tenors >= known[0]) & (tenors <= known[-1])
    rates = np.interp(tenors, known, theta / known)
    return np.where(inside, np.interp(tenors, known, theta), rates * tenors)
