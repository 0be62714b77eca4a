"""A delta grid moved as a trader says it: ATM by so much, risk reversal, butterfly, term slope.

Each change is made cell by cell, so that a hole changes no other cell. At the named tenor T0 the four words
move by exactly what is asked; at another tenor T, ATM, risk reversal and butterfly move by the share

    parallel  1,      sqrt  sqrt(T0 / T),      short end  min(1, T0 / T).

The last is an event before T0: vols to T0 move by a, forward variances after it stay, so that later vols v
become sqrt(v^2 + ((v + a)^2 - v^2) T0 / T), about v + a T0 / T. A change of the term slope
comes on top of what these do to it: it moves ATM by its size times T0 ln(T / T0), scaled so that the slope
over the tenors beside T0 moves by just that.

Across a smile, in x = -N^-1(delta) over that of 25 delta, ATM moves all alike (the smile sticks to its
deltas), a risk reversal moves cells by x / 2, a butterfly by x^2, straight beyond 10 delta. Where the smile
sticks to its strikes, ATM moves every strike's vol alike and the deltas are read off the moved smile, its
ATM being exact; risk reversal and butterfly then move as the smile's slope says, and by what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy

from .._typing import BoolArray, FloatArray
from ..arbitrage.verdicts import arbitrage_free
from ..errors import InfeasibleError, InputError, UnitsError
from ..labels import tenor_label
from ..surface import MAX_VOL, Surface
from .delta_smiles import moved_at_strikes
from .market_words import (
    ATM,
    CALL,
    PUT,
    WORDS,
    in_words,
    market_features,
    require_deltas,
    slope_row,
    tenor_place,
)

DECAYS = ("parallel", "sqrt", "short end")
WINGS = ("sticky delta", "sticky strike")
LARGEST = 1.0  # of a change: as large a decimal is vol points
_X25, _X10 = 0.6744897501960817, 1.2815515655446004  # deviations out of 25 and 10 delta
_STRAIGHT = _X10 / _X25  # beyond 10 delta
_LEAST_VOL = 1e-4
_FURTHEST = 0.5  # of a vol: a repair that moves one further leaves no smile of this world
_STEPS, _CLOSE = 30, 1e-12
_SAME = 1e-9


@dataclass(frozen=True)
class MarketShift:
    """What a shift did: the surface, the named tenor's place, how many bp arbitrage moved a cell further."""

    surface: Surface
    place: int
    further: float


def shift_market(
    surface: Surface,
    datm: float = 0.0,
    drr: float = 0.0,
    dbf: float = 0.0,
    dterm: float = 0.0,
    *,
    tenor: str | float | None = None,
    decay: str = "parallel",
    wings: str = "sticky delta",
) -> MarketShift:
    """A delta grid with its ATM, 25-delta risk reversal and butterfly and term slope moved; holes stay.

    datm, drr, dbf: decimals, 0.01 is one vol point; dterm: a year. tenor: where they are exact, the grid's
    nearest to a month unless told. decay: of `DECAYS`, over the other tenors. wings: of `WINGS`.

    Where the moved grid has static arbitrage the wings give way, ATM and what was asked stay.

    Raises InputError (no delta grid, no such tenor or word), UnitsError (a change of 1 or more),
    InfeasibleError (a vol of 0 or less, or no surface without arbitrage has these).
    """
    deltas = require_deltas(surface)
    if not surface.observed.any():
        raise InputError("no quote at all: expected at least one vol to move")
    changes = _checked(datm, drr, dbf, dterm)
    for name, value, allowed in (("decay", decay, DECAYS), ("wings", wings, WINGS)):
        if value not in allowed:
            raise InputError(f"{name} is {value!r}; expected one of {', '.join(allowed)}")
    place = tenor_place(surface.tenors, tenor)
    share = decayed(surface.tenors, float(surface.tenors[place]), decay)
    odd, even = smile_shapes(deltas)
    smile = share[:, None] * (changes[1] * odd + changes[2] * even)
    level = _level_moves(surface.vols, share, changes[0], forward=decay == "short end")
    level = level + _term_moves(surface.tenors, changes[3], place)[:, None]
    moved = smile + (surface.vols + level if wings == WINGS[0] else _at_strikes(surface, level))
    _refuse_low(surface, moved)
    kept = free_of_arbitrage(
        surface.replace(np.minimum(moved, MAX_VOL)), place, whole=bool(changes[1] or changes[2])
    )
    return MarketShift(kept, place, float(1e4 * np.nanmax(np.abs(kept.vols - moved))))


def _level_moves(vols: FloatArray, share: FloatArray, size: float, *, forward: bool) -> FloatArray:
    """[T, K] moves of vols for a move of ATM; forward: that keep forward variances beyond the tenor."""
    if not forward or not size:
        return np.broadcast_to(size * share[:, None], vols.shape)
    v = np.nan_to_num(vols, nan=1.0)
    later = np.sqrt(np.maximum(v**2 + ((v + size) ** 2 - v**2) * share[:, None], 0.0)) - v
    return np.where(share[:, None] < 1, later, size)


