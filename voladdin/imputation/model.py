"""The bundles that impute: a history's regimes and the graphs of its deep model; or priors for any market."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from .._typing import FloatArray
from ..bundles import AnyBundle, load
from ..errors import BundleError
from .conditioning import condition
from .history.observation import GridExtension, Observation
from .history.regimes import Regimes
from .processes.any_market import Universal
from .processes.kinds import Kinds
from .processes.process import Candidates

# r regimes, c core nodes, s scores, and a master grid of T tenors by K deltas
_LEVELS = {"weight": "r", "mean": "r c", "scatter": "r c c", "kernel": "3", "degrees": "", "stretch": ""}
_CHANGES = {"scatter": "r c c", "kernel": "3", "degrees": "", "stretch": ""}
_EXTENSION = {
    "tenors": "T",
    "deltas": "K",
    "matrix": "T*K c",
    "offset": "T*K",
    "covariance": "T*K T*K",
    "changes": "T*K T*K",
    "between_tenors": "T-1",
    "between_deltas": "K-1",
    "beyond": "2",
}
_OTHERS = {"mean": "c", "std": "c", "noise": "c c", "origin": "c", "scores": "c s"}
_NUMBERS = ("growth", "scale_variance", "stack", "sharpness")
ARRAYS = {
    **_OTHERS,
    **dict.fromkeys(_NUMBERS, ""),
    **{f"level_{name}": shape for name, shape in _LEVELS.items()},
    **{f"change_{name}": shape for name, shape in _CHANGES.items()},
    **{f"extension_{name}": shape for name, shape in _EXTENSION.items()},
}


@dataclass(frozen=True, eq=False)
class Bundle(AnyBundle):
    """A history: surfaces like those it was trained on."""

    KIND = "imputation"
    FILE = "gaussian.npz"
    ARRAYS = ARRAYS
    POSITIVE = frozenset(
        {"std", "level_degrees", "level_stretch", "change_degrees", "change_stretch", "extension_tenors"}
    )
    COVARIANCES = frozenset({"noise", "level_scatter", "change_scatter", "extension_covariance"})

    def probe(self) -> FloatArray:
        """Codes a surface there and back, and fills a few cells of the master grid from one."""
        core = len(self.arrays["mean"])
        latent = self.run("encoder", x=np.cos(np.arange(core))[None])[0]
        decoded, (again, slope) = self.run("decoder", z=latent)[0], self.run("decoder_jacobian", z=latent)
        shapes = latent.shape[:1], decoded.shape, again.shape, slope.shape
        if shapes != ((1,), (1, core), (1, core), (1, latent.shape[1], core)):
            raise ValueError(f"its graphs answer in shapes {shapes}")
        tenors, deltas = (self.arrays[f"extension_{name}"] for name in ("tenors", "deltas"))
        cells = self.observation(tuple(tenors.tolist()), tuple(np.resize(deltas, len(tenors)).tolist()))
        mean, covariance = self.levels.whole
        answer = condition(
            *cells.push(mean, covariance + self.scale), np.zeros((1, len(tenors))), np.eye(1, len(tenors)) > 0
        )
        for numbers in (latent, decoded, again, slope, answer.mean, answer.std):
            if not np.isfinite(numbers).all():
                raise ValueError("its answer is not finite")
        if not (answer.std > 0).all() or np.abs(mean).max() > np.log(1e6):
            raise ValueError("its answer is no vol")
        return np.concatenate(
            [x.ravel() for x in (latent, decoded, slope.sum(axis=2), answer.mean, answer.std)]
        )

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
    def level(self) -> tuple[float, float]:
        """Mean and std of the level of all log-vols, shifts of them all together included."""
        mean, covariance = self.levels.whole
        return float(mean.mean()), float(np.sqrt((covariance + self.scale).mean()))

    @cached_property
    def scale(self) -> FloatArray:
        """[c, c]: covariance of a shift of all vols together (scale augmentation)."""
        nodes = self.arrays["level_mean"].shape[1]
        return np.full((nodes, nodes), float(self.arrays["scale_variance"]))

    @functools.lru_cache(maxsize=64)  # noqa: B019
    def observation(self, tenors: tuple[float, ...], deltas: tuple[float, ...]) -> Observation:
        """The cells at (tenors, deltas), each of length n."""
        return self.extension.observation(np.array(tenors), np.array(deltas))


_PRIORS = {  # of n candidates
    "hyper": "n h",
    "trend": "n t",
    "root": "n t t",
    "bend": "n 4",
    "bend_root": "n 4 4",
    "tempering": "2",
    "wander": "21",
    "adapting": "",
    "adapted_stretch": "2",
    "adapting_root": "21 21",
}
_KINDS = {  # of k markets; m, with the candidates' own
    "level": "m 2",
    "odds": "m",
    "bend": "k 4",
    "root": "k 4 4",
}


@dataclass(frozen=True, eq=False)
class UniversalBundle(AnyBundle):
    """Priors on the surfaces of any market, and on their daily changes."""

    KIND = "universal"
    FILE = "priors.npz"
    ARRAYS: ClassVar[Mapping[str, str]] = {
        **{f"level_{name}": shape.replace("n", "L") for name, shape in _PRIORS.items()},
        **{f"change_{name}": shape.replace("n", "C") for name, shape in _PRIORS.items()},
        **{f"level_kinds_{name}": shape for name, shape in _KINDS.items()},
        **dict.fromkeys(("level_stretch", "change_stretch", "growth", "sharpness"), ""),
        "level_surface_stretch": "5",
    }
    POSITIVE = frozenset({"level_stretch", "change_stretch"})
    GRAPHS = ()

    def probe(self) -> FloatArray:
        """Fills a small grid from two quotes, and a day's change."""
        tenors, deltas = np.array([0.1, 1.0, 5.0]), np.array([0.25, 0.5, 0.75])
        quotes = np.full(9, np.nan)
        quotes[[1, 7]] = np.log([0.1, 0.12])
        for prior in (self.levels, self.changes):
            answer = prior.at_deltas(tenors, deltas, quotes)
            if not (np.abs(answer.mean) < np.log(1e6)).all() or not np.isfinite(answer.std).all():
                raise ValueError("its answer is no vol")
        return np.zeros(0)  # there is no graph

    @cached_property
    def levels(self) -> Universal:
        """Of log-vols about the median quote."""
        kinds = Kinds(*(self.arrays[f"level_kinds_{name}"] for name in _KINDS))
        return Universal(replace(self._candidates("level"), kinds=kinds))

    @cached_property
    def normal_levels(self) -> Universal:
        """Of the logs of normal vols: in whatever unit, their level tells no kind of market."""
        return Universal(self._candidates("level"))

    def levels_of(self, vol_type: str) -> Universal:
        """Of log-vols of that type."""
        return self.normal_levels if vol_type == "normal" else self.levels

    @cached_property
    def changes(self) -> Universal:
        """Of a day's log change."""
        return Universal(self._candidates("change"))

    def _candidates(self, kind: str) -> Candidates:
        return Candidates.of({name: self.arrays[f"{kind}_{name}"] for name in _PRIORS})


Imputer = Bundle | UniversalBundle


def imputer(name: str | Path) -> Imputer:
    """The bundle of that name, of either kind; raises as `bundles.load` does."""
    found = load(name)
    if not isinstance(found, Imputer):
        raise BundleError(f"model {str(name)!r} is for {found.KIND}; expected one for {Bundle.KIND}")
    return found
