"""Quotes of normal vols as prices over K - F, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._typing import FloatArray, IntArray
from ..options.bachelier import implied_normal_vol, normal_call_price, normal_otm_price
from ..surface import Surface
from .hulls import Trade
from .normal_hulls import NormalHull

_CASH = 1e-9  # of the scale: less is rounding


@dataclass(frozen=True)
class NormalQuotes:
    """N quotes in units of the median total vol, `scale`.

    cells: [N] rows, columns. rows: [N] tenor ranks. k: [N] K - F. root: [N] sqrt(tau).
    """

    cells: tuple[IntArray, IntArray]
    rows: IntArray
    k: FloatArray
    root: FloatArray
    scale: float
    hull: ClassVar = NormalHull

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[N] K - F and call prices at vols [N]."""
        return self.k, normal_call_price(self.k, vols * self.root / self.scale)

    def vols(self, calls: FloatArray) -> FloatArray:
        """[N] of call prices; 0 where a price is no more than exercising."""
        time_value = calls - np.maximum(-self.k, 0.0)
        total = implied_normal_vol(np.maximum(time_value, 0.0), self.k)
        return np.asarray(total * self.scale / self.root)

    def moved(self, vols: FloatArray, by: FloatArray) -> FloatArray:
        """[N] vols where prices at vols [N] are `by` more, out of the money at least 0."""
        root = self.root / self.scale
        value = np.maximum(normal_otm_price(self.k, vols * root) + by, 0.0)
        return np.asarray(implied_normal_vol(value, self.k) / root)

    def only(self, nodes: IntArray) -> NormalQuotes:
        """Some of them."""
        rows, columns = (axis[nodes] for axis in self.cells)
        return NormalQuotes((rows, columns), rows, self.k[nodes], self.root[nodes], self.scale)

    def locked_in(self, trade: Trade) -> str:
        """The cash that a trade's legs leave over, and what it gains, to go on with its words."""
        bought = self.k[[node for node, _ in trade.legs]] @ np.array([number for _, number in trade.legs])
        cash = float(bought - self.k[trade.node]) if trade.legs else 0.0
        lent = f" and lend {cash * self.scale:.4g}" if cash > _CASH else ""
        return f"{lent}: {trade.size * self.scale:.3g} locked in"


def normal_quotes(surface: Surface) -> NormalQuotes:
    """Every quote of a surface of normal vols."""
    rows, columns = np.nonzero(surface.observed)
    root = np.sqrt(surface.tenors)[rows]
    scale = float(np.median(surface.vols[rows, columns] * root))
    return NormalQuotes((rows, columns), rows, surface.distances[rows, columns] / scale, root, scale)
