"""The bundles that impute: a history's regimes and the graphs of its deep model; or priors for any market."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..bundles import AnyBundle, load
from ..errors import BundleError
from .any_market import Universal
from .observation import GridExtension, Observation
from .process import Candidates
from .regimes import Regimes

_LEVELS = ("weight", "mean", "scatter", "kernel", "degrees", "stretch")
_CHANGES = ("scatter", "kernel", "degrees", "stretch")
_OTHERS = ("mean", "std", "noise", "origin", "scores", "growth", "scale_variance", "stack", "sharpness")
ARRAYS = {
    *_OTHERS,
    *(f"level_{name}" for name in _LEVELS),
    *(f"change_{name}" for name in _CHANGES),
    *(f"extension_{name}" for name in GridExtension.__dataclass_fields__),
}


@dataclass(frozen=True, eq=False)
class Bundle(AnyBundle):
    """A history: surfaces like those it was trained on."""

    KIND = "imputation"
    FILE = "gaussian.npz"
    ARRAYS = frozenset(ARRAYS)

    @cached_property
    def levels(self) -> Regimes:
        """The regimes of log-vols."""
        return Regimes.of(self.arrays, "level")

    @cached_property
    def changes(self) -> Regimes:
        """Daily log changes by the regime of the earlier day; `mean` still places the regimes."""
        return Regimes.of(self.arrays, "change")

    @cached_property
    def extension(self) -> GridExtension:
        """The master grid given the core nodes."""
        fields = GridExtension.__dataclass_fields__
        return GridExtension(**{name: self.arrays[f"extension_{name}"] for name in fields})

    @cached_property
    def scale(self) -> FloatArray:
        """[c, c]: covariance of a shift of all vols together (scale augmentation)."""
        nodes = self.arrays["level_mean"].shape[1]
        return np.full((nodes, nodes), float(self.arrays["scale_variance"]))

    @functools.lru_cache(maxsize=64)  # noqa: B019
    def observation(self, tenors: tuple[float, ...], deltas: tuple[float, ...]) -> Observation:
        """The cells at (tenors, deltas), each of length n."""
        return self.extension.observation(np.array(tenors), np.array(deltas))


_PRIORS = ("hyper", "trend", "root", "tempering")


@dataclass(frozen=True, eq=False)
class UniversalBundle(AnyBundle):
    """Priors on the surfaces of any market, and on their daily changes."""

    KIND = "universal"
    FILE = "priors.npz"
    ARRAYS = frozenset(f"{kind}_{name}" for kind in ("level", "change") for name in (*_PRIORS, "stretch")) | {
        "growth",
        "sharpness",
    }
    GRAPHS = ()

    @cached_property
    def levels(self) -> Universal:
        """Of log-vols about the median quote."""
        return self._universal("level")

    @cached_property
    def changes(self) -> Universal:
        """Of a day's log change."""
        return self._universal("change")

    def _universal(self, kind: str) -> Universal:
        return Universal(Candidates.of({name: self.arrays[f"{kind}_{name}"] for name in _PRIORS}))


Imputer = Bundle | UniversalBundle


def imputer(name: str | Path) -> Imputer:
    """The bundle of that name, of either kind; raises as `bundles.load` does."""
    found = load(name)
    if not isinstance(found, Imputer):
        raise BundleError(f"model {str(name)!r} is for {found.KIND}; expected one for {Bundle.KIND}")
    return found
