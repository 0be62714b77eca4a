"""Forwards and discount factors of each expiry by put-call parity, robust against bad quotes.

C - P = D (F - K) at each strike K that has both. D starts from the weighted median of the slopes between all
pairs of strikes near the money (Theil and Sen; weights are their distance over the widths of the quotes), F
from the weighted median of K + (C - P) / D: a stale or mistyped quote moves neither. Least squares over the
pairs within a few typical errors of parity then make both precise, in turns: D of each expiry given its F,
then F given D, each made one curve over the expiries that is as smooth as its errors allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import InputError
from .curves import smoothed

MIN_STRIKES = 2  # below, one expiry does not tell its discount factor
UNITS = (100.0, 1000.0, 0.01, 0.001)  # strikes over prices: strikes in cents or mills, or prices in them
_NEAREST = 48  # strikes nearest the money that count
_DISCOUNTS = (0.3, 1.1)  # what a fitted discount factor may be; outside, it is the curve's
_RATES = (-0.05, 0.25)  # of the pooled zero rate
_REFITS, _ENOUGH = 3, 5  # least squares after the medians, from so many strikes
_UNTOLD = 1.0  # error of a discount factor that only the other expiries tell
_ROUNDS = 6  # of discount factors given the forwards, and forwards given these
_REACH = 2.5  # typical errors within which a pair counts
_SIGMA, _LEAST = 1.4826, 1e-9  # of normal errors over their median size; of the smallest error over its width
_BEYOND = 0.1  # of ln F: a curve leaves its points by no more
_NARROW = 0.25  # least width of a pair over the median one
_FAR = 3.0  # half-widths of both quotes beyond which a pair is an outlier


@dataclass(frozen=True, eq=False)
class Parity:
    """T expiries. years, forwards, discounts: [T]. pairs: [T] how many strikes have call and put.

    outliers: (row, strike) of each pair off parity. unit: of the strikes over the prices, see `UNITS`;
    forwards and outliers are in the unit that both have after `Options.in_units`.
    """

    years: FloatArray
    forwards: FloatArray
    discounts: FloatArray
    pairs: FloatArray
    outliers: tuple[tuple[int, float], ...]
    unit: float = 1.0


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Strikes with both sides, C - P there, the sum of both half-widths, and the root of the sum of their
    squares, as errors of both are independent; all [n]."""

    k: FloatArray
    gap: FloatArray
    width: FloatArray
    error: FloatArray

    def near(self) -> _Pairs:
        """Those nearest the money: where call and put are worth nearly the same."""
        chosen = np.sort(np.argsort(np.abs(self.gap), kind="stable")[:_NEAREST])
        return _Pairs(self.k[chosen], self.gap[chosen], self.width[chosen], self.error[chosen])

    def in_units(self, unit: float) -> _Pairs:
        low = min(unit, 1.0)
        return _Pairs(self.k / max(unit, 1.0), self.gap * low, self.width * low, self.error * low)

    @property
    def spread(self) -> FloatArray:
        """Widths with a floor: no quote is exact, and one narrow quote does not count alone."""
        return np.maximum(self.width, self._floor)

    @property
    def weight(self) -> FloatArray:
        """Of each pair in a mean."""
        return np.asarray(1.0 / np.maximum(self.error, self._floor) ** 2)

    @property
    def _floor(self) -> float:
        if not len(self.k):
            return 0.0
        return max(1e-6 * float(np.median(self.k)), _NARROW * float(np.median(self.width)))


@dataclass(frozen=True, eq=False)
class _Kept:
    """Of one expiry the pairs that agree with parity: strikes, C - P, weights 1 / error^2; all [n]."""

    k: FloatArray
    gap: FloatArray
    weight: FloatArray

    def moments(self, forward: float) -> tuple[float, float]:
        """Sums of (F - K)^2 and of (C - P) (F - K) by weight: their ratio is D given F."""
        ahead = forward - self.k
        return float((self.weight * ahead**2).sum()), float((self.weight * self.gap * ahead).sum())

    def forward(self, discount: float) -> tuple[float, float]:
        """F given D, and its standard error; NaN where no pair tells."""
        if not len(self.k):
            return np.nan, np.nan
        mean = float(np.average(self.k + self.gap / discount, weights=self.weight))
        return mean, float(1.0 / (discount * np.sqrt(self.weight.sum())))


