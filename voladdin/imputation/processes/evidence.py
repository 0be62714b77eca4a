"""Which priors the quotes speak for, and what those say of other cells: exact conditioning, mixed.

Each candidate's scale is uncertain (an inverse-gamma variance), so its evidence is a multivariate Student t
and its spread follows how surprising the quotes are, (nu + d²) / (nu + n). What is said of each quote by the
others comes from the inverse covariance in closed form (Rasmussen and Williams 2006, equations 5.10 to 5.12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditioning import inverse_root, lower_root, times_transposed
from .bending import NUMBERS
from .points import Points
from .process import Candidates

_LEAST = 2e-3  # a candidate of less weight is dropped
_MOST = 6  # candidates kept
LEAST_VARIANCE = 1e-9
ENOUGH = 3.0  # sum of squares of u about its mean within expiries that tells smiles apart
FARTHEST_HEARD, MOST_UNHEARD = 6.0, 0.05  # deviations beyond which quotes tell nothing, if these are so few
_SURE = 20.0  # log odds of a kind of market are bounded
USUAL, ODD = 2.5, 5.0  # z beyond so many deviations costs so much log weight each
STEPS, LONGEST, FARTHEST = 3, 2.0, 2.5  # of the search for z: each step, and all, in its deviations


@dataclass(frozen=True)
class WeighedCandidates:
    """n quotes under the g candidates they leave. kept: [g], which; weight: [g]; spread: [g], on variances.

    candidates: those g, their smiles linear about what the quotes make likeliest.

    whiten: [g, n, n], W K Wᵀ = I; white: [g, n], W times the residuals. others: how many of them, the last,
    have the smile of another kind of market.

    Of S surfaces with n quotes each all has a first axis S; who keeps fewer than g has weights of 0.
    """

    kept: IntArray
    candidates: Candidates
    weight: FloatArray
    spread: FloatArray
    whiten: FloatArray
    white: FloatArray
    others: int = 0

    def answer(
        self, mean: FloatArray, cross: FloatArray, variance: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Mean and variance [N] of cells, from the priors'.

        mean, variance: [g, N]; cross: [g, N, n], which is written over.
        """
        gain = times_transposed(cross, self.whiten)
        centre = mean + (gain @ self.white[..., None])[..., 0]
        left = np.maximum(variance - (gain**2).sum(-1), LEAST_VARIANCE)
        return mixture(self.weight, centre, left * self.spread[..., None])

    @property
    def foreign(self) -> FloatArray:
        """[...] the weight of other kinds of market than the candidates'."""
        return np.asarray(self.weight[..., self.weight.shape[-1] - self.others :].sum(-1))

    @cached_property
    def pull(self) -> FloatArray:
        """[g, n], K⁻¹ times the residuals: the mean of cells moves by cross @ pull."""
        return np.asarray((self.white[..., None, :] @ self.whiten)[..., 0, :])

    @cached_property
    def left_out(self) -> tuple[FloatArray, FloatArray]:
        """Residual and variance [n] of each quote given the others."""
        precision = (self.whiten**2).sum(-2)
        return mixture(self.weight, self.pull / precision, self.spread[..., None] / precision)

    def of(self, surface: int) -> WeighedCandidates:
        """One surface's."""
        names = ("kept", "weight", "spread", "whiten", "white")
        arrays: dict[str, Any] = {name: getattr(self, name)[surface] for name in names}
        return replace(self, candidates=self.candidates.of_surface(surface), **arrays)


