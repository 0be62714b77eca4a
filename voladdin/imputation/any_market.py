"""The universal model's answer on any grid: the learned priors, conditioned on the quotes.

Up to `DENSE` quotes the conditioning is exact and dense. Beyond, it is exact on as many quotes spread over
the surface, and what the others add is read off them expiry by expiry (`smoothing.py`): cost grows linearly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .._typing import FloatArray, IntArray
from . import coordinates
from .evidence import WeighedCandidates, condition, condition_many, mixture
from .process import Candidates, Points
from .smoothing import between_quotes

DENSE = 320
_SMALL = 80  # cells of a grid whose covariances are kept


@dataclass(frozen=True)
class Answer:
    """Log-vols of N cells: mean, std, zscore, left_out [N] (NaN where nothing is quoted).

    left_out: standard deviation of each quote given the others.

    given: the quotes `used`, whose log-vols are taken about `centre`.
    """

    mean: FloatArray
    std: FloatArray
    zscore: FloatArray
    left_out: FloatArray
    given: WeighedCandidates | None
    used: IntArray
    centre: float


@dataclass(frozen=True)
class Prior:
    """What the candidates say of all cells of a small grid, but for smiles that bend, before a quote is seen.

    mean, variance: [G, N]; covariance, of_quotes: [G, N, N], without and with the noise.
    """

    mean: FloatArray
    variance: FloatArray
    covariance: FloatArray
    of_quotes: FloatArray


class Universal:
    """The candidates, and their moments on grids seen lately."""

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self._at_deltas = lru_cache(maxsize=16)(self._prior_at_deltas)

    def at_deltas(self, tenors: FloatArray, deltas: FloatArray, values: FloatArray) -> Answer:
        """Cells of tenors [T] x forward call deltas [K]; values: [T * K] log-vols, NaN where missing."""
        if len(values) > _SMALL:
            return self.at(coordinates.from_deltas(tenors, deltas), values)
        points, prior = self._at_deltas(tuple(tenors.tolist()), tuple(deltas.tolist()))
        return self._small(points, prior, values)

    def at_strikes(self, tenors: FloatArray, moneyness: FloatArray, values: FloatArray) -> Answer:
        """The same at ln(K/F) [T, K]."""
        return self.at(coordinates.from_moneyness(tenors, moneyness, values), values)

    def at(self, points: Points, values: FloatArray, centre: float | None = None) -> Answer:
        """What the quotes say of every cell; values: [N] log-vols, NaN where missing.

        centre: that the priors are about, the median quote unless told.
        """
        if len(values) <= _SMALL:
            return self._small(points, self._prior(points), values, centre)
        quoted = np.isfinite(values)
        used = np.flatnonzero(quoted)
        if len(used) > DENSE:
            used = used[spread_out(points[used], DENSE)]
        centre = float(np.median(values[used])) if centre is None else centre
        given = condition_many(self.candidates, points[used], values[used] - centre)
        rest = np.setdiff1d(np.arange(len(values)), used)
        mean, variance = self.ask(given, points[used], points[rest])
        found = _assembled(values, used, rest, mean + centre, variance, given, centre)
        noise = given.weight @ (given.candidates.noise(points[used]) * given.pull)
        return _refined(points, values, found, noise)

    def since(self, points: Points, change: FloatArray, growth: float) -> Answer:
        """What the quotes say of every cell's change; change: [N], NaN where nothing is quoted.

        growth: the factor on a day's variance.
        """
        root, quoted = np.sqrt(growth), np.isfinite(change)
        if not quoted.any():
            candidates, weight = self.candidates, self.candidates.weight
            mean, variance = mixture(weight, candidates.mean(points), candidates.variance(points))
            return Answer(
                root * mean, root * np.sqrt(variance), change, change, None, np.flatnonzero(quoted), 0.0
            )
        found = self.at(points, change / root, centre=0.0)
        scaled = {name: root * getattr(found, name) for name in ("mean", "std", "left_out")}
        return replace(found, **scaled)

    def mean(self, given: WeighedCandidates, quotes: Points, at: Points) -> FloatArray:
        """Mean [N], about the quotes' centre, at points."""
        chosen = given.candidates
        moved = (chosen.covariance(at, quotes) @ given.pull[..., None])[..., 0]
        return np.asarray(given.weight @ (chosen.mean(at) + moved))

    def ask(
        self, given: WeighedCandidates, quotes: Points, at: Points, *, noise: bool = True
    ) -> tuple[FloatArray, FloatArray]:
        """Mean, about the quotes' centre, and variance [N] of quotes at points, or of vols behind them."""
        chosen = given.candidates
        variance = chosen.variance(at) + (chosen.noise(at) if noise else 0.0)
        return given.answer(chosen.mean(at), chosen.covariance(at, quotes), variance)

    def _small(self, points: Points, prior: Prior, values: FloatArray, centre: float | None = None) -> Answer:
        quoted = np.isfinite(values)
        used, rest = np.flatnonzero(quoted), np.flatnonzero(~quoted)
        centre = float(np.median(values[used])) if centre is None else centre
        given = condition(
            self.candidates, points[used], prior.of_quotes[:, used[:, None], used], values[used] - centre
        )
        of = given.kept[:, None]
        moved, factor = given.candidates.bent(points)
        cross = prior.covariance[of[..., None], rest[:, None], used]
        cross = cross + factor[:, rest] @ factor[:, used].transpose(0, 2, 1)
        variance = prior.variance[of, rest] + (factor[:, rest] ** 2).sum(-1)
        mean, variance = given.answer(prior.mean[of, rest] + moved[:, rest], cross, variance)
        return _assembled(values, used, rest, mean + centre, variance, given, centre)

    def _prior(self, points: Points) -> Prior:
        candidates, index = self.candidates, np.arange(len(points))
        covariance, noise = candidates.straight_covariance(points, points), candidates.noise(points)
        of_quotes = covariance.copy()
        of_quotes[:, index, index] += noise
        return Prior(candidates.straight_mean(points), of_quotes[:, index, index], covariance, of_quotes)

    def _prior_at_deltas(self, tenors: tuple[float, ...], deltas: tuple[float, ...]) -> tuple[Points, Prior]:
        points = coordinates.from_deltas(np.array(tenors), np.array(deltas))
        return points, self._prior(points)


