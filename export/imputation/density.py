"""History as a density: recent, mirrored, in regimes; what both the Gaussian answer and the network learn.

Fitted on daily log-vols of the core grid. Three choices matter, and `voladdin bench ablation` measures them:

recency    days lose half their weight in `half_life` years
mirror     a small share of every regime with delta turned into 1 - delta: the pair quoted the other way round
regimes    k-means in whitened principal scores, so that the locally weighted Gaussian needs no history

A few simulated regimes keep the covariance sound where history is short, and the answer sane far from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.vq import kmeans2

from voladdin._typing import BoolArray, FloatArray, IntArray

from ..history import Days

SCORES = 6
SCALE_VARIANCE = 0.25**2
LEVEL_KERNEL = (1.7, 1e-2, 0.10)  # width, floor, share of the whole history
CHANGE_KERNEL = (1.5, 1e-2, 0.10)
SIMULATED_REGIMES, SIMULATED_DAYS = 8, 50.0  # how many, and their weight in days of history
ROBUST_DEGREES = 3.0
AGES = (1, 2, 5, 10, 21, 63)
EM_ROUNDS, SEED = 20, 0


@dataclass(frozen=True)
class Choices:
    """What the density makes of history.

    half_life: years in which days lose half their weight. mirror: share of each regime with delta turned into
    1 - delta. regimes: how many, at most one for 30 days.
    """

    half_life: float = 2.5
    mirror: float = 0.10
    regimes: int = 48


def complete(logs: FloatArray, weight: FloatArray) -> FloatArray:
    """Fill holes of log-vols [N, c] with draws from the Gaussian that EM fits to what is there.

    Draws rather than means: means would hide the variance of the missing part (Little-Rubin 2002, chapter 8).
    """
    missing = ~np.isfinite(logs)
    if not missing.any():
        return logs
    count = np.maximum((~missing).sum(0), 1)
    mean = np.where(missing, 0.0, logs).sum(0) / count
    filled = np.where(missing, mean, logs)
    patterns, index = np.unique(missing, axis=0, return_inverse=True)
    share = weight / weight.sum()
    covariance = _covariance(filled, share) + 1e-4 * np.eye(logs.shape[1])
    extra = np.zeros_like(covariance)
    for _ in range(EM_ROUNDS):
        extra[:] = 0.0
        for k, holes in enumerate(patterns):
            rows = np.flatnonzero(index.ravel() == k)
            gain, rest = _regress(covariance, holes)
            filled[np.ix_(rows, holes)] = mean[holes] + (filled[np.ix_(rows, ~holes)] - mean[~holes]) @ gain.T
            extra[np.ix_(holes, holes)] += share[rows].sum() * rest
        mean = share @ filled
        covariance = _covariance(filled, share) + extra + 1e-8 * np.eye(len(mean))
    rng = np.random.default_rng(SEED)
    for k, holes in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == k)
        if holes.any():
            rest = _regress(covariance, holes)[1]
            filled[np.ix_(rows, holes)] += rng.multivariate_normal(
                np.zeros(holes.sum()), rest, len(rows), method="eigh"
            )
    return filled


def _regress(covariance: FloatArray, holes: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Regression of the holes on the rest, and what it leaves."""
    seen = ~holes
    cross = covariance[np.ix_(holes, seen)]
    gain = np.linalg.solve(covariance[np.ix_(seen, seen)] + 1e-10 * np.eye(seen.sum()), cross.T).T
    rest = covariance[np.ix_(holes, holes)] - gain @ cross.T
    return np.asarray(gain, float), 0.5 * (rest + rest.T)


def fit_density(days: Days, simulated: FloatArray, choices: Choices | None = None) -> dict[str, FloatArray]:
    """The arrays of a bundle that describe levels and daily changes; simulated: log-vols [n, c]."""
    choices = choices or Choices()
    recency = 0.5 ** (days.age / choices.half_life)
    logs = complete(days.logs, recency)
    mirror = _mirror(days)
    origin, scores = _scores(logs, recency)
    labels, history = _regimes(logs, recency, origin, scores, choices.regimes)
    _, invented = _regimes(simulated, np.ones(len(simulated)), origin, scores, SIMULATED_REGIMES)
    changes, steps_weight, change_labels = _changes(days, logs, recency, labels)
    scatter = _scatter(changes, steps_weight, change_labels, len(history["weight"]))
    total = np.average(scatter, axis=0, weights=history["weight"])
    share = SIMULATED_DAYS / (SIMULATED_DAYS + recency.sum())
    parts = [
        _Part.of(history, 1.0 - share, scatter),
        _Part.of(invented, share, np.tile(total, (len(invented["weight"]), 1, 1))),
    ]
    if mirror is not None and choices.mirror:
        parts = [half for part in parts for half in part.mirrored(mirror, choices.mirror)]
    return {
        "level_weight": np.concatenate([part.weight * part.share for part in parts]),
        "level_mean": np.concatenate([part.mean for part in parts]),
        "level_scatter": np.concatenate([part.scatter for part in parts]),
        "change_scatter": np.concatenate([part.changes for part in parts]),
        "level_kernel": np.array(LEVEL_KERNEL),
        "change_kernel": np.array(CHANGE_KERNEL),
        "origin": origin,
        "scores": scores,
        "scale_variance": np.array(SCALE_VARIANCE),
        "growth": np.array(growth(days, logs)),
    }


