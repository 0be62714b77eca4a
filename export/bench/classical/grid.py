"""From the nodes of one tenor x delta grid to the cells of another, as one linear map and its uncertainty."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtri

from voladdin._typing import FloatArray

from ..data import DeltaAxes

LENGTH = 2.0  # of the kernel, in the coordinates below
AMPLITUDE = 0.3  # sd of log-vol around a plane


def coordinates(axes: DeltaAxes) -> FloatArray:
    """[cells, 2], tenor by tenor: log tenor / 1.5 and inverse normal of delta / 1.28."""
    tenor, delta = np.meshgrid(np.log(axes.tenors) / 1.5, ndtri(axes.deltas) / 1.28, indexing="ij")
    return np.column_stack([tenor.ravel(), delta.ravel()])


def kernel(first: FloatArray, second: FloatArray) -> FloatArray:
    """Matérn 5/2 covariance of log-vol between two sets of coordinates, plus a plane of unit variance."""
    distance = np.sqrt(5 * ((first[:, None] - second) ** 2).sum(axis=2)) / LENGTH
    matern = AMPLITUDE**2 * (1 + distance + distance**2 / 3) * np.exp(-distance)
    return np.asarray(matern + 1 + first @ second.T)


def interpolation(nodes: DeltaAxes, cells: DeltaAxes) -> tuple[FloatArray, FloatArray]:
    """Kriging of log-vol: weights [cells, nodes] and the covariance [cells, cells] of what they miss.

    Cells that are nodes have that node's weight 1 and no uncertainty (up to rounding).
    """
    known, asked = coordinates(nodes), coordinates(cells)
    cross = kernel(asked, known)
    weights = cho_solve(cho_factor(kernel(known, known) + 1e-9 * np.eye(len(known))), cross.T).T
    missed = kernel(asked, asked) - weights @ cross.T
    return weights, 0.5 * (missed + missed.T)
