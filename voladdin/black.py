"""Black's formula for forward-normalised prices c = C/(D F), vectorised and accurate to a few units in 1e-15.

m = ln(K/F) is log-moneyness and s = sigma sqrt(tau) total vol; every function broadcasts over both.
With k = |m|, H = k/s and t = s/2 the out-of-the-money call is

    c(k, s) = N(t - H) - exp(k) N(-t - H) = n(H - t) [Y(t - H) - Y(-t - H)],    Y(z) = N(z)/n(z),

and the out-of-the-money put at m < 0 is exp(m) c(|m|, s). The difference of Y is taken without cancellation,
see Jaeckel, "Let's Be Rational" (2015), section 3, whose regions this follows with other expansions.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ._typing import FloatArray

_ROOT_2 = np.sqrt(2.0)
_ROOT_2PI = np.sqrt(2 * np.pi)
_TAYLOR_HALF_VOL = 0.25
_TAYLOR_ORDER = 17
_FRACTION_DEPTH = 60
_FRACTION_FROM = 2.0
_MAX_ITERATIONS = 40
_STEP_TOLERANCE = 1e-6  # Halley's cube of it is below rounding


def call_price(m: ArrayLike, s: ArrayLike) -> FloatArray:
    """Forward-normalised call price, in [(1 - e^m)+, 1]; NaN where m or s is NaN or s is negative.

    m: log-moneyness ln(K/F). s: total vol sigma sqrt(tau), at least 0.
    """
    m = np.asarray(m, dtype=float)
    return np.asarray(otm_price(m, s) - np.expm1(np.minimum(m, 0)))


def put_price(m: ArrayLike, s: ArrayLike) -> FloatArray:
    """Forward-normalised put price, in [(e^m - 1)+, e^m]; NaN where m or s is NaN or s is negative.

    m: log-moneyness ln(K/F). s: total vol sigma sqrt(tau), at least 0.
    """
    m = np.asarray(m, dtype=float)
    return np.asarray(otm_price(m, s) + np.expm1(np.maximum(m, 0)))


def otm_price(m: ArrayLike, s: ArrayLike) -> FloatArray:
    """Forward-normalised price of the out-of-the-money option: call at m >= 0, put at m < 0.

    m: log-moneyness ln(K/F). s: total vol, at least 0 (a negative one gives NaN). Keeps its relative accuracy
    down to where it underflows.
    """
    m, s = np.broadcast_arrays(np.asarray(m, dtype=float), np.asarray(s, dtype=float))
    price = np.full(m.shape, np.nan)
    price[(s == 0) & np.isfinite(m)] = 0.0
    live = (s > 0) & np.isfinite(s) & np.isfinite(m)
    price[live] = _otm_call(np.abs(m[live]), s[live]) * np.exp(np.minimum(m[live], 0))
    return price


def vega(m: ArrayLike, s: ArrayLike) -> FloatArray:
    """Derivative of the normalised price (call and put alike) with respect to total vol: n(d1).

    m: log-moneyness. s: total vol, at least 0; at s = 0 it is n(0) at the money and 0 elsewhere.
    """
    d1 = _d1(m, s)
    with np.errstate(over="ignore"):  # far out it is 0
        return np.asarray(np.exp(-0.5 * d1 * d1) / _ROOT_2PI)


def call_delta(m: ArrayLike, s: ArrayLike) -> FloatArray:
    """Forward delta N(d1) of the call, in [0, 1].

    m: log-moneyness. s: total vol, at least 0; at s = 0 it is 1, 1/2 or 0 for m below, at or above 0.
    """
    return np.asarray(scipy.special.ndtr(_d1(m, s)))


def moneyness_from_delta(delta: ArrayLike, s: ArrayLike) -> FloatArray:
    """Log-moneyness whose forward call delta N(d1) is `delta`; NaN where delta is outside [0, 1].

    delta: in (0, 1). s: total vol at that moneyness, above 0.
    """
    s = np.asarray(s, dtype=float)
    return np.asarray(s * (s / 2 - scipy.special.ndtri(delta)))


def implied_total_vol(price: ArrayLike, m: ArrayLike) -> FloatArray:
    """Total vol s of a forward-normalised out-of-the-money price (call at m >= 0, put at m < 0).

    price: in [0, 1) for calls, [0, e^m) for puts; 0 gives 0, any price outside gives NaN. m: log-moneyness.

    Exact to what the rounding of the price allows: about 1e-15 relative for prices below one half; above, the
    error grows as that of 1 - price. Halley's method on ln c (below one half) or ln(1 - c).
    """
    price, m = np.broadcast_arrays(np.asarray(price, dtype=float), np.asarray(m, dtype=float))
    with np.errstate(over="ignore", invalid="ignore"):
        c = price * np.exp(-np.minimum(m, 0))
    s = np.full(c.shape, np.nan)
    s[(price == 0) & np.isfinite(m)] = 0.0
    live = (c > 0) & (c < 1) & np.isfinite(m)
    s[live] = _solve(c[live], np.abs(m[live]))
    return s


def _d1(m: ArrayLike, s: ArrayLike) -> FloatArray:
    m, s = np.broadcast_arrays(np.asarray(m, dtype=float), np.asarray(s, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        d1 = np.where(m == 0, 0.0, -m / s) + s / 2
    return np.where(s >= 0, d1, np.nan)


@np.errstate(over="ignore")  # where it does, the density is 0
def _otm_call(k: FloatArray, s: FloatArray) -> FloatArray:
    """c(k, s) for k >= 0, s > 0."""
    high = k / s
    half = s / 2
    price = np.zeros_like(k)
    small = (half < _TAYLOR_HALF_VOL) & (high < 50)
    price[small] = density(high[small] - half[small]) * _taylor(high[small], half[small])
    wide = ~small & (half > high)
    price[wide] = scipy.special.ndtr((half - high)[wide]) - _second_term(high[wide], half[wide])
    far = ~small & ~wide & (high - half < 50)
    gap = high[far] - half[far]
    first = 0.5 * np.exp(-0.5 * gap * gap) * scipy.special.erfcx(gap / _ROOT_2)
    price[far] = first - _second_term(high[far], half[far])
    return price


def _short_of_one(k: FloatArray, s: FloatArray) -> FloatArray:
    """1 - c(k, s), to its own last digits."""
    high, half = k / s, s / 2
    return np.asarray(scipy.special.ndtr(high - half) + _second_term(high, half))


def density(x: FloatArray) -> FloatArray:
    """Of the standard normal distribution."""
    return np.asarray(np.exp(-0.5 * x * x) / _ROOT_2PI)


def _second_term(high: FloatArray, half: FloatArray) -> FloatArray:
    """exp(k) N(-t - H) without overflow."""
    gap = high - half
    return np.asarray(0.5 * np.exp(-0.5 * gap * gap) * scipy.special.erfcx((high + half) / _ROOT_2))


def _taylor(high: FloatArray, half: FloatArray) -> FloatArray:
    """Y(t - H) - Y(-t - H) = 2 sum over odd n of I_n(H) t^n / n!, I_n(x) = int_0^inf y^n e^(-x y - y^2/2) dy.

    All terms are positive. I_n / I_(n-1) = n / (x + I_(n+1)/I_n) is a continued fraction, evaluated backwards
    for large x; below `_FRACTION_FROM` the forward recurrence I_(n+1) = n I_(n-1) - x I_n is accurate.
    """
    moment = np.sqrt(np.pi / 2) * scipy.special.erfcx(high / _ROOT_2)
    ratios = _moment_ratios(high, moment)
    total = np.zeros_like(high)
    for n, ratio in enumerate(ratios, start=1):
        moment = moment * ratio * half / n
        if n % 2:
            total += moment
    return 2 * total


def _moment_ratios(x: FloatArray, zeroth: FloatArray) -> FloatArray:
    """[order, points]: I_n / I_(n-1) for n = 1.. order."""
    ratios = np.empty((_TAYLOR_ORDER, *x.shape))
    near = x < _FRACTION_FROM
    far = x[~near]
    ratio = 0.5 * (np.sqrt(far * far + 4 * (_FRACTION_DEPTH + 1)) - far)
    for n in range(_FRACTION_DEPTH if len(far) else 0, 0, -1):
        ratio = n / (far + ratio)
        if n <= _TAYLOR_ORDER:
            ratios[n - 1, ~near] = ratio
    ratio = 1 / zeroth[near] - x[near]
    for n in range(1, _TAYLOR_ORDER + 1):
        ratios[n - 1, near] = ratio
        ratio = n / ratio - x[near]
    return ratios


def _solve(c: FloatArray, k: FloatArray) -> FloatArray:
    s = _guess(c, k)
    upper = c >= 0.5
    target = np.log(np.where(upper, 1 - c, c))
    active = np.arange(len(c))
    for _ in range(_MAX_ITERATIONS):
        if not len(active):
            break
        step = _halley_step(s[active], k[active], target[active], upper[active])
        s[active] = np.clip(s[active] + step, s[active] / 2, s[active] * 2)
        active = active[np.abs(step) > _STEP_TOLERANCE * s[active]]
    return s


def _guess(c: FloatArray, k: FloatArray) -> FloatArray:
    """Below one half Bachelier's vol at width 2 sinh(k/2); above it N^-1((1 + c)/2) linear in s."""
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.log(c) - k / 2 - np.log(2 * np.sinh(k / 2))
    ratios, log_highs = _bachelier_table()
    high = np.exp(np.interp(-ratio, ratios, log_highs))
    guess = np.where(-ratio < ratios[0], c * _ROOT_2PI, k / high)
    upper = c >= 0.5
    if upper.any():
        guess[upper] = _guess_above(c[upper], k[upper])
    return np.asarray(guess)


