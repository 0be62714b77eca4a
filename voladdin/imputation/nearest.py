"""The arbitrage-free surface nearest to a filled one, in the posterior's own measure, quotes held.

    minimise  sum over movable cells of ((ln vol - ln filled) / std of ln vol)^2
    subject to  c_j <= (1 - w) c_i + w c_k  for every node j and every cover i, k at the same or later tenors

Only the covers that are violated enter, as they are found; each step takes them linear in ln vol (on a delta
axis the strikes move too) and solves the least-distance problem by non-negative least squares (Lawson and
Hanson 1974, chapter 23).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from .._typing import BoolArray, FloatArray
from ..arbitrage.check import MAX_LOG_STRIKE
from ..black import call_price, moneyness_from_delta, vega
from ..surface import MAX_VOL, Surface

WORK = 2e9  # cells^2 x trades, summed over the steps: about two seconds on grids of hundreds of cells
_AIM = 1e-11  # of the largest excess
_SLACK = 8e-11  # what quotes may be worth above a cover: with the aim, less than `check`'s tolerance
_STILL = 1e-13  # of ln vol: not moved
_NEAR = 1e-6  # of ln vol: the step that ends the search
_MAX_STEPS = 25
_MAX_MOVE = 0.3  # of ln vol, in one step
_FORWARD = -1

Trades = NDArray[np.intp]  # [M, 3]: node sold, node bought left of it, node bought right of it or _FORWARD


def project(
    axes: Surface, vols: FloatArray, movable: BoolArray, spread: FloatArray, *, strikes_held: bool = False
) -> FloatArray | None:
    """[T, K] vols without arbitrage nearest to `vols`, of which only the `movable` cells change; or None.

    spread: [T, K] std of ln vol. strikes_held: every cell of a delta grid keeps the strike that `vols` gives
    it; what is allowed is then convex in price. None where the steps do not lead there within `WORK`, as
    where the others leave no room: what is found depends on no clock.
    """
    nodes, start, std = _Nodes(axes), np.log(vols).ravel(), spread.ravel()
    if strikes_held:
        nodes.hold(start)
    free, point, found = np.flatnonzero(movable), start.copy(), None
    cuts = _Cuts(nodes, np.where(movable.ravel(), 0.0, _SLACK), free, std[free])
    nearest = np.inf
    for _ in range(_MAX_STEPS):
        nodes.move(point)
        done = cuts.see((point - start)[free])
        shift = cuts.shortest()
        if shift is None:
            break
        step = start[free] + std[free] * shift - point[free]
        size = float(np.abs(step).max(initial=0.0))
        if done:
            way = float(np.sum(((point - start)[free] / std[free]) ** 2))
            if way > nearest:
                break
            nearest = way
            moved = movable & (np.abs(point - start) > _STILL).reshape(vols.shape)
            found = np.where(moved, np.minimum(np.exp(point), MAX_VOL).reshape(vols.shape), vols)
        if (done and size < _NEAR) or cuts.work > WORK:
            break
        point[free] += step * min(1.0, _MAX_MOVE / max(size, _NEAR))
        np.minimum(point, np.log(MAX_VOL), out=point)
    return found


class _Cuts:
    """What the trades found so far ask of x, the change of ln vol in std: excess + normal x <= 0.

    Each is kept as last seen with its strikes in order, which they may leave as the vols move.
    """

    def __init__(self, nodes: _Nodes, slack: FloatArray, free: NDArray[np.intp], std: FloatArray) -> None:
        self.nodes, self.slack, self.free, self.std = nodes, slack, free, std
        self.seen: dict[tuple[int, ...], tuple[float, FloatArray]] = {}
        self.work = 0.0

    def see(self, change: FloatArray) -> bool:
        """Takes the trades at the nodes' place, `change` of ln vol away; whether none is violated there."""
        violated = self.nodes.violated(self.slack + _AIM)
        known = np.array(list(self.seen), dtype=np.intp).reshape(-1, 3)
        trades = np.concatenate([self.nodes.standing(known), violated])
        excess, slope = self.nodes.cut(trades)
        excess += -self.slack[trades[:, 0]] - slope[:, self.free] @ change
        normal = slope[:, self.free] * self.std
        for trade, *cut in zip(trades.tolist(), excess.tolist(), normal, strict=True):
            self.seen[tuple(trade)] = cut[0], cut[1]
        return not len(violated)

    def shortest(self) -> FloatArray | None:
        """The shortest x that all trades allow, or None where there is none."""
        from scipy.optimize import nnls  # not at import, which is to be light

        excess = np.array([cut[0] for cut in self.seen.values()])
        normal = np.array([cut[1] for cut in self.seen.values()]).reshape(len(excess), len(self.free))
        size = np.sqrt((normal**2).sum(1))
        used = size > 0
        if (excess[~used] > _AIM).any():
            return None
        if not used.any():  # nnls cannot take a matrix without columns
            return np.zeros(len(self.free))
        rows = np.vstack([-normal[used].T / size[used], excess[used] / size[used]])
        target = np.zeros(len(rows))
        target[-1] = 1.0
        try:
            self.work += float(rows.shape[1]) * rows.shape[0] ** 2
            dual, distance = nnls(rows, target)
        except RuntimeError:  # too many iterations
            return None
        rest = rows @ dual - target
        return np.asarray(-rest[:-1] / rest[-1]) if distance > 1e-9 and rest[-1] < -1e-12 else None


