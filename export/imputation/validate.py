"""Held-out days decide what no likelihood can: the spread and the step to stop at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from voladdin._typing import BoolArray, FloatArray
from voladdin.imputation.history.observation import Observation

from ..history import Days
from .density import complete

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
SURFACES, SEED = 300, 0
COVERAGE = 0.90


@dataclass(frozen=True)
class Mask:
    """Which cells are quoted, and which hidden ones are scored [n, c]; holes of the history are neither."""

    observed: BoolArray
    hidden: BoolArray


@dataclass(frozen=True)
class Holdout:
    """Held-out log-vols [n, c], the day before (completed), and masks of every missing share."""

    logs: FloatArray
    prior: FloatArray
    masks: tuple[Mask, ...]


def core_nodes(count: int) -> Observation:
    """The core nodes themselves as cells."""
    none = np.zeros((count, count))
    return Observation(np.eye(count), np.zeros(count), none, none)


def holdout(days: Days) -> Holdout:
    """Days, evenly spread, that have at least two quotes and a day before, under seeded random masks."""
    first, later = days.steps()
    logs = days.logs
    usable = np.isfinite(logs[later]).sum(1) >= 2
    first, later = first[usable], later[usable]
    pick = np.unique(np.linspace(0, len(first) - 1, min(SURFACES, len(first))).astype(int))
    truth = logs[later[pick]]
    prior = complete(logs, np.ones(len(logs)))[first[pick]]
    return Holdout(np.nan_to_num(truth), prior, tuple(_masks(np.isfinite(truth))))


def _masks(known: BoolArray) -> Iterator[Mask]:
    """One mask a missing share: that share of the known cells is hidden, at least one and never all."""
    rng = np.random.default_rng(SEED)
    count = known.sum(1, keepdims=True)
    for share in SHARES:
        ranks = np.where(known, rng.random(known.shape), np.inf).argsort(1).argsort(1)
        hidden = known & (ranks < np.clip(np.round(share * count), 1, count - 1))
        yield Mask(known & ~hidden, hidden)


def gaussian_crps(truth: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """CRPS of N(mean, std²) at truth (Gneiting and Raftery 2007, equation 21); std 0 gives |error|."""
    safe = np.where(std > 0, std, 1.0)
    z = (truth - mean) / safe
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    closed = safe * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(std > 0, closed, np.abs(truth - mean))


def stretch(truth: FloatArray, mean: FloatArray, std: FloatArray, hidden: BoolArray) -> float:
    """The factor on std with which a 90% band covers 90% of the hidden cells."""
    z = np.abs(truth - mean)[hidden] / std[hidden]
    return float(np.quantile(z, COVERAGE) / ndtri(0.5 + COVERAGE / 2))
