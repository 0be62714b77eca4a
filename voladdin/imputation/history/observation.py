"""From the core nodes of a model to any cell: tenors and deltas that the history never quoted.

A cell's log-vol is linear in the core log-vols x: u = A x + a + e, e ~ N(0, Q). Core nodes are themselves
(A a row of the identity, Q = 0). Other nodes of the master grid follow from the core by the regression that
the market simulator gives, and a cell between nodes by cubic splines in (ln τ, N⁻¹(Δ)), with an interpolation
variance measured on simulated surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ..._typing import FloatArray, IntArray

SLOW = 0.1  # a day's share of the variance of what splines miss: shapes between nodes stay
_SHARED = 0.9  # of the variance beyond the grid: what cells beyond the same side have in common
_REACH = 3.0  # e-folding of that along the side, in ln τ or N⁻¹(Δ)


@dataclass(frozen=True, eq=False)
class Observation:
    """n cells given c core nodes: matrix A [n, c], offset a [n], covariance Q, and `changes` of a day's e."""

    matrix: FloatArray
    offset: FloatArray
    covariance: FloatArray
    changes: FloatArray

    def push(self, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean [..., n] and covariance [..., n, n] of the cells for core moments [..., c], [..., c, c]."""
        spread = self.matrix @ covariance @ self.matrix.T + self.covariance
        return mean @ self.matrix.T + self.offset, spread


@dataclass(frozen=True)
class GridExtension:
    """The master grid (M nodes, tenor-major) given the core nodes.

    tenors: years; deltas: increasing. matrix: [M, c], offset: [M], covariance: [M, M].
    changes: [M, M], covariance of the daily changes of what the core leaves open.
    between_tenors [T - 1], between_deltas [K - 1]: the variance that a cell midway between two nodes adds.
    beyond: variance for each unit of ln τ, and of N⁻¹(Δ), squared, outside the grid: flat but for a random
    slope, which neighbours share, so that a quote out there tells of the cells beside it.
    """

    tenors: FloatArray
    deltas: FloatArray
    matrix: FloatArray
    offset: FloatArray
    covariance: FloatArray
    changes: FloatArray
    between_tenors: FloatArray
    between_deltas: FloatArray
    beyond: FloatArray

    def observation(self, tenors: FloatArray, deltas: FloatArray) -> Observation:
        """Cells at (tenors [n] in years, forward call deltas [n])."""
        logs, normals = np.log(tenors), scipy.special.ndtri(deltas)
        time, time_gap, time_out = _spline(np.log(self.tenors), logs, self.between_tenors)
        own = scipy.special.ndtri(self.deltas)
        strike, strike_gap, strike_out = _spline(own, normals, self.between_deltas)
        weights = (time[:, :, None] * strike[:, None, :]).reshape(len(tenors), -1)
        extra = np.diag(time_gap + strike_gap) + self.beyond[0] * _outside(time_out, normals)
        extra += self.beyond[1] * _outside(strike_out, logs)
        matrix = weights @ self.matrix
        covariance = weights @ self.covariance @ weights.T + extra
        changes = weights @ self.changes @ weights.T + SLOW * extra
        return Observation(matrix, weights @ self.offset, covariance, changes)


def _outside(out: FloatArray, along: FloatArray) -> FloatArray:
    """[n, n] covariance of a random slope outside the grid: cells `out` beyond it, at `along` of its side."""
    shared = np.maximum(np.outer(out, out), 0.0) * np.exp(-np.abs(along[:, None] - along) / _REACH)
    return np.asarray(_SHARED * shared + (1.0 - _SHARED) * np.diag(out**2))


def _spline(
    nodes: FloatArray, points: FloatArray, between: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Natural-spline weights [n, nodes], the variance of interpolation and the way outside [n], signed."""
    inside = np.clip(points, nodes[0], nodes[-1])
    if len(nodes) == 1:
        return np.ones((len(points), 1)), np.zeros(len(points)), points - inside
    left = np.clip(np.searchsorted(nodes, inside, side="right") - 1, 0, len(nodes) - 2)
    share = (inside - nodes[left]) / (nodes[left + 1] - nodes[left])
    weights = _natural(nodes, left, share)
    on_node = np.minimum(share, 1.0 - share) < 1e-4  # "1M" is 1/12 or 30/365 to nobody's surprise
    nearest = left + (share > 0.5)
    weights[on_node] = np.eye(len(nodes))[nearest[on_node]]
    variance = np.where(on_node, 0.0, between[left] * (4.0 * share * (1.0 - share)) ** 2)
    return weights, variance, points - inside


def _natural(nodes: FloatArray, left: IntArray, share: FloatArray) -> FloatArray:
    """[n, nodes] weights of the natural cubic spline at a share of the way from node `left` to the next.

    By its second derivatives at the nodes (Press et al. 2007, section 3.3): scipy.interpolate takes longer to
    import than a model to load.
    """
    own, gap = np.eye(len(nodes)), np.diff(nodes)
    bent, inner = np.zeros_like(own), np.diag(2.0 * (gap[:-1] + gap[1:]))
    inner += np.diag(gap[1:-1], 1) + np.diag(gap[1:-1], -1)
    bent[1:-1] = np.linalg.solve(inner, 6.0 * np.diff(np.diff(own, axis=0) / gap[:, None], axis=0))
    b, square = share[:, None], gap[left, None] ** 2 / 6.0
    a = 1.0 - b
    curved = (a**3 - a) * bent[left] + (b**3 - b) * bent[left + 1]
    return np.asarray(a * own[left] + b * own[left + 1] + square * curved)
