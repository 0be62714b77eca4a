"""What four numbers mean on given axes: the paper's features, or the market's words at a tenor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from .._typing import FloatArray
from ..arbitrage.repair import repair
from ..arbitrage.repair.keep_features import keep
from ..errors import InputError
from ..feature_map import NAMES, exact_sums, feature_weights, features, moneyness_slopes
from ..surface import Surface
from .market_shifts import free_of_arbitrage
from .market_words import WORDS, market_weights, require_deltas, tenor_place


@dataclass(frozen=True, eq=False)
class Wording:
    """names: [4]. weights: P [4, N] where the four are linear in the vols, None where strikes move with them.

    place: of the market's tenor; None in the paper's words.
    """

    axes: Surface
    names: tuple[str, ...]
    weights: FloatArray | None
    place: int | None

    @classmethod
    def of(cls, axes: Surface, words: str, tenor: str | float | None = None) -> Wording:
        """Of "paper" or "market". Raises InputError where the axes cannot tell one of the four."""
        if words == "market":
            place = tenor_place(axes.tenors, tenor)
            rows = market_weights(axes.tenors, require_deltas(axes))[place].reshape(4, -1)
            return cls(axes, WORDS, _identified(rows, WORDS), place)
        m = axes.log_moneyness
        if m is None:
            usual = features(axes.replace(np.full(axes.shape, 0.2))).weights.reshape(4, -1)
            _identified(usual, NAMES)
            return cls(axes, NAMES, None, None)
        return cls(axes, NAMES, _identified(feature_weights(axes.tenors[:, None], m), NAMES), None)

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[4] of vols [T, K], and how fast each moves with each vol [4, N]."""
        if self.weights is not None:
            return np.array(exact_sums(self.weights, vols.ravel())), self.weights
        found = features(self.axes.replace(vols))
        return found.values, found.weights.reshape(4, -1) + self._by_strikes(vols)

    def _by_strikes(self, vols: FloatArray) -> FloatArray:
        """[4, N] through ln(K/F) = s (s/2 - z), s = vol sqrt(tau), which moves with its own vol."""
        tenors = np.broadcast_to(self.axes.tenors[:, None], vols.shape)
        m = self.axes.replace(vols).quoted_moneyness()
        root = np.sqrt(tenors)
        steep = (vols * root - scipy.special.ndtri(self.axes.deltas)) * root
        return np.asarray(moneyness_slopes(tenors.ravel(), m.ravel(), vols.ravel()) * steep.ravel())

    def of_many(self, vols: FloatArray) -> FloatArray:
        """[B, 4] of vols [B, T, K]."""
        if self.weights is not None:
            return np.asarray(vols.reshape(len(vols), -1) @ self.weights.T)
        return np.stack([features(self.axes.replace(one)).values for one in vols])

    def repaired(self, vols: FloatArray) -> FloatArray:
        """[T, K] the nearest vols without arbitrage of the same four. Raises InfeasibleError."""
        surface = self.axes.replace(vols)
        if self.place is not None:
            return free_of_arbitrage(surface, self.place, whole=True).vols
        if self.axes.deltas is not None:
            return repair(surface, keep_features=True).surface.vols
        return keep(surface, vols, self.at(vols)[0])


def _identified(rows: FloatArray, names: tuple[str, ...]) -> FloatArray:
    unknown = [name for name, row in zip(names, rows, strict=True) if np.isnan(row).any()]
    if unknown:
        needed = "25P, ATM and 25C" if names == WORDS else "3 strikes"
        raise InputError(
            f"these axes cannot tell {', '.join(unknown)}; expected at least 2 tenors and {needed}"
        )
    return rows
