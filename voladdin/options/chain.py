"""Listed options to implied vols: what is dropped and why, which side is taken, bid, mid and ask.

European exercise. Prices are in the strikes' currency. The out-of-the-money side of each strike is taken: in
the money the time value drowns in the quote's width. The other side stands in only where that is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..black import implied_total_vol
from ..errors import InputError
from .parity import Parity, fit_parity

REASONS = {
    "expired": "expires today or has expired",
    "no price": "has neither bid and ask nor a mid",
    "zero bid": "has no bid: nobody buys it",
    "crossed": "has a bid above its ask",
    "duplicate": "is quoted more than once; the narrowest quote counts",
    "other side": "is in the money where the other side is quoted",
    "no vol": "is worth less than exercising it, or more than the forward",
}


@dataclass(frozen=True, eq=False)
class Options:
    """N listed options: years to expiry, strikes, calls (else puts); bid, ask, mid prices, NaN where none."""

    years: FloatArray
    strikes: FloatArray
    calls: BoolArray
    bid: FloatArray
    ask: FloatArray
    mid: FloatArray


@dataclass(frozen=True, eq=False)
class Chain:
    """What a list of N options implies.

    tenors, forwards, discounts: [T]. strikes: [K], all that are left.
    vols, bid, ask: [T, K] decimals, NaN where none. source: [T, K] the option of each vol, -1 where none.
    dropped: [N] reason of REASONS, "" where kept. parity: how the forwards were found, None where given.
    """

    tenors: FloatArray
    forwards: FloatArray
    discounts: FloatArray
    strikes: FloatArray
    vols: FloatArray
    bid: FloatArray
    ask: FloatArray
    source: IntArray
    dropped: tuple[str, ...]
    parity: Parity | None


def implied(
    options: Options,
    *,
    forwards: dict[float, float] | None = None,
    rate: float | None = None,
) -> Chain:
    """Implied vols of a list of options on the grid of their expiries and strikes.

    forwards: by years to expiry, in place of put-call parity; discount factors are then exp(-rate years).
    rate: continuously compounded; fitted by parity, or 0 with `forwards`, unless told.

    Raises InputError where no option is left, or an expiry has no forward.
    """
    reasons = _unusable(options)
    mid, half = _mids(options)
    live = np.array([reason == "" for reason in reasons], dtype=np.bool_)
    if not live.any():
        raise InputError(f"none of the {len(live)} options can be used: {_counted(reasons)}")
    years = np.unique(options.years[live])
    found = None
    if forwards is None:
        found = fit_parity(
            options.years[live], options.strikes[live], options.calls[live], mid[live], half[live], rate=rate
        )
        ahead, discounts = found.forwards, found.discounts
    else:
        ahead, discounts = _given(years, forwards), np.exp(-(rate or 0.0) * years)
    row = np.searchsorted(years, options.years).clip(0, len(years) - 1)
    sides = [_vols(price, options, ahead[row], discounts[row]) for price in (mid, options.bid, options.ask)]
    for i in np.flatnonzero(live & ~(sides[0] > 0)):
        reasons[i] = "no vol"
    live &= sides[0] > 0
    if not live.any():
        raise InputError(f"none of the {len(live)} options has an implied vol: {_counted(reasons)}")
    strikes = np.unique(options.strikes[live])
    source = _sources(options, live, row, strikes, ahead[row])
    for i in np.setdiff1d(np.flatnonzero(live), source):
        reasons[i] = "other side"
    rows, columns = (source >= 0).any(1), (source >= 0).any(0)
    source = source[rows][:, columns]
    vols, bid, ask = (np.where(source >= 0, side[source], np.nan) for side in sides)
    axes = (years[rows], ahead[rows], discounts[rows], strikes[columns])
    return Chain(*axes, vols, bid, ask, source, tuple(reasons), found)


def _given(years: FloatArray, forwards: dict[float, float]) -> FloatArray:
    lacking = [year for year in years.tolist() if year not in forwards]
    if lacking:
        raise InputError(
            f"forwards: none for the expiry in {365 * lacking[0]:.0f} days; expected one for each expiry"
        )
    return np.array([forwards[year] for year in years.tolist()])


def _unusable(options: Options) -> list[str]:
    """The first reason against each option, or ""."""
    whole = np.isfinite(options.bid) & np.isfinite(options.ask)
    tests = (
        ("expired", options.years <= 0),
        ("no price", ~whole & ~np.isfinite(options.mid)),
        ("zero bid", whole & (options.bid <= 0)),
        ("crossed", whole & (options.bid > options.ask)),
        ("duplicate", _repeated(options)),
    )
    reasons = np.full(len(options.years), "", dtype=object)
    for reason, bad in tests:
        reasons[bad & (reasons == "")] = reason
    return list(reasons)


def _repeated(options: Options) -> BoolArray:
    """All but the narrowest quote of the same expiry, strike and side."""
    width = np.where(
        np.isfinite(options.ask - options.bid) & (options.bid > 0), options.ask - options.bid, np.inf
    )
    width = np.where(width < 0, np.inf, width)
    order = np.lexsort((width, options.calls, options.strikes, options.years))
    key = np.stack([options.years, options.strikes, options.calls.astype(float)])[:, order]
    again = np.zeros(len(order), dtype=bool)
    again[order[1:]] = (key[:, 1:] == key[:, :-1]).all(0)
    return again


def _mids(options: Options) -> tuple[FloatArray, FloatArray]:
    """Mid price and half the width, which is 0 where only a mid is given."""
    whole = np.isfinite(options.bid) & np.isfinite(options.ask)
    mid = np.where(whole, 0.5 * (options.bid + options.ask), options.mid)
    return mid, np.where(whole, 0.5 * np.abs(options.ask - options.bid), 0.0)


def _sources(
    options: Options, live: BoolArray, row: IntArray, strikes: FloatArray, forward: FloatArray
) -> IntArray:
    """[T, K] the option of each cell, -1 where none: the out-of-the-money one, where that is listed."""
    out = options.calls == (options.strikes >= forward)
    column = np.searchsorted(strikes, options.strikes).clip(0, len(strikes) - 1)
    listed = np.zeros((row.max() + 1, len(strikes)), dtype=np.bool_)
    known = out & (strikes[column] == options.strikes)
    listed[row[known], column[known]] = True
    chosen = np.flatnonzero(live & (out | ~listed[row, column]))
    source = np.full(listed.shape, -1, dtype=np.intp)
    source[row[chosen], column[chosen]] = chosen
    return source


def _vols(price: FloatArray, options: Options, forward: FloatArray, discount: FloatArray) -> FloatArray:
    """[N] implied vols; NaN where the price allows none."""
    m = np.log(options.strikes / forward)
    normalised = price / (discount * forward)
    call_intrinsic, put_intrinsic = np.maximum(-np.expm1(m), 0.0), np.maximum(np.expm1(m), 0.0)
    time_value = normalised - np.where(options.calls, call_intrinsic, put_intrinsic)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = implied_total_vol(np.where(time_value > 0, time_value, np.nan), m)
        return np.asarray(total / np.sqrt(np.where(options.years > 0, options.years, np.nan)))


def _counted(reasons: list[str]) -> str:
    return "; ".join(f"{reasons.count(name)} {text}" for name, text in REASONS.items() if name in reasons)