def _assembled(
    values: FloatArray,
    used: IntArray,
    rest: IntArray,
    mean: FloatArray,
    variance: FloatArray,
    given: WeighedCandidates,
    centre: float,
) -> Answer:
    whole, std, zscore = values.copy(), np.zeros(len(values)), np.full(len(values), np.nan)
    whole[rest], std[rest] = mean, np.sqrt(variance)
    left_out = zscore.copy()
    residual, spread = given.left_out
    left_out[used] = np.sqrt(spread)
    zscore[used] = residual / left_out[used]
    return Answer(whole, std, zscore, left_out, given, used, centre)


def _refined(points: Points, values: FloatArray, found: Answer, noise: FloatArray) -> Answer:
    """The same with what quotes say of their neighbours beyond the process: those that the dense conditioning
    left out, and what it took for `noise` [n] in those used.
    """
    quoted = np.isfinite(values)
    more = quoted.copy()
    more[found.used] = False
    residual = np.where(quoted, values - found.mean, 0.0)
    zscore, left_out = found.zscore.copy(), np.where(more, found.std, found.left_out)
    zscore[more] = residual[more] / found.std[more]
    residual[found.used] = noise
    shift, left = between_quotes(points, quoted, residual)
    mean = np.where(quoted, values, found.mean + shift)
    std = np.where(quoted, 0.0, found.std * np.sqrt(left))
    return replace(found, mean=mean, std=std, zscore=zscore, left_out=left_out)


def spread_out(quotes: Points, most: int) -> IntArray:
    """Indices of about `most` quotes, of at most a third as many tenors, evenly over the range of each."""
    rows = np.unique(quotes.rows)
    if len(rows) > most // 3:
        rows = rows[np.linspace(0, len(rows) - 1, most // 3).round().astype(int)]
    chosen: list[IntArray] = []
    left = most
    for number, row in enumerate(rows):
        mine = np.flatnonzero(quotes.rows == row)
        mine = mine[np.argsort(quotes.u[mine])]
        share = max(left // (len(rows) - number), 1)
        if len(mine) > share:
            wanted = np.linspace(quotes.u[mine[0]], quotes.u[mine[-1]], share)
            mine = mine[np.unique(np.searchsorted(quotes.u[mine], wanted).clip(0, len(mine) - 1))]
        chosen.append(mine)
        left -= len(mine)
    return np.concatenate(chosen)