def mixture(weight: FloatArray, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance [..., N] of components [..., g, N] of weights [..., g]."""
    weight = weight[..., None, :]
    centre = weight @ mean
    return centre[..., 0, :], (weight @ (variance + (mean - centre) ** 2))[..., 0, :]


def condition(
    candidates: Candidates,
    quotes: Points,
    covariance: FloatArray,
    values: FloatArray,
    level: FloatArray | None = None,
) -> WeighedCandidates:
    """All candidates given n quotes of log-vols `values` [n]; covariance: `straight_of_quotes`, [G, n, n].

    level: the log-vol that they are about, which tells kinds of market apart, if any. Of S surfaces with n
    quotes each: values [S, n], level [S], as many points, and covariance [S, G, n, n].
    """
    found, log = weigh(candidates, quotes, covariance, values)
    kept, weight = kept_of(log)
    chosen, own = found[kept], np.take_along_axis(covariance, kept[..., None, None], -3)
    also = of_kinds(chosen.first, quotes, own[..., :1, :, :], values, level)
    if also is not None:
        chosen, weight = chosen.beside(also[0]), joined_weight(weight, also[1])
        pick = np.append(np.arange(kept.shape[-1]), np.zeros(also[1].shape[-1], int))
        kept, own, basis = kept[..., pick], own[..., pick, :, :], quotes.basis[..., None, :, :]
        own += basis @ (chosen.trends - candidates.trends[kept]) @ basis.swapaxes(-1, -2)
    others = 0 if also is None else also[1].shape[-1]
    return replace(weighed(chosen, kept, weight, quotes, own, values), others=others)


def of_kinds(
    first: Candidates, quotes: Points, covariance: FloatArray, values: FloatArray, level: FloatArray | None
) -> tuple[Candidates, FloatArray] | None:
    """A candidate with the smile of each kind of market, and the odds of each [..., M] to its own; None
    where no surface is thin. covariance: [..., 1, n, n].
    """
    kinds, few = first.kinds, thin(quotes)
    if kinds is None or level is None or not few.any():
        return None
    several, log = weigh(first.with_each_kind, quotes, covariance, values)
    gain = log - weigh(first, quotes, covariance, values)[1] + kinds.log_odds(level)
    return several, np.where(few[..., None], np.exp(np.clip(gain, -_SURE, _SURE)), 0.0)


def thin(quotes: Points) -> BoolArray:
    """Whether the quotes of each surface [...] say little of smiles; u and rows [..., n]."""
    member = quotes.rows[..., None] == np.arange(len(quotes.tenors))
    count = np.maximum(member.sum(-2), 1)
    mean = (member * quotes.u[..., None]).sum(-2) / count
    away = quotes.u - np.take_along_axis(mean, quotes.rows, -1)
    return np.asarray((away**2).sum(-1) < ENOUGH)


def joined_weight(weight: FloatArray, odds: FloatArray) -> FloatArray:
    whole = np.concatenate([weight, odds], -1)
    return np.asarray(whole / whole.sum(-1, keepdims=True))


def weigh(
    candidates: Candidates, quotes: Points, covariance: FloatArray, values: FloatArray, steps: int = STEPS
) -> tuple[Candidates, FloatArray]:
    """The candidates about what the quotes make likeliest; [..., G] log of prior weight times tempered
    evidence.

    covariance: `straight_of_quotes`, [..., G, n, n]; values: [..., n]. z by so many Gauss-Newton steps; the
    evidence is Laplace's, less for a shape that is far from usual: quotes that contradict each other are no
    smile.
    """
    roots = lower_root(covariance)
    n, about, step = values.shape[-1], candidates, np.zeros(candidates.bend.shape)
    residual = values[..., None, :] - candidates.straight_mean(quotes)
    for left in reversed(range(steps + 1)):
        mean, factor = about.bent(quotes)
        both = np.concatenate([(residual - mean)[..., None], factor], axis=-1)
        white = _forward(roots, both)
        square = white.swapaxes(-1, -2) @ white
        inner, right = square[..., 1:, 1:] + np.eye(NUMBERS), square[..., 1:, 0]
        wanted = np.asarray(np.linalg.solve(inner, right[..., None])[..., 0], dtype=float)
        if left:
            step = next_step(step, wanted)
            about = about.after(step)
    distance = square[..., 0, 0] - (right * wanted).sum(-1)
    log_det = np.log(np.diagonal(roots, axis1=-2, axis2=-1)).sum(-1) + 0.5 * np.linalg.slogdet(inner)[1]
    return about, log_evidence(candidates, n, log_det, distance, wanted)


def log_evidence(
    candidates: Candidates, count: int, log_det: FloatArray, distance: FloatArray, z: FloatArray
) -> FloatArray:
    """[..., G] log of prior weight times tempered evidence of `count` quotes.

    log_det: of the covariance's root; distance: squared, of the quotes; z: [..., G, 4], the likeliest.
    """
    nu, n = candidates.degrees, count
    constant = scipy.special.gammaln(0.5 * (nu + n)) - scipy.special.gammaln(0.5 * nu)
    log = constant - 0.5 * n * np.log(nu) - log_det
    log -= 0.5 * (nu + n) * np.log1p(np.maximum(distance, 0.0) / nu)
    size = np.sqrt((z**2).sum(-1))
    log = candidates.belief(n) * log - ODD * np.maximum(size - USUAL, 0.0)
    return np.asarray(log + candidates.hyper["logit"])


def next_step(step: FloatArray, wanted: FloatArray) -> FloatArray:
    """[..., 4] of z, towards what is wanted."""
    return _shortened(step + _shortened(wanted - step, LONGEST), FARTHEST)


def _shortened(step: FloatArray, most: float) -> FloatArray:
    """[..., 4] of length `most` at most."""
    size = np.sqrt((step**2).sum(-1, keepdims=True))
    return np.asarray(step * np.minimum(1.0, most / np.maximum(size, most)))


def kept_of(log: FloatArray, most: int = _MOST, least: float = _LEAST) -> tuple[IntArray, FloatArray]:
    """The candidates [..., g] of most weight, and their weights, 0 of who keeps fewer than the most."""
    weight = np.exp(log - log.max(-1, keepdims=True))
    order = np.argsort(-weight, axis=-1)[..., :most]
    chosen = np.take_along_axis(weight, order, -1)
    enough = np.minimum(least * weight.sum(-1, keepdims=True), chosen[..., :1])
    chosen = np.where(chosen >= enough, chosen, 0.0)
    count = int((chosen > 0).sum(-1).max())
    chosen = chosen[..., :count]
    return order[..., :count], chosen / chosen.sum(-1, keepdims=True)


def weighed(
    chosen: Candidates,
    kept: IntArray,
    weight: FloatArray,
    quotes: Points,
    covariance: FloatArray,
    values: FloatArray,
) -> WeighedCandidates:
    mean, factor = chosen.bent(quotes)
    whiten = inverse_root(covariance + factor @ factor.swapaxes(-1, -2))
    white = (whiten @ (values[..., None, :] - chosen.straight_mean(quotes) - mean)[..., None])[..., 0]
    nu = chosen.degrees
    spread = (nu + (white**2).sum(-1)) / (nu + values.shape[-1])
    return WeighedCandidates(kept, chosen, weight, spread, whiten, white)


def _forward(roots: FloatArray, columns: FloatArray) -> FloatArray:
    """[..., n, k] of lower triangular matrices: their inverses times columns."""
    from scipy.linalg.lapack import dtrtrs  # not at import, which is to be light

    found: FloatArray = np.empty(columns.shape)
    roots = np.broadcast_to(roots, (*columns.shape[:-2], *roots.shape[-2:]))
    flat = (array.reshape(-1, *array.shape[-2:]) for array in (found, roots, columns))
    for into, root, each in zip(*flat, strict=True):
        into[:] = dtrtrs(root.T, each, lower=0, trans=1)[0]
    return found
