"""The universal model's answer on any grid: the learned priors, conditioned on the quotes.

Up to `DENSE` quotes the conditioning is exact and dense, but for single ones that are improbable. Beyond, it
is exact on as many quotes spread over the surface, and what the others add is read off them expiry by expiry
(`smoothing.py`): cost grows linearly.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache, partial

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from . import coordinates, small_grid
from .evidence import FARTHEST_HEARD, MOST_UNHEARD, WeighedCandidates, mixture
from .left_out import errors_of_expiries
from .many_quotes import condition_many
from .moments import Answer, Moments, assembled
from .points import Points
from .process import Candidates
from .small_grid import SmallGrid
from .smoothing import between_quotes

DENSE = 320
_KEPT = 4  # grids, and answers of many cells


class Universal:
    """The candidates, and their moments on grids seen lately."""

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self._at_deltas = lru_cache(maxsize=16)(self._grid_at_deltas)
        self._small = lru_cache(maxsize=_KEPT)(partial(SmallGrid.of, candidates))
        self._large = lru_cache(maxsize=_KEPT)(self._answer)

    def at_deltas(self, tenors: FloatArray, deltas: FloatArray, values: FloatArray) -> Answer:
        """Cells of tenors [T] x forward call deltas [K]; values: [T * K] log-vols, NaN where missing."""
        if len(values) > small_grid.MOST:
            return self.at(coordinates.from_deltas(tenors, deltas), values)
        return self._grid(tenors, deltas).answer(values[None]).only

    def each_at_deltas(
        self, tenors: FloatArray, deltas: FloatArray, values: FloatArray, centre: float | None = None
    ) -> Moments:
        """The same of many surfaces; values: [B, T * K], some quote in each. centre: as in `at`."""
        if values.shape[1] > small_grid.MOST:
            points = coordinates.from_deltas(tenors, deltas)
            return Moments.stack([self.at(points, one, centre) for one in values])
        return self._grid(tenors, deltas).each(values, centre)

    def at(self, points: Points, values: FloatArray, centre: float | None = None) -> Answer:
        """What the quotes say of every cell; values: [N] log-vols, NaN where missing.

        centre: that the priors are about, the median quote unless told.
        """
        if len(values) <= small_grid.MOST:
            return self._small(points).answer(values[None], centre).only
        return self._large(points, values.tobytes(), centre)

    def _answer(self, points: Points, quotes: bytes, centre: float | None) -> Answer:
        """Of many cells; kept, as draws and functions of a surface ask what its fill did."""
        values = np.frombuffer(quotes)
        quoted = np.isfinite(values)
        used = np.flatnonzero(quoted)
        if len(used) > DENSE:
            used = used[spread_out(points[used], DENSE)]
        about = np.asarray(np.median(values[used]) if centre is None else centre)
        given = condition_many(self.candidates, points[used], values[used] - about, about)
        probable = _probable(given)
        if not probable.all():
            used = used[probable]
            given = condition_many(self.candidates, points[used], values[used] - about, about)
        rest = np.setdiff1d(np.arange(len(values)), used)
        moments = self.ask(given, points[used], points[rest])
        expiries = errors_of_expiries(given, points, used)
        found = assembled(values, used, rest, moments, given, about, expiries)
        noise = given.weight @ (given.candidates.noise(points[used]) * given.pull)
        return _refined(points, values, found, noise)

    def since(self, points: Points, change: FloatArray, growth: float) -> Moments:
        """What the quotes say of every cell's change; change: [N], NaN where nothing is quoted.

        growth: the factor on a day's variance.
        """
        root = float(np.sqrt(growth))
        if not np.isfinite(change).any():
            return self._unseen(points).scaled(root)
        return self.at(points, change / root, centre=0.0).scaled(root)

    def each_since(
        self, tenors: FloatArray, deltas: FloatArray, change: FloatArray, growth: float
    ) -> Moments:
        """The same of many surfaces at deltas, as in `each_at_deltas`; change: [B, T * K]."""
        root, quoted = float(np.sqrt(growth)), np.isfinite(change).any(1)
        if quoted.all():
            return self.each_at_deltas(tenors, deltas, change / root, 0.0).scaled(root)
        found = Moments.stack([self._unseen(coordinates.from_deltas(tenors, deltas))] * len(change))
        if quoted.any():
            some = self.each_at_deltas(tenors, deltas, change[quoted] / root, 0.0)
            for part in fields(Moments):
                getattr(found, part.name)[quoted] = getattr(some, part.name)
        return found.scaled(root)

    def _unseen(self, points: Points) -> Moments:
        """Before a quote is seen."""
        candidates, weight = self.candidates, self.candidates.weight
        mean, variance = mixture(weight, candidates.mean(points), candidates.variance(points))
        none = np.full_like(mean, np.nan)
        return Moments(mean, np.sqrt(variance), none, none, *np.zeros((2, len(mean))))

    def ask(self, given: WeighedCandidates, quotes: Points, at: Points) -> tuple[FloatArray, FloatArray]:
        """Mean, about the quotes' centre, and variance [N] of quotes at points."""
        chosen = given.candidates
        variance = chosen.variance(at) + chosen.noise(at)
        return given.answer(chosen.mean(at), chosen.covariance(at, quotes), variance)

    def _grid(self, tenors: FloatArray, deltas: FloatArray) -> SmallGrid:
        return self._at_deltas(tuple(tenors.tolist()), tuple(deltas.tolist()))

    def _grid_at_deltas(self, tenors: tuple[float, ...], deltas: tuple[float, ...]) -> SmallGrid:
        points = coordinates.from_deltas(np.array(tenors), np.array(deltas))
        return SmallGrid.of(self.candidates, points)


def _probable(given: WeighedCandidates) -> BoolArray:
    """[n] which of the quotes used; all where many are not: then no candidate fits."""
    residual, variance = given.left_out
    probable = residual**2 <= FARTHEST_HEARD**2 * variance
    return np.asarray(probable | (probable.mean() < 1.0 - MOST_UNHEARD))


def _refined(points: Points, values: FloatArray, found: Answer, noise: FloatArray) -> Answer:
    """The same with what quotes say of their neighbours beyond the process: those that the dense conditioning
    left out, and what it took for `noise` [n] in those used; a fat finger says no more than other quotes.
    """
    quoted = np.isfinite(values)
    more = quoted.copy()
    more[found.used] = False
    residual = np.where(quoted, values - found.mean, 0.0)
    zscore, left_out = found.zscore.copy(), np.where(more, found.std, found.left_out)
    zscore[more] = residual[more] / found.std[more]
    residual[found.used] = noise
    residual[quoted] *= FARTHEST_HEARD / np.maximum(np.abs(zscore[quoted]), FARTHEST_HEARD)
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
