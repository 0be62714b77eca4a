"""American options as the European ones of the same vol, by QuantLib (the extra "bench").

Ju-Zhong-like approximations are off by more than a quote's width; this bisects the vol on the fixed-point
method of Andersen, Lake and Offengenden ("High-performance American option pricing", 2016), good to 1e-5 of
the price. Forwards follow from parity of the European prices, and these from the forwards: a few rounds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import UnavailableError
from .listing import Options, mids
from .parity import Parity, fit_parity

_ROUNDS = 3
_VOLS = (0.005, 5.0)
_HALVINGS = 40
_SETTLED = 1e-7  # of the underlying
_MATTERS = 0.5  # of half a quote's width


def european(options: Options, live: BoolArray, underlying: float, rate: float) -> tuple[Options, Parity]:
    """The options with the early-exercise premium taken off bid, ask and mid, and their parity.

    Options that are worth no more than exercising them now keep their price.

    Raises UnavailableError where QuantLib is not installed and the premium may exceed half of what the quotes
    are wide; InputError where parity has no pair.
    """
    found = _parity(options, live, rate)
    try:
        import QuantLib as ql
    except ModuleNotFoundError:
        _refuse_where_it_matters(options, live, underlying, found, rate)
        return options, found
    premium = np.zeros(len(options.years))
    for _ in range(_ROUNDS):
        growth = np.interp(options.years, found.years, np.log(found.forwards / underlying) / found.years)
        premium[live] = _premiums(ql, options.take(live), underlying, rate, (rate - growth)[live])
        less = replace(
            options, bid=options.bid - premium, ask=options.ask - premium, mid=options.mid - premium
        )
        found = _parity(less, live, rate)
    return less, found


def _parity(options: Options, live: BoolArray, rate: float) -> Parity:
    mid, half = mids(options)
    return fit_parity(
        options.years[live], options.strikes[live], options.calls[live], mid[live], half[live], rate
    )


def _refuse_where_it_matters(
    options: Options, live: BoolArray, underlying: float, found: Parity, rate: float
) -> None:
    """The premium is at most the interest on what exercising pays or gets."""
    growth = np.interp(options.years, found.years, np.log(found.forwards / underlying) / found.years)
    interest = options.strikes * -np.expm1(-max(rate, 0.0) * options.years)
    yields = underlying * -np.expm1(-np.maximum(rate - growth, 0.0) * options.years)
    most = np.where(options.calls, yields, interest)
    if (live & (most > _MATTERS * mids(options)[1])).any():
        raise UnavailableError(
            f"the options are American, and early exercise may be worth up to {most[live].max():.4g}; "
            "expected QuantLib, which takes it off: pip install 'voladdin[bench]'"
        )


def _premiums(ql: Any, options: Options, underlying: float, rate: float, dividend: FloatArray) -> FloatArray:
    """[N] American less European price at the vol that the mid implies."""
    mid, _ = mids(options)
    premium = np.zeros(len(mid))
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    for year in np.unique(options.years):
        chosen = np.flatnonzero(options.years == year)
        market = _Underlying(ql, today, underlying, rate, float(dividend[chosen[0]]), float(year))
        for i in chosen:
            premium[i] = market.premium(float(options.strikes[i]), float(mid[i]), call=bool(options.calls[i]))
    return premium


class _Underlying:
    """One expiry's underlying, rate and dividend yield, with a vol to move."""

    def __init__(self, ql: Any, today: Any, spot: float, rate: float, dividend: float, years: float) -> None:
        self._ql, self._spot = ql, spot
        self._days = max(1, round(365 * years))
        self._vol = ql.SimpleQuote(0.2)
        clock = ql.Actual365Fixed()
        scale = 365 * years / self._days  # whole days; rates and vol carry the rest
        self._root = np.sqrt(scale)
        curves = [
            ql.YieldTermStructureHandle(ql.FlatForward(today, value * scale, clock))
            for value in (dividend, rate)
        ]
        flat = ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(self._vol), clock)
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(spot)), *curves, ql.BlackVolTermStructureHandle(flat)
        )
        self._early = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.fastScheme())
        self._late = ql.AnalyticEuropeanEngine(process)
        self._rights = ql.AmericanExercise(today, today + self._days), ql.EuropeanExercise(today + self._days)

    def premium(self, strike: float, price: float, *, call: bool) -> float:
        """What early exercise adds at the vol whose American price this is; 0 where none is."""
        ql = self._ql
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
        early, late = (ql.VanillaOption(payoff, right) for right in self._rights)
        early.setPricingEngine(self._early)
        late.setPricingEngine(self._late)
        intrinsic = max(self._spot - strike if call else strike - self._spot, 0.0)
        if not price > intrinsic + _SETTLED * self._spot:
            return 0.0
        low, high = _VOLS
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            self._vol.setValue(middle * self._root)
            gap = early.NPV() - price
            low, high = (low, middle) if gap > 0 else (middle, high)
            if abs(gap) <= _SETTLED * self._spot:
                break
        return max(float(early.NPV() - late.NPV()), 0.0)
