"""Static arbitrage of normal vols: quotes as prices over K - F, and the trades in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray, IntArray
from ..options.bachelier import implied_normal_vol, normal_call_price, normal_otm_price
from ..surface import Surface
from .hulls import Trade
from .normal_hulls import normal_trades
from .trades import cell_label


@dataclass(frozen=True)
class NormalQuotes:
    """N quotes in units of the median total vol. cells: [N, 2] (row, column). k: [N] K - F. root: [N]."""

    cells: NDArray[np.intp]
    rows: IntArray
    k: FloatArray
    root: FloatArray
    unit: float

    def calls(self, vols: FloatArray) -> FloatArray:
        """[N] prices at vols [N]."""
        return normal_call_price(self.k, vols * self.root / self.unit)

    def vols(self, calls: FloatArray) -> FloatArray:
        """[N] of call prices; 0 where a price is no more than exercising."""
        time_value = calls - np.maximum(-self.k, 0.0)
        total = implied_normal_vol(np.maximum(time_value, 0.0), self.k)
        return np.asarray(total * self.unit / self.root)


class NormalViolation(NamedTuple):
    """A trade: its kind, cells, size in the unit of the strikes, distance in 1e-4 of vol, and words."""

    kind: str
    cells: tuple[tuple[int, int], ...]
    size: float
    vol_bp: float
    message: str


def normal_quotes(surface: Surface) -> NormalQuotes:
    """Every quote of a surface of normal vols."""
    cells = np.argwhere(surface.observed)
    rows, columns = cells.T
    root = np.sqrt(surface.tenors)[rows]
    unit = float(np.median(surface.vols[rows, columns] * root))
    return NormalQuotes(cells, rows, surface.distances[rows, columns] / unit, root, unit)


def normal_violations(
    surface: Surface, sides: tuple[FloatArray, FloatArray], tolerance: float
) -> list[NormalViolation]:
    """Every trade that locks in more than `tolerance` median total vols, the largest first.

    sides: bid and ask vols [T, K], NaN where one cannot sell or buy.
    """
    given = normal_quotes(surface)
    rows, columns = given.cells.T
    bid, ask = (side[rows, columns] for side in sides)
    found = normal_trades(given.rows, given.k, given.calls(bid), given.calls(ask), tolerance)
    found.sort(key=lambda trade: -trade.size)
    return [_violation(surface, given, trade, bid, ask) for trade in found]


def _violation(
    surface: Surface, given: NormalQuotes, trade: Trade, bid: FloatArray, ask: FloatArray
) -> NormalViolation:
    nodes = [trade.node, *(node for node, _ in trade.legs)]
    cells = tuple((int(row), int(column)) for row, column in given.cells[nodes])
    vol, sign = (bid[trade.node], -1.0) if trade.legs else (ask[trade.node], 1.0)
    k, root = given.k[trade.node], given.root[trade.node] / given.unit
    mended = (
        implied_normal_vol(np.maximum(normal_otm_price(k, vol * root) + sign * trade.size, 0.0), k) / root
    )
    size = trade.size * given.unit
    words = _words(surface, given, trade, cells)
    return NormalViolation(
        trade.kind, cells, size, 1e4 * abs(float(vol - mended)), f"{words}: {size:.3g} locked in"
    )


def _words(surface: Surface, given: NormalQuotes, trade: Trade, cells: tuple[tuple[int, int], ...]) -> str:
    names = [f"the {cell_label(surface, *cell)} call" for cell in cells]
    if not trade.legs:
        return f"buy {names[0]}, sell the forward and lend the strike"
    bought = [
        name if number == 1 else f"{number:.3g} of {name}"
        for name, (_, number) in zip(names[1:], trade.legs, strict=True)
    ]
    cash = float(given.k[[node for node, _ in trade.legs]] @ [n for _, n in trade.legs] - given.k[trade.node])
    lent = f" and lend {cash * given.unit:.4g}" if cash > 1e-9 else ""
    return f"sell {names[0]}, buy {' and '.join(bought)}{lent}"
