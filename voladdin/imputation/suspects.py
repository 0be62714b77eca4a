"""Quotes that the other quotes make improbable, and what these say in their place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..surface import Surface
from .filling import Imputation
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


def suspects(
    surface: Surface, found: Imputation, *, model: str | Path = "fx", most: int = MOST
) -> list[Suspect]:
    """The quotes of a surface whose |z-score| given the others exceeds 3, the farthest first.

    found: its imputation, by the same model. most: no more than these. Each is left out before the next is
    looked for, so that what one wrong quote does to its neighbours is not held against them.
    """
    suspected: list[Suspect] = []
    left, answer = surface.vols.copy(), found
    while len(suspected) < most and np.isfinite(left).sum() > 1:
        size = np.where(np.isfinite(answer.zscore), np.abs(answer.zscore), 0.0)
        row, column = divmod(int(size.argmax()), surface.shape[1])
        if size[row, column] <= IMPROBABLE:
            break
        quote, zscore = float(left[row, column]), float(answer.zscore[row, column])
        left[row, column] = np.nan
        answer = imputed(surface.replace(left), model=model, arbitrage_free=False)
        implied, std = float(answer.mean[row, column]), float(answer.std[row, column])
        suspected.append(Suspect(row, column, quote, implied, std, zscore))
    return suspected
