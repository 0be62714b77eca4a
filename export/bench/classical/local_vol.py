"""The rival of QuantLib: Andreasen and Huge (2011), an arbitrage-free interpolation by local volatility."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from voladdin._typing import FloatArray

from .interpolators import Fitted

_YEARS = (60.0, 20.0, 7.0)  # the last expiry in QuantLib's calendar, so that whole days hardly round
_REPRICED = 1e-3  # of a vol: QuantLib's fit has settled
_NODES = 300
_SANE, _MOST = 5.0, 600  # quotes at most


def andreasen_huge(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray) -> Fitted:
    """By QuantLib, with vols scaled to a calendar on which expiries are whole days.

    Of several calendars the first on which QuantLib's fit gives the quotes back, else the nearest to that.
    NaN where QuantLib gives no vol, or one five times beyond all quotes: nobody would use it.
    """
    found = []
    for years in _YEARS:
        fitted = _on_calendar(tenors, moneyness, vols, years)
        missed = np.abs(fitted(moneyness) - vols)[np.isfinite(vols)]
        found.append((float(np.where(np.isfinite(missed), missed, np.inf).max()), fitted))
        if found[-1][0] < _REPRICED * np.nanmin(vols):
            break
    return min(found, key=lambda one: one[0])[1]


def _on_calendar(tenors: FloatArray, moneyness: FloatArray, vols: FloatArray, years: float) -> Fitted:
    """The same where the last expiry is `years` away."""
    import QuantLib as ql

    today = ql.Date(1, 1, 2020)
    ql.Settings.instance().evaluationDate = today
    days = np.maximum(np.round(365 * tenors * years / tenors[-1]).astype(int), 1)
    stretch = np.sqrt(tenors / (days / 365))
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    quotes = ql.CalibrationSet()
    cells = np.argwhere(np.isfinite(vols))
    for i, j in cells[np.linspace(0, len(cells) - 1, min(len(cells), _MOST)).astype(int)]:
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, float(np.exp(moneyness[i, j])))
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + int(days[i])))
        quotes.push_back(ql.CalibrationPair(option, ql.SimpleQuote(float(vols[i, j] * stretch[i]))))
    surface = _surface(ql, quotes, spot, flat)

    def fitted(at: FloatArray) -> FloatArray:
        ql.Settings.instance().evaluationDate = today
        fill = _vols_of(surface, [today + int(day) for day in days], at) / stretch[:, None]
        sane = (fill > np.nanmin(vols) / _SANE) & (fill < np.nanmax(vols) * _SANE)
        return np.where(sane, fill, np.nan)

    return fitted


def _vols_of(surface: Any, dates: Sequence[Any], moneyness: FloatArray) -> FloatArray:
    """[T, K]; NaN where QuantLib has none."""
    fill = np.full(moneyness.shape, np.nan)
    for i, j in np.ndindex(*fill.shape):
        strike = float(np.exp(moneyness[i, j]))
        with suppress(RuntimeError):
            fill[i, j] = surface.blackVol(dates[i], strike, True)  # noqa: FBT003  QuantLib takes no names
    return fill


def _surface(ql: Any, quotes: Any, spot: Any, flat: Any) -> Any:
    method = ql.AndreasenHugeVolatilityInterpl
    fitted = method(quotes, spot, flat, flat, method.Linear, method.CallPut, _NODES)
    adapter = ql.AndreasenHugeVolatilityAdapter(fitted)
    adapter.enableExtrapolation()
    return adapter
