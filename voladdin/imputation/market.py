"""Quotes inside their bid and ask: the middle, moved where that has arbitrage and the market leaves room.

Filled cells stay on their side of a lone bid or ask, and inside a market that is too wide to have a middle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._typing import BoolArray, FloatArray
from ..arbitrage.repair import repair
from ..black import density
from ..errors import InfeasibleError, InputError
from ..surface import MAX_VOL, Surface
from .history.posterior import factor_of_band

_PROGRAM = 600  # quotes that a program moves; more go onto hulls
_PASSES = 8  # one does, unless cells that are held push others beyond their side
_FARTHEST = 30.0  # deviations of a side beyond the answer
_WIDE, _WIDER = 1.5, 3.0  # ask over bid, and log width over the least, above which the others may say more
_DOUBT = 6.0  # degrees of freedom of what a side far beyond the answer tells of its spread


class HasBands(Protocol):
    """What an answer has of each cell [T, K], as `Imputation` says it."""

    @property
    def mean(self) -> FloatArray: ...

    @property
    def std(self) -> FloatArray: ...

    @property
    def low(self) -> FloatArray: ...

    @property
    def high(self) -> FloatArray: ...

    @property
    def filled(self) -> FloatArray: ...

    @property
    def zscore(self) -> FloatArray: ...

    @property
    def history(self) -> FloatArray: ...


_NO_MIDDLE = "too wide in bid and ask to have a middle: filled inside"
Answer = TypeVar("Answer", bound=HasBands)


def sides(surface: Surface, bid: ArrayLike | None, ask: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """[T, K] vols, NaN where there is none; a bid of 0 is none.

    Raises InputError (shape, range, a bid above its ask).
    """
    low, high = surface.market(bid, ask)
    return np.where(low == 0, np.nan, low), high


def inside_market(
    fill: Callable[[Surface], Answer], surface: Surface, low: FloatArray, high: FloatArray
) -> tuple[Surface, list[str]]:
    """The surface with the quotes that it is filled from, and what is to be said of them.

    low, high: [T, K] bid and ask, NaN where there is none. A quote is the surface's own vol, or
    the middle of bid and ask, but of a market wider than the band of what `fill` makes of the others; where
    quotes have arbitrage those with a side are moved, inside it where that suffices.

    Raises InputError (a vol outside its market).
    """
    _require_inside(surface, low, high)
    middles = surface.replace(np.where(surface.observed, surface.vols, 0.5 * (low + high)))
    if not middles.observed.any():
        return middles, []
    wide = _saying_less(fill, surface, middles, high / low)
    quotes, said = _without_arbitrage(_without(middles, wide), low, high)
    return quotes, [note for note in (*said, _counted(wide, _NO_MIDDLE)) if note]


def _saying_less(
    fill: Callable[[Surface], Answer], surface: Surface, middles: Surface, width: FloatArray
) -> BoolArray:
    """[T, K] markets, ask over bid, so wide that the other quotes say more of the vol than their middle."""
    widths = np.where(surface.observed, 1.0, width)
    widest = max(_WIDE, float(np.nanmin(widths[middles.observed])) ** _WIDER)
    wide = ~surface.observed & (np.nan_to_num(width) > widest)
    others = _without(middles, wide)
    if not (wide.any() and others.observed.any()):
        return np.zeros_like(wide)
    found = fill(others)
    return np.asarray(wide & (found.high < found.low * np.nan_to_num(width)))


def _without(quotes: Surface, cells: BoolArray) -> Surface:
    return quotes.replace(np.where(cells, np.nan, quotes.vols))


def _without_arbitrage(quotes: Surface, low: FloatArray, high: FloatArray) -> tuple[Surface, list[str]]:
    """Quotes moved inside their market where they have arbitrage."""
    held = quotes.observed & ~np.isfinite(low) & ~np.isfinite(high)
    by_program = quotes.vol_type == "normal" or quotes.observed.sum() <= _PROGRAM
    method = "auto" if by_program else "envelope"
    try:
        found = repair(quotes, fixed=held, bid=low, ask=high, method=method)
    except InfeasibleError:
        return quotes, ["the quotes can be arbitraged whatever the vols inside bid and ask"]
    moved, outside = np.nan_to_num(found.change) != 0, found.outside
    notes = [_counted(moved & ~outside, "moved inside bid and ask so that there is no arbitrage")]
    notes.append(_counted(outside, "cannot stay inside bid and ask without arbitrage"))
    return found.surface, notes


def on_their_sides(
    fill: Callable[[Surface], Answer], surface: Surface, bid: FloatArray, ask: FloatArray, coverage: float
) -> tuple[Answer, dict[str, Any]]:
    """The answer of `fill`, with filled cells held at the lone bid or ask that they would lie beyond, and the
    fields that are others then: what such a cell may be goes on from its side, and no band goes beyond one.

    bid, ask: [T, K], NaN where there is none.
    """
    first, held = fill(surface), surface
    found = first
    for _ in range(_PASSES):
        side = _beyond(found.filled, held.observed, bid, ask)
        if not np.isfinite(side).any():
            break
        held = held.replace(np.where(np.isfinite(side), side, held.vols))
        found = fill(held)
    at_side = held.observed & ~surface.observed
    if not (~surface.observed & (np.isfinite(bid) | np.isfinite(ask))).any():
        return found, {}
    others = _in_doubt(first, found, at_side, held.vols == bid, coverage)
    low = np.fmax(others["low"], np.minimum(bid, found.filled))  # NaN where there is no side
    high = np.fmin(others["high"], np.maximum(ask, found.filled))
    others["low"], others["high"] = (
        np.where(surface.observed, *pair) for pair in ((found.low, low), (found.high, high))
    )
    if surface.vol_type != "normal":
        others["high"] = np.minimum(others["high"], MAX_VOL)
    return found, others


def _beyond(filled: FloatArray, quoted: BoolArray, bid: FloatArray, ask: FloatArray) -> FloatArray:
    """[T, K]: the one side that a filled cell lies beyond, NaN elsewhere; a filled cell has no other."""
    side = np.where(filled < bid, bid, np.where(filled > ask, ask, np.nan))
    return np.where(quoted, np.nan, side)


def _in_doubt(
    first: HasBands, found: HasBands, at_side: BoolArray, of_bid: BoolArray, coverage: float
) -> dict[str, Any]:
    """With the spreads of cells at a side, those of `first`'s lognormal vols, cut off there, and weights."""
    vols, spread, outward = found.filled[at_side], (first.std / first.mean)[at_side], of_bid[at_side]
    away = np.log(vols / first.mean[at_side]) / spread * np.where(outward, 1.0, -1.0)
    grown = np.sqrt((_DOUBT + np.maximum(away, 0.0) ** 2) / (_DOUBT + 1.0))
    spread, away = spread * np.maximum(grown, 1.0), np.maximum(away / np.maximum(grown, 1.0), -_FARTHEST)
    hazard = density(away) / scipy.special.ndtr(-away)
    spread = spread * np.sqrt(np.maximum(1.0 + away * hazard - hazard**2, 1.0 / _FARTHEST**2))
    reach = factor_of_band(spread, coverage)
    std, low, high, zscore = (part.copy() for part in (found.std, found.low, found.high, found.zscore))
    std[at_side], zscore[at_side] = vols * spread, np.nan
    low[at_side], high[at_side] = np.where(outward, vols, vols / reach), np.where(outward, vols * reach, vols)
    return {"std": std, "low": low, "high": high, "zscore": zscore, "history": first.history}


def _require_inside(surface: Surface, low: FloatArray, high: FloatArray) -> None:
    with np.errstate(invalid="ignore"):
        out = np.argwhere((surface.vols < low) | (surface.vols > high))
    if len(out):
        row, column = out[0]
        raise InputError(
            f"vols[{row}, {column}] is {surface.vols[row, column]:g}, outside bid {low[row, column]:g} and "
            f"ask {high[row, column]:g}; expected a vol inside, or NaN for the middle"
        )


def _counted(cells: BoolArray, what: str) -> str:
    count = int(cells.sum())
    return f"{count} quote{'s' if count > 1 else ''} {what}" if count else ""
