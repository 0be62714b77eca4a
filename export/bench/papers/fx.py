"""FX surfaces: our history, or a simulated market where it is not there; standardised, cells hidden."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from voladdin._typing import BoolArray, FloatArray

from ..data import Split, TestSet, load_history, test_set, time_split
from ..imputation.grids import simulated_splits
from ..masks import random_masks

RATES = tuple(range(10, 100, 10))
SIMULATED_DAYS = 600
PARTS = ("validation", "test")
HISTORY = "our history, three pairs"
SIMULATED = "a simulated market: the history is not beside this checkout"


@dataclass(frozen=True, eq=False)
class Fx:
    """A split, and the log-vols' mean and deviation [c] of its training days. words: which data these are."""

    split: Split
    mean: FloatArray
    std: FloatArray
    words: str

    @property
    def nodes(self) -> int:
        return len(self.mean)

    @property
    def pairs(self) -> tuple[str, ...]:
        return self.split.train.pairs

    def standard(self, vols: FloatArray) -> Tensor:
        """[N, c] standardised log-vols of vols [N, T, K]; NaN stays."""
        logs = (np.log(vols).reshape(len(vols), -1) - self.mean) / self.std
        return torch.tensor(logs, dtype=torch.float32)

    def train(self) -> Tensor:
        """[N, c] the training days of all pairs."""
        history = self.split.train
        return self.standard(history.vols.reshape(-1, *history.axes.shape))

    def part(self, name: str, every: int) -> TestSet:
        """Each `every`-th day of "validation" or "test", all pairs."""
        if name == "test":
            keep: NDArray[np.int64] = np.flatnonzero(self.split.test.day % every == 0)
            return self.split.test.subset(keep)
        history = self.split.validation
        return test_set(history, history.dates[1], every)


@lru_cache(maxsize=1)
def fx(seed: int = 0) -> Fx:
    """Trained to 2016, validated on 2017, tested on 2018; or the first 70%, 10% and 20% of simulated days."""
    try:
        split, words = time_split(load_history(), 1), HISTORY
    except FileNotFoundError:
        split, words = simulated_splits(SIMULATED_DAYS, 1, seed)[0], SIMULATED
    logs = np.log(split.train.vols).reshape(-1, int(np.prod(split.train.axes.shape)))
    return Fx(split, logs.mean(axis=0), logs.std(axis=0), words)


def hidden_cells(part: TestSet, seed: int) -> dict[int, BoolArray]:
    """[N, T, K] by rate, the same for every method."""
    return {
        rate: random_masks(rate, len(part), part.axes, np.random.default_rng([seed, rate])) for rate in RATES
    }
