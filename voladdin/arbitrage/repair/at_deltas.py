"""The smallest change of vols on a delta axis, where a strike moves with its vol.

At forward delta d = N(z) and total vol s the strike is K = exp(s (s/2 - z)), the price c = d - K N(z - s).
As s grows, (K, c) rises through every line whose slope is in [-1, 0], at the rate

    c' - slope K' = K [n(d2) + d2 (N(d2) + slope)] >= 0,    d2 = z - s.

Each condition "no call is worth more than calls that cover it" is linearised at the present vols; a linear
program in vols takes the step. Every iterate is then moved onto ordered lower hulls of its own prices, each
point along its own path, so that it has no arbitrage, and the nearest to the quotes is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ..._typing import BoolArray, FloatArray, IntArray
from ...surface import MAX_VOL
from ..check import MAX_LOG_STRIKE
from ..conditions import Covers, from_excesses, joined, neighbours
from ..hulls import excesses
from ..prices import Quotes
from .linear_program import INFEASIBLE, OPTIMAL
from .moves import Limits, Moves
from .onto_hulls import ROUNDING, Hulls, hulls

SCALE = 1e-4  # 1 in the program is 1 bp of vol
LEAST_VOL = 1e-6
_STEPS = 10
_GAIN = 1e-4  # of the cost: less is not worth another step
_RADIUS = 0.25  # of the median vol
_REACH = 2.0  # a step at most halves or doubles a vol
_ROUNDING = 2e-15
_NEWTON_STEPS = 100
_PLACINGS = 5


@dataclass(frozen=True)
class Paths:
    """N quotes that move along their deltas. rows: tenor ranks. z: N^-1(delta). root: sqrt(tau)."""

    rows: list[int]
    z: FloatArray
    root: FloatArray
    vols: FloatArray

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[N] strikes and call prices at these vols, to 1e-15."""
        s = vols * self.root
        strikes = _strikes(s, self.z)
        return strikes, ndtr(self.z) - strikes * ndtr(self.z - s)

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:
        """How fast points of `nodes` at `vols` rise through lines of a slope as vols grow; all [..., R]."""
        root, z = self.root[nodes], self.z[nodes]
        s = vols * root
        d2 = z - s
        density = np.exp(-0.5 * d2 * d2) / np.sqrt(2 * np.pi)
        return np.asarray(root * _strikes(s, z) * (density + d2 * (ndtr(d2) + slope)))


def paths(given: Quotes, deltas: FloatArray) -> Paths:
    """The quotes of a surface with these deltas [K]."""
    z = np.asarray(ndtri(deltas))[given.cells[:, 1]]
    return Paths(given.rows, z, given.root, given.vols)


def limits(paths: Paths, bid: FloatArray, ask: FloatArray) -> Limits:
    """Of vols; bid, ask: [N], NaN where there is none."""
    vols = paths.vols
    inside = np.fmax(vols - bid, 0.0), np.fmax(ask - vols, 0.0)
    return Limits(vols - np.minimum(vols, LEAST_VOL), MAX_VOL - vols, *inside, np.ones_like(vols))


def _strikes(s: FloatArray, z: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.minimum(s * (s / 2 - z), MAX_LOG_STRIKE)))


def placed(paths: Paths, vols: FloatArray, free: BoolArray, slack: float = ROUNDING) -> FloatArray:
    """[N] vols whose points lie on ordered lower hulls of the points at `vols`; those on them stay.

    Each point rises through its tenor's hull as its vol grows, so that its place on it is unique. Where a
    fixed quote lifts the hull out of a point's reach, the point stays at the largest vol, and the others
    go on to the hulls with it. slack: as in `hulls`.
    """
    for _ in range(_PLACINGS):
        strikes, calls = paths.at(vols)
        hull = hulls(paths.rows, strikes, calls, free, slack)
        value = hull.at(strikes)[0]
        off = np.flatnonzero(free & (np.abs(calls - value) > _ROUNDING))
        moved = vols.copy()
        moved[off] = _risen(paths, hull, off, vols[off], calls[off] > value[off])
        short = (moved > vols) & (moved > MAX_VOL * (1 - 1e-9))
        vols = moved
        if not short.any():
            break
    return vols


