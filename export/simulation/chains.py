"""Listed options of known truth: a ladder of strikes, quotes on ticks near the truth, some of them wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voladdin import black
from voladdin._typing import FloatArray
from voladdin.options import Options

YEARS = np.array([14, 30, 60, 90, 180, 365, 730]) / 365
Smile = Callable[[FloatArray, float], FloatArray]  # vols at ln(K/F) [K] of an expiry


@dataclass(frozen=True)
class Listing:
    """An exchange's rules and a market maker's widths, in the style of an index.

    step, tick: of strikes and prices. width: half of it in vol; slack: half of it over the price, beside.
    off: how far mids lie from the truth at most, in half-widths. outliers: share wrong by up to a half.
    reach: of the strikes, in deviations of the ATM vol.
    """

    spot: float = 3200.0
    rate: float = 0.03
    dividend: float = 0.015
    step: float = 25.0
    tick: float = 0.05
    width: float = 0.0015
    slack: float = 0.001
    off: float = 0.6
    outliers: float = 0.0
    reach: float = 4.0

    def forwards(self, years: FloatArray) -> FloatArray:
        """[T] of the expiries."""
        return np.asarray(self.spot * np.exp((self.rate - self.dividend) * years))


def flat_ssvi(m: FloatArray, years: float) -> FloatArray:
    """Vols of an SSVI surface (Gatheral and Jacquier 2014) whose ATM vol is 20% at every expiry."""
    theta, rho = 0.04 * years, -0.6
    phi = 1.0 / np.sqrt(theta)
    variance = theta / 2 * (1 + rho * phi * m + np.sqrt((phi * m + rho) ** 2 + 1 - rho**2))
    return np.asarray(np.sqrt(variance / years))


def listed(rng: np.random.Generator, listing: Listing, smile: Smile = flat_ssvi) -> Options:
    """Calls and puts at all expiries of YEARS; strikes within `reach` deviations of the ATM vol."""
    parts: list[list[FloatArray]] = []
    for years, forward in zip(YEARS.tolist(), listing.forwards(YEARS).tolist(), strict=True):
        strikes = np.arange(listing.step, 3 * listing.spot, listing.step)
        m = np.log(strikes / forward)
        near = np.abs(m) < listing.reach * smile(np.zeros(1), years)[0] * np.sqrt(years)
        strikes, m = strikes[near], m[near]
        s = smile(m, years) * np.sqrt(years)
        scale = np.exp(-listing.rate * years) * forward
        for call, price in ((1.0, black.call_price), (0.0, black.put_price)):
            bid, ask = _quoted(rng, listing, scale * price(m, s), scale * black.vega(m, s) * np.sqrt(years))
            parts.append([np.full(len(m), years), strikes, np.full(len(m), call), bid, ask])
    years_, k, calls, bids, asks = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Options(years_, k, calls > 0, bids, asks, np.full(len(k), np.nan))


def _quoted(
    rng: np.random.Generator, listing: Listing, value: FloatArray, vega: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Bid and ask; vega is for 1.00 of vol."""
    half = np.maximum(listing.tick, listing.width * vega + listing.slack * value)
    mid = value + rng.uniform(-listing.off, listing.off, len(value)) * half
    wrong = rng.uniform(size=len(value)) < listing.outliers
    factor = np.where(wrong, rng.uniform(0.5, 1.5, len(value)), 1.0)
    bid = np.floor((mid - half) / listing.tick) * listing.tick
    ask = np.ceil((mid + half) / listing.tick) * listing.tick
    return np.maximum(bid, 0.0) * factor, ask * factor
