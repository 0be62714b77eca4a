"""The convex hull of the training features: its facets and vertices, and uniform draws from it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, Delaunay

from voladdin._typing import FloatArray


def feature_hull(y: FloatArray) -> dict[str, FloatArray]:
    """hull_centre, hull_scale [F], hull_equations [H, F + 1] and hull_vertices [V, F] of features y [n, F].

    Scaled to unit variance; see `voladdin.bundles.generator`.
    """
    centre, scale = y.mean(axis=0), y.std(axis=0)
    scaled = (y - centre) / scale
    if y.shape[1] == 1:
        low, high = scaled.min(), scaled.max()
        equations, vertices = np.array([[1.0, -high], [-1.0, low]]), np.array([[low], [high]])
    else:
        hull = ConvexHull(scaled)
        equations, vertices = np.unique(hull.equations, axis=0), scaled[hull.vertices]
    return {
        "hull_centre": centre,
        "hull_scale": scale,
        "hull_equations": equations,
        "hull_vertices": vertices * scale + centre,
    }


def uniform_in_hull(vertices: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """[count, F] uniform in the hull of vertices [V, F]: a simplex by its volume, then a point of it."""
    features = vertices.shape[1]
    if features == 1:
        return rng.uniform(vertices.min(), vertices.max(), (count, 1))
    centre, scale = vertices.mean(axis=0), vertices.std(axis=0)
    scaled = (vertices - centre) / scale
    simplices = scaled[Delaunay(scaled).simplices]  # [S, F + 1, F]
    volumes = np.abs(np.linalg.det(simplices[:, 1:] - simplices[:, :1]))
    chosen = rng.choice(len(simplices), count, p=volumes / volumes.sum())
    weights = rng.dirichlet(np.ones(features + 1), count)
    return np.asarray(np.einsum("nv,nvf->nf", weights, simplices[chosen]) * scale + centre)
