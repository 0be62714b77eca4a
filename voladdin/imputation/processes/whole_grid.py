"""Surfaces with few cells missing, on a grid that is kept: conditioned from the precision of all its cells.

With P the inverse covariance of quotes in all N cells but for the smile that bends, F the factor of that
smile, and v the cells less their mean, anything where one is missing, the Cholesky root of

    P_mm   (P F)_m     (P v)_m
      .    F'P F + I    F'P v
      .       .       v'P v + 1

has the size of the M missing cells m and five more, and says all: its diagonal has the evidence of what is
quoted, its last row the likeliest smile and missing cells, its inverse their variance, what is left of the
quotes' own precision what they say of each other (Schur complements; Rasmussen and Williams 2006, A.3, 5.12).
As smiles bend only its last five rows change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditioning import lower_root, triangular_inverse
from .bending import NUMBERS
from .evidence import LEAST_VARIANCE, STEPS, kept_of, log_evidence, mixture, next_step
from .moments import Moments, median_of
from .points import Points
from .process import Candidates

_BEHIND, _LINEAR = 9.0, 6.0  # log weight behind the best, and more for a deviation of z, that is given up
_LEAST_PRECISION = 1e-12


@dataclass(frozen=True)
class WholeGrid:
    """G candidates on N cells. mean: [G, N], precision: [G, N, N] and log_det: [G], of the covariance's root,
    but for the smile that bends. start: [G, N], mean with the usual bent smile; joint: [G, N + 4, N + 4], P
    bordered by P F of it.
    """

    candidates: Candidates
    points: Points
    mean: FloatArray
    precision: FloatArray
    log_det: FloatArray
    start: FloatArray
    joint: FloatArray

    @classmethod
    def of(cls, candidates: Candidates, points: Points, mean: FloatArray, of_quotes: FloatArray) -> WholeGrid:
        """of_quotes: [G, N, N], covariance but for the smile that bends; mean: [G, N]."""
        roots = lower_root(of_quotes)
        inverse = triangular_inverse(roots)
        precision = inverse.swapaxes(-1, -2) @ inverse
        moved, factor = candidates.bent(points)
        cells, pushed = len(points), precision @ factor
        joint = np.empty((len(candidates), cells + NUMBERS, cells + NUMBERS))
        joint[:, :cells, :cells], joint[:, :cells, cells:] = precision, pushed
        joint[:, cells:, :cells] = pushed.swapaxes(-1, -2)
        joint[:, cells:, cells:] = factor.swapaxes(-1, -2) @ pushed + np.eye(NUMBERS)
        few = replace(candidates, hyper={name: candidates.hyper[name] for name in ("degrees", "logit")})
        return cls(few, points, mean, precision, _log_diagonal(roots), mean + moved, joint)

    def each(self, values: FloatArray, missing: IntArray, centre: float | None = None) -> Moments:
        """Of S surfaces with M missing cells each; values: [S, N] log-vols, missing: [S, M], which."""
        about = median_of(values) if centre is None else np.full(len(values), centre)
        quotes = np.where(np.isnan(values), 0.0, values - about[:, None])
        first = _Bordered(lower_root(self._at_start(quotes, missing)))
        wanted, log_det = first.likeliest.swapaxes(0, 1), (self.log_det[:, None] + first.log_det).T
        log = log_evidence(self.candidates, _quoted(missing, quotes), log_det, first.distance.T, wanted)
        chosen, surface = np.nonzero(_may_matter(log, _size(wanted) - 1.0).T)
        pairs = _Believed(surface, chosen, next_step(np.zeros(NUMBERS), wanted[surface, chosen]))
        of_missing = first.root[chosen, surface, : missing.shape[1], : missing.shape[1]]
        return self._searched(pairs, quotes, missing, of_missing).moments(values, missing, about)

    def _at_start(self, quotes: FloatArray, missing: IntArray) -> FloatArray:
        """[G, S, M + 5, M + 5] the matrices above, smiles linear about each candidate's usual one."""
        (surfaces, cells), count = quotes.shape, missing.shape[1] + NUMBERS
        pick = np.concatenate([missing, np.tile(cells + np.arange(NUMBERS), (surfaces, 1))], axis=1)
        flat = pick[:, :, None] * (cells + NUMBERS) + pick[:, None]
        away = quotes - self.start[:, None]
        pushed = away @ self.joint[:, :cells]
        matrix = np.empty((len(self.candidates), surfaces, count + 1, count + 1))
        matrix[..., :-1, :-1] = self.joint.reshape(len(self.candidates), -1).take(flat, axis=1)
        matrix[..., -1, :-1] = pushed[:, np.arange(surfaces)[:, None], pick]
        matrix[..., -1, -1] = np.einsum("gsn,gsn->gs", away, pushed[..., :cells]) + 1.0
        return matrix

    def _searched(
        self, pairs: _Believed, quotes: FloatArray, missing: IntArray, of_missing: FloatArray
    ) -> _Searched:
        """After Gauss-Newton steps of z; of_missing: [p, M, M], roots of P_mm."""
        candidates, each = self.candidates[pairs.chosen], missing[pairs.surface]
        residual, cells = quotes[pairs.surface] - self.mean[pairs.chosen], quotes.shape[1]
        inverse, one = triangular_inverse(of_missing).swapaxes(1, 2), np.eye(NUMBERS + 1)
        both, pushed = np.empty((2, len(each), NUMBERS + 1, cells))
        place = np.arange(len(each))[:, None, None], np.arange(NUMBERS + 1)[:, None], each[:, None]
        own = self.precision[pairs.chosen] if len(each) <= len(self.mean) else None
        for left in reversed(range(STEPS)):
            moved, factor = candidates.bent_after(pairs.step, self.points)
            both[:, :-1], both[:, -1] = factor.swapaxes(1, 2), residual - moved
            self._push(both, pairs, own, pushed)
            border = pushed[place] @ inverse
            square = both @ pushed.swapaxes(1, 2) - border @ border.swapaxes(1, 2) + one
            wanted = np.asarray(np.linalg.solve(square[:, :-1, :-1], square[:, :-1, -1:])[..., 0])
            pairs = pairs.after(next_step(pairs.step, wanted)) if left else pairs
        root = _Bordered(lower_root(square))
        log = np.full((len(quotes), len(self.mean)), -np.inf)
        log_det = self.log_det[pairs.chosen] + _log_diagonal(of_missing) + root.log_det
        log[pairs.surface, pairs.chosen] = log_evidence(
            candidates, _quoted(missing, quotes), log_det, root.distance, wanted
        )
        return _Searched(pairs, log, self.precision, candidates.degrees, pushed, inverse, border, root)

    def _push(self, rows: FloatArray, pairs: _Believed, own: FloatArray | None, out: FloatArray) -> None:
        """Some rows [p, 5, N] of each pair times its candidate's P, `own` [p, N, N] of few."""
        if own is not None:
            np.matmul(rows, own, out=out)
            return
        for g, mine in pairs.by_candidate:
            np.matmul(
                rows[mine].reshape(-1, out.shape[2]),
                self.precision[g],
                out=out[mine].reshape(-1, out.shape[2]),
            )


