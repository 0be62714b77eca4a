"""Held-out days decide what no likelihood can: the stack's weight, the spread and the step to stop at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from voladdin.emission import Emission
from voladdin.posterior import BoolArray
from voladdin.surface import FloatArray

from .history import Days

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
SURFACES = 300
COVERAGE = 0.90


@dataclass(frozen=True)
class Holdout:
    """Held-out log-vols [n, c], masks of every missing share for each of them, and the day before."""

    logs: FloatArray
    prior: FloatArray
    masks: tuple[BoolArray, ...]

    @cached_property
    def emission(self) -> Emission:
        """The core nodes themselves."""
        nodes = self.logs.shape[1]
        return Emission(np.eye(nodes), np.zeros(nodes), np.zeros((nodes, nodes)))


def holdout(days: Days, seed: int = 0, surfaces: int = SURFACES) -> Holdout:
    """Full days, evenly spread, that have a full day before, under seeded random masks (True: quoted)."""
    first, later = days.steps()
    logs = days.logs
    full = np.isfinite(logs[first]).all(1) & np.isfinite(logs[later]).all(1)
    first, later = first[full], later[full]
    pick = np.unique(np.linspace(0, len(first) - 1, min(surfaces, len(first))).astype(int))
    rng = np.random.default_rng(seed)
    nodes = logs.shape[1]
    masks = []
    for share in SHARES:
        ranks = rng.random((len(pick), nodes)).argsort(1).argsort(1)
        masks.append(ranks >= min(max(round(share * nodes), 1), nodes - 1))
    return Holdout(logs[later[pick]], logs[first[pick]], tuple(masks))


def crps(truth: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """CRPS of N(mean, std²) (Gneiting-Raftery 2007, equation 21)."""
    z = (truth - mean) / std
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    score: FloatArray = std * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return score


def stretch(truth: FloatArray, mean: FloatArray, std: FloatArray, observed: BoolArray) -> float:
    """The factor on std with which a 90% band covers 90% of the hidden cells."""
    z = np.abs(truth - mean)[~observed] / std[~observed]
    return float(np.quantile(z, COVERAGE) / ndtri(0.5 + COVERAGE / 2))
