"""The example surface of the tests of imputation, its holes, and grids of every axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from voladdin._typing import FloatArray
from voladdin.imputation.processes.points import Points
from voladdin.imputation.processes.process import Candidates

TENORS = ["1M", "2M", "3M", "6M", "9M", "1Y", "3Y", "5Y"]


DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]


SMILE = np.array([0.0104, 0.0032, 0.0, 0.0021, 0.0078])


def surface(level: float = 0.08) -> np.ndarray:
    """A plausible surface [8, 5]: upward term structure, smile that steepens with tenor."""
    years = np.array([1 / 12, 1 / 6, 0.25, 0.5, 0.75, 1, 3, 5])
    return level * (1 + 0.06 * np.log1p(years))[:, None] + level / 0.08 * SMILE * (
        0.5 + 0.5 * years[:, None] ** 0.25
    )


def holes(vols: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(vols.shape) < share, np.nan, vols)


def of_quotes(candidates: Candidates, points: Points) -> FloatArray:
    """[G, N, N] covariance of quotes: the process and its noise."""
    noise = candidates.noise(points)[:, None] * np.eye(len(points))
    return candidates.covariance(points, points) + noise


GRIDS: dict[str, dict[str, Any]] = {
    "core": {"tenors": TENORS, "deltas": DELTAS},
    "calls first": {"tenors": TENORS, "deltas": DELTAS[::-1]},
    "overnight to 10Y": {"tenors": ["ON", "1W", "2W", "1M", "3M", "1Y", "5Y", "10Y"], "deltas": DELTAS},
    "15 and 35 delta": {"tenors": TENORS, "deltas": [0.95, 0.85, 0.65, 0.35, 0.15]},
    "odd tenors": {
        "tenors": [0.02, 0.1, 0.21, 0.4, 0.6, 1.3, 2.2, 7.5],
        "deltas": [0.8, 0.6, 0.45, 0.3, 0.2],
    },
    "log-moneyness": {"tenors": TENORS, "moneyness": [-0.08, -0.03, 0.0, 0.03, 0.08]},
    "strikes by tenor": {
        "tenors": TENORS,
        "strikes": np.exp(
            np.outer(np.sqrt([1 / 12, 1 / 6, 0.25, 0.5, 0.75, 1, 3, 5]), [-0.1, -0.05, 0, 0.05, 0.1])
        ),
        "forwards": np.ones(8),
    },
}
