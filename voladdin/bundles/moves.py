"""The bundle of a history's daily moves: what surfaces like today's did next.

    log vol of the core nodes = origin + basis s + rest,   s ~ N(0, I),   rest of deviation `noise`

moves.npz: tenors [T] years and deltas [K] of the core nodes, increasing; origin [T*K] and basis [T*K, Q];
scores [S, Q], the s of S earlier days; weight [S], which halves with age; changes [S, T*K], what the log vols
did to the next day; whose [S], the place of each day's underlying in the card's; kernel [3], width in s
and floor of the weight of nearness, and the weight of another underlying's day; growth, the power of
the horizon with which variances grow; short, that of a tenor below the first with which changes fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from .. import bundles
from .._typing import FloatArray


class Moves(bundles.AnyBundle):
    """A history's moves; see the module for its arrays."""

    KIND = "moves"
    SUFFIX = "-moves"
    FILE = "moves.npz"
    ARRAYS: ClassVar[Mapping[str, str]] = {
        "tenors": "T",
        "deltas": "K",
        "origin": "T*K",
        "basis": "T*K Q",
        "noise": "",
        "scores": "S Q",
        "weight": "S",
        "changes": "S T*K",
        "whose": "S",
        "kernel": "3",
        "growth": "",
        "short": "",
    }
    GRAPHS = ()
    POSITIVE = frozenset({"tenors", "deltas", "noise", "kernel", "growth"})

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Whose days they were."""
        return tuple(self.card["training"]["underlyings"])

    def probe(self) -> FloatArray:
        """Looks at its axes, weights and moves."""
        a = self.arrays
        if not ((a["weight"] >= 0).all() and a["weight"].sum() > 0):
            raise ValueError("its weights are not those of days")
        if not all((np.diff(a[name]) > 0).all() for name in ("tenors", "deltas")) or a["deltas"][-1] >= 1:
            raise ValueError("its axes are not in order")
        if not np.isin(a["whose"], range(len(self.underlyings))).all():
            raise ValueError("its days are of underlyings that its card does not name")
        if np.abs(a["changes"]).max() > np.log(1e6):
            raise ValueError("its moves are no market's")
        return np.zeros(0)  # there is no graph
