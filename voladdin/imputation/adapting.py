"""A surface's own sizes and lengths: hyper-parameters adapted from those of its best candidates.

Many quotes say more of a surface than which of the learned priors it is like. The hyper-parameters of the
processes and of the noise move (scales and lengths as logarithms) to where the evidence is largest under a
Gaussian prior about the candidate's own (Rasmussen and Williams 2006, section 5.4.1); trends and the smile
that bends stay. How far each may wander is learned with the priors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from .points import Points
from .process import HYPERPARAMETERS, LOGARITHMS, NUGGET, Candidates

ADAPTED = tuple(name for name in HYPERPARAMETERS if name not in ("degrees", "logit"))
_STEPS, _FARTHEST = 8, 3.0
_SMILE = ("skew_std", "curvature_std", "wing_std")
_Parts = tuple[FloatArray, dict[str, FloatArray]]


class _LogPosterior:
    """Minus the log posterior of the moves [g, h] of g candidates, given values [n], and its gradient.

    Moves are in standard deviations of their prior.
    """

    def __init__(self, candidates: Candidates, quotes: Points, values: FloatArray) -> None:
        self._own = {name: candidates.hyper[name] for name in ADAPTED}
        self._wander = candidates.wander
        self._nu, self._n, self._index = candidates.degrees, len(values), np.arange(len(values))
        tenors, rows = np.unique(quotes.rows, return_inverse=True)
        t = quotes.tenors[tenors]
        self._gap, self._late = np.abs(t[:, None] - t), t[:, None] + t + 2.0
        self._pick = rows[:, None] * len(t) + rows
        self._member = np.eye(len(t))[rows]
        self._after, self._size, self._square = quotes.t + 1.0, np.abs(quotes.u), quotes.u**2
        self._across = np.abs(quotes.u[:, None] - quotes.u)
        self._smile = np.stack(quotes.smile)
        trends, bent = quotes.basis @ candidates.root, candidates.bent(quotes)[1]
        self._fixed = trends @ trends.transpose(0, 2, 1) + bent @ bent.transpose(0, 2, 1)
        self._fixed[:, self._index, self._index] += NUGGET
        self._residual = values - candidates.mean(quotes)

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        move = flat.reshape(len(self._nu), -1)
        h = {name: value[:, None, None] for name, value in moved(self._own, move * self._wander).items()}
        level, smile = self._level(h), self._time(h)
        both = [self._between(h, "residual"), self._between(h, "rough")]
        noise = h["noise_std"][:, 0] ** 2 * (1.0 + h["noise_wings"][:, 0] * self._square)
        covariance = self._fixed + self._spread(level[0]) + both[0][0] + both[1][0]
        bends = np.einsum("gk,ki,kj->gij", self._weights(h), self._smile, self._smile)
        covariance += bends * self._spread(smile[0])
        covariance[:, self._index, self._index] += noise
        root: FloatArray = np.asarray(np.linalg.cholesky(covariance), dtype=float)
        inverse = _inverse_of(root)
        pull = (inverse @ self._residual[..., None])[..., 0]
        distance, most = (pull * self._residual).sum(-1), self._nu + self._n
        minus = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(-1)
        minus += 0.5 * most * np.log1p(distance / self._nu)
        inverse -= (most / (self._nu + distance))[:, None, None] * pull[:, :, None] * pull[:, None]
        slopes = self._level_slopes(inverse, level) | self._smile_slopes(h, inverse, smile)
        for name, parts in zip(("residual", "rough"), both, strict=True):
            slopes |= self._between_slopes(h, name, inverse, parts)
        slopes |= self._noise_slopes(h, np.diagonal(inverse, axis1=1, axis2=2), noise)
        gradient = np.stack([slopes[name] for name in ADAPTED], axis=-1) * self._wander + move
        return float(minus.sum() + 0.5 * (move**2).sum()), gradient.ravel()

    def _spread(self, by_tenor: FloatArray) -> FloatArray:
        """[g, n, n] of [g, R, R]."""
        return by_tenor.reshape(len(by_tenor), -1)[:, self._pick]

    def _weights(self, h: Mapping[str, FloatArray]) -> FloatArray:
        return np.concatenate([h[name][:, 0] for name in _SMILE], axis=-1) ** 2

    def _level(self, h: Mapping[str, FloatArray]) -> _Parts:
        """Covariance [g, R, R] of level and event, and its derivatives."""
        r = np.sqrt(3.0) * self._gap / h["level_length"]
        front = h["level_std"] ** 2 * np.exp(-r)
        level, apart = front * (1.0 + r), self._gap / h["event_length"]
        event = h["event_std"] ** 2 * np.exp(h["event_growth"] * self._late - apart)
        slopes = {"level_std": 2.0 * level, "level_length": front * r * r, "event_std": 2.0 * event}
        slopes |= {"event_length": event * apart, "event_growth": event * self._late}
        return level + event, slopes

    def _level_slopes(self, inverse: FloatArray, parts: _Parts) -> dict[str, FloatArray]:
        by_tenor = self._member.T @ inverse @ self._member
        return {name: 0.5 * (by_tenor * slope).sum((-1, -2)) for name, slope in parts[1].items()}

    def _time(self, h: Mapping[str, FloatArray]) -> _Parts:
        """[g, R, R] of skew, curvature and wings in time, and its derivatives."""
        r = np.sqrt(5.0) * self._gap / h["smile_length"]
        front = np.exp(h["smile_growth"] * self._late - r)
        along = front * (1.0 + r + r * r / 3.0)
        return along, {"smile_length": front * r * r * (1.0 + r) / 3.0, "smile_growth": along * self._late}

    def _smile_slopes(
        self, h: Mapping[str, FloatArray], inverse: FloatArray, parts: _Parts
    ) -> dict[str, FloatArray]:
        weights, along = self._weights(h), parts[0]
        members = self._smile[:, None, :, None] * self._member
        by_tenor = members.swapaxes(-1, -2) @ inverse @ members
        sizes = weights * (by_tenor * along).sum((-1, -2)).T
        whole = np.einsum("gk,kgij->gij", weights, by_tenor)
        found = {name: sizes[:, i] for i, name in enumerate(_SMILE)}
        return found | {name: 0.5 * (whole * slope).sum((-1, -2)) for name, slope in parts[1].items()}

    def _between(self, h: Mapping[str, FloatArray], name: str) -> _Parts:
        """Covariance [g, n, n] of a residual process, and its derivatives by width and length."""
        time, r = self._gap / h[f"{name}_length"], np.sqrt(5.0) * self._across / h[f"{name}_width"]
        if name == "rough":
            along, slope = np.exp(-time), time * np.exp(-time)
        else:
            front = np.exp(h["residual_growth"] * self._late - np.sqrt(3.0) * time)
            along, slope = front * (1.0 + np.sqrt(3.0) * time), 3.0 * front * time**2
        side = h[f"{name}_std"][:, 0] * (1.0 + h[f"{name}_wings"][:, 0] * self._size)
        front = side[:, :, None] * side[:, None] * np.exp(-r)
        across, along = front * (1.0 + r + r * r / 3.0), self._spread(along)
        slopes = {"width": front * (r * r * (1.0 + r) / 3.0) * along, "length": across * self._spread(slope)}
        return across * along, slopes

    def _between_slopes(
        self, h: Mapping[str, FloatArray], name: str, inverse: FloatArray, parts: _Parts
    ) -> dict[str, FloatArray]:
        each = (inverse * parts[0]).sum(-1)
        wings = h[f"{name}_wings"][:, 0] * self._size
        slopes = {"std": each.sum(-1), "wings": (each * wings / (1.0 + wings)).sum(-1)}
        if name == "residual":
            slopes["growth"] = (each * self._after).sum(-1)
        slopes |= {key: 0.5 * (inverse * slope).sum((-1, -2)) for key, slope in parts[1].items()}
        return {f"{name}_{key}": value for key, value in slopes.items()}

    def _noise_slopes(
        self, h: Mapping[str, FloatArray], diagonal: FloatArray, noise: FloatArray
    ) -> dict[str, FloatArray]:
        wings = h["noise_wings"][:, 0] * self._square
        each = diagonal * noise
        return {"noise_std": each.sum(-1), "noise_wings": 0.5 * (each * wings / (1.0 + wings)).sum(-1)}


def _inverse_of(roots: FloatArray) -> FloatArray:
    """[g, n, n] of the matrices with those Cholesky roots."""
    from scipy.linalg.lapack import dpotri  # not at import, which is to be light

    lower = np.stack([np.tril(dpotri(root, lower=1)[0]) for root in roots])
    return np.asarray(lower + np.tril(lower, -1).transpose(0, 2, 1))


def moved(hyper: Mapping[str, FloatArray], move: FloatArray) -> dict[str, FloatArray]:
    """Hyper-parameters [g] of those that are adapted, after moves [g, h]."""
    found = {}
    for name, by in zip(ADAPTED, move.T, strict=True):
        found[name] = hyper[name] * np.exp(by) if name.split("_")[-1] in LOGARITHMS else hyper[name] + by
    return found


def adapted(candidates: Candidates, quotes: Points, values: FloatArray) -> Candidates:
    """Candidates with processes and noise as the quotes have them; values: [n] log-vols less their centre."""
    from scipy.optimize import minimize  # not at import, which is to be light

    posterior, count = _LogPosterior(candidates, quotes, values), len(candidates) * len(ADAPTED)
    options = {"maxiter": _STEPS, "maxfun": _STEPS + 2}
    bounds = [(-_FARTHEST, _FARTHEST)] * count
    try:
        found = minimize(
            posterior, np.zeros(count), jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
    except np.linalg.LinAlgError:  # quotes at one place, and a noise that is no more than rounding
        return candidates
    hyper = moved(candidates.hyper, found.x.reshape(len(candidates), -1) * candidates.wander)
    return replace(candidates, hyper={**candidates.hyper, **hyper})