def fit_parity(
    years: FloatArray,
    strikes: FloatArray,
    calls: BoolArray,
    mid: FloatArray,
    half_width: FloatArray,
    rate: float | None = None,
) -> Parity:
    """Forward and discount factor of each distinct expiry; all arguments [N], an option each.

    mid, half_width: price and half the bid-ask width; NaN mids are left out.
    rate: continuously compounded, in place of the fitted discount factors.

    The forward of an expiry without a strike that has both is between those of its neighbours, in ln F.

    Raises InputError where no expiry has a strike with call and put, or calls are puts.
    """
    expiries = np.unique(years)
    all_pairs = [_pairs(strikes, calls, mid, half_width, years == year) for year in expiries]
    counts = np.array([len(pair.k) for pair in all_pairs], dtype=float)
    if not counts.any():
        raise InputError(
            f"the expiry in {365 * expiries[0]:.0f} days has no strike with both a call and a put; "
            "expected one, or a forward for that expiry"
        )
    slopes, weights = np.array([_slope(pair) for pair in all_pairs]).T
    _refuse_swapped(slopes, weights)
    unit = _unit(slopes, weights)
    all_pairs, slopes = [pair.in_units(unit) for pair in all_pairs], slopes * unit
    discounts = _discounts(expiries, slopes, weights) if rate is None else np.exp(-rate * expiries)
    forwards = np.array([_forward(pair, d) for pair, d in zip(all_pairs, discounts, strict=True)])
    for _ in range(_ROUNDS):
        kept = _kept(all_pairs, forwards, discounts)
        if rate is None:
            discounts = _discount_curve(expiries, kept, forwards, discounts)
        forwards = _forward_curve(expiries, kept, discounts)
    outliers = tuple(
        (row, strike)
        for row, pair in enumerate(all_pairs)
        for strike in _off(pair, forwards[row], discounts[row]).tolist()
    )
    return Parity(expiries, forwards, discounts, counts, outliers, unit)


def _pairs(
    strikes: FloatArray, calls: BoolArray, mid: FloatArray, width: FloatArray, chosen: BoolArray
) -> _Pairs:
    live = chosen & np.isfinite(mid)
    (call_k, call_at), (put_k, put_at) = (
        np.unique(strikes[side], return_index=True) for side in (live & calls, live & ~calls)
    )
    both, i, j = np.intersect1d(call_k, put_k, return_indices=True)
    at_call, at_put = np.flatnonzero(live & calls)[call_at[i]], np.flatnonzero(live & ~calls)[put_at[j]]
    one, other = width[at_call], width[at_put]
    return _Pairs(both, mid[at_call] - mid[at_put], one + other, np.hypot(one, other))


def _slope(pairs: _Pairs) -> tuple[float, float]:
    """Discount factor, and its weight; NaN where one strike says nothing."""
    if len(pairs.k) < MIN_STRIKES:
        return np.nan, 0.0
    near = pairs.near()
    i, j = np.triu_indices(len(near.k), 1)
    run, rise, spread = near.k[j] - near.k[i], near.gap[i] - near.gap[j], near.spread
    slope = weighted_median(rise / run, run / (spread[i] + spread[j]))
    forward = weighted_median(near.k + near.gap / slope, 1.0 / near.spread) if slope else near.k[0]
    level, chosen = slope * forward, near
    for _ in range(_REFITS):
        kept = np.abs(chosen.gap - level + slope * chosen.k) <= chosen.spread
        if np.count_nonzero(kept) >= _ENOUGH:
            slope, level = _line(chosen.k[kept], chosen.gap[kept], chosen.weight[kept])
        chosen = pairs
    return slope, float(np.sqrt((pairs.weight * (pairs.k - pairs.k.mean()) ** 2).sum()))


