"""From option prices to vols: at log-moneyness directly, at forward deltas through a Chebyshev smile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from voladdin import black

from .fourier import FloatArray, Items, expand, otm_prices
from .sabr import hagan_vol

Smile = Callable[[FloatArray, NDArray[np.intp]], FloatArray]

AFFINE = ("heston", "bates", "heston++", "bates++")
MODELS = (*AFFINE, "sabr")
_NODES, _WIDTHS = 17, (3.2, 6.0, 12.0)
_CHEBYSHEV = np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))
_WEIGHTS = np.where(np.arange(_NODES) % 2, -1.0, 1.0) * np.where(np.arange(_NODES) % (_NODES - 1), 1.0, 0.5)


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

    Always finite and positive; beyond about twelve deviations a smile is continued flat.
    Raises ValueError (unknown model, missing parameter, both or neither strike axis).
    """
    years = np.asarray(tenors, dtype=float)
    if (deltas is None) == (log_moneyness is None):
        raise ValueError("give exactly one of deltas and log_moneyness")
    if model not in MODELS:
        raise ValueError(f"model is {model!r}; expected one of {', '.join(MODELS)}")
    smile, deviation, count = _smile(model, {k: np.asarray(v, dtype=float) for k, v in params.items()}, years)
    if log_moneyness is not None:
        strikes = np.asarray(log_moneyness, dtype=float)
        shape = (count, len(years), strikes.shape[-1])
        nodes = np.broadcast_to(strikes, shape).reshape(-1, shape[-1]) / deviation
        total = smile(nodes, np.arange(len(nodes)))
    else:
        total = _at_deltas(smile, deviation, np.asarray(deltas, dtype=float))
    return total.reshape(count, len(years), -1) / np.sqrt(years)[:, None]


def _smile(model: str, params: Mapping[str, FloatArray], years: FloatArray) -> tuple[Smile, FloatArray, int]:
    """Total vols of rows at log-moneyness / deviation, the deviations [M, 1] and the surfaces' count."""
    count = max(len(value) for value in params.values())
    if model == "sabr":
        rows = {k: np.broadcast_to(v if v.ndim > 1 else v[:, None], (count, len(years))).reshape(-1, 1)
                for k, v in params.items()}
        year = np.broadcast_to(years, (count, len(years))).reshape(-1, 1)
        deviation = hagan_vol(np.zeros_like(year), year, **rows) * np.sqrt(year)

        def closed(nodes: FloatArray, at: NDArray[np.intp]) -> FloatArray:
            own = {k: v[at] for k, v in rows.items()}
            return hagan_vol(nodes * deviation[at], year[at], **own) * np.sqrt(year[at])

        return closed, deviation, count
    items = expand(params, years)
    deviation = np.sqrt(items.total_variance)
    return lambda nodes, at: _invert(items[at], nodes, deviation[at]), deviation, count


def _invert(items: Items, nodes: FloatArray, deviation: FloatArray) -> FloatArray:
    log_moneyness = nodes * deviation
    low, high = (black.otm_price(log_moneyness, scale * deviation) for scale in (0.2, 5.0))
    prices = np.clip(otm_prices(items, nodes), np.maximum(low, 1e-300), high)
    return black.implied_total_vol(prices, log_moneyness)


def _at_deltas(smile: Smile, deviation: FloatArray, deltas: FloatArray) -> FloatArray:
    """Total vols [M, K] at forward call deltas [K]."""
    target = ndtri(deltas)
    total = np.empty((len(deviation), len(deltas)))
    rows = np.arange(len(deviation))
    for width in _WIDTHS:
        nodes = width * _CHEBYSHEV
        vols = smile(nodes, rows)
        reach = -nodes[[0, -1]] * deviation[rows] / vols[:, [0, -1]] + 0.5 * vols[:, [0, -1]]
        inside = (reach[:, 0] < target.min()) & (reach[:, 1] > target.max())
        done = inside | (width == _WIDTHS[-1])
        total[rows[done]] = _solve(vols[done], width, deviation[rows[done]], target)
        rows = rows[~done]
        if not len(rows):
            break
    return total


def _solve(vols: FloatArray, width: float, deviation: FloatArray, target: FloatArray) -> FloatArray:
    """Bisection-guarded Newton for d1(x) = target, x log-moneyness in deviations on [-width, width]."""
    low = np.full((len(vols), len(target)), -width)
    high = -low
    x = np.clip(-np.broadcast_to(target, low.shape), -width, width)
    for _ in range(12):
        total, slope = _barycentric(vols, x / width)
        error = -x * deviation / total + 0.5 * total - target
        low, high = np.where(error > 0, x, low), np.where(error > 0, high, x)
        gradient = -deviation / total + (x * deviation / total**2 + 0.5) * slope / width
        newton = x - error / np.where(gradient < 0, gradient, -1.0)
        x = np.where((gradient < 0) & (newton > low) & (newton < high), newton, 0.5 * (low + high))
    return _barycentric(vols, x / width)[0]


def _barycentric(values: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Interpolant and derivative [M, K] through values [M, N] at the Chebyshev points, x in [-1, 1]."""
    gap = x[..., None] - _CHEBYSHEV
    gap = np.where(np.abs(gap) < 1e-12, 1e-12, gap)
    weight = _WEIGHTS / gap
    scale = weight.sum(-1)
    value = np.einsum("mkn,mn->mk", weight, values) / scale
    slope = np.einsum("mkn,mkn->mk", weight / gap, value[..., None] - values[:, None, :]) / scale
    return value, slope
