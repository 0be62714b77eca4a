"""Joint draws of missing cells, given the quotes.

Up to `_DENSE` cells are drawn together. Of more, some that are spread over the surface are drawn first, then
the others in turn, neighbours of an expiry together, given the first, those before them and the quotes
(blocks of neighbours, as in Vecchia 1988): cost grows linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray
from ..conditioning import lower_root
from .any_market import Universal, spread_out
from .evidence import mixture
from .points import Points
from .process import Candidates

_DENSE = 2_000
_FIRST, _TOGETHER = 600, 400  # cells drawn first, and of the others
_JITTER, _ROUNDING = 1e-9, 1e-6  # added to variances, and relative


def standard(
    universal: Universal,
    points: Points,
    values: FloatArray,
    missing: IntArray,
    centre: float | None,
    count: int,
    rng: np.random.Generator,
) -> FloatArray:
    """[count, missing cells] of mean 0 and variance 1; values: [N] log-vols, NaN where missing."""
    at = points[missing]
    weight, parts = _after_quotes(universal, points, values, at, centre)
    mean, variance = (np.stack([getattr(part, name) for part in parts]) for name in ("mean", "variance"))
    chosen, blocks = rng.choice(len(weight), count, p=weight), _blocks(at)
    drawn = rng.standard_normal((count, len(missing)))
    for g in np.unique(chosen):
        rows = chosen == g
        drawn[rows] = mean[g] + parts[g].correlated(blocks, drawn[rows])
    total_mean, total = mixture(weight, mean, variance)
    return np.asarray((drawn - total_mean) / np.sqrt(total + _JITTER))


def _blocks(at: Points) -> list[IntArray]:
    """Which points are drawn together, in turn: each given the first and those before it."""
    if len(at) <= _DENSE:
        return [np.arange(len(at))]
    first = spread_out(at, _FIRST)
    rest = np.setdiff1d(np.arange(len(at)), first)
    rest = rest[np.lexsort((at.u[rest], at.rows[rest]))]
    return [first, *np.array_split(rest, -(-len(rest) // _TOGETHER))]


@dataclass(frozen=True)
class _AfterQuotes:
    """One candidate alone given q quotes. mean: [n], of points `at`; gain: [n, q], what whitened quotes say
    of them; spread: the quotes' own, on variances.
    """

    candidate: Candidates
    at: Points
    mean: FloatArray
    gain: FloatArray
    spread: float

    @property
    def variance(self) -> FloatArray:
        """[n]."""
        return np.asarray(self.spread * (self.candidate.variance(self.at)[0] - (self.gain**2).sum(1)))

    def correlated(self, blocks: list[IntArray], normal: FloatArray) -> FloatArray:
        """[draws, n] deviations of independent ones."""
        found, known = np.empty_like(normal), np.arange(0)
        for place, block in enumerate(blocks):
            pulled, own = self._after(known, block)
            found[:, block] = found[:, known] @ pulled + normal[:, block] @ own.T
            known = np.concatenate([blocks[0], block]) if place else block
        return np.asarray(np.sqrt(self.spread) * found)

    def _after(self, known: IntArray, block: IntArray) -> tuple[FloatArray, FloatArray]:
        """Of the block's deviations: weights [k, b] of known ones, and the root [b, b] of what is left."""
        from scipy.linalg import cho_solve  # not at import, which is to be light

        own = self._between(block, block)
        if not len(known):
            return np.zeros((0, len(block))), _root(own)
        cross = self._between(known, block)
        pulled = cho_solve((_root(self._between(known, known)), True), cross)
        return pulled, _root(own - cross.T @ pulled)

    def _between(self, a: IntArray, b: IntArray) -> FloatArray:
        """[a, b] covariance; of a block with itself, the same array, each pair is worked out once."""
        here = self.at[a]
        before = self.candidate.covariance(here, here if a is b else self.at[b])[0]
        return np.asarray(before - self.gain[a] @ self.gain[b].T)


def _after_quotes(
    universal: Universal, points: Points, values: FloatArray, at: Points, centre: float | None
) -> tuple[FloatArray, list[_AfterQuotes]]:
    """The candidates that are heard, and the weight of each."""
    candidates, weight = universal.candidates, universal.candidates.weight
    given, quotes = None, points
    if np.isfinite(values).any():
        found = universal.at(points, values, centre)
        given, quotes = found.given, points[found.used]
        assert given is not None
        candidates, weight = given.candidates, given.weight
    parts = []
    for g in range(len(weight)):
        one = candidates[np.array([g])]
        mean, gain, spread = one.mean(at)[0], np.zeros((len(at), 0)), 1.0
        if given is not None:
            gain = one.covariance(at, quotes)[0] @ given.whiten[g].T
            mean, spread = mean + gain @ given.white[g], float(given.spread[g])
        parts.append(_AfterQuotes(one, at, mean, gain, spread))
    return weight, parts


def _root(covariance: FloatArray) -> FloatArray:
    diagonal = np.diagonal(covariance)
    return lower_root(covariance + np.diag(_JITTER + _ROUNDING * np.abs(diagonal)))
