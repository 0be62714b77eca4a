"""The arbitrage-free surface nearest to a filled one, in the posterior's own measure, quotes held.

    minimise  sum over movable cells of ((ln vol - ln filled) / std of ln vol)^2
    subject to  c_j <= (1 - w) c_i + w c_k  for every node j and every cover i, k at the same or later tenors

Only the conditions that are violated enter, as they are found; each step takes them linear in ln vol (on a
delta axis the strikes move too) and solves the least-distance problem by non-negative least squares (Lawson
and Hanson 1974, chapter 23).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from .._typing import BoolArray, FloatArray, IntArray
from ..arbitrage.hulls import FORWARD
from ..arbitrage.nodes import AtDeltas, Nodes, at_own_strikes
from ..arbitrage.tolerances import FILL_AIM, MAX_LOG_STRIKE, QUOTE_SLACK
from ..surface import MAX_VOL, Surface

WORK = 2e9  # cells^2 x trades, summed over the steps: about two seconds on grids of hundreds of cells
_STILL = 1e-13  # of ln vol: not moved
_NEAR = 1e-6  # of ln vol: the step that ends the search
_MAX_STEPS = 25
_MAX_MOVE = 0.3  # of ln vol, in one step

Trades = NDArray[np.intp]  # [M, 3]: node sold, node bought left of it, node bought right of it or FORWARD


def project(
    axes: Surface, vols: FloatArray, movable: BoolArray, spread: FloatArray, *, strikes_held: bool = False
) -> FloatArray | None:
    """[T, K] vols without arbitrage nearest to `vols`, of which only the `movable` cells change; or None.

    spread: [T, K] std of ln vol. strikes_held: every cell of a delta grid keeps the strike that `vols` gives
    it; what is allowed is then convex in price. None where the steps do not lead there within `WORK`, as
    where the others leave no room: what is found depends on no clock.
    """
    start, std, free = np.log(vols).ravel(), spread.ravel(), np.flatnonzero(movable)
    slack = np.where(movable.ravel(), 0.0, QUOTE_SLACK)
    cuts = _Cuts(_nodes(axes, start, strikes_held), start, slack, free, std[free])
    point, found, nearest = start.copy(), None, np.inf
    for _ in range(_MAX_STEPS):
        done = cuts.see(point)
        target = cuts.nearest()
        if target is None:
            break
        step = target - point[free]
        size = float(np.abs(step).max(initial=0.0))
        if done:
            distance = float(np.sum(((point - start)[free] / std[free]) ** 2))
            if distance > nearest:
                break
            changed = movable & (np.abs(point - start) > _STILL).reshape(vols.shape)
            nearest = distance
            found = np.where(changed, np.minimum(np.exp(point), MAX_VOL).reshape(vols.shape), vols)
        if (done and size < _NEAR) or cuts.work > WORK:
            break
        point[free] += step * min(1.0, _MAX_MOVE / max(size, _NEAR))
        np.minimum(point, np.log(MAX_VOL), out=point)
    return found


def _nodes(axes: Surface, point: FloatArray, strikes_held: bool) -> Nodes:
    """All cells, on a delta axis with strikes that move unless they are held where ln vols put them."""
    at_strikes = at_own_strikes(axes, np.exp(point).reshape(axes.shape))
    if axes.deltas is None or strikes_held:
        return at_strikes
    deltas = np.tile(axes.deltas, len(axes.tenors))
    return AtDeltas(at_strikes.rows, ndtri(deltas), deltas, at_strikes.root)


class _Cuts:
    """What the trades found so far ask of x, the change of ln vol in std: gain + normal x <= 0.

    Each is kept as last seen with its strikes in order, which they may leave as the vols move.
    """

    def __init__(
        self, nodes: Nodes, start: FloatArray, slack: FloatArray, free: IntArray, std: FloatArray
    ) -> None:
        self._nodes, self._start, self._slack, self._free, self._std = nodes, start, slack, free, std
        self._later = nodes.rows >= nodes.rows[:, None]
        self._seen: dict[tuple[int, ...], tuple[float, FloatArray]] = {}
        self.work = 0.0

    def see(self, point: FloatArray) -> bool:
        """Takes the trades at these ln vols; whether none is violated there."""
        place = _placed(self._nodes, point)
        violated = place.violated(self._later, self._slack + FILL_AIM)
        known = np.array(list(self._seen), dtype=np.intp).reshape(-1, 3)
        trades = np.concatenate([place.standing(known), violated])
        gain, slope = place.linear(trades)
        slope = slope[:, self._free]
        gain += -self._slack[trades[:, 0]] - slope @ (point - self._start)[self._free]
        normal = slope * self._std
        for trade, *cut in zip(trades.tolist(), gain.tolist(), normal, strict=True):
            self._seen[tuple(trade)] = cut[0], cut[1]
        return not len(violated)

    def nearest(self) -> FloatArray | None:
        """[F] the free ln vols nearest to the start that all trades allow, or None where there are none."""
        shortest = self._shortest()
        return None if shortest is None else self._start[self._free] + self._std * shortest

    def _shortest(self) -> FloatArray | None:
        """The shortest x that all trades allow, or None where there is none."""
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
        target = np.zeros(len(rows))
        target[-1] = 1.0
        try:
            self.work += float(rows.shape[1]) * rows.shape[0] ** 2
            dual, distance = nnls(rows, target)
        except RuntimeError:  # too many iterations
            return None
        rest = rows @ dual - target
        return np.asarray(-rest[:-1] / rest[-1]) if distance > 1e-9 and rest[-1] < -1e-12 else None


@dataclass(frozen=True)
class _Place:
    """All cells [N] at some vols, and the forward last, as FORWARD is -1: strikes, prices, both by ln vol."""

    strikes: FloatArray
    calls: FloatArray
    by_strike: FloatArray
    by_call: FloatArray

    def violated(self, later: BoolArray, slack: FloatArray) -> Trades:
        """One trade for each node that is worth more than some cover and its `slack` [N]."""
        strikes, calls = self.strikes[:-1], self.calls[:-1]
        run = strikes[:, None] - strikes
        rise = (calls - slack)[:, None] - calls
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = rise / run
            same = (run == 0) & later & (rise > 0)
            left = np.where(same, np.inf, np.where((run > 0) & later, slope, -np.inf))
            right = np.where((run < 0) & later, slope, np.inf)
            forward = (calls - slack - 1.0) / strikes
            most, least = left.max(1), right.min(1)
            bad = np.flatnonzero(np.maximum(most, forward) > np.minimum(least, 0.0))
        bought = np.where(most >= forward, left.argmax(1), FORWARD)
        other = np.where((least < 0) & (most < np.inf), right.argmin(1), FORWARD)
        return np.stack([np.arange(len(run)), bought, other], axis=1)[bad]

    def standing(self, trades: Trades) -> Trades:
        """Those whose strikes are still in order."""
        sold, left, right = self.strikes[trades.T]
        inside: BoolArray = (left <= sold) & ((trades[:, 2] == FORWARD) | (sold < right))
        return np.asarray(trades[inside])

    def linear(self, trades: Trades) -> tuple[FloatArray, FloatArray]:
        """What each trade locks in [M], g = c_j - c_i - b (K_j - K_i), and its slope by every ln vol [M, N].

        b = (c_k - c_i) / (K_k - K_i) is that of the line through the calls bought, w = (K_j - K_i) / (K_k -
        K_i), both 0 where there is no k; dg = [c' - b K']_j - (1 - w) [c' - b K']_i - w [c' - b K']_k.
        """
        (k_sold, k_left, k_right), (c_sold, c_left, c_right) = self.strikes[trades.T], self.calls[trades.T]
        flat = trades[:, 2] == FORWARD
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(flat, 0.0, (k_sold - k_left) / (k_right - k_left))
            tilt = np.where(flat, 0.0, (c_right - c_left) / (k_right - k_left))
        gain = c_sold - c_left - tilt * (k_sold - k_left)
        slope, lines = np.zeros((len(trades), len(self.calls))), np.arange(len(trades))
        for node, weight in zip(trades.T, (1.0, share - 1.0, -share), strict=True):
            slope[lines, node] += weight * (self.by_call[node] - tilt * self.by_strike[node])
        return gain, slope[:, :-1]


def _placed(nodes: Nodes, point: FloatArray) -> _Place:
    """The nodes at these ln vols; NaN where there is no price, or a strike is no float."""
    vols = np.exp(point)
    strikes, calls = nodes.at(vols)
    dropped = ~(np.abs(nodes.moneyness(vols)) <= MAX_LOG_STRIKE) | np.isnan(calls)
    strikes, calls = np.where(dropped, np.nan, strikes), np.where(dropped, np.nan, calls)
    by_strike, by_call = (np.append(rate, 0.0) for rate in nodes.log_rates(vols))
    return _Place(np.append(strikes, 0.0), np.append(calls, 1.0), by_strike, by_call)