def _line(k: FloatArray, gap: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """D and D F of gap = D F - D k by weighted least squares."""
    middle, level = np.average(k, weights=weight), np.average(gap, weights=weight)
    slope = -float((weight * (k - middle) * (gap - level)).sum() / (weight * (k - middle) ** 2).sum())
    return slope, float(level + slope * middle)


def _refuse_swapped(slopes: FloatArray, weights: FloatArray) -> None:
    """Raises InputError where C - P rises with the strike as P - C does by parity."""
    known = np.isfinite(slopes)
    slope = weighted_median(slopes[known], weights[known]) if known.any() else 0.0
    if any(_DISCOUNTS[0] < -slope * unit < _DISCOUNTS[1] for unit in (1.0, *UNITS)):
        raise InputError(
            "the calls are worth more the higher the strike, and the puts less: expected calls and puts the "
            "other way round"
        )


def _unit(slopes: FloatArray, weights: FloatArray) -> float:
    """Strikes over prices: 1 where the slopes can be discount factors."""
    known = np.isfinite(slopes)
    if not known.any():
        return 1.0
    slope = weighted_median(slopes[known], weights[known])
    fitting = [unit for unit in (1.0, *UNITS) if _DISCOUNTS[0] < slope * unit < _DISCOUNTS[1]]
    return fitting[0] if fitting else 1.0


def _discounts(years: FloatArray, slopes: FloatArray, weights: FloatArray) -> FloatArray:
    """The fitted ones where they are plausible; the weighted median zero rate of these elsewhere."""
    good = (slopes > _DISCOUNTS[0]) & (slopes < _DISCOUNTS[1])
    rate = 0.0
    if good.any():
        rates = -np.log(slopes[good]) / years[good]
        rate = float(np.clip(weighted_median(rates, weights[good] * years[good]), *_RATES))
    curve = np.exp(-rate * years)
    off = np.abs(np.log(np.where(good, slopes, 1.0)) + rate * years) > 0.005 + 0.03 * years
    return np.where(good & ~off, slopes, curve)


def _forward(pairs: _Pairs, discount: float) -> float:
    """Weighted median of K + (C - P) / D over the strikes nearest the money; NaN where there is none."""
    if not len(pairs.k):
        return np.nan
    near = pairs.near()
    return weighted_median(near.k + near.gap / discount, 1.0 / near.spread)


def _kept(all_pairs: list[_Pairs], forwards: FloatArray, discounts: FloatArray) -> list[_Kept]:
    """The pairs within `_REACH` typical errors of parity, and of each expiry the nearest one at least."""
    off = [
        np.abs(pair.gap - d * (f - pair.k)) * np.sqrt(pair.weight)
        for pair, f, d in zip(all_pairs, forwards, discounts, strict=True)
    ]
    typical = _typical([each for each in off if len(each) >= _ENOUGH])
    kept = []
    for pair, each in zip(all_pairs, off, strict=True):
        near = each <= max(_REACH * typical, each.min(initial=np.inf))
        kept.append(_Kept(pair.k[near], pair.gap[near], pair.weight[near] / typical**2))
    return kept


def _typical(off: list[FloatArray]) -> float:
    """Root mean square of the errors over the widths, but for those that are far from their median size."""
    if not off:
        return 1.0
    sizes = np.concatenate(off)
    near = sizes[sizes <= _REACH * _SIGMA * np.median(sizes)]
    return max(float(np.sqrt((near**2).mean())), _LEAST)


def _discount_curve(
    years: FloatArray, kept: list[_Kept], forwards: FloatArray, discounts: FloatArray
) -> FloatArray:
    """One curve of the zero rates through what the pairs of each expiry say, given its forward."""
    sums = np.array([one.moments(f) for one, f in zip(kept, forwards, strict=True)])
    weight = np.where(sums[:, 0] > 0, sums[:, 0], 1.0)
    told = (sums[:, 1] > _DISCOUNTS[0] * weight) & (sums[:, 1] < _DISCOUNTS[1] * weight)
    values = np.where(told, sums[:, 1] / weight, discounts)
    errors = np.where(told, 1.0 / np.sqrt(weight), _UNTOLD)
    return np.asarray(np.exp(smoothed(years, np.log(values), errors / values, anchored=True)))


def _forward_curve(years: FloatArray, kept: list[_Kept], discounts: FloatArray) -> FloatArray:
    """One curve of ln F through the mean of K + (C - P) / D of each expiry that has a pair."""
    found = [one.forward(d) for one, d in zip(kept, discounts, strict=True)]
    forwards, errors = np.array(found).T
    known = forwards > 0
    if not known.any():
        raise InputError(
            "put-call parity gives no forward above 0; expected prices of calls and puts on one underlying, "
            "or a forward for each expiry"
        )
    logs = np.log(forwards[known])
    curve = smoothed(years[known], logs, (errors / forwards)[known], anchored=False)
    curve = np.clip(curve, logs.min() - _BEYOND, logs.max() + _BEYOND)
    return np.asarray(np.exp(np.interp(years, years[known], curve)))


def _off(pairs: _Pairs, forward: float, discount: float) -> FloatArray:
    """Strikes whose pair lies further from parity than its quotes are wide."""
    floor = np.maximum(pairs.width, 1e-4 * forward)
    return np.asarray(pairs.k[np.abs(pairs.gap - discount * (forward - pairs.k)) > _FAR * floor])


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """The middle of the values by weight."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])
