"""The smallest change of vols after which a surface has no static arbitrage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..._typing import BoolArray, FloatArray
from ...errors import InfeasibleError, InputError
from ...feature_map import features
from ...surface import Surface
from ..check import Check, check
from ..tolerances import LEAST_TOLERANCE, TOLERANCE
from .keep_features import by_features
from .latent_repair import by_latent
from .methods import Attempt, Problem, by_envelope, by_nearest, by_program
from .normal_program import by_normal
from .report import feature_moves, message, named

__all__ = ["Repair", "repair"]

_METHODS = {
    "auto": (by_nearest, by_envelope),
    "prices": (by_program,),
    "envelope": (by_envelope,),
    "latent": (by_latent,),
}


@dataclass(frozen=True, eq=False)
class Repair:
    """What `repair` did.

    before: the surface as given. surface: the same axes with vols that have no arbitrage. change: [T, K] in
    1e-4 of vol, NaN where there is no quote, 0 exactly where nothing moved. method: "none", "features",
    "prices", "vols" (the linear programs of a delta axis), "envelope", "latent" or "normal". check: of the
    result. outside: [T, K] bool, quotes that left their bid and ask. message: what moved most, what gave way.
    """

    before: Surface
    surface: Surface
    change: FloatArray
    method: str
    check: Check
    outside: BoolArray
    message: str

    @property
    def ok(self) -> bool:
        """Whether the result has no static arbitrage; `repair` returns no other."""
        return self.check.ok

    @cached_property
    def features_moved(self) -> FloatArray:
        """[4] how far level, skew, curv and term moved; NaN where the grid cannot identify one."""
        return np.asarray(features(self.surface).values - features(self.before).values)

    @property
    def largest(self) -> float:
        """Largest move of a quote, in 1e-4 of vol."""
        return float(np.nanmax(np.abs(self.change)))

    @property
    def mean(self) -> float:
        """Mean move over all quotes, in 1e-4 of vol."""
        return float(np.nanmean(np.abs(self.change)))


def repair(
    surface: Surface,
    *,
    keep_features: bool = False,
    fixed: ArrayLike | None = None,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
    method: str = "auto",
    tolerance: float = TOLERANCE,
) -> Repair:
    """The surface with the smallest change of vols (L1) that passes `check`; one that passes stays as it is.

    fixed: [T, K] bool, quotes that stay to the last bit. bid, ask: [T, K] vols within which a move costs next
    to nothing; quotes leave them only where they must. method: "prices" (linear programs), "envelope" (lower
    hulls, no solver), "latent" (algorithm 2 of Wang, Liu and Vuik 2025, on the grid of model "equity"; it
    often finds nothing), or "auto", the first of the others whose result passes; at strikes its program takes
    the vegas around where a quote's own is odd, as a fat finger's is, if that moves the vols not half as far.
    tolerance: of `check`, at least 1e-12. Normal vols have one method, "normal", a linear program. The
    programs are limited in iterations, never in seconds: the answer is the same on any machine, however busy.
    keep_features: level, skew, curv and term stay, to 1e-10; the change is then the smallest in squares, and
    bid and ask do not count. Where no such surface is found, the answer is the one without, and its message
    says how far each feature moved.

    Raises InputError (shapes, no quote, an unknown method) or InfeasibleError (the fixed quotes themselves
    have arbitrage, or no vols were found beside them). Source: Cohen, Reisinger and Wang (2020), Detecting
    and repairing arbitrage in traded option prices.
    """
    found = check(surface, tolerance=tolerance, bid=bid, ask=ask)
    _require(surface, method, tolerance, keep_features=keep_features)
    kept = _fixed(surface, fixed)
    if bid is not None:
        found = check(surface, tolerance=tolerance)
    if found.ok:
        none = np.zeros(surface.shape, dtype=bool)
        still = np.where(surface.observed, 0.0, np.nan)
        return Repair(surface, surface, still, "none", found, none, "no arbitrage: nothing moved")
    _require_possible(surface, kept, tolerance)
    problem = Problem(surface, kept, *surface.market(bid, ask), tolerance)
    attempts = (by_normal,) if surface.vol_type == "normal" else _METHODS[method]
    first = (by_features,) if keep_features and method == "auto" else ()
    return _first_that_passes(problem, first + attempts, keep_features=keep_features)


def _first_that_passes(
    problem: Problem, attempts: tuple[Callable[[Problem], Attempt], ...], *, keep_features: bool
) -> Repair:
    notes: list[str] = []
    for attempt in attempts:
        done, vols, note = attempt(problem)
        after = None if vols is None else check(problem.surface.replace(vols), tolerance=problem.tolerance)
        notes += [note] if note else []
        if after is not None and after.ok:
            if keep_features and done not in ("features", "latent"):
                notes.append(feature_moves(problem.surface, after.surface))
            return _repaired(problem, after, done, notes)
        notes += [] if after is None else [f"{done} left {len(after.violations)} trades"]
    kept = f" beside the {int(problem.fixed.sum())} fixed quotes" if problem.fixed.any() else ""
    raise InfeasibleError(f"no vols without arbitrage were found{kept}: {'; '.join(notes)}")


def _repaired(problem: Problem, after: Check, method: str, notes: list[str]) -> Repair:
    old, new = problem.surface.vols, after.surface.vols
    outside = (new < np.fmin(problem.bid, old) - 1e-9) | (new > np.fmax(problem.ask, old) + 1e-9)
    outside &= np.isfinite(np.where(new < old, problem.bid, problem.ask))
    change = 1e4 * (new - old)
    words = message(problem.surface, change, method, problem.fixed, outside, notes)
    return Repair(problem.surface, after.surface, change, method, after, outside, words)


def _require(surface: Surface, method: str, tolerance: float, *, keep_features: bool) -> None:
    normal = surface.vol_type == "normal"
    if not normal and method not in _METHODS:
        raise InputError(f"method is {method!r}; expected one of {', '.join(_METHODS)}")
    if tolerance < LEAST_TOLERANCE:
        raise InputError(
            f"tolerance is {tolerance:g}; expected at least {LEAST_TOLERANCE:g}: below, prices are rounding"
        )
    if normal and (keep_features or method not in ("auto", "normal")):
        raise InputError("the vols are normal; expected method 'auto' without keep_features")
    if keep_features and method not in ("auto", "latent"):
        raise InputError(f"method is {method!r} and keep_features is True; expected 'auto' or 'latent'")


def _fixed(surface: Surface, fixed: ArrayLike | None) -> BoolArray:
    """Fixed quotes; a hole cannot be fixed."""
    if fixed is None:
        return np.zeros(surface.shape, dtype=bool)
    kept = np.asarray(fixed)
    if kept.shape != surface.shape or kept.dtype != bool:
        raise InputError(
            f"fixed is {kept.dtype} of shape {kept.shape}; expected True or False of shape {surface.shape}, "
            "as the surface"
        )
    holes = np.argwhere(kept & ~surface.observed)
    if len(holes):
        row, column = holes[0]
        raise InputError(
            f"fixed[{row}, {column}] is True where there is no quote; expected a vol to fix there"
        )
    return kept


def _require_possible(surface: Surface, fixed: BoolArray, tolerance: float) -> None:
    if not fixed.any():
        return
    alone = check(surface.replace(np.where(fixed, surface.vols, np.nan)), tolerance=tolerance)
    if alone.ok:
        return
    cells = list(dict.fromkeys(cell for violation in alone.violations for cell in violation.cells))
    raise InfeasibleError(
        f"the fixed quotes themselves have arbitrage: {named(surface, cells)}; {alone.violations[0].message}"
    )