class _Nodes:
    """Strikes K/F, prices and their derivatives by ln vol, of all cells [N], row by row."""

    def __init__(self, axes: Surface) -> None:
        self.root = np.repeat(np.sqrt(axes.tenors), axes.shape[1])
        rows = np.repeat(np.arange(len(axes.tenors)), axes.shape[1])
        self.later = rows >= rows[:, None]
        given = axes.log_moneyness
        self.moneyness = None if given is None else given.ravel()
        if axes.deltas is not None:
            self.delta = np.tile(axes.deltas, len(axes.tenors))
            self.normal = ndtri(self.delta)

    def hold(self, point: FloatArray) -> None:
        """Strikes stay where these ln vols put them."""
        if self.moneyness is None:
            self.moneyness = moneyness_from_delta(self.delta, np.exp(point) * self.root)

    def move(self, point: FloatArray) -> None:
        """Puts the cells at these ln vols."""
        total = np.exp(point) * self.root
        if self.moneyness is not None:
            m, self.calls = self.moneyness, call_price(self.moneyness, total)
            self.strikes = np.exp(np.minimum(m, MAX_LOG_STRIKE))
            self.by_strike = np.zeros_like(m)
            self.by_call = vega(m, total) * total
        else:
            m = total * (total / 2 - self.normal)
            self.strikes = np.exp(np.minimum(m, MAX_LOG_STRIKE))
            inner = self.normal - total
            self.calls = self.delta - self.strikes * ndtr(inner)
            self.by_strike = self.strikes * -inner * total
            density = np.exp(-0.5 * inner**2) / np.sqrt(2 * np.pi)
            self.by_call = self.strikes * density * total - self.by_strike * ndtr(inner)
        dropped = ~(np.abs(m) <= MAX_LOG_STRIKE) | np.isnan(self.calls)
        self.strikes[dropped] = self.calls[dropped] = np.nan

    def violated(self, slack: FloatArray) -> Trades:
        """One trade for each node that is worth more than some cover and its `slack` [N]."""
        run = self.strikes[:, None] - self.strikes
        rise = (self.calls - slack)[:, None] - self.calls
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = rise / run
            same = (run == 0) & self.later & (rise > 0)
            left = np.where(same, np.inf, np.where((run > 0) & self.later, slope, -np.inf))
            right = np.where((run < 0) & self.later, slope, np.inf)
            forward = (self.calls - slack - 1.0) / self.strikes
            most, least = left.max(1), right.min(1)
            bad = np.flatnonzero(np.maximum(most, forward) > np.minimum(least, 0.0))
        bought = np.where(most >= forward, left.argmax(1), _FORWARD)
        other = np.where((least < 0) & (most < np.inf), right.argmin(1), _FORWARD)
        return np.stack([np.arange(len(run)), bought, other], axis=1)[bad]

    def standing(self, trades: Trades) -> Trades:
        """Those whose strikes are still in order."""
        sold, left, right = trades.T
        strikes = np.append(self.strikes, 0.0)
        inside: BoolArray = (strikes[left] <= strikes[sold]) & (
            (right == _FORWARD) | (strikes[sold] < strikes[right])
        )
        return np.asarray(trades[inside])

    def cut(self, trades: Trades) -> tuple[FloatArray, FloatArray]:
        """What each trade locks in [M], and its derivative by every ln vol [M, N]."""
        sold, left, right = trades.T
        strikes, calls = np.append(self.strikes, 0.0), np.append(self.calls, 1.0)
        by_strike, by_call = np.append(self.by_strike, 0.0), np.append(self.by_call, 0.0)
        flat = right == _FORWARD
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(flat, 0.0, (strikes[sold] - strikes[left]) / (strikes[right] - strikes[left]))
            tilt = np.where(flat, 0.0, (calls[right] - calls[left]) / (strikes[right] - strikes[left]))
        excess = calls[sold] - calls[left] - tilt * (strikes[sold] - strikes[left])
        slope, lines = np.zeros((len(trades), len(calls))), np.arange(len(trades))
        for node, weight in ((sold, 1.0), (left, share - 1.0), (right, -share)):
            slope[lines, node] += weight * (by_call[node] - tilt * by_strike[node])
        return excess, slope[:, :-1]
