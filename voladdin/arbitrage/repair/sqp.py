"""The nearest vols without arbitrage that have given features: a sequence of quadratic programs.

    min |vols - quoted|^2   subject to   c[sold] <= share c[left] + (1 - share) c[right],   y(vols) = target

Each program is linear around the present vols; features at given strikes are linear in vols as they are, so
only the conditions on prices converge. They start as each quote's neighbours, and trades that are left enter.
A condition has slack, as `check` has: without it, prices far below the tolerance would move vols by percents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray
from ..conditions import NONE, NoArbitrageConditions, broken, joined, neighbours, standing
from ..nodes import AtDeltas
from ..tolerances import FORGIVEN, LEAST_VOL, STRICT
from .onto_hulls import placed
from .quadratic_program import Quadratic
from .quoted_features import QuotedFeatures

EXACT = 1e-11  # of a feature, relative where it is above 1
_STEPS = 16
_LARGEST_RISE = 1.0  # a step adds no more than this share to a vol
_LARGEST_FALL = 0.5  # nor takes more off it
_LOW = 0.01  # no vol goes below, or below half of what is quoted: no corner without vol keeps features
_CLOSE = 0.02  # a step of less than this share of the whole change is the last
_NOTHING = 1e-6  # a change of less is not worth another step
_SHORT = 0.2  # a first step shortened to less leads nowhere from there
_MARGIN = 2e-10  # of price, above 0
_MARGIN_VOL = 1e-7  # of vol: the margin costs no more
_LIVE_VOLS = 0.02, 2.0  # of prices from which vols can be moved
_LIVE_RATE = 2e-3
_MOST_OFF = 0.99  # of a price
_LEAST_PRICE = 1e-14
_MOST_PRICE = 0.9999  # of the most that an out-of-the-money price can be
_CLOSEST_STEPS = 30
_COST = 1e4  # of missing a feature by its spread, to begin with: steps at a higher one oscillate
_DEARER = 3.0  # after a step without gain
_PATIENCE = 4  # steps without gain
_GAIN = 1e-3


@dataclass
class Sequence:
    """features: of quotes [N], `quoted` vols, of which the `free` may move. tolerance: of `check`."""

    features: QuotedFeatures
    quoted: FloatArray
    free: BoolArray
    tolerance: float
    _found: NoArbitrageConditions = NONE

    def nearest(self, target: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] the vols, or None where the steps from `start` do not lead there."""
        vols, best, least, hard = start, None, np.inf, np.full(len(target), np.inf)
        for number in range(_STEPS):
            change = self._step(vols, target, hard)
            share = 0.0 if change is None else _share(change, vols)
            if change is None or (number == 0 and start is self.quoted and share < _SHORT):
                break
            vols = vols + share * change
            if share < 1.0:
                continue
            vols = self._exact(vols, target)
            if not self.reached(vols, target).all() or self._left(vols):
                continue
            away = float(np.linalg.norm(vols - self.quoted))
            if away < least:
                best, least = vols, away
            if away < _NOTHING or np.linalg.norm(change) <= _CLOSE * away:
                break
        return best

    def closest(self, target: FloatArray, spread: FloatArray, start: FloatArray) -> FloatArray | None:
        """[N] vols without arbitrage with features as near the target as can be, or None if none are found.

        spread: [F] unit of each feature's distance, whose sum is least; 0 where a feature must be as asked.
        """
        soft = spread > 0
        unit = np.where(soft, spread, 1.0)
        vols, best, least, idle, cost = start, None, np.inf, 0, _COST
        for _ in range(_CLOSEST_STEPS):
            change = self._step(vols, target, np.where(soft, cost / unit, np.inf))
            if change is None or idle == _PATIENCE:
                break
            vols = vols + _share(change, vols) * change
            missed = float((np.abs(self.features.at(vols) - target) / unit)[soft].sum())
            if not (self.reached(vols, target) | soft).all() or self._left(vols):
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
        quotes = self.features.quotes
        quoted = np.where(self.free, np.clip(self.quoted, *_LIVE_VOLS), self.quoted)
        if isinstance(quotes, AtDeltas):
            return placed(quotes, quoted, self.free)
        strikes, calls = quotes.at(quoted)
        conditions, every = self._conditions(strikes), np.arange(len(quoted))
        rate = np.maximum(quotes.rate(quoted, np.zeros(len(quoted)), every), _LIVE_RATE)
        value = calls - quotes.intrinsic
        program = Quadratic(np.zeros(len(quoted)), self.free)
        program.at_least(conditions, conditions.weights * rate[conditions.nodes], -conditions.gain(calls))
        program.lowest(-_MOST_OFF * value / rate)
        change = program.solve()
        if change is None:
            return None
        most = _MOST_PRICE * np.exp(np.minimum(quotes.m, 0))
        vols = quotes.implied(np.clip(value + rate * change, _LEAST_PRICE, most))
        return np.where(self.free, np.maximum(vols, LEAST_VOL), quoted)

    def reached(self, vols: FloatArray, target: FloatArray) -> BoolArray:
        """[F] which features are as asked."""
        error = np.abs(self.features.at(vols) - target) / np.maximum(1.0, np.abs(target))
        return np.asarray(error <= EXACT)

    def _left(self, vols: FloatArray) -> bool:
        """Whether a trade is left; where the conditions miss them all, those left enter."""
        strikes, calls = self.features.quotes.at(vols)
        if self._conditions(strikes).gain(calls).max(initial=0.0) > self.tolerance:
            return True
        missed = broken(self.features.quotes.rows, strikes, calls, STRICT * self.tolerance)
        self._found = joined([self._found, missed])
        return len(missed) > 0

    def _conditions(self, strikes: FloatArray) -> NoArbitrageConditions:
        """Neighbours, which on a rectangle of tenors and strikes are all, and trades that were left."""
        return joined([neighbours(self.features.quotes.rows, strikes), standing(self._found.nodes, strikes)])

    def _exact(self, vols: FloatArray, target: FloatArray) -> FloatArray:
        """The rounding of a program's features taken off."""
        slopes = self.features.slopes(vols) * self.free
        change = slopes.T @ np.linalg.lstsq(slopes @ slopes.T, target - self.features.at(vols), rcond=None)[0]
        return np.maximum(vols + change, 0.5 * vols)

    def _step(self, vols: FloatArray, target: FloatArray, cost: FloatArray) -> FloatArray | None:
        """[N] the change that the program around these vols asks for; each condition keeps a margin."""
        conditions = self._conditions(self.features.quotes.at(vols)[0])
        gain, rates = conditions.linear(self.features.quotes, vols)
        size = np.sqrt((np.where(conditions.nodes >= 0, rates, 0.0) ** 2).sum(axis=0))
        margin = np.minimum(_MARGIN, _MARGIN_VOL * size) - FORGIVEN * min(self.tolerance, _MARGIN)
        program = Quadratic(vols - self.quoted, self.free)
        program.equal(self.features.slopes(vols), target - self.features.at(vols), cost)
        program.at_least(conditions, rates, -gain - margin)
        floor = np.minimum(_LOW, 0.5 * self.quoted)
        program.lowest(np.maximum(-_LARGEST_FALL * vols, np.minimum(floor - vols, 0.0)))
        return program.solve()


def _share(change: FloatArray, vols: FloatArray) -> float:
    """Of a change that is taken."""
    return min(1.0, _LARGEST_RISE / max(float((np.abs(change) / vols).max()), _LARGEST_RISE))
