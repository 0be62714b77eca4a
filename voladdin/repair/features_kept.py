"""The nearest surface without arbitrage that has given features: its own, or those asked for."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import ArrayLike

from ..arbitrage import TOLERANCE
from ..errors import InfeasibleError, InputError
from ..features import NAMES, feature_weights
from ..surface import FloatArray
from ._attempt import Attempt, Problem
from ._nodes import AtDeltas, AtStrikes
from ._sequence import Sequence

_TIME_LIMIT = 10.0
_MOVED = 1e-6  # of a feature that is beyond reach


def keep(
    vols: FloatArray,
    tenors: FloatArray,
    moneyness: FloatArray,
    target_features: ArrayLike,
    *,
    tolerance: float = TOLERANCE,
    time_limit: float = _TIME_LIMIT,
) -> FloatArray:
    """The vols [T, K] nearest to `vols` (least squares) that pass `check` and have exactly these features.

    vols: decimals above 0, NaN where there is none. tenors: [T] years. moneyness: [K] or [T, K] ln(K/F).
    target_features: [4] level, skew, curv, term, to 1e-10; those that the grid cannot identify do not count.
    tolerance: of `check`. time_limit: seconds.

    Raises InfeasibleError (no such vols were found) with the nearest features that can be had: those of a
    surface without arbitrage for which the sum of the features' distances is least, each in units of the
    error that independent errors of the vols give it. Such a sum leaves as many features as can be as asked.
    """
    m = np.broadcast_to(np.asarray(moneyness, dtype=float), np.shape(vols))
    seen = np.isfinite(vols) & np.isfinite(m)
    target = np.asarray(target_features, dtype=float)
    if target.shape != (4,):
        raise InputError(f"target_features has shape {target.shape}; expected 4 numbers, {', '.join(NAMES)}")
    years = np.broadcast_to(np.asarray(tenors, dtype=float)[:, None], seen.shape)[seen]
    weights = feature_weights(years, m[seen])
    known = np.isfinite(weights[:, 0])
    nodes = AtStrikes(np.argwhere(seen)[:, 0].tolist(), m[seen], np.sqrt(years), weights[known])
    deadline = time.perf_counter() + time_limit
    search = Sequence(nodes, vols[seen], np.ones(int(seen.sum()), dtype=bool), tolerance, deadline)
    found = nearest(search, target[known])
    if found is None:
        raise InfeasibleError(_beyond(search, target, known))
    kept = np.array(vols, dtype=float)
    kept[seen] = found
    return kept


def by_features(problem: Problem) -> Attempt:
    """The vols nearest to the quotes (least squares) with the quotes' features; bid and ask do not count."""
    given, surface = problem.given, problem.surface
    years = surface.tenors[given.cells[:, 0]]
    weights = feature_weights(years, given.m)
    known = np.isfinite(weights[:, 0])
    nodes: AtStrikes | AtDeltas
    if surface.deltas is None:
        nodes = AtStrikes(given.rows, given.m, given.root, weights[known])
    else:
        nodes = AtDeltas(problem.paths, years, known)
    search = Sequence(nodes, given.vols, problem.free, problem.tolerance, problem.deadline)
    found = nearest(search, nodes.features(given.vols))
    if found is None:
        return "features", None, "the features could not be kept"
    return "features", problem.filled(found), ""


def nearest(search: Sequence, target: FloatArray) -> FloatArray | None:
    """From the quotes, and where that leads nowhere, from vols without arbitrage near them."""
    found = search.nearest(target, search.quoted)
    if found is None:
        start = search.apart()
        found = None if start is None else search.nearest(target, start)
    return found


def _beyond(search: Sequence, target: FloatArray, known: np.ndarray) -> str:
    asked = ", ".join(f"{name} {value:.4g}" for name, value in zip(NAMES, target, strict=True))
    start = search.apart()
    vols = None if start is None else search.nearest_features(target[known], start)
    if vols is None:
        return f"no surface without arbitrage was found with {asked}"
    near = target.copy()
    near[known] = search.nodes.features(vols)
    off = np.abs(near - target) > _MOVED * np.maximum(1.0, np.abs(target))
    if not off.any():
        return f"a surface without arbitrage with {asked} may exist, but the search for it did not converge"
    names = [name for name, moved in zip(NAMES, off, strict=True) if moved]
    nearest_ones = " and ".join(f"{name} {near[NAMES.index(name)]:.4g}" for name in names)
    beyond = " and ".join(f"{name} {target[NAMES.index(name)]:.4g}" for name in names)
    others = ", the others as asked" if len(names) < len(target) else ""
    return (
        f"no surface without arbitrage was found with {asked}: {beyond} is beyond reach; the nearest "
        f"that can be had is {nearest_ones}{others}"
    )
