"""How much wider spreads must be: of adapted priors, which saw the quotes twice, and as quotes tell. And how
the search for adapted priors begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from voladdin._typing import FloatArray
from voladdin.imputation.processes.adapting import ADAPTED, LogPosterior, likeliest
from voladdin.imputation.processes.any_market import Universal
from voladdin.imputation.processes.covariance import ListedPairs
from voladdin.imputation.processes.evidence import weigh
from voladdin.imputation.processes.many_quotes import condition_many
from voladdin.imputation.processes.process import FEW, Candidates
from voladdin.imputation.spreads import COVERED, REACH, regressors

from .samples import Sample

_SOFT = 0.02  # of the pinball's corner
_STEPS, _APART = 12, 0.03  # to the likeliest moves, and between those whose slopes tell the curvature


def adapting_root(candidates: Candidates, held: Iterable[Sample]) -> FloatArray:
    """Lower triangular A [h, h] of which A Aᵀ is the inverse of the mean curvature of minus the log posterior
    of moves, where they are likeliest: of samples never trained on, of enough quotes to tell; the prior's own
    where there is none.
    """
    found = [_curvature(candidates, s) for s in held if s.count >= FEW]
    curvature = np.mean(found, axis=0) if found else np.eye(len(ADAPTED))
    return np.asarray(np.linalg.cholesky(np.linalg.inv(curvature)))


def _curvature(candidates: Candidates, sample: Sample) -> FloatArray:
    """[h, h] of the candidate that the quotes make likeliest."""
    quotes, values = sample.points[: sample.count].own_tenors, sample.y[: sample.count]
    several, log = weigh(candidates, quotes, candidates.straight_of_quotes(quotes), values)
    one, every = several[np.array([log.argmax()])], np.eye(len(ADAPTED))
    posterior = LogPosterior(one, quotes, ListedPairs.among(quotes), values)
    best = likeliest(posterior, every, _STEPS)
    rise = [posterior(best + step)[1] - posterior(best - step)[1] for step in _APART * every]
    return np.asarray((np.array(rise) + np.transpose(rise)) / (4.0 * _APART))


def adapted_stretch(candidates: Candidates, held: Iterable[Sample], widen: float) -> FloatArray:
    """Numbers (a, b) of the factor exp(a + b ln(n / 30)) on spreads, after adaptation to n quotes, with which
    90% bands cover 90% of what is hidden of samples never trained on, of few quotes and of many.

    Quantile regression of the log of errors over spreads, every sample of the same weight. widen: the factor
    that all spreads have beside it.
    """
    plain = replace(candidates, adapted_stretch=np.zeros(2))
    scored = [_scores(plain, s) for s in held if s.count >= candidates.adapting]
    x = np.concatenate([np.full(len(score), np.log(n / FEW)) for n, score in scored])
    y = np.concatenate([np.log(np.maximum(score, 1e-4) / (REACH * widen)) for _, score in scored])
    weight = np.concatenate([np.full(len(score), 1.0 / len(score)) for _, score in scored])

    return _regressed(np.stack([np.ones_like(x), x], axis=1), y, weight)


def surface_stretch(candidates: Candidates, held: Iterable[Sample], widen: float) -> FloatArray:
    """Numbers [k] of the factor exp(k . x) on spreads with which 90% bands cover 90% whatever the quotes tell
    (x: `voladdin.imputation.spreads.regressors`). held: whole samples; widen: as of `adapted_stretch`.
    """
    each = [_regressors_and_scores(Universal(candidates), s) for s in held]
    x, scores = np.concatenate([one for one, _ in each]), [score for _, score in each]
    y = np.concatenate([np.log(np.maximum(score, 1e-4) / (REACH * widen)) for score in scores])
    weight = np.concatenate([np.full(len(score), 1.0 / len(score)) for score in scores])
    return _regressed(x, y, weight)


def _regressors_and_scores(model: Universal, sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Of what is hidden."""
    hidden = np.arange(len(sample.t)) >= sample.count
    points, values = sample.points, np.where(hidden, np.nan, sample.y)
    found = model.at(points, values)
    said = regressors(sample.u, points.rows, values[None], found.zscore[None], found.expiries[None])[0]
    return said[hidden], np.abs(sample.y - found.mean)[hidden] / found.std[hidden]


def _regressed(x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """[k] of the `COVERED` quantile of y [N], linear in x [N, k]."""

    def pinball(b: FloatArray) -> float:
        left = y - x @ b
        return float(weight @ (COVERED * left + _SOFT * np.logaddexp(0.0, -left / _SOFT)) / weight.sum())

    return np.asarray(minimize(pinball, np.zeros(x.shape[1]), method="BFGS").x)


def _scores(candidates: Candidates, sample: Sample) -> tuple[int, FloatArray]:
    """Quotes, and errors over spreads of what is hidden."""
    points, n = sample.points, sample.count
    given = condition_many(candidates, points[:n], sample.y[:n])
    mean, variance = Universal(candidates).ask(given, points[:n], points[n:])
    return n, np.abs(sample.y[n:] - mean) / np.sqrt(variance)