def _guess_above(c: FloatArray, k: FloatArray) -> FloatArray:
    inflection = np.maximum(np.sqrt(2 * k), 1e-150)
    there = _otm_call(k, inflection)
    above = inflection + 2 * (scipy.special.ndtri((1 - there) / 2) - scipy.special.ndtri((1 - c) / 2))
    return np.asarray(np.maximum(above, inflection))


@cache
def _bachelier_table() -> tuple[FloatArray, FloatArray]:
    """-ln(n(H)/H - N(-H)), which is minus the log of Bachelier's price over k, against ln H."""
    log_high = np.linspace(np.log(1e-6), np.log(40.0), 500)
    high = np.exp(log_high)
    slope = 1 - high * np.sqrt(np.pi / 2) * scipy.special.erfcx(high / _ROOT_2)
    return 0.5 * high * high + np.log(_ROOT_2PI * high) - np.log(slope), log_high


@np.errstate(over="ignore")
def _halley_step(s: FloatArray, k: FloatArray, target: FloatArray, upper: NDArray[np.bool_]) -> FloatArray:
    price = _otm_call(k, s)
    slope = density(k / s - s / 2)
    bend = (k / s) ** 2 / s - s / 4
    value = np.where(upper, _short_of_one(k, s), price)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(upper, -slope, slope) / value
        gap = (np.log(value) - target) / first
        step = -gap / np.clip(1 - 0.5 * gap * (bend - first), 0.5, 2.0)
    return np.where(np.isfinite(step), step, s)
