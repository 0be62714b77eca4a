"""An existing surface moved by changes of its features, with the rest of its shape as it was.

The change is a sum of four smooth directions, one a feature, at the surface's own cells:

    1,    x = m / sqrt(1 + tau / T),    x^2 / 2,    T ln(1 + tau / T),    m = ln(K/F), T half a year.

At the anchor they are the polynomials 1, m, m^2 / 2 and tau, whose features are 1 each; with the tenor a
change of skew fades like 1 / sqrt(tau), one of curvature like 1 / tau, and one of term structure levels off,
as those of markets do. They are made exact for the surface, D (P D)^-1 with P of `features`; a change of
level is the same vol points everywhere. Plain polynomials grow without end: a change of term structure by
-0.05 takes 50 vol points off a 10-year vol, and unfading changes of skew and curvature break the calendar of
long tenors (tests/generation/test_shifting.py counts how many more surfaces they break).

On a delta axis strikes move with the vols, and so does P: the smiles move at their strikes first
(`delta_smiles.py`), then Newton's method in the four amounts makes the change exact.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.verdicts import arbitrage_free
from ..errors import InfeasibleError, InputError, UnitsError
from ..feature_map import NAMES, features
from ..surface import MAX_VOL, Surface
from .delta_smiles import moved_at_strikes

_EXACT = 1e-10  # what is promised
_CLOSE = 1e-13  # what Newton stops at
_STEPS = 30
_FADES = 0.5  # years: T
LARGEST_LEVEL = 1.0  # a change of level as large is a vol point in a grid of decimals
_LARGEST = 1e6  # of any change
_LEAST_VOL = 1e-4


def shift(
    surface: Surface, dlevel: float = 0.0, dskew: float = 0.0, dcurv: float = 0.0, dterm: float = 0.0
) -> Surface:
    """The surface with its features changed by exactly these amounts, free of static arbitrage.

    surface: on any axis, holes allowed; they stay. dlevel, dskew, dcurv, dterm: in decimals, as `features`
    has them: 0.01 of level is one vol point. On a delta axis the strikes move with the vols.

    Where the moved surface has static arbitrage, or the given one had, the nearest surface without it that
    has the same features is returned.

    Raises InputError (no quote, no number, a feature that the grid cannot identify), UnitsError (a change of
    level of 1 or more), InfeasibleError (no surface without arbitrage has these features).
    """
    return shifted(surface, dlevel, dskew, dcurv, dterm)[0]


def shifted(
    surface: Surface, dlevel: float = 0.0, dskew: float = 0.0, dcurv: float = 0.0, dterm: float = 0.0
) -> tuple[Surface, float]:
    """The same, and by how many bp of vol arbitrage made it move a cell further; 0 where none was left."""
    found = features(surface)
    known = ~np.isnan(found.values)
    changes = _changes(dlevel, dskew, dcurv, dterm)
    _refuse_unknown(changes, known)
    target = found.values + changes
    if not target[0] > 0:
        raise InfeasibleError(
            f"dlevel is {dlevel:g} and the level {found.level:.4g}; expected a change that leaves it above 0"
        )
    wanted = Wanted(surface, found.weights, target, known)
    smooth = wanted.solved(_start(surface, changes))
    if wanted.reached(smooth) and _free(surface, smooth):
        return surface.replace(smooth), 0.0
    kept = wanted.free_of_arbitrage(smooth)
    return surface.replace(kept), float(1e4 * np.nanmax(np.abs(kept - smooth)))


def _start(surface: Surface, changes: FloatArray) -> FloatArray:
    """Vols near the answer: on deltas, of the smiles moved at their strikes."""
    if surface.deltas is None:
        return surface.vols
    return moved_at_strikes(surface, lambda m: directions(surface.tenors, m) @ changes)


class Wanted:
    """The features that a surface is to have, and the directions in which to get there.

    weights: [4, T, K] of `features(surface)`. target: [4]; known: [4], which of them the grid can identify.
    """

    def __init__(self, surface: Surface, weights: FloatArray, target: FloatArray, known: np.ndarray) -> None:
        self.surface, self.target, self.known = surface, target, known
        at = np.where(surface.observed, surface.quoted_moneyness(), 0.0)
        raw = directions(surface.tenors, at)[..., known]
        self.along = raw @ np.linalg.inv(np.tensordot(weights[known], raw, 2))

    def solved(self, vols: FloatArray) -> FloatArray:
        """The vols [T, K] plus the directions that give them these features, by Newton's method.

        One step where strikes are given. On a delta axis ln(K/F) depends on the vols; a step is halved while
        it leads away.
        """
        error = self._error(vols)
        for _ in range(_STEPS):
            if np.abs(error).max() <= _CLOSE:
                break
            step = self.along @ np.linalg.lstsq(self._slope(vols, error), -error, rcond=None)[0]
            for _ in range(_STEPS):
                trial = np.clip(vols + step, _LEAST_VOL, MAX_VOL)
                after = self._error(trial)
                if np.abs(after).max() < np.abs(error).max():
                    break
                step = step / 2
            else:
                break
            vols, error = trial, after
        return vols

    def free_of_arbitrage(self, vols: FloatArray) -> FloatArray:
        """The nearest vols without arbitrage that have these features. Raises InfeasibleError."""
        from ..arbitrage.repair import repair
        from ..arbitrage.repair.keep_features import keep

        start = self.surface.replace(vols)
        if self.surface.deltas is None:
            kept = keep(start, vols, self.target)
        else:
            kept = repair(start, keep_features=True).surface.vols
        kept = np.minimum(kept, MAX_VOL)
        if self.reached(kept) and _free(self.surface, kept):
            return kept
        near = features(self.surface.replace(kept)).values
        missed = np.abs(near - self.target) > _EXACT
        asked, got = (_in_words(values, missed) for values in (self.target, near))
        raise InfeasibleError(
            f"no surface without arbitrage was found with {asked}; the nearest that was found has {got}"
        )

    def reached(self, vols: FloatArray) -> bool:
        return bool(np.abs(self._error(vols)).max() <= _EXACT)

    def _error(self, vols: FloatArray) -> FloatArray:
        values = features(self.surface.replace(vols)).values
        return np.asarray((values - self.target)[self.known])

    def _slope(self, vols: FloatArray, error: FloatArray) -> FloatArray:
        """[k, k] derivative of the features by the amounts of the directions."""
        if self.surface.deltas is None:
            return np.eye(len(error))
        size = 1e-6
        columns = [
            (self._error(np.clip(vols + size * self.along[..., k], _LEAST_VOL, MAX_VOL)) - error) / size
            for k in range(len(error))
        ]
        return np.stack(columns, axis=1)


def directions(tenors: FloatArray, moneyness: FloatArray) -> FloatArray:
    """[T, K, 4] the four directions at tenors [T] and log-moneyness [T, K]."""
    tau = tenors[:, None]
    x = moneyness / np.sqrt(1 + tau / _FADES)
    term = np.broadcast_to(_FADES * np.log1p(tau / _FADES), x.shape)
    return np.stack([np.ones_like(x), x, x**2 / 2, term], axis=-1)


def _free(surface: Surface, vols: FloatArray) -> bool:
    return bool(arbitrage_free(surface, vols[None])[0])


def _changes(*values: float) -> FloatArray:
    for name, value in zip(NAMES, values, strict=True):
        proper = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not (proper and abs(value) <= _LARGEST):
            raise InputError(f"d{name} is {value!r}; expected a number such as 0.01")
    if abs(values[0]) >= LARGEST_LEVEL:
        raise UnitsError(
            f"dlevel is {values[0]:g}, {100 * values[0]:g} vol points; expected a decimal such as 0.01"
        )
    return np.array(values, dtype=float)


def _refuse_unknown(changes: FloatArray, known: np.ndarray) -> None:
    for name, change, there in zip(NAMES, changes, known, strict=True):
        if change and not there:
            raise InputError(
                f"d{name} is {change:g}, and the grid cannot tell the {name}; expected 0, or more tenors or "
                "strikes"
            )


def _in_words(features: FloatArray, named: BoolArray) -> str:
    chosen = zip(NAMES, features, named, strict=True)
    return " and ".join(f"{name} {value:.4g}" for name, value, this in chosen if this)
