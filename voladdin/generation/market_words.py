"""A delta grid in the market's words: ATM, 25-delta risk reversal and butterfly, and the term slope, a tenor.

    atm = v(0.5),   rr = v(25C) - v(25P),   bf = (v(25C) + v(25P)) / 2 - v(0.5),
    term = (atm(later) - atm(earlier)) / (later - earlier), a year, over the tenors beside it on the grid,

at the grid's first and last tenor over the one neighbour. Deltas are forward call deltas, 25P is 0.75. All
four are linear in the vols: a row of weights each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..errors import InputError
from ..labels import parse_tenor, tenor_label
from ..surface import Surface

WORDS = ("atm", "rr", "bf", "term")
PUT, ATM, CALL = 0.75, 0.5, 0.25
_DEFAULT = 1 / 12  # years: the tenor nearest is the one meant unless another is named
_SAME = 1e-9  # of a delta
_NEAR = 0.02  # of a tenor: 1M is 1/12 or 30/365


@dataclass(frozen=True, eq=False)
class MarketFeatures:
    """values: [T, 4] atm, rr, bf, term of each tenor, decimals; NaN where a quote they need is missing.

    weights: [T, 4, T, K] with values = sum of weights * vols; NaN rows where the grid lacks a delta or tenor.
    """

    tenors: FloatArray
    values: FloatArray
    weights: FloatArray


def market_features(surface: Surface) -> MarketFeatures:
    """The four of every tenor of a delta grid. Raises InputError (another axis)."""
    weights = market_weights(surface.tenors, require_deltas(surface))
    needed = weights != 0
    terms = np.where(needed, weights * np.where(surface.observed, surface.vols, np.nan), 0.0)
    return MarketFeatures(surface.tenors, np.asarray(terms.sum((2, 3))), weights)


def market_weights(tenors: FloatArray, deltas: FloatArray) -> FloatArray:
    """[T, 4, T, K] rows of atm, rr, bf, term; NaN where the grid lacks what one needs."""
    put, atm, call = (_column(deltas, delta) for delta in (PUT, ATM, CALL))
    smile = np.stack([atm, call - put, (call + put) / 2 - atm])
    rows = np.zeros((len(tenors), 4, len(tenors), len(deltas)))
    for tenor in range(len(tenors)):
        rows[tenor, :3, tenor] = smile
        rows[tenor, 3] = slope_row(tenors, tenor)[:, None] * atm
    unknown = np.isnan(rows).any((2, 3))
    rows[unknown] = np.nan
    return rows


def slope_row(tenors: FloatArray, at: int) -> FloatArray:
    """[T] weights of ATM vols in the term slope at a tenor; NaN on a grid of one."""
    row = np.zeros(len(tenors))
    low, high = max(at - 1, 0), min(at + 1, len(tenors) - 1)
    if low == high:
        return row + np.nan
    row[[low, high]] = np.array([-1.0, 1.0]) / (tenors[high] - tenors[low])
    return row


def tenor_place(tenors: FloatArray, tenor: str | float | None) -> int:
    """Where a named tenor is among tenors [T]; the one nearest to a month unless named.

    Raises InputError where the grid has none within 2% of it, LabelError where it is no tenor.
    """
    years = _DEFAULT if tenor is None else parse_tenor(tenor)
    place = int(np.abs(np.log(tenors / years)).argmin())
    if tenor is not None and abs(tenors[place] / years - 1) > _NEAR:
        known = ", ".join(tenor_label(t) for t in tenors.tolist())
        raise InputError(f"tenor is {tenor_label(years)}; expected one of the grid's, {known}")
    return place


def in_words(values: FloatArray) -> str:
    """Such as "atm 0.08, rr -0.002, bf 0.003, term 0.01", of those that are known."""
    known = zip(WORDS, values.tolist(), strict=True)
    return ", ".join(f"{name} {value:.4g}" for name, value in known if np.isfinite(value))


def require_deltas(surface: Surface) -> FloatArray:
    """[K] of a delta grid. Raises InputError for another."""
    if surface.deltas is None:
        raise InputError(
            "the grid's columns are strikes; expected deltas such as 25P, ATM, 25C for the market's words "
            "(ATM, risk reversal, butterfly)"
        )
    return surface.deltas


def _column(deltas: FloatArray, delta: float) -> FloatArray:
    """[K] that picks a delta; NaN where the grid lacks it."""
    picked = np.abs(deltas - delta) < _SAME
    return picked.astype(float) if picked.any() else np.full(len(deltas), np.nan)
