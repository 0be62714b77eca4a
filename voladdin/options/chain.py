"""Listed options to implied vols: what is dropped and why, which side is taken, bid, mid and ask.

Prices are in the strikes' currency. The out-of-the-money side of each strike is taken: in the money the time
value drowns in the quote's width. The other side stands in only where that is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..black import implied_total_vol
from ..errors import InputError
from .american import european
from .listing import Options, counted, mids, parity_only, reasons_against, usable
from .parity import Parity, fit_parity

EXERCISES = ("european", "american")
_UNBID = 0.25  # of the ask: where nobody bids, the value that parity takes
_MONEY = 30.0  # ratio of strikes to the underlying from which they are in another unit


@dataclass(frozen=True, eq=False)
class Chain:
    """What a list of N options implies.

    tenors, forwards, discounts: [T]. strikes: [K], all that are left.
    vols, bid, ask: [T, K] decimals, NaN where none. source: [T, K] the option of each vol, -1 where none.
    dropped: [N] reason of REASONS, "" where kept. parity: how the forwards were found, None where given.
    notes: what was taken otherwise than written, or assumed. unit: of the list's strikes over its prices.
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
    notes: tuple[str, ...] = ()
    unit: float = 1.0


@dataclass(frozen=True, eq=False)
class _Curve:
    """Forwards and discount factors [T] of the expiries, and the options that they belong to."""

    years: FloatArray
    forwards: FloatArray
    discounts: FloatArray
    options: Options
    parity: Parity | None
    notes: tuple[str, ...]
    unit: float = 1.0


def implied(
    options: Options,
    *,
    forwards: dict[float, float] | None = None,
    rate: float | None = None,
    underlying: float | None = None,
    exercise: str = "european",
) -> Chain:
    """Implied vols of a list of options on the grid of their expiries and strikes.

    forwards: by years to expiry, in place of put-call parity; those of American options are by parity.
    rate: continuously compounded; fitted by parity, or 0 where nothing can be, unless told.
    underlying: its price; the forwards are underlying * exp(rate * years) where parity has no pair.
    exercise: "european", or "american", which needs rate and underlying and takes the premium of early
        exercise off every price (QuantLib).

    Raises InputError where no option is left, or an expiry has no forward; UnavailableError without QuantLib
    where early exercise matters.
    """
    if exercise not in EXERCISES:
        raise InputError(f"exercise is {exercise!r}; expected one of {', '.join(EXERCISES)}")
    reasons = reasons_against(options)
    live = usable(reasons)
    american = exercise == "american" and not options.in_vols
    curve = (
        _american(options, live, forwards, underlying, rate)
        if american
        else _curve(options, live, parity_only(options, reasons), forwards, rate, underlying)
    )
    years, options = curve.years, curve.options
    row = np.searchsorted(years, options.years).clip(0, len(years) - 1)
    prices = (mids(options)[0], options.bid, options.ask)
    if options.in_vols:
        sides = [np.where(vols > 0, vols, np.nan) for vols in prices]
    else:
        sides = [_vols(price, options, curve.forwards[row], curve.discounts[row]) for price in prices]
    for i in np.flatnonzero(live & ~(sides[0] > 0)):
        reasons[i] = "no vol"
    live &= sides[0] > 0
    if not live.any():
        raise InputError(f"none of the {len(live)} options has an implied vol: {counted(reasons)}")
    return _gridded(curve, live, row, sides, reasons)


def _gridded(
    curve: _Curve, live: BoolArray, row: IntArray, sides: list[FloatArray], reasons: list[str]
) -> Chain:
    options = curve.options
    strikes = np.unique(options.strikes[live])
    source = _sources(options, live, row, strikes, curve.forwards)
    for i in np.setdiff1d(np.flatnonzero(live), source):
        reasons[i] = "other side"
    rows, columns = (source >= 0).any(1), (source >= 0).any(0)
    source = source[rows][:, columns]
    vols, bid, ask = (np.where(source >= 0, side[source], np.nan) for side in sides)
    axes = (curve.years[rows], curve.forwards[rows], curve.discounts[rows], strikes[columns])
    dropped = tuple(reasons)
    return Chain(*axes, vols, bid, ask, source, dropped, curve.parity, curve.notes, curve.unit)


