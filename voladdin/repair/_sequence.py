"""The nearest vols without arbitrage that have given features: a sequence of quadratic programs.

    min |vols - quoted|^2   subject to   c[sold] <= share c[left] + (1 - share) c[right],   y(vols) = target

Each program is linear around the present vols; features at given strikes are linear in vols as they are, so
only the conditions on prices converge. They start as each quote's neighbours, and trades that are left enter.
A condition has slack, as `check` has: without it, prices far below the tolerance would move vols by percents.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..envelope import excesses
from ..surface import FloatArray
from ._covers import Covers, from_excesses, joined
from ._deltas import placed
from ._moves import BoolArray
from ._nodes import AtDeltas, AtStrikes, Nodes
from ._quadratic import Quadratic

EXACT = 1e-11  # of a feature, relative where it is above 1
_STEPS = 16
_REACH = 0.3  # a step changes no vol by more than this share of it
_LEAST = 0.6  # nor takes more off it before it is shortened to that
_SHORT = 0.2  # a first step shortened to less leads nowhere from there
_FORGIVEN = 1 / 500  # of the tolerance: neighbours' excesses add up along a smile
_MARGIN = 2e-10  # of price, above 0
_MARGIN_VOL = 1e-7  # of vol: the margin costs no more
_LIVE_VOLS = 0.02, 2.0  # of prices from which vols can be moved
_LIVE_RATE = 2e-3
_MOST_OFF = 0.99  # of a price
_STRICT = 1 - 1e-3
_FAR_STEPS = 30
_COST = 1e4  # of missing a feature
_PATIENCE = 3  # steps without gain
_GAIN = 1e-3


@dataclass
class Sequence:
    """Quotes [N], and which may move. tolerance: of `check`. deadline: in `time.perf_counter` seconds."""

    nodes: Nodes
    quoted: FloatArray
    free: BoolArray
    tolerance: float
    deadline: float
    _found: Covers = field(default_factory=lambda: from_excesses([]))

    def nearest(self, target: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] the vols, or None where the steps from `start` do not lead there."""
        vols = start
        for number in range(_STEPS):
            change = self._step(vols, target, np.inf)
            if change is None:
                return None
            share = min(1.0, _REACH / max(float((np.abs(change) / vols).max()), _REACH))
            if number == 0 and share < _SHORT:
                return None
            vols = self._exact(vols + share * change, target) if share == 1.0 else vols + share * change
            if share == 1.0 and self._reached(vols, target) and self.valid(vols):
                return vols
        return None

    def nearest_features(self, target: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] vols without arbitrage whose features are nearest to the target, or None where none were found.

        Nearest: the sum over features of their distance in units of `_lengths` is least, so that as few of
        them as can be move.
        """
        vols, best, least, idle = start, None, np.inf, 0
        for _ in range(_FAR_STEPS):
            missed = float((np.abs(self.nodes.features(vols) - target) / self._lengths(vols)).sum())
            if self.valid(vols):
                idle = idle + 1 if missed > least * (1 - _GAIN) else 0
                best, least = (vols, missed) if missed < least else (best, least)
            if idle == _PATIENCE or least == 0.0:
                break
            change = self._step(vols, target, _COST)
            if change is None:
                break
            vols = vols + change * min(1.0, _REACH / max(float((np.abs(change) / vols).max()), _REACH))
        return best

    def _lengths(self, vols: FloatArray) -> FloatArray:
        """[F] error of each feature for independent errors of 1 in the vols."""
        return np.asarray(np.linalg.norm(self.nodes.slopes(vols)[:, self.free], axis=1))

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
        change = program.solve(self.deadline)
        if change is None:
            return None
        return np.where(self.free, self.nodes.vols_of(value + rate * change), quoted)

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

    def _reached(self, vols: FloatArray, target: FloatArray) -> bool:
        error = np.abs(self.nodes.features(vols) - target) / np.maximum(1.0, np.abs(target))
        return bool((error <= EXACT).all())

    def _step(self, vols: FloatArray, target: FloatArray, cost: float) -> FloatArray | None:
        covers, values, slack = self._conditions(vols)
        program = Quadratic(vols - self.quoted, self.free)
        program.equal(self.nodes.slopes(vols), target - self.nodes.features(vols), cost)
        program.at_least(covers, values, slack)
        program.lowest(-_LEAST * vols)
        return program.solve(self.deadline)

    def _conditions(self, vols: FloatArray) -> tuple[Covers, FloatArray, FloatArray]:
        """Conditions, how fast their slack grows with the vols [3, R], and the slack less its margin [R]."""
        strikes, calls = self.nodes.at(vols)
        covers = self._covers(strikes)
        values = covers.weights * self.nodes.rate(vols, covers.slope(strikes, calls), covers.nodes)
        size = np.sqrt((np.where(covers.nodes >= 0, values, 0.0) ** 2).sum(axis=0))
        margin = np.minimum(_MARGIN, _MARGIN_VOL * size) - _FORGIVEN * min(self.tolerance, _MARGIN)
        return covers, values, -covers.excess(calls) - margin
