"""Model smiles: vols at log-moneyness, or at forward deltas by Newton's method on the model's own prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from voladdin import black
from voladdin._typing import FloatArray

from .fourier import Spectrum, expand, spectra
from .sabr import hagan_vol

_AFFINE = ("v0", "kappa", "theta", "xi", "rho")
_JUMPS = ("intensity", "jump_mean", "jump_std")
MODELS = {
    "heston": _AFFINE,
    "bates": (*_AFFINE, *_JUMPS),
    "heston++": (*_AFFINE, "shift"),
    "bates++": (*_AFFINE, *_JUMPS, "shift"),
    "sabr": ("alpha", "beta", "rho", "nu"),
}
_SCAN = 4.5 * np.sin(np.linspace(-0.5 * np.pi, 0.5 * np.pi, 25))
_FAR_DELTA, _FAR_STRIKE = 7.0, 12.0
_TOLERANCE_DELTA, _TOLERANCE_STRIKE = 1e-9, 1e-13
_RESOLVED = 1e-11
_BLOCK = 1000
_POSITIVE = (1e-12, np.inf)
_DOMAIN = {
    "v0": (0.0, np.inf),
    "kappa": (1e-6, np.inf),
    "theta": _POSITIVE,
    "xi": (1e-4, np.inf),
    "rho": (-0.9999, 0.9999),
    "intensity": (0.0, np.inf),
    "jump_mean": (-np.inf, np.inf),
    "jump_std": (0.0, np.inf),
    "shift": (0.0, np.inf),
    "alpha": _POSITIVE,
    "beta": (0.0, 1.0),
    "nu": _POSITIVE,
}


class TotalVols(Protocol):
    """Total vols of M expiries; log-moneyness x is in units of `deviation` [M, 1]."""

    deviation: FloatArray

    def scan(self, x: FloatArray) -> FloatArray:
        """[M, K] at nodes x [K] that all expiries share."""

    def resolved(self, x: FloatArray) -> NDArray[np.bool_]:
        """[M, K]: where prices at nodes x [K] stand well above their numerical error."""

    def value_and_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[M, K] total vol and its derivative by x, at x [M, K]."""


def model_vols(
    model: str,
    params: Mapping[str, ArrayLike],
    tenors: ArrayLike,
    *,
    deltas: ArrayLike | None = None,
    log_moneyness: ArrayLike | None = None,
) -> FloatArray:
    """Implied vols [n, T, K] of n parameter sets at tenors [T] years.

    deltas: [K] forward call deltas N(d1), or log_moneyness: [K], [T, K] or [n, T, K] ln(K/F).
    params, each [n] (or [n, T] to differ by expiry):
      heston   v0 kappa theta xi rho          bates   those and intensity jump_mean jump_std
      heston++ heston's and shift [n, T], the integrated deterministic variance; bates++ likewise
      sabr     alpha beta rho nu

    Always finite and positive. A smile is continued flat where prices fall below 1e-11 of the deviation (six
    or more deviations out): vols there would only show rounding. SABR is Hagan's expansion.
    Raises ValueError (unknown model, a missing or impossible parameter, both or neither strike axis).
    """
    years = np.asarray(tenors, dtype=float)
    arrays = _checked(model, params, years)
    count = max(len(value) for value in arrays.values())
    axis = _checked_axis(deltas, log_moneyness)
    blocks = []
    for start in range(0, count, _BLOCK):
        part = slice(start, start + _BLOCK)
        own = {name: value[part] if len(value) > 1 else value for name, value in arrays.items()}
        smile = SabrSmile(own, years) if model == "sabr" else FourierSmile(own, years, strikes=deltas is None)
        if deltas is None:
            total = _at_strikes(smile, axis[part] if axis.ndim == 3 else axis, len(years))
        else:
            total = _at_deltas(smile, ndtri(axis))
        blocks.append(total.reshape(-1, len(years), total.shape[-1]))
    return np.asarray(np.concatenate(blocks) / np.sqrt(years)[:, None])


def _checked(model: str, params: Mapping[str, ArrayLike], years: FloatArray) -> dict[str, FloatArray]:
    if not (years.ndim == 1 and len(years) and (years > 0).all()):
        raise ValueError(f"tenors are {years}; expected a list of positive years")
    if model not in MODELS:
        raise ValueError(f"model is {model!r}; expected one of {', '.join(MODELS)}")
    if set(params) != set(MODELS[model]):
        raise ValueError(f"params of {model} are {sorted(params)}; expected {sorted(MODELS[model])}")
    arrays = {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in params.items()}
    for name, value in arrays.items():
        low, high = _DOMAIN[name]
        bad = ~((value >= low) & (value <= high))
        if bad.any():
            raise ValueError(f"{name} is {value[bad][0]:g}; expected {low:g} to {high:g}")
    return arrays


def _checked_axis(deltas: ArrayLike | None, log_moneyness: ArrayLike | None) -> FloatArray:
    if (deltas is None) == (log_moneyness is None):
        raise ValueError("give exactly one of deltas and log_moneyness")
    axis = np.asarray(log_moneyness if deltas is None else deltas, dtype=float)
    if deltas is not None and not ((axis > 0) & (axis < 1)).all():
        raise ValueError(f"deltas are {axis}; expected forward call deltas between 0 and 1")
    return axis


