"""Scores of a method on the hidden cells, and how sure their ratios are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from export.imputation.validate import gaussian_crps
from voladdin._typing import BoolArray, FloatArray

from .data import DeltaAxes, TestSet
from .methods import Method, Prediction

BP = 1e4
LEVEL = 0.90  # of intervals
Z90 = float(ndtri(0.95))


@dataclass(frozen=True)
class Score:
    """Per-surface sums [N] over hidden cells of one method under one mask; NaN where it gives no band."""

    error: FloatArray  # bp
    crps: FloatArray  # bp
    covered: FloatArray
    cells: FloatArray
    ms: float  # a surface

    @property
    def mae(self) -> float:
        """Mean absolute error of the hidden cells, bp of vol."""
        return float(self.error.sum() / self.cells.sum())

    @property
    def mean_crps(self) -> float:
        """Mean CRPS of the hidden cells, bp of vol (of a point forecast: its MAE)."""
        return float(self.crps.sum() / self.cells.sum())

    @property
    def coverage(self) -> float:
        """Share of hidden cells inside the 90% band, in percent."""
        return float(100 * self.covered.sum() / self.cells.sum())

    @staticmethod
    def pooled(parts: Sequence[Score]) -> Score:
        """One score of several test sets; the time is their mean by surface."""
        error, crps, covered, cells = (
            np.concatenate(column) for column in zip(*(p.columns() for p in parts), strict=True)
        )
        ms = float(np.average([p.ms for p in parts], weights=[len(p.cells) for p in parts]))
        return Score(error, crps, covered, cells, ms)

    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """The per-surface sums."""
        return self.error, self.crps, self.covered, self.cells

    def rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Score:
        """The same score on some of the surfaces."""
        error, crps, covered, cells = (column[keep] for column in self.columns())
        return Score(error, crps, covered, cells, self.ms)


def score(truth: FloatArray, missing: BoolArray, prediction: Prediction, ms: float = np.nan) -> Score:
    """Score one prediction [N, T, K] on the hidden cells.

    CRPS is that of the Gaussian in vol with standard deviation vol x std; coverage that of the method's
    own band, or the lognormal one.
    """
    error = np.abs(prediction.mean - truth)
    if not np.isfinite(error[missing]).all():
        raise ValueError("a prediction is not finite on a hidden cell")
    crps, covered = error, np.full(truth.shape, np.nan)
    if prediction.std is not None:
        crps = gaussian_crps(truth, prediction.mean, prediction.mean * prediction.std)
        low, high = prediction.low, prediction.high
        if low is None or high is None:
            factor = np.exp(Z90 * prediction.std)
            low, high = prediction.mean / factor, prediction.mean * factor
        covered = ((truth >= low) & (truth <= high)).astype(float)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.where(missing, values, 0.0).sum(axis=(1, 2)))

    return Score(
        BP * total(error), BP * total(crps), total(covered), missing.sum(axis=(1, 2)).astype(float), ms
    )


Scores = dict[tuple[str, str], Score]


def evaluate(
    methods: Sequence[Method],
    vols: FloatArray,
    priors: FloatArray | None,
    masks: Mapping[str, BoolArray],
    axes: DeltaAxes,
) -> Scores:
    """Score fitted methods on vols [N, T, K] under every mask; keys are (method name, mask name).

    A method that uses a prior is given priors [N, T, K]. Times are wall clock of one batch call.
    """
    scores: Scores = {}
    for method in methods:
        for name, missing in masks.items():
            shown = np.where(missing, np.nan, vols)
            start = time.perf_counter()
            prediction = method.predict(shown, axes, priors if method.uses_prior else None)
            ms = 1e3 * (time.perf_counter() - start) / len(vols)
            scores[method.name, name] = score(vols, missing, prediction, ms)
    return scores


def evaluate_set(methods: Sequence[Method], test: TestSet, masks: Mapping[str, BoolArray]) -> Scores:
    """`evaluate` on a test set."""
    return evaluate(methods, test.vols, test.priors, masks, test.axes)


def latency(method: Method, test: TestSet, missing: BoolArray, count: int = 30) -> float:
    """Median wall clock, ms, of one surface at a time (the first `count`, after one to warm up)."""
    shown = np.where(missing, np.nan, test.vols)[:count]
    times = []
    for i in [0, *range(len(shown))]:
        prior = test.priors[i : i + 1] if method.uses_prior and test.priors is not None else None
        start = time.perf_counter()
        method.predict(shown[i : i + 1], test.axes, prior)
        times.append(time.perf_counter() - start)
    return float(1e3 * np.median(times[1:]))


def ratio_interval(
    numerator: FloatArray,
    denominator: FloatArray,
    day: NDArray[np.int64],
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Ratio of two sums over surfaces [N], with its paired 90% bootstrap interval, resampling whole days.

    Both sums are over the same hidden cells, so the ratio of sums is the ratio of means. Three NaN where the
    denominator is 0: nothing was hidden.
    """
    if not denominator.any():
        return np.nan, np.nan, np.nan
    days, index = np.unique(day, return_inverse=True)
    sums = np.stack([np.bincount(index, weights=x) for x in (numerator, denominator)])
    picks = np.random.default_rng(seed).multinomial(len(days), np.full(len(days), 1 / len(days)), size=draws)
    top, bottom = picks @ sums[0], picks @ sums[1]
    low, high = np.quantile(top[bottom > 0] / bottom[bottom > 0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(sums[0].sum() / sums[1].sum()), float(low), float(high)
