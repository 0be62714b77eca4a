"""A surface's own residuals: sizes, widths, lengths and noise, adapted from those of its best candidates.

Many quotes say more of a surface than which of the learned priors it is like. The hyper-parameters of the
residual processes and of the noise move, as logarithms, to where the evidence is largest under a Gaussian
prior about the candidate's own (Rasmussen and Williams 2006, section 5.4.1); the rest of it stays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from .process import NUGGET, Candidates, Points

ADAPTED = (
    *("residual_std", "residual_width", "residual_length"),
    *("rough_std", "rough_width", "rough_length", "noise_std"),
)
WANDER = 0.35  # standard deviation of the logarithms about a candidate's own
_STEPS, _FARTHEST = 8, 3.0


class _LogPosterior:
    """Minus the log posterior of the moves [g, 7] of g candidates, given values [n], and its gradient."""

    def __init__(self, candidates: Candidates, quotes: Points, values: FloatArray) -> None:
        self._h = {name: value[:, None, None] for name, value in candidates.hyper.items()}
        self._nu, self._n, self._index = candidates.degrees, len(values), np.arange(len(values))
        self._time = np.abs(quotes.t[:, None] - quotes.t)
        self._across = np.abs(quotes.u[:, None] - quotes.u)
        self._sizes = {name: self._size(name, quotes) for name in ("residual", "rough")}
        late = quotes.t[:, None] + quotes.t + 2.0
        self._sizes["residual"] *= np.exp(self._h["residual_growth"] * late)
        self._noise = candidates.noise(quotes) - NUGGET
        still = dict.fromkeys(("residual_std", "rough_std", "noise_std"), np.zeros(len(candidates)))
        bare = replace(candidates, hyper={**candidates.hyper, **still})
        self._fixed = bare.of_quotes(quotes)
        self._residual = values - candidates.mean(quotes)

    def _size(self, name: str, quotes: Points) -> FloatArray:
        side = self._h[f"{name}_std"][..., 0] * (1.0 + self._h[f"{name}_wings"][..., 0] * np.abs(quotes.u))
        return np.asarray(side[:, :, None] * side[:, None])

    def __call__(self, flat: FloatArray) -> tuple[float, FloatArray]:
        move = flat.reshape(len(self._nu), -1)
        by = np.exp(move)[:, :, None, None]
        smooth, rough = self._process("residual", by[:, :3]), self._process("rough", by[:, 3:6])
        noise = self._noise * by[:, 6, 0] ** 2
        covariance = self._fixed + smooth[0] + rough[0]
        covariance[:, self._index, self._index] += noise
        root: FloatArray = np.asarray(np.linalg.cholesky(covariance), dtype=float)
        inverse = _inverse_of(root)
        pull = (inverse @ self._residual[..., None])[..., 0]
        distance = (pull * self._residual).sum(-1)
        most = self._nu + self._n
        minus = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(-1) + 0.5 * most * np.log1p(
            distance / self._nu
        )
        inverse -= (most / (self._nu + distance))[:, None, None] * pull[:, :, None] * pull[:, None]
        slopes = [0.5 * np.einsum("gij,gij->g", inverse, part) for part in (*smooth, *rough)]
        slopes = [2.0 * s if i % 3 == 0 else s for i, s in enumerate(slopes)]
        slopes.append((np.diagonal(inverse, axis1=1, axis2=2) * noise).sum(-1))
        total = float(minus.sum() + 0.5 * (move**2).sum() / WANDER**2)
        return total, (np.stack(slopes, axis=-1) + move / WANDER**2).ravel()

    def _process(self, name: str, by: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Covariance [g, n, n] of a residual process, and its derivatives by log width and log length."""
        time = self._time / (self._h[f"{name}_length"] * by[:, 2])
        r = np.sqrt(5.0) * self._across / (self._h[f"{name}_width"] * by[:, 1])
        front = self._sizes[name] * by[:, 0] ** 2 * np.exp(-r)
        if name == "rough":
            fall = np.exp(-time)
            along, slope = fall, time * fall
        else:
            fall = np.exp(-np.sqrt(3.0) * time)
            along, slope = (1.0 + np.sqrt(3.0) * time) * fall, 3.0 * time**2 * fall
        across = front * (1.0 + r + r * r / 3.0)
        return across * along, front * (r * r * (1.0 + r) / 3.0) * along, across * slope


def _inverse_of(roots: FloatArray) -> FloatArray:
    """[g, n, n] of the matrices with those Cholesky roots."""
    from scipy.linalg.lapack import dpotri  # not at import, which is to be light

    lower = np.stack([np.tril(dpotri(root, lower=1)[0]) for root in roots])
    return np.asarray(lower + np.tril(lower, -1).transpose(0, 2, 1))


def adapted(candidates: Candidates, quotes: Points, values: FloatArray) -> Candidates:
    """Candidates with residuals and noise as the quotes have them; values: [n] log-vols less their centre."""
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
    moves = np.exp(found.x.reshape(len(candidates), -1))
    moved = {name: candidates.hyper[name] * moves[:, i] for i, name in enumerate(ADAPTED)}
    return replace(candidates, hyper={**candidates.hyper, **moved})
