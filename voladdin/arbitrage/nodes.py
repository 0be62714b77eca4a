"""N quotes as functions of their vols: strikes K/F, forward-normalised call prices, and their derivatives.

At forward delta d = N(z) and total vol s = vol sqrt(tau), a strike moves with its vol:

    K = exp(s (s/2 - z)),    c = d - K N(d2),    d2 = z - s.

As s grows, (K, c) rises through every line whose slope is in [-1, 0].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy

from .._typing import BoolArray, FloatArray, IntArray
from ..black import density, implied_total_vol, moneyness_from_delta, otm_price, vega
from ..surface import MAX_LOG_STRIKE, MAX_VOL, Surface


@dataclass(frozen=True)
class Rectangle:
    """Axes of any size that all tenors share. tenors: [T] years, moneyness: [K] ln(K/F), both increasing."""

    tenors: FloatArray
    moneyness: FloatArray
    deltas: None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(number of tenors, number of strikes)."""
        return len(self.tenors), len(self.moneyness)

    @property
    def log_moneyness(self) -> FloatArray:
        """[T, K]."""
        return np.broadcast_to(self.moneyness, self.shape)


Axes = Surface | Rectangle


@dataclass(frozen=True)
class AtStrikes:
    """Quotes at strikes that stay. rows: [N] tenor ranks. m: [..., N] ln(K/F). root: [N] sqrt(tau)."""

    rows: IntArray
    m: FloatArray
    root: FloatArray

    @cached_property
    def strikes(self) -> FloatArray:
        """[..., N] K/F, at most exp(700)."""
        return np.exp(np.minimum(self.m, MAX_LOG_STRIKE))

    @cached_property
    def intrinsic(self) -> FloatArray:
        """[..., N] of the calls."""
        return -np.expm1(np.minimum(self.m, 0))

    def moneyness(self, vols: FloatArray) -> FloatArray:
        """ln(K/F), whatever the vols."""
        return np.broadcast_to(self.m, vols.shape)

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Strikes and call prices at vols [..., N]."""
        return self.strikes, self.intrinsic + otm_price(self.m, vols * self.root)

    def implied(self, value: FloatArray) -> FloatArray:
        """Vols of out-of-the-money prices [..., N], 0 where there is none, at most `MAX_VOL`."""
        return np.fmin(implied_total_vol(np.maximum(value, 0.0), self.m) / self.root, MAX_VOL)

    def moved(self, vols: FloatArray, by: FloatArray, least: float = 0.0) -> FloatArray:
        """Vols where prices at vols [..., N] are `by` more, and out of the money at least `least`."""
        return self.implied(np.maximum(otm_price(self.m, vols * self.root) + by, least))

    def only(self, nodes: IntArray | BoolArray) -> AtStrikes:
        """Some of them."""
        return AtStrikes(self.rows[nodes], self.m[nodes], self.root[nodes])

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:  # noqa: ARG002
        """dc/dvol of `nodes` [..., R] at vols [N]: vega sqrt(tau), whatever the slope."""
        return np.asarray((vega(self.m, vols * self.root) * self.root)[nodes])


@dataclass(frozen=True)
class AtDeltas:
    """Quotes at deltas, whose strikes move with their vols. rows: [N] tenor ranks. root: [N] sqrt(tau).

    z: [N] N^-1(delta). deltas: [N] those that prices are taken from, N(z) or, to the last bit, the given.
    """

    rows: IntArray
    z: FloatArray
    deltas: FloatArray
    root: FloatArray

    def only(self, nodes: IntArray) -> AtDeltas:
        """Some of them."""
        return AtDeltas(self.rows[nodes], self.z[nodes], self.deltas[nodes], self.root[nodes])

    def moneyness(self, vols: FloatArray) -> FloatArray:
        """[N] ln(K/F) = s (s/2 - z)."""
        s = vols * self.root
        return np.asarray(s * (s / 2 - self.z))

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[N] strikes, at most exp(700), and call prices, to 1e-15."""
        strikes = np.exp(np.minimum(self.moneyness(vols), MAX_LOG_STRIKE))
        return strikes, self.deltas - strikes * scipy.special.ndtr(self.z - vols * self.root)

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:
        """dc/dvol - slope dK/dvol of `nodes` [..., R]: sqrt(tau) K [n(d2) + d2 (N(d2) + slope)] >= 0."""
        root, z = self.root[nodes], self.z[nodes]
        s = vols[nodes] * root
        d2 = z - s
        strikes = np.exp(np.minimum(s * (s / 2 - z), MAX_LOG_STRIKE))
        return np.asarray(root * strikes * (density(d2) + d2 * (scipy.special.ndtr(d2) + slope)))


Nodes = AtStrikes | AtDeltas


def nodes_of(axes: Axes, vols: FloatArray) -> Nodes:
    """All T K cells, row by row, as their vols may move: at the strikes they have, or along their deltas."""
    nodes = at_own_strikes(axes, vols)
    if axes.deltas is None:
        return nodes
    every = np.tile(axes.deltas, len(axes.tenors))
    return AtDeltas(nodes.rows, scipy.special.ndtri(every), every, nodes.root)


def at_own_strikes(axes: Axes, vols: FloatArray) -> AtStrikes:
    """All T K cells, row by row, at the strikes that vols [..., T, K] give them.

    m is NaN where there is no vol, and beyond exp(700) forwards, where a strike is no float.
    """
    rows, root = _rows_and_roots(tuple(axes.tenors.tolist()), axes.shape[1])
    total = vols.reshape(*vols.shape[:-2], len(root)) * root
    if axes.deltas is not None:
        m = moneyness_from_delta(np.tile(axes.deltas, len(axes.tenors)), total)
    else:
        given = axes.log_moneyness
        assert given is not None
        m = np.where(np.isnan(total), np.nan, given.ravel())
    with np.errstate(invalid="ignore"):
        m = np.where(np.abs(m) <= MAX_LOG_STRIKE, m, np.nan)
    return AtStrikes(rows, m, root)


@lru_cache(maxsize=16)
def _rows_and_roots(tenors: tuple[float, ...], strikes: int) -> tuple[IntArray, FloatArray]:
    """[T K] tenor ranks and sqrt(tau), row by row; kept, as surfaces share their axes."""
    return np.repeat(np.arange(len(tenors)), strikes), np.repeat(np.sqrt(tenors), strikes)
