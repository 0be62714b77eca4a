"""Heston, Bates and Heston++ option prices: Lewis' Fourier integral with a Black control variate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from voladdin import black
from voladdin._typing import FloatArray

ComplexArray = NDArray[np.complex128]

_FIRST_PERIOD, _FIRST_CUTOFF = 14.0, 7.0
_MAX_CUTOFF, _MAX_TERMS = 4096.0, 16384
_BLOCK = 2e5


class Characteristic(Protocol):
    """Expiries of a model, one a row, as the Fourier integral needs them; arrays are [M, 1]."""

    @property
    def years(self) -> FloatArray:
        """[M, 1] to expiry."""

    @property
    def total_variance(self) -> FloatArray:
        """[M, 1] expected quadratic variation of the log-price to expiry."""

    def log_characteristic(self, u: ComplexArray) -> ComplexArray:
        """ln E[exp(i u ln(S_T/F))], [M, N]."""

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> Self:
        """Some of the rows."""


@dataclass(frozen=True)
class AffineExpiries:
    """Expiries of Heston, Bates and their shifted forms, a row each: [M, 1]; shift: integrated variance."""

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

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> AffineExpiries:
        return AffineExpiries(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def total_variance(self) -> FloatArray:
        """[M, 1] expected quadratic variation of the log-price to expiry."""
        mean_reversion = -np.expm1(-self.kappa * self.years) / self.kappa
        heston = self.theta * self.years + (self.v0 - self.theta) * mean_reversion
        return heston + self.shift + self.intensity * self.years * (self.jump_mean**2 + self.jump_std**2)

    def log_characteristic(self, u: ComplexArray) -> ComplexArray:
        """ln E[exp(i u ln(S_T/F))], [M, N].

        Heston in the form without branch cuts (Albrecher et al. 2007), rearranged so that nothing cancels
        when xi is small; Merton jumps (Bates 1996); deterministic shift (Pacati, Reno, Santilli 2018).
        """
        p, year = self, self.years
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


def expand(params: Mapping[str, FloatArray], years: FloatArray) -> AffineExpiries:
    """Parameters [n] (or [n, T], as `shift` always is) at tenors [T] as n*T rows."""
    count = max(np.shape(value)[0] for value in params.values())
    shape = (count, len(years))

    def rows(value: FloatArray | float) -> FloatArray:
        array = np.asarray(value, dtype=float)
        array = array[:, None] if array.ndim == 1 else array
        return np.broadcast_to(array, shape).reshape(-1, 1)

    optional = {name: 0.0 for name in ("intensity", "jump_mean", "jump_std", "shift")}
    given: dict[str, FloatArray | float] = {**optional, **params}
    fields = {name: rows(given[name]) for name in AffineExpiries.__dataclass_fields__ if name != "years"}
    return AffineExpiries(years=np.broadcast_to(years, shape).reshape(-1, 1), **fields)


@dataclass(frozen=True)
class Spectrum:
    """Rows that share a trapezoidal rule: `terms` [m, N] of the damped price at frequencies j * `step`.

    In units of each row's deviation (square root of total variance): damped(x) = Re sum_j terms_j
    exp(-i j step x) is the time value that Black's price lacks, at log-moneyness x, times exp(-k/2).
    """

    rows: NDArray[np.intp]
    step: float
    terms: ComplexArray

    def damped(self, x: FloatArray) -> FloatArray:
        """Damped difference of prices, [m, K], at nodes x [K] that all rows share."""
        angle = self.step * np.outer(np.arange(self.terms.shape[1]), x)
        return self.terms.real @ np.cos(angle) + self.terms.imag @ np.sin(angle)

    def damped_and_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The same at nodes x [m, K] of each row, and its derivative: Horner's rule in exp(-i step x)."""
        z = np.exp(-1j * self.step * x)
        value = np.zeros_like(z)
        slope = np.zeros_like(z)
        for term in self.terms.T[::-1, :, None]:
            slope *= z
            slope += value
            value *= z
            value += term
        return value.real, (-1j * self.step * z * slope).real


