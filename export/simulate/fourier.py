"""Heston, Bates and Heston++ option prices: Lewis' Fourier integral with a Black control variate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voladdin import black

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

TOLERANCE = 1e-10
_FIRST_PERIOD, _FIRST_CUTOFF, _MAX_TERMS = 16.0, 10.0, 8192
_EDGES = np.array([0.5, 0.45, -0.45])
_ITEMS = 1024


@dataclass(frozen=True)
class Items:
    """One row an expiry of a surface: affine parameters [M, 1], T years, `shift` integrated variance."""

    years: FloatArray
    v0: FloatArray
    kappa: FloatArray
    theta: FloatArray
    xi: FloatArray
    rho: FloatArray
    intensity: FloatArray
    jump_mean: FloatArray
    jump_std: FloatArray
    shift: FloatArray

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> Items:
        return Items(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def total_variance(self) -> FloatArray:
        """[M, 1] expected quadratic variation of the log-price to expiry."""
        mean_reversion = -np.expm1(-self.kappa * self.years) / self.kappa
        heston = self.theta * self.years + (self.v0 - self.theta) * mean_reversion
        return heston + self.shift + self.intensity * self.years * (self.jump_mean**2 + self.jump_std**2)


def expand(params: Mapping[str, FloatArray], years: FloatArray) -> Items:
    """Parameters [n] (or [n, T], as `shift` always is) at tenors [T] as n*T rows."""
    count = max(np.shape(value)[0] for value in params.values())
    shape = (count, len(years))

    def rows(value: FloatArray | float) -> FloatArray:
        array = np.asarray(value, dtype=float)
        array = array[:, None] if array.ndim == 1 else array
        return np.broadcast_to(array, shape).reshape(-1, 1)

    optional = {name: 0.0 for name in ("intensity", "jump_mean", "jump_std", "shift")}
    given = {**optional, **params}
    fields = {name: rows(given[name]) for name in Items.__dataclass_fields__ if name != "years"}
    return Items(years=np.broadcast_to(years, shape).reshape(-1, 1), **fields)


def log_characteristic(u: ComplexArray, items: Items) -> ComplexArray:
    """ln E[exp(i u ln(S_T/F))], [M, N].

    Heston in the form without branch cuts (Albrecher et al. 2007), rearranged so that nothing cancels
    when xi is small; Merton jumps (Bates 1996); deterministic shift (Pacati, Reno, Santilli 2018).
    """
    p, year = items, items.years
    square = u * (u + 1j)
    beta = p.kappa - 1j * p.rho * p.xi * u
    d = np.sqrt(beta * beta + p.xi**2 * square)
    inverse = 1.0 / (beta + d)
    slope = -square * inverse
    g = p.xi**2 * slope * inverse
    decay = np.exp(-d * year)
    drift = slope * year - 2.0 / p.xi**2 * np.log((1.0 - g * decay) / (1.0 - g))
    exponent = p.kappa * p.theta * drift + p.v0 * slope * (1.0 - decay) / (1.0 - g * decay)
    exponent -= 0.5 * p.shift * square
    if not p.intensity.any():
        return exponent
    compensator = np.expm1(p.jump_mean + 0.5 * p.jump_std**2)
    jumps = np.exp(1j * u * p.jump_mean - 0.5 * (p.jump_std * u) ** 2) - 1.0 - 1j * u * compensator
    return exponent + p.intensity * year * jumps


def otm_prices(items: Items, nodes: FloatArray) -> FloatArray:
    """Out-of-the-money prices, forward-normalised, [M, K].

    `nodes` is log-moneyness in units of each row's deviation (square root of `total_variance`): [K] for
    all rows, or [M, K]. Steps and cutoff of the trapezoidal rule are refined for the rows that need it:
    the aliasing at the edge of the period and the last term are both below 1e-9 of the deviation.
    Source: Lewis (2001), equation 3.11; control variate of Andersen and Piterbarg (2010), section 8.4.
    """
    nodes = np.broadcast_to(nodes, (len(items.years), np.shape(nodes)[-1])) if np.ndim(nodes) > 1 else nodes
    prices = np.empty((len(items.years), np.shape(nodes)[-1]))
    queue = [(np.arange(start, min(start + _ITEMS, len(prices))), _FIRST_PERIOD, _FIRST_CUTOFF)
             for start in range(0, len(prices), _ITEMS)]
    while queue:
        rows, period, cutoff = queue.pop()
        own_nodes = nodes if nodes.ndim == 1 else nodes[rows]
        prices[rows], aliased, truncated = _trapezoid(items[rows], own_nodes, period, cutoff)
        if period * cutoff < _MAX_TERMS * np.pi:
            for wide in (False, True):
                for long in (False, True):
                    again = rows[(aliased == wide) & (truncated == long)]
                    if (wide or long) and len(again):
                        queue.append((again, period * (1 + wide), cutoff * (1 + long)))
    return prices


def _trapezoid(
    items: Items, nodes: FloatArray, period: float, cutoff: float
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Prices [M, K] and the rows whose period is too short or whose cutoff is too low."""
    deviation = np.sqrt(items.total_variance)
    step = 2 * np.pi / period
    w = step * np.arange(int(np.ceil(cutoff / step)) + 1)
    u = w / deviation
    model = np.exp(log_characteristic(u - 0.5j, items))
    gap = model - np.exp(-0.5 * w * w - 0.125 * deviation**2)
    gap[:, 0] *= 0.5
    integrand = gap * (step / np.pi * deviation / (w * w + 0.25 * deviation**2))
    grid = np.append(nodes, period * _EDGES) if nodes.ndim == 1 else nodes
    damped = _cosine_sum(integrand, w, grid)
    edges = damped[:, len(nodes):] if nodes.ndim == 1 else _cosine_sum(integrand, w, period * _EDGES)
    damped = damped[:, : nodes.shape[-1]]
    log_moneyness = nodes * deviation
    prices = black.otm_price(log_moneyness, deviation) - np.exp(0.5 * log_moneyness) * damped
    aliased = np.abs(edges).max(axis=1) > TOLERANCE * deviation[:, 0]
    return prices, aliased, np.abs(gap[:, -1]) > TOLERANCE * cutoff


def _cosine_sum(integrand: ComplexArray, w: FloatArray, nodes: FloatArray) -> FloatArray:
    """Re sum_j integrand_j exp(-i w_j x) at x = nodes, [K] or [M, K]."""
    if nodes.ndim == 1:
        angle = np.outer(w, nodes)
        return integrand.real @ np.cos(angle) + integrand.imag @ np.sin(angle)
    angle = w[:, None] * nodes[:, None, :]
    product = integrand.real[:, None] @ np.cos(angle) + integrand.imag[:, None] @ np.sin(angle)
    return product[:, 0]
