"""Static arbitrage of a finite grid of vols: which quotes, how much, and the trade that takes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from ..surface import Surface
from .hulls import FORWARD, Trade, arbitrage_trades
from .normal_prices import NormalQuotes, normal_quotes
from .prices import QuotedNodes, quoted_nodes
from .smooth_conditions import Diagnostics, diagnose
from .tolerances import TOLERANCE
from .trades import TradeWords, Violation


@dataclass(frozen=True, eq=False)
class Check:
    """What `check` found.

    violations: the largest first (in price). map: [T, K] the largest `vol_bp` of the violations each cell
    takes part in, 0 where there is none, NaN where there is no quote. tolerance: in forward-normalised price.
    """

    surface: Surface
    violations: tuple[Violation, ...]
    map: FloatArray
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether there is no static arbitrage."""
        return not self.violations

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """The papers' conditions on a smooth surface through the same vols; they decide nothing here."""
        return diagnose(self.surface)


def check(
    surface: Surface,
    *,
    tolerance: float = TOLERANCE,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
) -> Check:
    """Whether the quotes of a finite grid admit static arbitrage, and every trade that takes it.

    None is found if and only if convex, decreasing call price functions through the quotes exist that
    increase with tenor at equal K/F (Gopal 2024, Theorem 7.1; Davis and Hobson 2007); holes are left out, and
    so are strikes beyond exp(700) forwards. Of normal vols: that increase with tenor at equal K - F.

    tolerance: forward-normalised price a trade must lock in to count, at least 0; of normal vols in units of
        the median total vol.
    bid, ask: [T, K] vols, both or neither; calls are then sold at bid and bought at ask, and a NaN is a side
    that cannot be traded. On a delta axis the strike is that of the surface's vol.

    A surface of 40 x 200 takes well below a second; `Surface` refuses more than 20,000 cells.

    Raises InputError (no quote, a tolerance below 0, bid and ask of another shape or crossed).
    """
    if not isinstance(surface, Surface):
        raise InputError(f"surface is a {type(surface).__name__}; expected a voladdin.Surface")
    if not (isinstance(tolerance, int | float | np.number) and 0 <= tolerance < np.inf):
        raise InputError(f"tolerance is {tolerance!r}; expected a forward-normalised price of at least 0")
    if not surface.observed.any():
        raise InputError("no quote at all: expected at least one vol to check")
    violations = _violations(surface, _sides(surface, bid, ask), tolerance)
    return Check(surface, violations, _map(surface, violations), tolerance)


def _sides(surface: Surface, bid: ArrayLike | None, ask: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    if (bid is None) != (ask is None):
        missing = "bid" if bid is None else "ask"
        raise InputError(f"{missing} is missing; expected both bid and ask, or neither")
    return (surface.vols, surface.vols) if bid is None else surface.market(bid, ask)


def _violations(
    surface: Surface, sides: tuple[FloatArray, FloatArray], tolerance: float
) -> tuple[Violation, ...]:
    given = normal_quotes(surface) if surface.vol_type == "normal" else quoted_nodes(surface, surface.vols)
    bid, ask = (side[given.cells] for side in sides)
    strikes, bids = given.at(bid)
    asks = bids if sides[1] is sides[0] else given.at(ask)[1]
    trades = arbitrage_trades(given.rows, strikes, bids, asks, tolerance, given.hull)
    found = sorted(trades, key=lambda trade: -trade.size)
    if not found:
        return ()
    places = list(zip(*(axis.tolist() for axis in given.cells), strict=True))
    names = TradeWords(surface, places)
    return tuple(
        Violation(
            trade.kind,
            tuple(places[i] for i in (trade.node, *(leg[0] for leg in trade.legs)) if i != FORWARD),
            trade.size * given.scale,
            distance,
            names.trade(trade) + given.locked_in(trade),
        )
        for trade, distance in zip(found, _vol_bp(given, found, bid, ask).tolist(), strict=True)
    )


def _vol_bp(
    given: QuotedNodes | NormalQuotes, found: list[Trade], bid: FloatArray, ask: FloatArray
) -> FloatArray:
    """How far each first cell's vol is from that of its price without the trade; bid, ask: [N] vols."""
    at = np.array([trade.node for trade in found])
    bought = np.array([not trade.legs for trade in found])
    vols = np.where(bought, ask[at], bid[at])
    size = np.array([trade.size for trade in found]) * np.where(bought, 1.0, -1.0)
    return np.asarray(1e4 * np.abs(vols - given.only(at).moved(vols, size)))


def _map(surface: Surface, violations: tuple[Violation, ...]) -> FloatArray:
    largest = np.where(surface.observed, 0.0, np.nan)
    for violation in violations:
        for cell in violation.cells:
            largest[cell] = max(largest[cell], violation.vol_bp)
    return largest
