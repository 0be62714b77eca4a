"""The quotes of a surface as forward-normalised call prices, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import scipy

from .._typing import FloatArray, IntArray
from ..black import implied_total_vol, otm_price, vega
from ..surface import MAX_VOL
from .hulls import Hull, Trade
from .nodes import AtDeltas, AtStrikes, Axes, at_own_strikes
from .tolerances import FLAT_VEGA, LEAST_TIME_VALUE

_STEP = 1e-4  # price move over which the vol of a quote without vega is measured


@dataclass(frozen=True)
class QuotedNodes(AtStrikes):
    """N quotes at the strikes that their vols give them. cells: [N] rows, columns. vols: [N] as given."""

    cells: tuple[IntArray, IntArray]
    vols: FloatArray
    hull: ClassVar = Hull
    scale: ClassVar = 1.0  # of trades, in forwards

    @staticmethod
    def locked_in(trade: Trade) -> str:
        """What a trade gains, to go on with its words."""
        return f": {1e4 * trade.size:.3g} bp of forward locked in"

    @cached_property
    def calls(self) -> FloatArray:
        """[N] prices."""
        return self.at(self.vols)[1]

    @cached_property
    def most(self) -> FloatArray:
        """[N] prices of the largest vol."""
        return self.at(np.full_like(self.vols, MAX_VOL))[1]

    def along(self, deltas: FloatArray) -> AtDeltas:
        """The same quotes as their strikes move along the deltas [K] of their columns."""
        z = np.asarray(scipy.special.ndtri(deltas))[self.cells[1]]
        return AtDeltas(self.rows, z, scipy.special.ndtr(z), self.root)

    def vols_at(self, calls: FloatArray) -> FloatArray:
        """[N] vols of other call prices; where a price is that given, its vol to the last bit."""
        moved, vols = calls != self.calls, self.vols.copy()
        by = (calls - self.calls)[moved]
        vols[moved] = self.only(moved).moved(vols[moved], by, LEAST_TIME_VALUE)
        return vols

    def unit(self, vols: FloatArray) -> FloatArray:
        """[N] price move for a vol of 1: vega at these vols; where it vanishes, the slope of the chord.

        It vanishes where a vol is too low, or so high that the price saturates. Such a price can move in one
        direction only, and the vol it takes for the first 1e-4 is finite.
        """
        unit = np.asarray(vega(self.m, vols * self.root) * self.root)
        flat = unit < FLAT_VEGA
        if flat.any():
            m, vols, root = self.m[flat], vols[flat], self.root[flat]
            top, value = np.exp(np.minimum(m, 0)), otm_price(m, vols * root)
            moved = np.where(value < 0.5 * top, value + _STEP * top, value - _STEP * top)
            distance = np.abs(implied_total_vol(moved, m) / root - vols)
            unit[flat] = np.maximum(_STEP * top / distance, unit[flat])
        return unit


def quoted_nodes(axes: Axes, vols: FloatArray) -> QuotedNodes:
    """Every quote of vols [T, K] that `check` looks at: strikes beyond exp(700) forwards are left out."""
    every = at_own_strikes(axes, vols)
    kept = np.isfinite(every.m)
    rows, columns = np.nonzero(kept.reshape(axes.shape))
    return QuotedNodes(rows, every.m[kept], every.root[kept], (rows, columns), vols.ravel()[kept])


def vols_around(vols: FloatArray) -> FloatArray:
    """[T, K] median of the up to eight vols around each; its own where there is none."""
    rows, columns = vols.shape
    wide = np.pad(vols, 1, constant_values=np.nan)
    near = [wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    near.append(np.where(np.isnan(near).all(axis=0), np.where(np.isnan(vols), 1.0, vols), np.nan))
    return np.asarray(np.nanmedian(near, axis=0))