def spectra(items: Characteristic, reach: float, tolerance: float) -> list[Spectrum]:
    """The trapezoidal rules of all rows, good for log-moneyness up to `reach` deviations.

    The cutoff is where the characteristic function is negligible; the period grows for the rows that need
    it, until the aliasing within reach is below `tolerance` deviations.
    Source: Lewis (2001), equation 3.11; control variate of Andersen and Piterbarg (2010), section 8.4.
    """
    done = []
    queue = [
        (rows, max(_FIRST_PERIOD, 2.0 * reach), cutoff)
        for cutoff, rows in _ladder(np.arange(len(items.years)), _cutoffs(items, tolerance))
    ]
    while queue:
        rows, period, cutoff = queue.pop()
        block = max(1, int(_BLOCK / (cutoff * period)))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            spectrum = _trapezoid(items[part], part, period, cutoff)
            deviation = np.sqrt(items.total_variance[part, 0])
            growth = _period_growth(spectrum, deviation, period, reach, tolerance)
            if period * cutoff > _MAX_TERMS * np.pi:
                growth[:] = 1.0
            good = growth <= 1.0
            if good.any():
                done.append(Spectrum(part[good], spectrum.step, spectrum.terms[good]))
            queue += [(more, period * factor, cutoff) for factor, more in _ladder(part[~good], growth[~good])]
    return done


def _ladder(rows: NDArray[np.intp], sizes: FloatArray) -> list[tuple[float, NDArray[np.intp]]]:
    """Rows grouped by size, rounded up to a power of sqrt(2)."""
    rungs = np.ceil(2.0 * np.log2(sizes))
    return [(float(2.0 ** (0.5 * rung)), rows[rungs == rung]) for rung in np.unique(rungs)]


def _period_growth(
    spectrum: Spectrum, deviation: FloatArray, period: float, reach: float, tolerance: float
) -> FloatArray:
    """[m]: at most 1 where the period is long enough, else by what factor to lengthen it.

    The copy of the smile one period away reaches back to `reach`; its size there follows from an
    exponential tail through the values at 0.4 and 0.5 periods.
    """
    inner, outer = (
        np.abs(spectrum.damped(period * np.array([-edge, edge]))).max(axis=1) / deviation + 1e-300
        for edge in (0.4, 0.5)
    )
    rate = np.maximum(np.log(inner / outer), 1e-3) / (0.1 * period)
    excess = np.log(outer / tolerance)
    needed = 0.5 * period + reach + excess / rate
    return np.where(excess > 0, np.clip(needed / period, 0.0, 4.0), 1.0)


def _cutoffs(items: Characteristic, tolerance: float) -> FloatArray:
    """Frequency [M], times deviation, beyond which the characteristic function is below the tolerance.

    Its logarithm falls linearly (Heston) or faster in the end: secant steps, never shorter than needed.
    """
    deviation = np.sqrt(items.total_variance)
    w = np.full_like(deviation, _FIRST_CUTOFF)
    for _ in range(5):
        probe = np.concatenate([0.9 * w, w], axis=1)
        decay = items.log_characteristic(np.asarray(probe / deviation - 0.5j, complex)).real
        rate = np.maximum(decay[:, :1] - decay[:, 1:], 1e-3) / (0.1 * w)
        excess = decay[:, 1:] - np.log(tolerance * w)
        w = np.where(excess > 0, np.minimum(w + 1.02 * excess / rate, 4.0 * w), w)
    return np.minimum(w[:, 0], _MAX_CUTOFF)


def _trapezoid(items: Characteristic, rows: NDArray[np.intp], period: float, cutoff: float) -> Spectrum:
    deviation = np.sqrt(items.total_variance)
    step = 2 * np.pi / period
    w = step * np.arange(int(np.ceil(cutoff / step)) + 1)
    terms = np.exp(items.log_characteristic(np.asarray(w / deviation - 0.5j, complex)))
    terms -= np.exp(-0.5 * w * w - 0.125 * deviation**2)
    terms[:, 0] *= 0.5
    terms *= step / np.pi * deviation / (w * w + 0.25 * deviation**2)
    return Spectrum(rows, step, terms)


def otm_prices(items: Characteristic, nodes: FloatArray) -> FloatArray:
    """Forward-normalised out-of-the-money prices [M, K], log-moneyness `nodes` [M, K] in deviations."""
    deviation = np.sqrt(items.total_variance)
    nodes = np.broadcast_to(nodes, (len(deviation), np.shape(nodes)[-1]))
    log_moneyness = nodes * deviation
    prices = black.otm_price(log_moneyness, deviation)
    for spectrum in spectra(items, float(np.abs(nodes).max()), 1e-13):
        rows = spectrum.rows
        damped, _ = spectrum.damped_and_slope(nodes[rows])
        prices[rows] -= np.exp(0.5 * log_moneyness[rows]) * damped
    return prices
