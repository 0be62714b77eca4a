"""The nearest vols without arbitrage that have given features: a sequence of quadratic programs.

    min |vols - quoted|^2   subject to   c[sold] <= share c[left] + (1 - share) c[right],   y(vols) = target

Each program is linear around the present vols; features at given strikes are linear in vols as they are, so
only the conditions on prices converge. They start as each quote's neighbours, and trades that are left enter.
A condition has slack, as `check` has: without it, prices far below the tolerance would move vols by percents.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditions import Covers, from_excesses, joined
from ..hulls import excesses
from ..nodes import AtDeltas, AtStrikes, Nodes
from .at_deltas import LEAST_VOL, placed
from .quadratic_program import Quadratic

EXACT = 1e-11  # of a feature, relative where it is above 1
_STEPS = 16
_REACH = 1.0  # a step adds no more than this share to a vol
_LEAST = 0.5  # nor takes more off it
_LOW = 0.01  # no vol goes below, or below half of what is quoted: no corner without vol keeps features
_CLOSE = 0.02  # a step of less than this share of the whole change is the last
_NOTHING = 1e-6  # a change of less is not worth another step
_SHORT = 0.2  # a first step shortened to less leads nowhere from there
_FORGIVEN = 1 / 500  # of the tolerance: neighbours' excesses add up along a smile
_MARGIN = 2e-10  # of price, above 0
_MARGIN_VOL = 1e-7  # of vol: the margin costs no more
_LIVE_VOLS = 0.02, 2.0  # of prices from which vols can be moved
_LIVE_RATE = 2e-3
_MOST_OFF = 0.99  # of a price
_STRICT = 1 - 1e-3
_FAR_STEPS = 30
_COST = 1e4  # of missing a feature by its spread, to begin with: steps at a higher one oscillate
_DEARER = 3.0  # after a step without gain
_PATIENCE = 4  # steps without gain
_GAIN = 1e-3


@dataclass
class Sequence:
    """Quotes [N], and which may move. tolerance: of `check`."""

    nodes: Nodes
    quoted: FloatArray
    free: BoolArray
    tolerance: float
    _found: Covers = field(default_factory=lambda: from_excesses([]))

    def nearest(self, target: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] the vols, or None where the steps from `start` do not lead there."""
        vols, hard = start, np.full(len(target), np.inf)
        best: FloatArray | None = None
        for number in range(_STEPS):
            change = self._step(vols, target, hard)
            share = 0.0 if change is None else _share(change, vols)
            if change is None or (number == 0 and start is self.quoted and share < _SHORT):
                break
            vols = vols + share * change
            if share < 1.0:
                continue
            vols = self._exact(vols, target)
            if not (self.reached(vols, target).all() and self.valid(vols)):
                continue
            far = self._far(vols)
            best = vols if best is None or far < self._far(best) else best
            if far < _NOTHING or np.linalg.norm(change) <= _CLOSE * far:
                break
        return best

    def _far(self, vols: FloatArray) -> float:
        return float(np.linalg.norm(vols - self.quoted))

    def reach(self, target: FloatArray, spread: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] vols without arbitrage with features as near the target as can be, or None if none are found.

        spread: [F] unit of each feature's distance, whose sum is least; 0 where a feature must be as asked.
        """
        soft = spread > 0
        unit = np.where(soft, spread, 1.0)
        vols, best, least, idle, cost = start, None, np.inf, 0, _COST
        for _ in range(_FAR_STEPS):
            change = self._step(vols, target, np.where(soft, cost / unit, np.inf))
            if change is None or idle == _PATIENCE:
                break
            vols = vols + _share(change, vols) * change
            missed = float((np.abs(self.nodes.features(vols) - target) / unit)[soft].sum())
            if not (self.reached(vols, target) | soft).all() or not self.valid(vols):
                continue
            if self.reached(vols, target).all():
                return vols
            idle, cost = (0, cost) if missed < least * (1 - _GAIN) else (idle + 1, cost * _DEARER)
            best, least = (vols, missed) if missed < least else (best, least)
        return best

    def apart(self) -> FloatArray | None:
        """[N] vols without arbitrage near the quoted ones, whatever their features: where steps may start.

        At given strikes the nearest prices, by one program; on a delta axis points on lower hulls.
        """
        quoted = np.where(self.free, np.clip(self.quoted, *_LIVE_VOLS), self.quoted)
        if isinstance(self.nodes, AtDeltas):
            return placed(self.nodes.paths, quoted, self.free)
        assert isinstance(self.nodes, AtStrikes)
        strikes, calls = self.nodes.at(quoted)
        covers = self._covers(strikes)
        every = np.arange(len(quoted))
        rate = np.maximum(self.nodes.rate(quoted, np.zeros(len(quoted)), every), _LIVE_RATE)
        value = calls - self.nodes.intrinsic
        program = Quadratic(np.zeros(len(quoted)), self.free)
        program.at_least(covers, covers.weights * rate[covers.nodes], -covers.excess(calls))
        program.lowest(-_MOST_OFF * value / rate)
        change = program.solve()
        if change is None:
            return None
        vols = np.maximum(self.nodes.vols_of(value + rate * change), LEAST_VOL)
        return np.where(self.free, vols, quoted)

    def valid(self, vols: FloatArray) -> bool:
        """Whether no trade is left; those that are enter the conditions."""
        strikes, calls = self.nodes.at(vols)
        if self._covers(strikes).excess(calls).max(initial=0.0) > self.tolerance:
            return False
        prices = calls.tolist()
        found = excesses(self.nodes.rows, strikes.tolist(), prices, prices, _STRICT * self.tolerance)
        self._found = joined([self._found, from_excesses(found)])
        return not found

    def _covers(self, strikes: FloatArray) -> Covers:
        covers = self.nodes.covers(strikes)
        return joined([covers, self._found.at(strikes)]) if len(self._found.sold) else covers

    def _exact(self, vols: FloatArray, target: FloatArray) -> FloatArray:
        """The rounding of a program's features taken off."""
        slopes = self.nodes.slopes(vols) * self.free
        change = slopes.T @ np.linalg.lstsq(slopes @ slopes.T, target - self.nodes.features(vols))[0]
        return np.maximum(vols + change, 0.5 * vols)

    def reached(self, vols: FloatArray, target: FloatArray) -> BoolArray:
        """[F] which features are as asked."""
        error = np.abs(self.nodes.features(vols) - target) / np.maximum(1.0, np.abs(target))
        return np.asarray(error <= EXACT)

    def _step(self, vols: FloatArray, target: FloatArray, cost: FloatArray) -> FloatArray | None:
        covers, values, slack = self._conditions(vols)
        program = Quadratic(vols - self.quoted, self.free)
        program.equal(self.nodes.slopes(vols), target - self.nodes.features(vols), cost)
        program.at_least(covers, values, slack)
        floor = np.minimum(_LOW, 0.5 * self.quoted)
        program.lowest(np.maximum(-_LEAST * vols, np.minimum(floor - vols, 0.0)))
        return program.solve()

    def _conditions(self, vols: FloatArray) -> tuple[Covers, FloatArray, FloatArray]:
        """Conditions, how fast their slack grows with the vols [3, R], and the slack less its margin [R]."""
        strikes, calls = self.nodes.at(vols)
        covers = self._covers(strikes)
        values = covers.weights * self.nodes.rate(vols, covers.slope(strikes, calls), covers.nodes)
        size = np.sqrt((np.where(covers.nodes >= 0, values, 0.0) ** 2).sum(axis=0))
        margin = np.minimum(_MARGIN, _MARGIN_VOL * size) - _FORGIVEN * min(self.tolerance, _MARGIN)
        return covers, values, -covers.excess(calls) - margin


def _share(change: FloatArray, vols: FloatArray) -> float:
    """Of a change that is taken."""
    return min(1.0, _REACH / max(float((np.abs(change) / vols).max()), _REACH))
