"""Repairs of one surface by each method, and what they are worth, measured by linear programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.arbitrage.prices import quoted_nodes
from voladdin.black import call_price, implied_total_vol
from voladdin.errors import VoladdinError

from .rivals import ArbitrageRepair, clip
from .truth import least_change, least_distance, prices

VALID = 1e-9  # of the forward: how far from prices without arbitrage a valid result may be
BP = 1e4

AUTO, PRICES, FEATURES = "voladdin auto", "voladdin prices (L1)", "voladdin, features kept"
OURS = (AUTO, PRICES, FEATURES)
RIVAL, CLIPPING = "arbitragerepair", "clipping"


@dataclass(frozen=True)
class DamagedQuotes:
    """The N quotes of a surface with arbitrage, at the strikes they have before any repair.

    ranks: of tenors. tenors: years. strikes: K/F. calls: forward-normalised. weights: 1/vega as `va.repair`
    has it where vega vanishes, so that weights * |change of calls| is about the change of vol. least: the
    least sum of that over all prices without arbitrage.
    """

    surface: va.Surface
    ranks: NDArray[np.intp]
    tenors: FloatArray
    strikes: FloatArray
    calls: FloatArray
    weights: FloatArray
    least: float


def quotes(surface: va.Surface) -> DamagedQuotes:
    """Prices, weights and the optimum of a surface."""
    ranks, strikes, calls = prices(surface)
    given = quoted_nodes(surface, surface.vols)
    tenors, weights = surface.tenors[ranks], 1 / given.unit(given.vols)
    least, _ = least_change(ranks, strikes, calls, weights)
    return DamagedQuotes(surface, ranks, tenors, strikes, calls, weights, least)


@dataclass(frozen=True)
class Repaired:
    """What a method gives: vols [N] and calls [N] at the old strikes, None where it gives none; seconds."""

    vols: FloatArray | None
    calls: FloatArray | None
    seconds: float


Method = Callable[[DamagedQuotes], Repaired]


def ours(**options: Any) -> Method:
    """`va.repair` with these options."""

    def method(quotes: DamagedQuotes) -> Repaired:
        start = time.perf_counter()
        try:
            found = va.repair(quotes.surface, **options).surface
        except VoladdinError:
            return Repaired(None, None, time.perf_counter() - start)
        return _from_vols(quotes, found.vols, time.perf_counter() - start)

    return method


def clipping(quotes: DamagedQuotes) -> Repaired:
    """Running maxima of total variance along tenor."""
    return _from_vols(quotes, *clip(quotes.surface))


def rival(process: ArbitrageRepair) -> Method:
    """arbitragerepair: least L1 change of prices, every price weighing the same."""

    def method(quotes: DamagedQuotes) -> Repaired:
        calls, seconds = process.repair(quotes.tenors, quotes.strikes, quotes.calls)
        if calls is None:
            return Repaired(None, None, seconds)
        m = np.log(quotes.strikes)
        otm = np.maximum(np.where(m < 0, calls - 1 + quotes.strikes, calls), 0.0)
        return Repaired(implied_total_vol(otm, m) / np.sqrt(quotes.tenors), calls, seconds)

    return method


def _from_vols(quotes: DamagedQuotes, vols: FloatArray, seconds: float) -> Repaired:
    found = vols[quotes.surface.observed]
    calls = call_price(np.log(quotes.strikes), found * np.sqrt(quotes.tenors))
    return Repaired(found, calls, seconds)


@dataclass(frozen=True)
class Measured:
    """One repair of one surface; changes are means over its cells, NaN where the method gave no answer.

    valid: the result, on the surface's own axes, has no arbitrage by the linear program (on a delta axis the
    strikes are those of the new vols). valid_kept: its prices at the old strikes have none. mean, largest: of
    the change of vol, bp. price: of the change of calls at the old strikes, bp of the forward. weighted,
    least: the same over vega, in bp of vol, and the least possible.
    """

    valid: bool
    valid_kept: bool
    mean: float
    largest: float
    price: float
    weighted: float
    least: float
    seconds: float


def measure(quotes: DamagedQuotes, repaired: Repaired) -> Measured:
    """Validity and change."""
    least = BP * quotes.least / len(quotes.calls)
    if repaired.vols is None or repaired.calls is None:
        nothing = np.nan
        return Measured(
            valid=False,
            valid_kept=False,
            mean=nothing,
            largest=nothing,
            price=nothing,
            weighted=nothing,
            least=least,
            seconds=repaired.seconds,
        )
    kept = least_distance(quotes.ranks, quotes.strikes, repaired.calls) <= VALID
    valid = kept if quotes.surface.deltas is None else _valid_deltas(quotes.surface, repaired.vols)
    vols = BP * np.abs(repaired.vols - quotes.surface.vols[quotes.surface.observed])
    moved = BP * np.abs(repaired.calls - quotes.calls)
    weighted = float((moved * quotes.weights).mean())
    return Measured(
        valid,
        kept,
        float(vols.mean()),
        float(vols.max()),
        float(moved.mean()),
        weighted,
        least,
        repaired.seconds,
    )


def _valid_deltas(surface: va.Surface, vols: FloatArray) -> bool:
    if not (vols > 0).all():
        return False
    grid = surface.vols.copy()
    grid[surface.observed] = vols
    return least_distance(*prices(surface.replace(grid))) <= VALID
