"""A surface's own sizes and lengths: hyper-parameters adapted from those of its best candidates.

Many quotes say more of a surface than which of the learned priors it is like. The hyper-parameters of the
processes and of the noise move (scales and lengths as logarithms) to where the evidence is largest under a
Gaussian prior about the candidate's own (Rasmussen and Williams 2006, section 5.4.1); trends and the smile
that bends stay. How far each may wander is learned with the priors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._typing import FloatArray
from .covariance import ListedPairs
from .points import Points
from .process import HYPERPARAMETERS, LOGARITHMS, NUGGET, Candidates

ADAPTED = tuple(name for name in HYPERPARAMETERS if name not in ("degrees", "logit"))
_STEPS, _LONGEST, _FARTHEST = 3, 1.5, 3.0
_SMILE = ("skew_std", "curvature_std", "wing_std")
_Slopes = dict[str, Any]
Objective = Callable[[FloatArray], tuple[float, FloatArray]]  # minus its logarithm, and the slope
_InTime = tuple[FloatArray, dict[str, FloatArray]]


class LogPosterior:
    """Minus the log posterior of one candidate's moves [h], given values [n], and its gradient.

    Moves are in standard deviations of their prior. Covariances are of the pairs of points [P]; their parts
    in time, with their derivatives, of pairs of tenors [R * R].
    """

    def __init__(self, one: Candidates, quotes: Points, pairs: ListedPairs, values: FloatArray) -> None:
        self._own = {name: float(one.hyper[name][0]) for name in ADAPTED}
        self._wander, self._nu, self._pairs = one.wander, float(one.degrees[0]), pairs
        self._lower, self._diagonal = pairs.i * len(quotes) + pairs.j, np.flatnonzero(pairs.i == pairs.j)
        t = quotes.tenors
        self._gap, self._late = np.abs(t[:, None] - t).ravel(), (t[:, None] + t + 2.0).ravel()
        self._square = quotes.u**2
        factor = np.concatenate([quotes.basis @ one.root[0], one.bent(quotes)[1][0]], axis=1)
        fixed = factor @ factor.T
        fixed[np.diag_indices(len(quotes))] += NUGGET
        self._fixed, self._residual = fixed.take(self._lower), values - one.mean(quotes)[0]

    def __call__(self, move: FloatArray) -> tuple[float, FloatArray]:
        h = moved(self._own, move * self._wander)
        level, smile, across = self._level(h), self._time(h), self._pairs.across(self._weights(h))
        both = [_Between.of(h, name, self._pairs, self._between(h, name)) for name in ("residual", "rough")]
        along = smile[0].take(self._pairs.tenors)
        pairs = self._fixed + across * along
        pairs += level[0].take(self._pairs.tenors)
        for one in both:
            pairs += one.covariance
        wings = h["noise_wings"] * self._square
        noise = h["noise_std"] ** 2 * (1.0 + wings)
        minus, inverse = self._evidence(pairs, noise)
        each = np.diagonal(inverse) * noise
        slopes: _Slopes = {"noise_std": each.sum(), "noise_wings": 0.5 * each @ (wings / (1.0 + wings))}
        by_pair = inverse.take(self._lower)
        by_pair[self._diagonal] *= 0.5
        slopes |= self._in_time(by_pair, level) | self._in_time(by_pair * across, smile)
        sizes = self._pairs.smile @ (by_pair * along)
        slopes |= dict(zip(_SMILE, 2.0 * self._weights(h) * sizes, strict=True))
        for one in both:
            slopes |= one.slopes(by_pair, self._pairs)
        gradient = np.array([slopes[name] for name in ADAPTED]) * self._wander + move
        return float(minus + 0.5 * (move @ move)), gradient

    def _evidence(self, pairs: FloatArray, noise: FloatArray) -> tuple[float, FloatArray]:
        """Minus the log evidence, and twice its derivatives [n, n], the lower triangle, by the covariance."""
        from scipy.linalg.lapack import dpotrf, dpotri, dpotrs  # not at import, which is to be light

        n = len(noise)
        covariance = np.zeros((n, n))
        covariance.reshape(-1)[self._lower] = pairs
        covariance.reshape(-1)[:: n + 1] += noise
        root, wrong = dpotrf(covariance.T, clean=0, overwrite_a=1)
        if wrong:
            raise np.linalg.LinAlgError
        pull = dpotrs(root, self._residual)[0]
        distance, most = float(pull @ self._residual), self._nu + n
        minus = float(np.log(np.diagonal(root)).sum()) + 0.5 * most * np.log1p(distance / self._nu)
        inverse = dpotri(root, overwrite_c=1)[0].T
        inverse -= (most / (self._nu + distance) * pull)[:, None] * pull
        return minus, inverse

    def _weights(self, h: Mapping[str, float]) -> FloatArray:
        return np.array([h[name] for name in _SMILE]) ** 2

    def _level(self, h: Mapping[str, float]) -> _InTime:
        """Covariance of level and event."""
        r = np.sqrt(3.0) / h["level_length"] * self._gap
        front = h["level_std"] ** 2 * np.exp(-r)
        level, apart = front * (1.0 + r), self._gap / h["event_length"]
        event = h["event_std"] ** 2 * np.exp(h["event_growth"] * self._late - apart)
        slopes = {"level_std": 2.0 * level, "level_length": front * r * r, "event_std": 2.0 * event}
        slopes |= {"event_length": event * apart, "event_growth": event * self._late}
        return level + event, slopes

    def _time(self, h: Mapping[str, float]) -> _InTime:
        """Covariance of skew, curvature and wings."""
        r = np.sqrt(5.0) / h["smile_length"] * self._gap
        front = np.exp(h["smile_growth"] * self._late - r)
        along = front * (1.0 + r + r * r / 3.0)
        return along, {"smile_length": front * r * r * (1.0 + r) / 3.0, "smile_growth": along * self._late}

    def _between(self, h: Mapping[str, float], name: str) -> _InTime:
        """Covariance of a residual process of variance 1."""
        time = self._gap / h[f"{name}_length"]
        if name == "rough":
            along = np.exp(-time)
            return along, {"length": time * along}
        front = np.exp(h["residual_growth"] * self._late - np.sqrt(3.0) * time)
        along = front * (1.0 + np.sqrt(3.0) * time)
        return along, {"length": 3.0 * front * time**2, "growth": along * self._late}

    def _in_time(self, by_pair: FloatArray, parts: _InTime) -> _Slopes:
        summed = np.bincount(self._pairs.tenors, by_pair, len(self._gap))
        return {name: summed @ slope for name, slope in parts[1].items()}


@dataclass(frozen=True)
class _Between:
    """A residual process. r: [P] distances in u; decay: [P], e to minus these; across, size: [P], its
    correlation in u and how it grows with u; time: [P].
    """

    name: str
    variance: float
    wings: float
    r: FloatArray
    decay: FloatArray
    across: FloatArray
    size: FloatArray
    time: FloatArray
    in_time: _InTime

    @classmethod
    def of(cls, h: Mapping[str, float], name: str, pairs: ListedPairs, in_time: _InTime) -> _Between:
        r, wings = np.sqrt(5.0) / h[f"{name}_width"] * pairs.gap, h[f"{name}_wings"]
        decay = np.exp(-r)
        time, size = in_time[0].take(pairs.tenors), pairs.growth(wings)
        across = ((1.0 / 3.0 * r + 1.0) * r + 1.0) * decay
        return cls(name, h[f"{name}_std"] ** 2, wings, r, decay, across, size, time, in_time)

    @property
    def covariance(self) -> FloatArray:
        """[P]."""
        return self.variance * self.across * self.size * self.time

    def slopes(self, by_pair: FloatArray, pairs: ListedPairs) -> _Slopes:
        """by_pair: [P], derivatives by the covariance."""
        here = by_pair * (self.variance * self.time)
        sized, shaped = here * self.size, here * self.across
        rise = self.wings * (shaped @ pairs.total + 2.0 * self.wings * (shaped @ pairs.product))
        width = ((1.0 + self.r) * self.r * self.r * self.decay) @ sized / 3.0
        along = self.variance * (self.across * self.size * by_pair)
        summed = np.bincount(pairs.tenors, along, len(self.in_time[0]))
        found = {"std": 2.0 * (summed @ self.in_time[0]), "width": width, "wings": rise}
        found |= {name: summed @ slope for name, slope in self.in_time[1].items()}
        return {f"{self.name}_{name}": value for name, value in found.items()}


def moved(hyper: Mapping[str, Any], move: FloatArray) -> dict[str, Any]:
    """Hyper-parameters, numbers or [g], of those that are adapted, after moves [h] or [g, h]."""
    found = {}
    for name, by in zip(ADAPTED, move.T, strict=True):
        found[name] = hyper[name] * np.exp(by) if name.split("_")[-1] in LOGARITHMS else hyper[name] + by
    return found


def adapted(candidates: Candidates, quotes: Points, values: FloatArray) -> Candidates:
    """Candidates with processes and noise as the quotes have them; values: [n] log-vols less their centre."""
    own, each = quotes.own_tenors, (candidates[np.array([g])] for g in range(len(candidates)))
    pairs, inverse = ListedPairs.among(own), candidates.adapting_root @ candidates.adapting_root.T
    try:
        moves = [likeliest(LogPosterior(one, own, pairs, values), inverse) for one in each]
    except np.linalg.LinAlgError:  # quotes at one place, and a noise that is no more than rounding
        return candidates
    hyper = moved(candidates.hyper, np.stack(moves) * candidates.wander)
    return replace(candidates, hyper={**candidates.hyper, **hyper})


def likeliest(posterior: Objective, inverse: FloatArray, steps: int = _STEPS) -> FloatArray:
    """Moves [h] by quasi-Newton steps (Nocedal and Wright 2006, section 6.1); inverse: of the curvature that
    they begin with. A step that makes it no better tells the curvature, and that the next is to be shorter.
    """
    move, reach = np.zeros(len(inverse)), _LONGEST
    value, slope = posterior(move)
    for _ in range(steps):
        step = -inverse @ slope
        step *= reach / max(reach, np.abs(step).max())
        step = np.clip(move + step, -_FARTHEST, _FARTHEST) - move
        if not step.any():
            break
        there, ahead = posterior(move + step)
        inverse = _updated(inverse, step, ahead - slope)
        if there < value:
            move, value, slope, reach = move + step, there, ahead, _LONGEST
        else:
            reach = 0.5 * float(np.abs(step).max())
    return move


def _updated(inverse: FloatArray, step: FloatArray, rise: FloatArray) -> FloatArray:
    """BFGS's inverse curvature, that takes the gradient's rise to the step."""
    along = step @ rise
    if not along > 0:
        return inverse
    turned = np.eye(len(step)) - np.outer(step, rise / along)
    return turned @ inverse @ turned.T + np.outer(step, step / along)