def _may_matter(log: FloatArray, far: FloatArray) -> BoolArray:
    """[S, G] who is not too far behind the best, for a z that is still `far` from the likeliest."""
    behind = log.max(1, keepdims=True) - log
    return np.asarray(behind <= _BEHIND + _LINEAR * np.maximum(far, 0.0))


def _quoted(missing: IntArray, quotes: FloatArray) -> int:
    return int(quotes.shape[1] - missing.shape[1])


def _size(z: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((z**2).sum(-1)))


@dataclass(frozen=True)
class _Bordered:
    """Of the matrices above, [..., M + 5, M + 5], or their last rows, [..., 5, 5]."""

    root: FloatArray

    @property
    def log_det(self) -> FloatArray:
        return _log_diagonal(self.root[..., :-1, :-1])

    @property
    def distance(self) -> FloatArray:
        """Of the quotes, squared, as Mahalanobis has it."""
        return np.maximum(self.root[..., -1, -1] ** 2 - 1.0, 0.0)

    @property
    def likeliest(self) -> FloatArray:
        """[..., 4] the smile's numbers, where it is linear in them."""
        inner, last = (self.root[..., at, -1 - NUMBERS : -1] for at in (slice(-1 - NUMBERS, -1), -1))
        return np.asarray(np.linalg.solve(inner.swapaxes(-1, -2), last[..., None])[..., 0])


