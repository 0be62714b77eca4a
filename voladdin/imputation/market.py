"""Quotes inside their bid and ask: the middle, moved where that has arbitrage and the market leaves room."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._typing import BoolArray, FloatArray
from ..arbitrage.repair import repair
from ..errors import InfeasibleError, InputError
from ..surface import Surface

_PROGRAM = 600  # quotes that a program moves; more go onto hulls


def inside_market(
    surface: Surface, bid: ArrayLike | None, ask: ArrayLike | None
) -> tuple[Surface, list[str]]:
    """The surface with the quotes that it is filled from, and what is to be said of them.

    bid, ask: [T, K] vols, NaN where there is none; a bid of 0 is none. A quote is the surface's own vol, or
    the middle of bid and ask; where quotes have arbitrage those with a side are moved, inside it where that
    suffices.

    Raises InputError (shape, range, a bid above its ask, a vol outside its market).
    """
    low, high = surface.market(bid, ask)
    low = np.where(low == 0, np.nan, low)
    _require_inside(surface, low, high)
    quotes = surface.replace(np.where(surface.observed, surface.vols, 0.5 * (low + high)))
    if not quotes.observed.any():
        return quotes, []
    held = quotes.observed & ~np.isfinite(low) & ~np.isfinite(high)
    by_program = surface.vol_type == "normal" or quotes.observed.sum() <= _PROGRAM
    method = "auto" if by_program else "envelope"
    try:
        found = repair(quotes, fixed=held, bid=low, ask=high, method=method)
    except InfeasibleError:
        return quotes, ["the quotes can be arbitraged whatever the vols inside bid and ask"]
    moved, outside = np.nan_to_num(found.change) != 0, found.outside
    notes = [_counted(moved & ~outside, "moved inside bid and ask so that there is no arbitrage")]
    notes.append(_counted(outside, "cannot stay inside bid and ask without arbitrage"))
    return found.surface, [note for note in notes if note]


def beyond(filled: FloatArray, quoted: BoolArray, bid: ArrayLike | None, ask: ArrayLike | None) -> FloatArray:
    """[T, K]: the one side that a filled cell lies beyond, NaN elsewhere; a filled cell has no other."""
    low, high = (np.nan if side is None else np.asarray(side, dtype=float) for side in (bid, ask))
    with np.errstate(invalid="ignore"):
        side = np.where(filled < low, low, np.where(filled > high, high, np.nan))
    return np.where(quoted, np.nan, side)


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
