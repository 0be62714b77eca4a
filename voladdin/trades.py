"""Trades in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .conventions import tenor_label
from .envelope import FORWARD, Excess
from .surface import FloatArray, Surface


@dataclass(frozen=True)
class Names:
    """Words for the trades on one surface. cells: [N, 2] row and column of each node. log_moneyness: [N]."""

    surface: Surface
    cells: NDArray[np.intp]
    log_moneyness: FloatArray

    def trade(self, excess: Excess) -> str:
        """Such as "sell the 1M 1.0850 call, buy the 2M 1.0850 call: 0.4 bp of forward locked in"."""
        gain = f"{1e4 * excess.size:.3g} bp of forward locked in"
        if not excess.legs:
            return f"buy {self._call(excess.node)}, sell the forward and lend the strike: {gain}"
        bought = " and ".join(self._leg(*leg) for leg in excess.legs)
        return f"sell {self._call(excess.node)}, buy {bought}: {gain}"

    def _leg(self, node: int, number: float) -> str:
        count = "" if number == 1 else f"{number:.3g} of "
        return f"{count}the forward" if node == FORWARD else f"{count}{self._call(node)}"

    def _call(self, node: int) -> str:
        row, column = self.cells[node]
        surface = self.surface
        tenor = _tenor_label(float(surface.tenors[row]))
        ratio = np.exp(self.log_moneyness[node])
        if surface.forwards is not None:
            strike = f"{ratio * surface.forwards[row]:#.5g}".rstrip(".")
        else:
            strike = f"K/F={ratio:.5g}"
        if surface.deltas is not None:
            strike = f"{_delta_label(float(surface.deltas[column]))} ({strike})"
        return f"the {tenor} {strike} call"


_tenor_label = lru_cache(maxsize=1024)(tenor_label)


def _delta_label(delta: float) -> str:
    if delta == 0.5:
        return "ATM"
    return f"{100 * delta:.3g}C" if delta < 0.5 else f"{100 * (1 - delta):.3g}P"
