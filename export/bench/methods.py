"""What every imputation method looks like to the bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voladdin._typing import FloatArray

from .data import DeltaAxes, History


@dataclass(frozen=True)
class Prediction:
    """Full surfaces: `mean` [B, T, K] in vol, `std` [B, T, K] of *log*-vol (None for a point forecast).

    The 90% band is `low` to `high` where a method states its own, else lognormal.
    """

    mean: FloatArray
    std: FloatArray | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None

    @staticmethod
    def from_log(mean: FloatArray, std: FloatArray | None) -> Prediction:
        """From the mean and standard deviation of log-vol; the vol is the median, which MAE asks for."""
        return Prediction(np.exp(mean), std)


class Method(Protocol):
    """One imputation method. `uses_prior`: it is given yesterday's full surface."""

    name: str
    uses_prior: bool

    def fit(self, history: History) -> None:
        """Learn from full daily surfaces; methods without training do nothing."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        """Fill vols [B, T, K] (NaN is missing); what it says of observed cells is not scored."""


def pooled_log_vols(history: History) -> FloatArray:
    """Log-vols of all pairs and days, [P * D, T * K]."""
    return np.log(history.vols).reshape(-1, int(np.prod(history.axes.shape)))