@dataclass(frozen=True)
class _Believed:
    """p pairs of a surface and a candidate, [p] each, candidate by candidate; step: [p, 4], z."""

    surface: IntArray
    chosen: IntArray
    step: FloatArray

    @property
    def by_candidate(self) -> Iterator[tuple[int, slice]]:
        """Each candidate that is in it, and where."""
        first = np.flatnonzero(np.diff(self.chosen, prepend=-1)).tolist()
        for start, stop in zip(first, [*first[1:], len(self.chosen)], strict=True):
            yield int(self.chosen[start]), slice(start, stop)

    def after(self, step: FloatArray) -> _Believed:
        """At another z."""
        return replace(self, step=step)


@dataclass(frozen=True)
class _Searched:
    """What p pairs came to. log: [S, G], evidence and weight before; precision: [G, N, N]; pushed: [p, 5, N],
    F'P and v'P.

    Of the matrices' roots: inverse [p, M, M] of the first rows', transposed, and the last, border [p, 5, M]
    and root [p, 5, 5].
    """

    pairs: _Believed
    log: FloatArray
    precision: FloatArray
    degrees: FloatArray
    pushed: FloatArray
    inverse: FloatArray
    border: FloatArray
    root: _Bordered

    def _kept(self) -> tuple[IntArray, FloatArray]:
        """[S, k] pairs that are kept, and their weights."""
        kept, weight = kept_of(self.log)
        place = np.zeros(self.log.shape, dtype=np.intp)
        place[self.pairs.surface, self.pairs.chosen] = np.arange(len(self.border))
        place = place[np.arange(len(place))[:, None], kept]
        return np.where(weight > 0, place, place[:, :1]), weight

    def moments(self, values: FloatArray, missing: IntArray, about: FloatArray) -> Moments:
        """Of S surfaces [S, N]; missing: [S, M]."""
        kept, weight = self._kept()
        parts = self._each(kept.ravel(), np.repeat(missing, kept.shape[1], axis=0))
        residual, doubt, mean, variance = (part.reshape(*kept.shape, -1) for part in parts)
        of_quotes, of_missing = mixture(weight, residual, doubt), mixture(weight, mean, variance)
        return _assembled(values, missing, of_quotes, (of_missing[0] + about[:, None], of_missing[1]))

    def _each(self, pairs: IntArray, missing: IntArray) -> tuple[FloatArray, ...]:
        """Some pairs' residual and variance [p, N] of quotes given the others; mean and variance of what is
        missing [p, M].
        """
        root, chosen, pushed = self.root.root[pairs], self.pairs.chosen[pairs], self.pushed[pairs]
        inverse, border = self.inverse[pairs].swapaxes(1, 2), self.border[pairs]
        nu, cells = self.degrees[pairs], pushed.shape[2]
        spread = ((nu + self.root.distance[pairs]) / (nu + cells - missing.shape[1]))[:, None]
        rows = self.precision[chosen[:, None], missing]
        above = np.concatenate([inverse @ rows, inverse], axis=2)
        below = -border[:, :-1] @ above
        below[..., :cells] += pushed[:, :-1]
        turned = np.concatenate([above, triangular_inverse(root[:, :-1, :-1]) @ below], axis=1)
        moved = (np.concatenate([border[:, -1], root[:, -1, :-1]], axis=1)[:, None] @ turned)[:, 0]
        size = (turned**2).sum(1)
        own = np.diagonal(self.precision, axis1=1, axis2=2)[chosen] - size[:, :cells]
        own = np.maximum(own, _LEAST_PRECISION)  # where a cell is missing there is none
        residual = (pushed[:, -1] - moved[:, :cells]) / own
        left = np.maximum(size[:, cells:], LEAST_VARIANCE)
        return residual, spread / own, -moved[:, cells:], left * spread


def _assembled(
    values: FloatArray,
    missing: IntArray,
    of_quotes: tuple[FloatArray, FloatArray],
    of_missing: tuple[FloatArray, FloatArray],
) -> Moments:
    """Of quotes [S, N] residual and variance given the others, of missing cells [S, M] mean and variance."""
    quoted, mean, std = ~np.isnan(values), values.copy(), np.zeros_like(values)
    place = np.arange(len(values))[:, None], missing
    mean[place], std[place] = of_missing[0], np.sqrt(of_missing[1])
    left_out = np.where(quoted, np.sqrt(of_quotes[1]), np.nan)
    return Moments(mean, std, of_quotes[0] / left_out, left_out, *np.zeros((2, *values.shape)))


def _log_diagonal(root: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(-1))
