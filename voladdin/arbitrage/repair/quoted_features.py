"""Level, skew, curvature and term structure of N quotes as functions of their vols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...feature_map import feature_weights, moneyness_slopes
from ..nodes import AtStrikes, Nodes


@dataclass(frozen=True)
class QuotedFeatures:
    """Those F of the four that the quotes can tell: linear in vols at strikes that stay.

    quotes: N. tenors: [N] years. known: [4], which features. weights: [F, N] at the quotes' own strikes.
    """

    quotes: Nodes
    tenors: FloatArray
    known: BoolArray
    weights: FloatArray

    @classmethod
    def of(cls, quotes: Nodes, tenors: FloatArray, m: FloatArray) -> QuotedFeatures:
        """m: [N] ln(K/F) of the quotes as they are."""
        weights = feature_weights(tenors, m)
        known = np.isfinite(weights[:, 0])
        return cls(quotes, tenors, known, weights[known])

    def at(self, vols: FloatArray) -> FloatArray:
        """[F] at vols [N]."""
        if isinstance(self.quotes, AtStrikes):
            return np.asarray(self.weights @ vols)
        return np.asarray(feature_weights(self.tenors, self.quotes.moneyness(vols))[self.known] @ vols)

    def slopes(self, vols: FloatArray) -> FloatArray:
        """[F, N] dy/dvol + dy/dm (s - z) sqrt(tau): at deltas ln(K/F) = s (s/2 - z) moves with the vol."""
        if isinstance(self.quotes, AtStrikes):
            return self.weights
        moneyness = self.quotes.moneyness(vols)
        by_vol = feature_weights(self.tenors, moneyness)
        by_moneyness = moneyness_slopes(self.tenors, moneyness, vols)
        total, z = vols * self.quotes.root, self.quotes.z
        return np.asarray((by_vol + by_moneyness * (total - z) * self.quotes.root)[self.known])
