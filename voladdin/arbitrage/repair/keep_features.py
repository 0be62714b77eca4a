"""The nearest surface without arbitrage that has given features: its own, or those asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..._typing import FloatArray
from ...errors import InfeasibleError, InputError
from ...feature_map import NAMES
from ..nodes import Axes
from ..prices import quoted_nodes
from ..tolerances import TOLERANCE
from .methods import Attempt, Problem
from .quoted_features import QuotedFeatures
from .sqp import Sequence

_SAME = 1e-6  # of a spread: too near to be called beyond reach
_SPREAD = np.array([0.096, 0.144, 0.249, 0.0483])  # of the paper's surfaces (its skew's is that of ours)


def keep(
    axes: Axes, vols: FloatArray, target_features: ArrayLike, *, tolerance: float = TOLERANCE
) -> FloatArray:
    """The vols [T, K] nearest to `vols` (least squares) that pass `check` and have exactly these features.

    axes: of strikes, not of deltas. vols: decimals above 0, NaN where there is none.
    target_features: [4] level, skew, curv, term, to 1e-10; those that the grid cannot identify do not count.
    tolerance: of `check`.

    Raises InfeasibleError where no such vols were found. It names the one feature that is beyond reach, and
    its nearest value that can be had with the others as asked: that of the four that is nearest in units of
    its spread over the paper's surfaces. Where no one feature is enough, the nearest of all, in the sum of
    those units. Such values are features of a surface without arbitrage that was found.
    """
    target = np.asarray(target_features, dtype=float)
    if target.shape != (4,):
        raise InputError(f"target_features has shape {target.shape}; expected 4 numbers, {', '.join(NAMES)}")
    given = quoted_nodes(axes, vols)
    of_quotes = QuotedFeatures.of(given, axes.tenors[given.rows], given.m)
    search = Sequence(of_quotes, given.vols, np.ones(len(given.vols), dtype=bool), tolerance)
    found = _nearest(search, target[of_quotes.known])
    kept = np.array(vols, dtype=float)
    kept[given.cells] = _beyond_reach(search, target) if found is None else found
    return kept


def by_features(problem: Problem) -> Attempt:
    """The vols nearest to the quotes (least squares) with the quotes' features; bid and ask do not count."""
    given = problem.given
    of_quotes = QuotedFeatures.of(problem.nodes, problem.surface.tenors[given.rows], given.m)
    search = Sequence(of_quotes, given.vols, problem.free, problem.tolerance)
    found = _nearest(search, of_quotes.at(given.vols))
    note = "the features could not be kept" if found is None else ""
    return "features", None if found is None else problem.filled(found), note


def _nearest(search: Sequence, target: FloatArray) -> FloatArray | None:
    """From the quotes, and where that leads nowhere, from vols without arbitrage near them."""
    found = search.nearest(target, search.quoted)
    if found is None and (start := search.apart()) is not None:
        found = search.nearest(target, start)
    return found


def _beyond_reach(search: Sequence, target: FloatArray) -> FloatArray:
    """The vols with the target [4] after all. Raises InfeasibleError: what can be had."""
    known = search.features.known
    asked, unit, start = target[known], _SPREAD[known], search.apart()
    near: list[tuple[float, dict[str, float]]] = []  # distance, features that are not as asked
    for spread in [*np.diag(unit), unit]:  # features of spread 0 stay as asked
        if near and np.count_nonzero(spread) > 1:
            break
        vols = None if start is None else search.closest(asked, spread, start)
        if vols is None:
            continue
        off = ~search.reached(vols, asked)
        if not off.any():
            found = search.nearest(asked, vols)
            return vols if found is None else found
        got = search.features.at(vols)
        distance = float((np.abs(got - asked) / unit)[off].sum())
        if distance >= _SAME:
            names = np.array(NAMES)[known][off].tolist()
            near.append((distance, dict(zip(names, got[off].tolist(), strict=True))))
    raise InfeasibleError(_message(dict(zip(NAMES, target.tolist(), strict=True)), near, int(known.sum())))


def _message(asked: dict[str, float], near: list[tuple[float, dict[str, float]]], known: int) -> str:
    """Such as "curv 40 is beyond reach, the nearest that can be had with the others as asked is 16.8"."""
    words = f"no surface without arbitrage was found with {_listed(asked)}"
    if not near:
        return words
    had = min(near, key=lambda found: found[0])[1]
    others = " with the others as asked" if len(had) < known else ""
    beyond = _listed({name: asked[name] for name in had})
    return f"{words}: {beyond} is beyond reach; the nearest that can be had{others} is {_listed(had)}"


def _listed(features: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in features.items())