def _at_strikes(smile: TotalVols, log_moneyness: FloatArray, tenors: int) -> FloatArray:
    shape = (len(smile.deviation) // tenors, tenors, log_moneyness.shape[-1])
    x = np.broadcast_to(log_moneyness, shape).reshape(-1, shape[-1]) / smile.deviation
    ladder = np.linspace(-_FAR_STRIKE, _FAR_STRIKE, 49)
    resolved = smile.resolved(ladder)
    low = ladder[resolved.argmax(axis=1)]
    high = ladder[::-1][resolved[:, ::-1].argmax(axis=1)]
    return smile.value_and_slope(np.clip(x, low[:, None], high[:, None]))[0]


def _at_deltas(smile: TotalVols, target: FloatArray) -> FloatArray:
    """Total vols [M, K] where d1 = target [K].

    d1 falls with log-moneyness in any smile without arbitrage (Fukasawa 2012): bracket each target on a
    scan of the smile, then two Newton steps on d1, the second one applied to the vol.
    """
    low, high, x = _bracket(smile, target)
    for _ in range(2):
        total, slope = smile.value_and_slope(x)
        d1 = -x * smile.deviation / total + 0.5 * total
        gradient = -smile.deviation / total + (x * smile.deviation / total**2 + 0.5) * slope
        step = (target - d1) / np.minimum(gradient, -0.1)
        before, x = x, np.clip(x + step, low, high)
    return total + slope * (x - before)


def _bracket(smile: TotalVols, target: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ends of the scan's step that holds each target, and the linear guess between them, [M, K]."""
    scan = np.concatenate([[-_FAR_DELTA], _SCAN, [_FAR_DELTA]])
    total = smile.scan(scan)
    d1 = np.minimum.accumulate(-scan * smile.deviation / total + 0.5 * total, axis=1)
    left = np.clip((d1[:, :, None] > target).sum(axis=1) - 1, 0, len(scan) - 2)
    above, below = np.take_along_axis(d1, left, 1), np.take_along_axis(d1, left + 1, 1)
    weight = np.clip((above - target) / np.maximum(above - below, 1e-12), 0.0, 1.0)
    low, high = scan[left], scan[left + 1]
    return low, high, low + weight * (high - low)


class FourierSmile:
    """Smiles of Heston, Bates and their shifted forms, from Fourier prices."""

    def __init__(self, params: Mapping[str, FloatArray], years: FloatArray, *, strikes: bool) -> None:
        """`strikes`: good far out of the money, rather than for deltas of about 1% to 99% only."""
        items = expand(params, years)
        self.deviation = np.sqrt(items.total_variance)
        rule = (_FAR_STRIKE, _TOLERANCE_STRIKE) if strikes else (_FAR_DELTA, _TOLERANCE_DELTA)
        self._spectra: list[Spectrum] = spectra(items, *rule)

    def scan(self, x: FloatArray) -> FloatArray:
        return self._invert(x, self._damped(x))

    def resolved(self, x: FloatArray) -> NDArray[np.bool_]:
        return self._price(x, self._damped(x)) > _RESOLVED * self.deviation

    def _damped(self, x: FloatArray) -> FloatArray:
        damped = np.empty((len(self.deviation), len(x)))
        for spectrum in self._spectra:
            damped[spectrum.rows] = spectrum.damped(x)
        return damped

    def value_and_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        damped, slope = np.empty_like(x), np.empty_like(x)
        for spectrum in self._spectra:
            rows = spectrum.rows
            damped[rows], slope[rows] = spectrum.damped_and_slope(x[rows])
        total = self._invert(x, damped)
        k = x * self.deviation
        digital = np.exp(k) * (ndtr(-k / total - 0.5 * total) - ndtr(-x - 0.5 * self.deviation))
        gradient = digital * self.deviation - np.exp(0.5 * k) * (0.5 * self.deviation * damped + slope)
        return total, gradient / np.maximum(black.vega(k, total), 1e-300)

    def _price(self, x: FloatArray, damped: FloatArray) -> FloatArray:
        k = x * self.deviation
        return black.otm_price(k, self.deviation) - np.exp(0.5 * k) * damped

    def _invert(self, x: FloatArray, damped: FloatArray) -> FloatArray:
        k = x * self.deviation
        low, high = (black.otm_price(k, scale * self.deviation) for scale in (0.2, 5.0))
        prices = np.clip(self._price(x, damped), np.maximum(low, 1e-300), high)
        return black.implied_total_vol(prices, k)


class SabrSmile:
    """Smiles of Hagan's SABR vols, one set of parameters an expiry."""

    def __init__(self, params: Mapping[str, FloatArray], years: FloatArray) -> None:
        shape = (max(len(value) for value in params.values()), len(years))
        self._rows = {
            name: np.broadcast_to(value if value.ndim > 1 else value[:, None], shape).reshape(-1, 1)
            for name, value in params.items()
        }
        self._years = np.broadcast_to(years, shape).reshape(-1, 1)
        self.deviation = hagan_vol(np.zeros((1, 1)), self._years, **self._rows) * np.sqrt(self._years)

    def scan(self, x: FloatArray) -> FloatArray:
        return hagan_vol(x * self.deviation, self._years, **self._rows) * np.sqrt(self._years)

    def resolved(self, x: FloatArray) -> NDArray[np.bool_]:
        return np.ones((len(self.deviation), len(x)), dtype=bool)

    def value_and_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The derivative is a central difference."""
        up, down = self.scan(x + 1e-4), self.scan(x - 1e-4)
        return self.scan(x), (up - down) / 2e-4