def _term_moves(tenors: FloatArray, size: float, place: int) -> FloatArray:
    """[T] moves of ATM for a change of the term slope at a tenor. Raises InputError on a grid of one."""
    if not size:
        return np.zeros_like(tenors)
    if len(tenors) == 1:
        raise InputError("dterm is given, and the grid has one tenor; expected 0, or more tenors")
    way = np.log(tenors / tenors[place])
    return np.asarray(size * way / (slope_row(tenors, place) @ way))


def decayed(tenors: FloatArray, at: float, decay: str) -> FloatArray:
    """[T] share of a change at the tenor `at` that other tenors have."""
    if decay == "parallel":
        return np.ones_like(tenors)
    return np.sqrt(at / tenors) if decay == "sqrt" else np.minimum(1.0, at / tenors)


def smile_shapes(deltas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[K] moves of a risk reversal of 1 and of a butterfly of 1: exactly 1 at 25 delta, 0 at ATM."""
    x = -scipy.special.ndtri(deltas) / _X25
    inside = np.clip(x, -_STRAIGHT, _STRAIGHT)
    return x / 2, inside**2 + 2 * np.abs(inside) * np.abs(x - inside)


def _at_strikes(surface: Surface, level: FloatArray) -> FloatArray:
    """[T, K] vols with every strike's moved alike, by what moves each tenor's ATM by exactly `level` [T, K].

    Raises InfeasibleError where the moved smile has no such ATM.
    """
    assert surface.deltas is not None
    middle = int(np.abs(surface.deltas - ATM).argmin())
    exact = np.abs(surface.deltas[middle] - ATM) < _SAME
    size = level[:, middle].copy()
    for _ in range(_STEPS):
        moved = moved_at_strikes(surface, partial(_alike, size))
        left = np.nan_to_num((level + surface.vols - moved)[:, middle]) * exact
        if np.abs(left).max() <= _CLOSE:
            return moved
        size = size + left
    raise InfeasibleError(
        "the smiles moved at their strikes have no such ATM vols; expected a smaller change, or wings "
        "'sticky delta'"
    )


def _alike(size: FloatArray, m: FloatArray) -> FloatArray:
    return np.broadcast_to(size[:, None], m.shape)


def free_of_arbitrage(moved: Surface, place: int, *, whole: bool) -> Surface:
    """The nearest surface without arbitrage that keeps its words. Raises InfeasibleError.

    whole: whether risk reversal and butterfly were asked for, and so stay at the named tenor.
    """
    if arbitrage_free(moved, moved.vols[None])[0]:
        return moved
    from ..arbitrage.repair import repair

    reason = ""
    for held in _held(moved, place, whole=whole):
        try:
            found = repair(moved, fixed=held & moved.observed).surface
        except InfeasibleError as error:
            reason = reason or str(error)
            continue
        if np.nanmax(np.abs(found.vols / moved.vols - 1)) <= _FURTHEST:
            return found
        reason = reason or "the one found is no market's"
    words = in_words(market_features(moved).values[place])
    raise InfeasibleError(f"no surface without arbitrage was found with {words}: {reason}")


def _held(moved: Surface, place: int, *, whole: bool) -> list[BoolArray]:
    """[T, K] cells that stay, the most first."""
    assert moved.deltas is not None
    of_smile = np.any([np.abs(moved.deltas - delta) < _SAME for delta in (PUT, ATM, CALL)], axis=0)
    atm = np.broadcast_to(np.abs(moved.deltas - ATM) < _SAME, moved.shape)
    named = atm.copy()
    named[place] = of_smile
    every = [np.broadcast_to(of_smile, moved.shape), named]
    return every if whole else [*every, atm]


def _checked(*values: float) -> FloatArray:
    for name, value in zip(WORDS, values, strict=True):
        proper = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not (proper and np.isfinite(value)):
            raise InputError(f"d{name} is {value!r}; expected a number such as 0.01")
        if abs(value) >= LARGEST:
            raise UnitsError(
                f"d{name} is {value:g}, {100 * value:g} vol points; expected a decimal such as 0.01"
            )
    return np.array(values, dtype=float)


def _refuse_low(surface: Surface, moved: FloatArray) -> None:
    low, deltas = np.argwhere(moved < _LEAST_VOL), require_deltas(surface)
    if len(low):
        row, column = low[0]
        raise InfeasibleError(
            f"the vol {surface.vols[row, column]:.4g} at {tenor_label(float(surface.tenors[row]))}, delta "
            f"{deltas[column]:g}, would be {moved[row, column]:.4g}; expected changes that leave vols above 0"
        )
