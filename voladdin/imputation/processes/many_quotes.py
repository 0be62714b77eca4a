"""Many quotes: some tell which candidates the surface is like, and what its own sizes and lengths are.

A few tell who is far behind, as if smiles bent as is usual; `2 * _HALF` who is best, and what it is itself
like; all condition who is kept.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..._typing import FloatArray, IntArray
from .adapting import adapted
from .evidence import STEPS, WeighedCandidates, joined_weight, kept_of, of_kinds, weigh, weighed
from .points import Points
from .process import Candidates

_HALF, _HALF_AT_FIRST = 60, 20  # quotes spread over the surface, and as many side by side, that weigh
_LIKELY = 6  # candidates weighed by more quotes than at first
_MOST, _LEAST = 2, 0.05  # candidates kept, and the weight of the second at least


def condition_many(
    candidates: Candidates, quotes: Points, values: FloatArray, level: FloatArray | None = None
) -> WeighedCandidates:
    """All candidates given n quotes of log-vols `values` [n]; level: as in `evidence.condition`."""
    few = representative(quotes, _HALF)
    some, told, block = quotes[few], values[few], (slice(None), few[:, None], few)
    best, kept, weight = _best(candidates, some, told)
    adapts = len(few) >= candidates.adapting
    if adapts:
        best = adapted(best, some, told)
    own = best.straight_of_quotes(quotes)
    if adapts and len(kept) > 1:
        again, weight = kept_of(weigh(best, some, own[block], told)[1], _MOST, 0.0)
        best, own, kept = best[again], own[again], kept[again]
    also = of_kinds(best.first, some, own[:1][block], told, level)
    if also is not None:
        best, kept = best.beside(also[0]), np.append(kept, np.repeat(kept[:1], len(also[0])))
        own, weight = best.straight_of_quotes(quotes), joined_weight(weight, also[1])
    parts = weighed(best, np.arange(len(kept)), weight, quotes, own, values)
    others, wider = 0 if also is None else len(also[0]), candidates.widened(len(few)) if adapts else 1.0
    return replace(parts, kept=kept, others=others, spread=parts.spread * wider**2)


def _best(
    candidates: Candidates, quotes: Points, values: FloatArray
) -> tuple[Candidates, IntArray, FloatArray]:
    """The candidates kept, about what the quotes make likeliest; which they are, and their weights."""
    worth = np.arange(len(candidates))
    if len(quotes) > 2 * _HALF_AT_FIRST:
        few = representative(quotes, _HALF_AT_FIRST)
        log = _weighed_alone(candidates, quotes[few], values[few], steps=0)[1]
        worth = np.sort(np.argsort(-log)[:_LIKELY])
    found, log = _weighed_alone(candidates[worth], quotes, values)
    kept, weight = kept_of(log, _MOST, _LEAST)
    return found[kept], worth[kept], weight


def _weighed_alone(
    candidates: Candidates, quotes: Points, values: FloatArray, steps: int = STEPS
) -> tuple[Candidates, FloatArray]:
    return weigh(candidates, quotes, candidates.straight_of_quotes(quotes), values, steps)


def representative(quotes: Points, half: int) -> IntArray:
    """Indices of at most 2 x `half` quotes: some spread over the surface, some side by side."""
    n = len(quotes)
    if n <= 2 * half:
        return np.arange(n)
    order = np.lexsort((quotes.u, quotes.rows))
    spread = order[np.linspace(0, n - 1, half).round().astype(int)]
    middle = (n - half) // 2
    return np.unique(np.concatenate([spread, order[middle : middle + half]]))
