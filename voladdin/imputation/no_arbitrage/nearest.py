"""The arbitrage-free surface nearest to a filled one, in the posterior's own measure, quotes held.

    minimise  sum over movable cells of ((ln vol - ln filled) / std of ln vol)^2
    subject to  c_j <= (1 - w) c_i + w c_k  for every node j and every cover i, k at the same or later tenors

Only the conditions that are violated enter, as they are found; each step takes them linear in ln vol (on a
delta axis the strikes move too) and solves the least-distance problem by non-negative least squares (Lawson
and Hanson 1974, chapter 23).
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...arbitrage.conditions import broken, joined, standing
from ...arbitrage.nodes import Nodes, nodes_of
from ...arbitrage.tolerances import FILL_AIM, QUOTE_SLACK
from ...arbitrage.verdicts import arbitrage_free
from ...surface import MAX_LOG_STRIKE, MAX_VOL, Surface
from .between_hulls import between

WORK = 2e9  # cells^2 x trades, summed over the steps: about two seconds on grids of hundreds of cells
_STILL = 1e-13  # of ln vol: not moved
_NEAR = 1e-6  # of ln vol: the step that ends the search
_MAX_STEPS = 25
_MAX_MOVE = 0.3  # of ln vol, in one step
_SEARCHES = 2  # beyond the first, from the nearest surface found


def nearest(axes: Surface, vols: FloatArray, movable: BoolArray, spread: FloatArray) -> FloatArray:
    """[T, K] vols without arbitrage nearest to `vols`, of which only the `movable` cells change.

    spread: [T, K] std of ln vol. Where the steps from `vols` do not lead there, as where the quotes leave
    little room, whatever they passed is put between the hulls, and the steps go on from the nearest of these.
    """

    def distance(found: FloatArray) -> float:
        return float(np.nansum((np.log(found / vols)[movable] / spread[movable]) ** 2))

    found, passed = _steps(axes, vols, movable, spread, vols)
    if found is not None and arbitrage_free(axes, found[None])[0]:
        return found
    best: list[FloatArray] = []
    for _ in range(_SEARCHES):
        placed = np.array([between(axes, point, movable) for point in passed])
        best = sorted([*best, *placed[arbitrage_free(axes, placed)]], key=distance)[:1]
        if not best:
            return np.asarray(placed[0])
        passed = _steps(axes, vols, movable, spread, best[0])[1]
    return best[0]


def _steps(
    axes: Surface, vols: FloatArray, movable: BoolArray, spread: FloatArray, start: FloatArray
) -> tuple[FloatArray | None, list[FloatArray]]:
    """Vols without arbitrage, or None where the steps do not lead there within `WORK`; those they passed.

    What is found depends on no clock.
    """
    filled, std, free = np.log(vols).ravel(), spread.ravel(), np.flatnonzero(movable)
    slack = np.where(movable.ravel(), 0.0, QUOTE_SLACK)
    cuts = _Cuts(nodes_of(axes, vols), filled, slack, free, std[free])
    point, found, least, passed = np.log(start).ravel(), None, np.inf, []
    for _ in range(_MAX_STEPS):
        changed = movable & (np.abs(point - filled) > _STILL).reshape(vols.shape)
        passed.append(np.where(changed, np.minimum(np.exp(point), MAX_VOL).reshape(vols.shape), vols))
        done = cuts.see(point)
        shortest = cuts.shortest()
        if shortest is None:
            break
        step = filled[free] + std[free] * shortest - point[free]
        size = float(np.abs(step).max(initial=0.0))
        if done:
            distance = float(np.sum(((point - filled)[free] / std[free]) ** 2))
            if distance > least:
                break
            least, found = distance, passed[-1]
        if (done and size < _NEAR) or cuts.work > WORK:
            break
        point[free] += step * min(1.0, _MAX_MOVE / max(size, _NEAR))
        np.minimum(point, np.log(MAX_VOL), out=point)
    return found, passed


class _Cuts:
    """What the trades found so far ask of x, the change of ln vol in std: gain + normal x <= 0.

    Each is kept as last seen with its strikes in order, which they may leave as the vols move.
    """

    def __init__(
        self, nodes: Nodes, start: FloatArray, slack: FloatArray, free: IntArray, std: FloatArray
    ) -> None:
        self._nodes, self._start, self._slack, self._free, self._std = nodes, start, slack, free, std
        self._seen: dict[tuple[int, ...], tuple[float, FloatArray]] = {}
        self.work = 0.0

    def see(self, point: FloatArray) -> bool:
        """Takes the trades at these ln vols; whether none is violated there."""
        vols = np.exp(point)
        strikes, calls = self._nodes.at(vols)
        priced = np.abs(self._nodes.moneyness(vols)) <= MAX_LOG_STRIKE
        calls = np.where(priced, calls, np.nan)
        violated = broken(self._nodes.rows, strikes, calls, FILL_AIM, self._slack)
        seen = np.array(list(self._seen), dtype=np.intp).reshape(-1, 3).T
        conditions = joined([standing(seen, strikes), violated])
        gain, rates = conditions.linear(self._nodes, vols)
        slope = (conditions.matrix(-rates, len(vols)).toarray() * vols)[:, self._free]
        gain -= self._slack[conditions.nodes[0]] + slope @ (point - self._start)[self._free]
        for trade, *cut in zip(conditions.nodes.T.tolist(), gain.tolist(), slope * self._std, strict=True):
            self._seen[tuple(trade)] = cut[0], cut[1]
        return not len(violated)

    def shortest(self) -> FloatArray | None:
        """The shortest x [F] that all trades allow, or None where there is none."""
        from scipy.optimize import nnls  # not at import, which is to be light

        gain = np.array([cut[0] for cut in self._seen.values()])
        normal = np.array([cut[1] for cut in self._seen.values()]).reshape(len(gain), len(self._free))
        size = np.sqrt((normal**2).sum(1))
        used = size > 0
        if (gain[~used] > FILL_AIM).any():
            return None
        if not used.any():  # nnls cannot take a matrix without columns
            return np.zeros(len(self._free))
        rows = np.vstack([-normal[used].T / size[used], gain[used] / size[used]])
        target = np.eye(len(rows))[-1]
        try:
            self.work += float(rows.shape[1]) * rows.shape[0] ** 2
            dual, distance = nnls(rows, target)
        except RuntimeError:  # too many iterations
            return None
        rest = rows @ dual - target
        return np.asarray(-rest[:-1] / rest[-1]) if distance > 1e-9 and rest[-1] < -1e-12 else None