def _risen(paths: Paths, hull: Hulls, nodes: IntArray, vols: FloatArray, above: BoolArray) -> FloatArray:
    """[R] vols of points on the hull, from above or below it: Newton, or bisection where that stalls."""
    low, high = np.where(above, LEAST_VOL, vols), np.where(above, vols, MAX_VOL)
    root, z = paths.root[nodes], paths.z[nodes]
    deltas, ranks = ndtr(z), hull.ranks[nodes]
    last = np.full(len(vols), np.inf)
    for _ in range(_NEWTON_STEPS):
        s = vols * root
        strikes, d2 = _strikes(s, z), ndtr(z - s)
        value, slope = hull.at(strikes, ranks)
        gap = deltas - strikes * d2 - value
        if (np.abs(gap) <= _ROUNDING).all():
            break
        low, high = np.where(gap <= 0, vols, low), np.where(gap > 0, vols, high)
        step = vols - gap / np.maximum(paths.rate(vols, slope, nodes), 1e-300)
        usable = (step > low) & (step < high) & (np.abs(gap) < 0.5 * last)
        vols, last = np.where(usable, step, 0.5 * (low + high)), np.abs(gap)
    return vols


class Search:
    """Steps of linear programs from the quotes to the nearest vols without arbitrage."""

    def __init__(self, paths: Paths, moves: Moves, free: BoolArray, tolerance: float) -> None:
        self._paths, self._moves, self._free = paths, moves, free
        self._tolerance = tolerance
        self._kept = from_excesses([])
        self.best, self.least, self.solved = paths.vols, np.inf, False

    def run(self) -> str:
        """The last program's status; where `least` is finite, `best` has no arbitrage and is within limits.

        `solved` tells whether a program was solved at all; before that, `best` is on lower hulls.

        The first program is around the quotes, the next ones around the best vols so far, within a radius
        that shrinks where a program promised what its step did not keep.
        """
        centre, radius, status = self._paths.vols, np.inf, OPTIMAL
        self._take(centre)
        for _ in range(_STEPS):
            status, stepped = self._program(centre, radius)
            first, self.solved = centre is self._paths.vols, self.solved or status == OPTIMAL
            if status == INFEASIBLE and first and np.isfinite(self.least):
                centre, radius = self.best, _RADIUS * float(np.median(self._paths.vols))
                continue
            promised = self._cost(stepped)
            if status != OPTIMAL or (not first and promised > self.least * (1 - _GAIN)):
                break
            before, size = self.least, float(np.abs(stepped - centre).max())
            self._take(stepped)
            kept_promise = self.least - promised < 0.5 * (before - promised)
            radius = 2 * size if kept_promise else size / 4
            centre = self.best if np.isfinite(self.least) else stepped
        if status == OPTIMAL and not np.isfinite(self.least):
            return INFEASIBLE
        return status

    def _cost(self, vols: FloatArray) -> float:
        return self._moves.cost(vols - self._paths.vols)

    def _take(self, stepped: FloatArray) -> None:
        """Keep what a step leads to if it is nearer, and the trades it left as conditions."""
        strikes, calls = self._paths.at(stepped)
        found = excesses(self._paths.rows, strikes.tolist(), calls.tolist(), calls.tolist(), self._tolerance)
        vols = placed(self._paths, stepped, self._free, self._tolerance) if found else stepped
        self._kept = joined([self._kept, from_excesses(found)])
        cost = self._cost(vols)
        if cost < self.least:
            self.best, self.least = vols, cost

    def _program(self, now: FloatArray, radius: float) -> tuple[str, FloatArray]:
        """The linear program around the vols `now`."""
        paths = self._paths
        strikes, calls = paths.at(now)
        covers = joined([neighbours(paths.rows, strikes), self._kept.at(strikes)])
        values = _values(paths, now, covers, covers.slope(strikes, calls))
        excess = covers.excess(calls)
        excess[(excess > 0) & (excess <= self._tolerance)] = 0.0
        far = np.append(now - paths.vols, 0.0)
        least = excess + (values * far[covers.nodes]).sum(axis=0)
        low, high = np.maximum(now / _REACH, now - radius), np.minimum(now * _REACH, now + radius)
        program = self._moves.program(low - paths.vols, high - paths.vols)
        self._moves.add(program, covers, values, least)
        status, x = program.solve()
        if status != OPTIMAL:
            return status, now
        change = self._moves.read(x)
        return status, np.where(change == 0, paths.vols, np.clip(paths.vols + change, LEAST_VOL, MAX_VOL))


def _values(paths: Paths, now: FloatArray, covers: Covers, slope: FloatArray) -> FloatArray:
    """[3, R] how fast each condition's slack grows with the vols of sold, left and right."""
    return np.asarray(covers.weights * paths.rate(now[covers.nodes], slope, covers.nodes))
