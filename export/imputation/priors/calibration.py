"""How much wider spreads must be: of adapted priors, which saw the quotes twice, and beyond the quotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from voladdin._typing import FloatArray
from voladdin.imputation.any_market import Universal
from voladdin.imputation.evidence import condition_many
from voladdin.imputation.outside import outside
from voladdin.imputation.points import Points
from voladdin.imputation.process import FEW, Candidates

from .samples import Sample

_COVERED, _REACH = 0.9, 1.6449
_SOFT = 0.02  # of the pinball's corner


def adapted_stretch(candidates: Candidates, held: Iterable[Sample], widen: float) -> FloatArray:
    """Numbers (a, b) of the factor exp(a + b ln(n / 30)) on spreads, after adaptation to n quotes, with which
    90% bands cover 90% of what is hidden of samples never trained on, of few quotes and of many.

    Quantile regression of the log of errors over spreads, every sample of the same weight. widen: the factor
    that all spreads have beside it.
    """
    plain = replace(candidates, adapted_stretch=np.zeros(2))
    scored = [_scores(plain, s) for s in held if s.count >= candidates.adapting]
    x = np.concatenate([np.full(len(score), np.log(n / FEW)) for n, score in scored])
    y = np.concatenate([np.log(np.maximum(score, 1e-4) / (_REACH * widen)) for _, score in scored])
    weight = np.concatenate([np.full(len(score), 1.0 / len(score)) for _, score in scored])

    return _regressed(np.stack([np.ones_like(x), x], axis=1), y, weight)


def outside_stretch(candidates: Candidates, held: Iterable[Sample], widen: float) -> float:
    """The number b of the factor exp(b s) on spreads with which 90% bands cover 90% outside the range of the
    quotes too; s: `voladdin.imputation.outside.outside`. Samples and widen as of `adapted_stretch`.
    """
    samples = list(held)
    scores = [_scores(candidates, s)[1] for s in samples]
    x = np.concatenate([outside(s.u, np.arange(len(s.u)) < s.count)[s.count :] for s in samples])
    y = np.concatenate([np.log(np.maximum(score, 1e-4) / (_REACH * widen)) for score in scores])
    weight = np.concatenate([np.full(len(score), 1.0 / len(score)) for score in scores])
    return float(_regressed(x[:, None], y, weight)[0])


def _regressed(x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """[k] of the `_COVERED` quantile of y [N], linear in x [N, k]."""

    def pinball(b: FloatArray) -> float:
        left = y - x @ b
        return float(weight @ (_COVERED * left + _SOFT * np.logaddexp(0.0, -left / _SOFT)) / weight.sum())

    return np.asarray(minimize(pinball, np.zeros(x.shape[1]), method="Nelder-Mead").x)


def _scores(candidates: Candidates, sample: Sample) -> tuple[int, FloatArray]:
    """Quotes, and errors over spreads of what is hidden."""
    tenors, rows = np.unique(sample.t, return_inverse=True)
    points, n = Points(tenors, rows, sample.u, sample.own), sample.count
    given = condition_many(candidates, points[:n], sample.y[:n])
    mean, variance = Universal(candidates).ask(given, points[:n], points[n:])
    return n, np.abs(sample.y[n:] - mean) / np.sqrt(variance)
