"""The trades that `check` names, and their words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from .._typing import FloatArray
from ..labels import tenor_label
from ..surface import MAX_LOG_STRIKE, Surface
from .hulls import FORWARD, Trade


@dataclass(frozen=True)
class Violation:
    """One trade that costs less than nothing and never pays less than nothing.

    kind: "bounds", "call spread", "butterfly", "calendar" or "calendar butterfly" (across strikes).
    cells: (row, column) of the surface, the call sold first, then those bought.
    size: in forward-normalised price, for one call sold; of normal vols in the unit of the strikes.
    vol_bp: how far the first cell's vol is from the nearest one without this trade, in 1e-4 of vol.
    message: the trade in words. Numbers of calls are of equal forward: a call of tenor t counts as
    1/(D(t) F(t)) contracts.
    """

    kind: str
    cells: tuple[tuple[int, int], ...]
    size: float
    vol_bp: float
    message: str


@dataclass(frozen=True)
class TradeWords:
    """Words for the trades on one surface. cells: [N] (row, column) of each node."""

    surface: Surface
    cells: list[tuple[int, int]]

    def trade(self, trade: Trade) -> str:
        """Such as "sell the 1M 1.0850 call, buy the 2M 1.0850 call"."""
        if not trade.legs:
            return f"buy {self.call(trade.node)}, sell the forward and lend the strike"
        return f"sell {self.call(trade.node)}, buy {' and '.join(self._leg(*leg) for leg in trade.legs)}"

    def _leg(self, node: int, number: float) -> str:
        count = "" if number == 1 else f"{number:.3g} of "
        return f"{count}the forward" if node == FORWARD else f"{count}{self.call(node)}"

    def call(self, node: int) -> str:
        """Such as "the 1M 25P (1.0503) call"."""
        (row, column), surface = self.cells[node], self.surface
        if surface.vol_type == "normal":
            return f"the {cell_label(surface, row, column)} call"
        ratio = float(self._strikes[row, column])
        strike = f"K/F={ratio:.5g}"
        if surface.forwards is not None:
            strike = _number(ratio * float(surface.forwards[row]))
        if surface.deltas is not None:
            return f"the {cell_label(surface, row, column)} ({strike}) call"
        return f"the {_tenor_label(float(surface.tenors[row]))} {strike} call"

    @cached_property
    def _strikes(self) -> FloatArray:
        """[T, K] K/F."""
        return np.exp(np.minimum(self.surface.quoted_moneyness(), MAX_LOG_STRIKE))


def cell_label(surface: Surface, row: int, column: int) -> str:
    """Such as "6M ATM", "1Y 1.0850" or "3M K/F=0.95"."""
    tenor = _tenor_label(float(surface.tenors[row]))
    if surface.deltas is not None:
        return f"{tenor} {_delta_label(float(surface.deltas[column]))}"
    if surface.strikes is not None:
        return f"{tenor} {_number(float(np.broadcast_to(surface.strikes, surface.shape)[row, column]))}"
    moneyness = surface.log_moneyness
    assert moneyness is not None
    return f"{tenor} K/F={np.exp(moneyness[row, column]):.5g}"


_tenor_label = lru_cache(maxsize=1024)(tenor_label)


def _number(strike: float) -> str:
    """Five digits, such as 1.0850; whole numbers from 10,000."""
    return f"{strike:.0f}" if 1e4 <= strike < 1e15 else f"{strike:#.5g}"


def _delta_label(delta: float) -> str:
    if delta == 0.5:
        return "ATM"
    return f"{100 * delta:.3g}C" if delta < 0.5 else f"{100 * (1 - delta):.3g}P"
