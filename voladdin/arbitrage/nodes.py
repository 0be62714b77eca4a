"""N quotes as functions of their vols: strikes, prices and features, with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from .._typing import FloatArray, IntArray
from ..black import implied_total_vol, otm_price, vega
from ..feature_map import feature_weights, moneyness_slopes
from .conditions import Covers, neighbours
from .repair.at_deltas import Paths

_LEAST_PRICE = 1e-14


class Nodes(Protocol):
    """Quotes that move with their vols [N]. rows: tenor ranks."""

    @property
    def rows(self) -> list[int]: ...

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[N] strikes K/F and call prices."""

    def covers(self, strikes: FloatArray) -> Covers:
        """Conditions to begin with."""

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:
        """How fast the points of `nodes` rise through lines of a slope as their vols grow; all [..., R]."""

    def features(self, vols: FloatArray) -> FloatArray:
        """[F] those that the grid can tell."""

    def slopes(self, vols: FloatArray) -> FloatArray:
        """[F, N] their derivatives."""


@dataclass(frozen=True)
class AtStrikes:
    """Quotes at strikes that stay. m: [N] ln(K/F). root: [N] sqrt(tau). weights: [F, N] of the features."""

    rows: list[int]
    m: FloatArray
    root: FloatArray
    weights: FloatArray

    @cached_property
    def strikes(self) -> FloatArray:
        """[N] K/F."""
        return np.exp(self.m)

    @cached_property
    def intrinsic(self) -> FloatArray:
        """[N] of the calls."""
        return -np.expm1(np.minimum(self.m, 0))

    @cached_property
    def _neighbours(self) -> Covers:
        return neighbours(self.rows, self.strikes)

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As in `Nodes`."""
        return self.strikes, self.intrinsic + otm_price(self.m, vols * self.root)

    def covers(self, strikes: FloatArray) -> Covers:
        """As in `Nodes`; on a rectangle of tenors and strikes these are all."""
        return self._neighbours

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:
        """As in `Nodes`: vega, whatever the slope."""
        return np.asarray((vega(self.m, vols * self.root) * self.root)[nodes])

    def features(self, vols: FloatArray) -> FloatArray:
        """As in `Nodes`."""
        return np.asarray(self.weights @ vols)

    def slopes(self, vols: FloatArray) -> FloatArray:
        """As in `Nodes`."""
        return self.weights

    def vols_of(self, value: FloatArray) -> FloatArray:
        """[N] vols of out-of-the-money prices."""
        most = 0.9999 * np.exp(np.minimum(self.m, 0))
        return implied_total_vol(np.clip(value, _LEAST_PRICE, most), self.m) / self.root


@dataclass(frozen=True)
class AtDeltas:
    """Quotes at deltas, whose strikes move with their vols. tenors: [N] years. known: [4], which features."""

    paths: Paths
    tenors: FloatArray
    known: np.ndarray

    @property
    def rows(self) -> list[int]:
        """Tenor ranks."""
        return self.paths.rows

    def at(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As in `Nodes`."""
        return self.paths.at(vols)

    def covers(self, strikes: FloatArray) -> Covers:
        """As in `Nodes`."""
        return neighbours(self.rows, strikes)

    def rate(self, vols: FloatArray, slope: FloatArray, nodes: IntArray) -> FloatArray:
        """As in `Nodes`."""
        return self.paths.rate(vols[nodes], slope, nodes)

    def features(self, vols: FloatArray) -> FloatArray:
        """As in `Nodes`."""
        total = vols * self.paths.root
        moneyness = total * (total / 2 - self.paths.z)
        return np.asarray(feature_weights(self.tenors, moneyness)[self.known] @ vols)

    def slopes(self, vols: FloatArray) -> FloatArray:
        """As in `Nodes`: by the vol itself, and by the moneyness that moves with it."""
        total, z = vols * self.paths.root, self.paths.z
        moneyness = total * (total / 2 - z)
        by_vol = feature_weights(self.tenors, moneyness)
        by_moneyness = moneyness_slopes(self.tenors, moneyness, vols)
        return np.asarray((by_vol + by_moneyness * (total - z) * self.paths.root)[self.known])