@dataclass(frozen=True)
class _Part:
    """R regimes: weight [R] within the part, mean [R, c], scatter and that of daily changes [R, c, c].

    share: what the part weighs in all.
    """

    weight: FloatArray
    mean: FloatArray
    scatter: FloatArray
    changes: FloatArray
    share: float

    @classmethod
    def of(cls, regimes: dict[str, FloatArray], share: float, changes: FloatArray) -> _Part:
        """Regimes that weigh `share` in all."""
        return cls(regimes["weight"], regimes["mean"], regimes["scatter"], changes, share)

    def mirrored(self, index: IntArray, share: float) -> tuple[_Part, _Part]:
        """The part, and the share of it that has its cells turned by `index`."""
        turned = self.scatter[:, index][:, :, index], self.changes[:, index][:, :, index]
        return (
            replace(self, share=self.share * (1.0 - share)),
            _Part(self.weight, self.mean[:, index], *turned, self.share * share),
        )


def _mirror(days: Days) -> IntArray | None:
    """Index that turns delta into 1 - delta, or None on a grid that is not symmetric."""
    if not np.allclose(days.deltas, 1.0 - days.deltas[::-1], atol=1e-6):
        return None
    return np.arange(len(days.tenors) * len(days.deltas)).reshape(len(days.tenors), -1)[:, ::-1].ravel()


def _covariance(logs: FloatArray, share: FloatArray) -> FloatArray:
    centred = logs - share @ logs
    covariance: FloatArray = (centred * share[:, None]).T @ centred
    return covariance


def _scores(logs: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    share = weight / weight.sum()
    values, vectors = np.linalg.eigh(_covariance(logs, share))
    count = min(SCORES, logs.shape[1])
    top = slice(-1, -count - 1, -1)
    return share @ logs, vectors[:, top] / np.sqrt(np.maximum(values[top], 1e-8))


def _regimes(
    logs: FloatArray, weight: FloatArray, origin: FloatArray, scores: FloatArray, count: int
) -> tuple[IntArray, dict[str, FloatArray]]:
    place = (logs - origin) @ scores
    rng = np.random.default_rng(SEED)
    drawn = place[rng.choice(len(place), 20_000, p=weight / weight.sum())]
    count = max(1, min(count, len(logs) // 30))
    centres, _ = kmeans2(drawn, count, seed=SEED, minit="++")
    labels = ((place[:, None] - centres) ** 2).sum(-1).argmin(1)
    _, labels = np.unique(labels, return_inverse=True)
    mass = np.bincount(labels, weights=weight)
    mean = np.stack([np.average(logs[labels == k], 0, weight[labels == k]) for k in range(len(mass))])
    scatter = _scatter(logs - mean[labels], weight, labels, len(mass))
    return labels, {"weight": mass / mass.sum(), "mean": mean, "scatter": scatter}


def _scatter(centred: FloatArray, weight: FloatArray, labels: IntArray, count: int) -> FloatArray:
    out = np.empty((count, centred.shape[1], centred.shape[1]))
    for k in range(count):
        rows = labels == k
        share = weight[rows] / max(weight[rows].sum(), 1e-300)
        out[k] = (centred[rows] * share[:, None]).T @ centred[rows]
    return out


def _changes(
    days: Days, logs: FloatArray, recency: FloatArray, labels: IntArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Daily log changes, their weights (recency x robustness) and the regime of the day before.

    The robust weight (nu + c) / (nu + d²) is that of the multivariate-t scatter, so that a few jumps do not
    set the correlations of every other day (Lange, Little and Taylor 1989).
    """
    first, later = days.steps()
    change, weight = logs[later] - logs[first], recency[later]
    cells = logs.shape[1]
    robust = np.ones(len(change))
    for _ in range(20):
        scatter = (change * (weight * robust / weight.sum())[:, None]).T @ change
        white = np.linalg.solve(np.linalg.cholesky(scatter + 1e-10 * np.eye(cells)), change.T)
        robust = (ROBUST_DEGREES + cells) / (ROBUST_DEGREES + (white**2).sum(0))
    # per-regime scatter divides by the weights' sum: the robust factor must stay in the numerator only
    return change * np.sqrt(robust)[:, None], weight, labels[first]


def growth(days: Days, logs: FloatArray) -> float:
    """Power p of the scatter's growth with age, age ** p, from median squared changes over AGES."""
    scale = []
    for age in AGES:
        first, later = days.steps(age)
        if len(first) < 20:
            break
        scale.append(np.log(np.median((logs[later] - logs[first]) ** 2, axis=0).mean() + 1e-12))
    if len(scale) < 2:
        return 1.0
    return float(np.clip(np.polyfit(np.log(AGES[: len(scale)]), scale, 1)[0], 0.2, 1.2))
