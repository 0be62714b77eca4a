"""Kinds of market: what smiles are like where the quotes say little of them.

Quotes at the money alone tell one candidate's term structure from another's, and nothing of smiles; but a
market's level does: indices of stocks have steep smiles, currency pairs lower vols and flatter ones. Where
quotes are thin, the likeliest candidate stands beside itself with the smile of each kind, weighed by the
density of the level and by the evidence, so that mean, spread and draws are of the mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray


@dataclass(frozen=True)
class Kinds:
    """M kinds. level: [M + 1, 2], mean and std of the log median vol, first of markets as the candidates
    have them; odds: [M + 1] before the level is seen; bend: [M, 4] and root: [M, 4, 4], of z.
    """

    level: FloatArray
    odds: FloatArray
    bend: FloatArray
    root: FloatArray

    def log_odds(self, level: FloatArray) -> FloatArray:
        """[..., M] of each kind to the candidates' own, at log levels [...]."""
        gap = (level[..., None] - self.level[:, 0]) / self.level[:, 1]
        log = np.log(self.odds / self.level[:, 1]) - 0.5 * gap**2
        return np.asarray(log[..., 1:] - log[..., :1])
