"""Linear interpolation between the nodes of a tenor x delta grid, as one matrix."""

from __future__ import annotations

import numpy as np

from ..data import Axes, FloatArray


def linear_weights(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """[points, nodes]: linear between nodes, flat beyond them; nodes increase."""
    if len(nodes) == 1:
        return np.ones((len(points), 1))
    clipped = np.clip(points, nodes[0], nodes[-1])
    left = np.clip(np.searchsorted(nodes, clipped, side="right") - 1, 0, len(nodes) - 2)
    share = (clipped - nodes[left]) / (nodes[left + 1] - nodes[left])
    weights = np.zeros((len(points), len(nodes)))
    rows = np.arange(len(points))
    weights[rows, left], weights[rows, left + 1] = 1 - share, share
    return weights


def interpolation_matrix(nodes: Axes, cells: Axes) -> FloatArray:
    """[cells, nodes], both flattened tenor by tenor; bilinear in sqrt(tenor) and delta."""
    order = np.argsort(nodes.deltas)
    delta = np.empty((len(cells.deltas), len(nodes.deltas)))
    delta[:, order] = linear_weights(nodes.deltas[order], cells.deltas)
    return np.kron(linear_weights(np.sqrt(nodes.tenors), np.sqrt(cells.tenors)), delta)
