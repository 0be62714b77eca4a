"""The smile through ATM, risk-reversal and butterfly quotes: vols, strikes and deltas of many tenors at once.

Between and beyond the quoted strikes the log-vol is the natural cubic spline in x = m / (atm sqrt(tau)),
m = ln(K/F), linear outside. A broker's butterfly is solved for as in Clark, "Foreign Exchange Option Pricing"
(2011), section 3.6: under the smile, both strangles, struck at the deltas of the single market-strangle vol,
cost what they cost at that vol. (Clark's polynomial in delta was tried in place of the spline: with the skews
of EURJPY in 2009 no solution was found from 6M on, as the strangles' strikes lie too far beyond its nodes.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import black
from .._typing import FloatArray
from .deltas import atm_moneyness, moneyness_of_delta
from .newton import newton
from .pairs import Convention

_PRICE_TOLERANCE = 1e-14
_BRACKET_STEPS = 20  # quarters of an ATM standard deviation beyond the quoted strikes
_BISECTIONS = 60


@dataclass(frozen=True)
class TenorQuotes:
    """Market quotes [T] and wings [T, P] (P absolute deltas, outermost last), with what reading them takes.

    tenors: years. atm, risk_reversals, butterflies: decimal vols. discounts: [T] base-currency factors, 1 for
    forward deltas. conventions: one for each tenor, alike in butterfly and premium.
    """

    tenors: FloatArray
    atm: FloatArray
    deltas: tuple[float, ...]
    risk_reversals: FloatArray
    butterflies: FloatArray
    discounts: FloatArray
    conventions: tuple[Convention, ...]

    @property
    def root(self) -> FloatArray:
        """[T, 1] square roots of the tenors."""
        return np.asarray(np.sqrt(self.tenors)[:, None])

    def wing_moneyness(self, side: int, vols: FloatArray) -> FloatArray:
        """[T, P]: log-moneyness of the wing options (side +1 calls, -1 puts) that have these vols."""
        return moneyness_of_delta(
            np.array(self.deltas),
            vols * np.sqrt(self.tenors)[:, None],
            side,
            discount=self.discounts[:, None],
            premium_adjusted=self.conventions[0].premium_adjusted,
        )

    def atm_moneyness(self) -> FloatArray:
        """[T]: log-moneyness of the ATM strikes."""
        total = self.atm * np.sqrt(self.tenors)
        rows = zip(total, self.conventions, strict=True)
        return np.array(
            [atm_moneyness(s, c.atm, premium_adjusted=c.premium_adjusted) for s, c in rows], dtype=float
        )


@dataclass(frozen=True)
class Smile:
    """Smiles of T tenors through K = 1, 3 or 5 strikes each, put wing first.

    tenors [T] years; log_moneyness [T, K] ln(K/F) of the quoted strikes; vols [T, K]; forwards [T] or None.
    """

    tenors: FloatArray
    log_moneyness: FloatArray
    vols: FloatArray
    forwards: FloatArray | None = None

    @property
    def strikes(self) -> FloatArray | None:
        """[T, K] quoted strikes, or None without forwards."""
        return None if self.forwards is None else self.forwards[:, None] * np.exp(self.log_moneyness)

    @property
    def deltas(self) -> FloatArray:
        """[T, K] forward call deltas N(d1) of the quoted strikes."""
        return black.call_delta(self.log_moneyness, self.vols * np.sqrt(self.tenors)[:, None])

    def vol(self, m: ArrayLike) -> FloatArray:
        """Vols [T, N] at log-moneyness m ([T, N], or [N] for all tenors)."""
        scale = self._atm_total_vol()
        nodes = self.log_moneyness / scale
        x = np.asarray(m, dtype=float) / scale
        good = np.isfinite(self.vols).all(axis=1)
        weights = np.linalg.solve(
            _spline_basis(nodes[good], nodes[good]), np.log(self.vols[good])[:, :, None]
        )
        vols = np.full(x.shape, np.nan)
        with np.errstate(over="ignore"):  # far outside the quotes; a strangle there has no price
            vols[good] = np.exp((_spline_basis(nodes[good], x[good]) @ weights)[:, :, 0])
        return vols

    def vol_at_delta(self, deltas: ArrayLike) -> FloatArray:
        """Vols [T, N] where the forward call delta N(d1), under the smile itself, is `deltas` [N].

        The crossing nearest to the quoted strikes, by bisection; NaN where none is within 5 standard
        deviations of them.
        """
        target = np.broadcast_to(np.asarray(deltas, dtype=float), (len(self.tenors), np.size(deltas)))
        low, high = self._bracket(target)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            left = self._call_delta(middle) > target
            low, high = np.where(left, middle, low), np.where(left, high, middle)
        return self.vol((low + high) / 2)

    def _bracket(self, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        step = 0.25 * self._atm_total_vol()
        low = np.repeat(self.log_moneyness[:, :1], target.shape[1], axis=1)
        high = np.repeat(self.log_moneyness[:, -1:], target.shape[1], axis=1)
        for _ in range(_BRACKET_STEPS):
            low_short, high_short = self._call_delta(low) < target, self._call_delta(high) > target
            if not (low_short | high_short).any():
                break
            low, high = np.where(low_short, low - step, low), np.where(high_short, high + step, high)
        low = np.where(self._call_delta(low) < target, np.nan, low)
        return low, np.where(self._call_delta(high) > target, np.nan, high)

    def _call_delta(self, m: FloatArray) -> FloatArray:
        return black.call_delta(m, self.vol(m) * np.sqrt(self.tenors)[:, None])

    def _atm_total_vol(self) -> FloatArray:
        middle = self.vols.shape[1] // 2
        return np.asarray((self.vols[:, middle] * np.sqrt(self.tenors))[:, None])


def fit(quotes: TenorQuotes) -> Smile:
    """The smile of the quotes; NaN vols in tenors where none was found (a vol or delta out of reach)."""
    if quotes.conventions[0].butterfly == "smile" or not quotes.deltas:
        return _through(quotes, quotes.butterflies)
    return _solve_market_strangles(quotes)


def market_strangles(quotes: TenorQuotes) -> tuple[FloatArray, FloatArray]:
    """Log-moneyness [T, 2P] (puts, then calls) and normalised prices [T, P] of the market strangles."""
    vols = quotes.atm[:, None] + quotes.butterflies
    total = vols * np.sqrt(quotes.tenors)[:, None]
    put, call = quotes.wing_moneyness(-1, vols), quotes.wing_moneyness(1, vols)
    price = black.put_price(put, total) + black.call_price(call, total)
    return np.hstack([put, call]), price


def strangle_prices(smile: Smile, m: FloatArray) -> FloatArray:
    """Normalised prices [T, P] under the smile of the strangles struck at m [T, 2P] (puts, then calls)."""
    total = smile.vol(m) * np.sqrt(smile.tenors)[:, None]
    puts = m.shape[1] // 2
    put_price = black.put_price(m[:, :puts], total[:, :puts])
    return np.asarray(put_price + black.call_price(m[:, puts:], total[:, puts:]))


def _spline_basis(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """[T, N, K] natural cubic splines with nodes [T, K] at x [T, N].

    Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), equations 5.4 and 5.5.
    """
    count = nodes.shape[1]
    if count == 1:
        return np.ones((*x.shape, 1))
    cubes = [np.maximum(x - nodes[:, j, None], 0) ** 3 for j in range(count)]
    d = [(cubes[j] - cubes[-1]) / (nodes[:, -1] - nodes[:, j])[:, None] for j in range(count - 1)]
    return np.stack([np.ones_like(x), x, *(d[j] - d[-1] for j in range(count - 2))], axis=-1)


def _through(quotes: TenorQuotes, strangles: FloatArray) -> Smile:
    """The smile whose wings have mean vols atm + strangles [T, P]; NaN rows where it does not exist."""
    mean = quotes.atm[:, None] + strangles
    put, call = mean - quotes.risk_reversals / 2, mean + quotes.risk_reversals / 2
    m = [
        quotes.wing_moneyness(-1, put)[:, ::-1],
        quotes.atm_moneyness()[:, None],
        quotes.wing_moneyness(1, call),
    ]
    nodes, vols = np.hstack(m), np.hstack([put[:, ::-1], quotes.atm[:, None], call])
    bad = ~((vols > 0).all(axis=1) & (np.diff(nodes, axis=1) > 0).all(axis=1))
    vols[bad] = np.nan
    return Smile(quotes.tenors, nodes, vols)


def _solve_market_strangles(quotes: TenorQuotes) -> Smile:
    """Newton, damped by halving, in the smile strangles [T, P]; all tenors side by side."""
    m, price = market_strangles(quotes)
    wing = len(quotes.deltas)
    vega = black.vega(m, (quotes.atm * np.sqrt(quotes.tenors))[:, None]) * np.sqrt(quotes.tenors)[:, None]
    scale = vega[:, :wing] + vega[:, wing:]

    def error(strangles: FloatArray) -> FloatArray:
        return np.asarray((strangle_prices(_through(quotes, strangles), m) - price) / scale)

    skew = np.abs(quotes.risk_reversals) / 2 - quotes.atm[:, None]
    guess = np.maximum(quotes.butterflies, skew + 0.1 * quotes.atm[:, None])
    solution = newton(error, guess)
    with np.errstate(over="ignore", invalid="ignore"):
        failed = ~(np.abs(error(solution) * scale) <= _PRICE_TOLERANCE).all(axis=1)
    solution[failed] = np.nan
    return _through(quotes, solution)