def _american(
    options: Options,
    live: BoolArray,
    forwards: dict[float, float] | None,
    underlying: float | None,
    rate: float | None,
) -> _Curve:
    for name, value in (("rate", rate), ("underlying", underlying)):
        if value is None:
            raise InputError(f"{name} is missing; expected one: American options need it")
    assert rate is not None and underlying is not None
    options, found = european(options, live, underlying, rate)
    notes = ["the premium of early exercise is taken off each price"]
    if forwards is not None:
        notes.append("forwards of American options are by parity of what is left; those given are not used")
    return _Curve(found.years, found.forwards, found.discounts, options, found, tuple(notes))


def _curve(
    options: Options,
    live: BoolArray,
    worthless: BoolArray,
    forwards: dict[float, float] | None,
    rate: float | None,
    underlying: float | None,
) -> _Curve:
    """Forwards as given, else by parity, else from the underlying."""
    used = options.take(live)
    years = np.unique(used.years)
    told = options.take(live | (worthless & np.isin(options.years, years)))
    found = None if told.in_vols or not _paired(told) else _fitted(told, rate)
    notes: list[str] = []
    unit = found.unit if found else _unit_of(used, underlying)
    if unit != 1.0:
        notes.append(
            f"strikes are divided by {unit:g}: so parity (or the underlying) has it"
            if unit > 1
            else f"prices are divided by {1 / unit:g}: so parity has it"
        )
    if forwards is not None:
        ahead = _given(years, forwards)
    elif found is not None:
        ahead = found.forwards
        notes += [
            f"the expiry in {365 * t:.0f} days has no strike with call and put; its forward is interpolated"
            for t in years[found.pairs == 0]
        ]
    elif underlying is not None:
        ahead = underlying * np.exp((rate or 0.0) * years)
        notes.append(
            "forwards are the underlying" + (" at the rate" if rate else "") + ": no dividends, no parity"
        )
    else:
        raise _no_forward(told, years[0])
    discounts = np.exp(-(rate or 0.0) * years) if found is None else found.discounts
    shown = found if forwards is None else None
    return _Curve(years, ahead, discounts, options.in_units(unit), shown, tuple(notes), unit)


def _no_forward(options: Options, years: float) -> InputError:
    if options.in_vols:
        return InputError("vols tell no forward; expected a forward for each expiry, or the underlying")
    return InputError(
        f"the expiry in {365 * years:.0f} days has no strike with both a call and a put; "
        "expected one, or a forward for that expiry"
    )


def _paired(options: Options) -> bool:
    return bool(options.calls.any() and not options.calls.all()) and bool(
        np.isin(
            options.years[options.calls] + 1j * options.strikes[options.calls],
            options.years[~options.calls] + 1j * options.strikes[~options.calls],
        ).any()
    )


def _fitted(options: Options, rate: float | None) -> Parity:
    mid, half = mids(options)
    mid = np.where(options.bid == 0.0, _UNBID * options.ask, mid)
    return fit_parity(options.years, options.strikes, options.calls, mid, half, rate=rate)


def _unit_of(options: Options, underlying: float | None) -> float:
    """Of the strikes, by the underlying where there is no parity."""
    ratio = 1.0 if underlying is None else float(np.median(options.strikes)) / underlying
    return 1.0 if ratio < _MONEY else 100.0 if ratio < 10 * _MONEY else 1000.0


def _given(years: FloatArray, forwards: dict[float, float]) -> FloatArray:
    lacking = [year for year in years.tolist() if year not in forwards]
    if lacking:
        raise InputError(
            f"forwards: none for the expiry in {365 * lacking[0]:.0f} days; expected one for each expiry"
        )
    return np.array([forwards[year] for year in years.tolist()])


def _sources(
    options: Options, live: BoolArray, row: IntArray, strikes: FloatArray, forwards: FloatArray
) -> IntArray:
    """[T, K] the option of each cell, -1 where none: the out-of-the-money one, where that is listed."""
    out = options.calls == (options.strikes >= forwards[row])
    column = np.searchsorted(strikes, options.strikes).clip(0, len(strikes) - 1)
    listed = np.zeros((len(forwards), len(strikes)), dtype=np.bool_)
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
