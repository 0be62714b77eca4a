"""Quotes that the other quotes make improbable, and what these say in their place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..surface import Surface
from .recent import imputed

IMPROBABLE = 3.0  # |z-score|
MOST = 20


@dataclass(frozen=True)
class Suspect:
    """A quote at (row, column) of a surface, with the median and std of its vol given the other quotes."""

    row: int
    column: int
    quote: float
    implied: float
    std: float
    zscore: float

    def said(self, unit: float = 1.0) -> str:
        """Such as "is 9.6, and the other quotes imply 7.61 ± 0.18 (z-score 11)"; unit: of a vol of 1."""
        return (
            f"is {unit * self.quote:.4g}, and the other quotes imply "
            f"{unit * self.implied:.4g} ± {unit * self.std:.2g} (z-score {self.zscore:.2g})"
        )


def suspects(
    surface: Surface, zscore: FloatArray, *, model: str | Path = "fx", most: int = MOST
) -> list[Suspect]:
    """The quotes of a surface whose |z-score| given the others exceeds 3, the farthest first.

    zscore: [T, K], of its imputation by the same model. most: no more than these. Each is left out before the
    next is looked for, so that what one wrong quote does to its neighbours is not held against them.
    """
    suspected: list[Suspect] = []
    left = surface.vols.copy()
    while len(suspected) < most and any_suspect(left, zscore):
        row, column = divmod(int(np.nanargmax(np.abs(zscore))), surface.shape[1])
        quote, size = float(left[row, column]), float(zscore[row, column])
        left[row, column] = np.nan
        answer = imputed(surface.replace(left), model=model, arbitrage_free=False)
        implied, std = float(answer.mean[row, column]), float(answer.std[row, column])
        suspected.append(Suspect(row, column, quote, implied, std, size))
        zscore = answer.zscore
    return suspected


def any_suspect(vols: FloatArray, zscore: FloatArray) -> bool:
    """Whether there is one at all, which costs nothing; vols, zscore: [T, K], NaN where nothing is quoted."""
    return bool(np.isfinite(vols).sum() > 1 and (np.abs(zscore) > IMPROBABLE).any())
