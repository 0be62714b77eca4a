"""A quoted surface to hide cells of, and the coordinates that its rivals see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

import voladdin as va
from voladdin.black import call_delta

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def rising(axis: FloatArray) -> bool:
    """Whether each row [T, K] is."""
    return bool((np.diff(axis, axis=1) > 0).all())


@dataclass(frozen=True, eq=False)
class Quoted:
    """One surface; arrays are [T, K], NaN where nobody quotes.

    name, set: of the surface, and of the row of the tables it counts in. vols: what is shown. truth: what a
    fill is scored against (the quotes themselves on real surfaces). deltas: [K] falling, or None where
    moneyness [T, K] is given, rising. bid, ask: where there is a market.
    """

    name: str
    set: str
    tenors: FloatArray
    vols: FloatArray
    truth: FloatArray
    deltas: FloatArray | None = None
    moneyness: FloatArray | None = None
    bid: FloatArray | None = None
    ask: FloatArray | None = None

    def __post_init__(self) -> None:
        axis = -np.atleast_2d(self.deltas) if self.moneyness is None else self.moneyness  # type: ignore[arg-type]
        if not rising(axis):
            raise ValueError(f"{self.name}: strikes do not rise along its rows")

    @property
    def quoted(self) -> BoolArray:
        """[T, K] where there is a quote and so something to hide."""
        return np.isfinite(self.vols)

    @property
    def level(self) -> float:
        """Median quoted vol: errors are in per cent of it."""
        return float(np.nanmedian(self.vols))

    def deltas_of_quotes(self) -> FloatArray:
        """[T, K] forward call deltas: exact where there is a quote, else at the median vol."""
        if self.deltas is not None:
            return np.broadcast_to(self.deltas, self.vols.shape).copy()
        assert self.moneyness is not None
        vols = np.where(self.quoted, self.vols, self.level)
        return call_delta(self.moneyness, vols * np.sqrt(self.tenors)[:, None])

    def surface(self, hidden: BoolArray) -> va.Surface:
        """What the product is given."""
        shown = np.where(hidden, np.nan, self.vols)
        if self.deltas is not None:
            return va.Surface(shown, self.tenors, deltas=self.deltas)
        return va.Surface(shown, self.tenors, moneyness=self.moneyness)

    def coordinates(self, shown: FloatArray) -> FloatArray:
        """ln(K/F) [T, K] of every cell, without a look at hidden vols; ascending.

        On a delta axis at the ATM vol that the shown quotes give, linear in total variance between expiries.
        """
        if self.moneyness is not None:
            return self.moneyness
        assert self.deltas is not None
        s = atm_vols(self.tenors, np.broadcast_to(self.deltas, shown.shape), shown) * np.sqrt(self.tenors)
        return np.asarray(s[:, None] * (0.5 * s[:, None] - ndtri(self.deltas)))


def atm_vols(tenors: FloatArray, deltas: FloatArray, shown: FloatArray) -> FloatArray:
    """[T] the shown vol nearest to a delta of one half, linear in total variance between expiries."""
    distance = np.where(np.isfinite(shown), np.abs(deltas - 0.5), np.inf)
    column = distance.argmin(axis=1)
    rows = np.isfinite(distance.min(axis=1))
    vols = shown[np.arange(len(shown)), column]
    w = np.interp(tenors, tenors[rows], vols[rows] ** 2 * tenors[rows])
    inside = np.sqrt(w / tenors)
    return np.asarray(
        np.where(
            tenors < tenors[rows][0],
            vols[rows][0],
            np.where(tenors > tenors[rows][-1], vols[rows][-1], inside),
        )
    )
