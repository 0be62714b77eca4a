"""Option delta in every market convention, and its inverse; arrays broadcast.

m = ln(K/F), s = sigma sqrt(tau); side is +1 for calls and -1 for puts; discount is the base currency's
discount factor for spot deltas and 1 for forward deltas. Source: Reiswich and Wystup, "A Guide to FX Options
Quoting Conventions", Journal of Derivatives (2010).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._typing import FloatArray

_MAX_ITERATIONS = 100
_ROOT_2PI = np.sqrt(2 * np.pi)


def option_delta(
    m: ArrayLike, s: ArrayLike, side: ArrayLike, *, discount: ArrayLike = 1.0, premium_adjusted: bool = False
) -> FloatArray:
    """Delta: side discount N(side d1), or premium-adjusted side discount e^m N(side d2); negative for puts.

    m: log-moneyness. s: total vol, above 0. side: +1 call, -1 put. discount: base currency, or 1.
    """
    m, s, side = (np.asarray(x, dtype=float) for x in (m, s, side))
    if premium_adjusted:
        return np.asarray(side * discount * np.exp(m) * scipy.special.ndtr(side * (-m / s - s / 2)))
    return np.asarray(side * discount * scipy.special.ndtr(side * (s / 2 - m / s)))


def moneyness_of_delta(
    delta: ArrayLike,
    s: ArrayLike,
    side: ArrayLike,
    *,
    discount: ArrayLike = 1.0,
    premium_adjusted: bool = False,
) -> FloatArray:
    """Log-moneyness at which the option has this absolute delta; NaN where there is none.

    delta: absolute value, above 0. s: total vol there, above 0. side: +1 call, -1 put.

    The premium-adjusted call delta rises and falls with strike: the strike beyond its maximum is returned, as
    the market does (Reiswich and Wystup 2010).
    """
    delta, s, side = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (delta, s, side)))
    target = delta / discount
    target = np.where(target > 0, target, np.nan)
    if premium_adjusted:
        return _premium_adjusted_moneyness(np.log(target), s, side)
    return np.asarray(s * (s / 2 - side * scipy.special.ndtri(target)))


def atm_moneyness(s: ArrayLike, atm: str, *, premium_adjusted: bool) -> FloatArray:
    """Log-moneyness of the ATM strike: 0 ("forward"), or of the delta-neutral straddle ("dns").

    s: total vol. The straddle is struck at m = s^2/2, at -s^2/2 for premium-adjusted deltas.
    """
    s = np.asarray(s, dtype=float)
    if atm == "forward":
        return np.zeros_like(s)
    return np.asarray((-0.5 if premium_adjusted else 0.5) * s * s)


def _premium_adjusted_moneyness(log_delta: FloatArray, s: FloatArray, side: FloatArray) -> FloatArray:
    """Root of f(x) = ln N(x) - side s x - s^2/2 - ln delta in x = side d2, by Newton.

    f is concave, and increasing below its maximum x* (infinite for puts): after the first step Newton's
    iterates reach the root from the left, wherever on that branch they start.
    """
    s = np.where(s > 0, s, np.nan)
    peak = np.where(side > 0, _inverse_mills_root(s), np.inf)
    highest = scipy.special.log_ndtr(np.minimum(peak, 40.0)) - side * s * np.minimum(peak, 40.0) - s * s / 2
    feasible = (log_delta <= highest) | (side < 0)
    x = np.minimum(scipy.special.ndtri(np.exp(np.minimum(log_delta, -1e-3))), peak - 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_MAX_ITERATIONS):
            gap = scipy.special.log_ndtr(x) - side * s * x - s * s / 2 - log_delta
            step = gap / (_inverse_mills(x) - side * s)
            x = np.minimum(x - step, peak)
            if not (np.abs(step) > 1e-15 * (1 + np.abs(x))).any():
                break
    return np.asarray(np.where(feasible, -s * s / 2 - side * s * x, np.nan))


def _inverse_mills(x: FloatArray) -> FloatArray:
    """n(x) / N(x), decreasing and convex."""
    return np.asarray(np.sqrt(2 / np.pi) / scipy.special.erfcx(-x / np.sqrt(2)))


def _inverse_mills_root(s: FloatArray) -> FloatArray:
    """x with n(x)/N(x) = s, that is, d2 of the maximal premium-adjusted call delta; Newton on the log."""
    x = np.where(s < 1, np.sqrt(np.maximum(-2 * np.log(np.minimum(s, 1) * _ROOT_2PI), 0)), -s)
    for _ in range(_MAX_ITERATIONS):
        ratio = _inverse_mills(x)
        slope = np.minimum(-x - ratio, -0.5 / np.maximum(s, 1))  # about -1/s, which rounds to 0 far out
        step = (np.log(ratio) - np.log(s)) / slope
        x = x - step
        if not (np.abs(step) > 1e-14 * (1 + np.abs(x))).any():
            break
    return np.asarray(x)
