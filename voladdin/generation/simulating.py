"""Today's surface over the next days: joint moves that surfaces like it made in history.

Each day of a scenario is the move of log vols of one earlier day, drawn with a weight that halves with its
age, falls with its distance from today's surface and is less for another underlying's (a filtered historical
simulation): moves of all tenors and deltas stay together, with the tails that they have. Moves of h days are
scaled so that their variance grows with the power of h that the history's does. Between the history's nodes
a move is a cubic spline in (ln T, N^-1(delta)), beyond them it is the last node's, and below the first tenor
it grows as the history's do towards the short end.

A cell is moved by what moves its own delta; a surface with arbitrage gives way to the nearest without.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from .. import bundles
from .._typing import FloatArray
from ..arbitrage.repair import repair
from ..arbitrage.verdicts import arbitrage_free
from ..black import call_delta
from ..bundles.moves import Moves
from ..errors import InfeasibleError, InputError
from ..surface import MAX_VOL, Surface
from ..threads import on_one_thread
from . import latents

MOST_DAYS, MOST_CELLS = 260, 5_000_000
_LEAST_VOL = 1e-4
_STREAM = 1 << 40  # of uniforms: none that `sample` uses


@dataclass(frozen=True, eq=False)
class Scenarios:
    """vols: [n, T, K] decimals, NaN where the surface has a hole; each passes `check`.

    moved: [n] in bp of vol, the largest move of the repair that made it so; 0 where none was needed.
    """

    vols: FloatArray
    moved: FloatArray


@on_one_thread
def scenarios(
    surface: Surface,
    n: int,
    seed: int = 0,
    horizon: int = 1,
    *,
    model: str | Path = "fx",
    underlying: str | None = None,
) -> Scenarios:
    """n joint moves of today's surface over `horizon` business days; holes stay.

    underlying: such as "EURUSD": where the model's history has it, its own days count more than the others'.

    The same seed gives the same on every machine, and more of them begin with the same ones.

    Raises InputError (no quote, how many, how far), BundleError (a model without moves), InfeasibleError (no
    surface without arbitrage is near one).
    """
    count, days = latents.whole_number("n", n), latents.whole_number("horizon", horizon)
    _refuse(surface, count, days)
    moves = bundles.load(model, Moves)
    found = unrepaired(surface, moves, count, latents.whole_number("seed", seed), days, underlying)
    further = np.zeros(count)
    for index in np.flatnonzero(~arbitrage_free(surface, found)).tolist():
        kept = _repaired(surface.replace(found[index]), index, count)
        further[index] = 1e4 * np.nanmax(np.abs(kept - found[index]))
        found[index] = kept
    return Scenarios(found, further)


def unrepaired(
    surface: Surface, model: Moves, count: int, seed: int, days: int, underlying: str | None = None
) -> FloatArray:
    """[count, T, K] vols that may have arbitrage."""
    a, at = model.arrays, _between(model, surface)
    u = latents.uniforms(_STREAM, seed, (count, days))
    weight = _near(model, at, np.log(surface.vols).ravel(), underlying)
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), u), len(weight) - 1)
    steps = a["changes"][chosen].sum(1)
    scale = days ** ((float(a["growth"]) - 1) / 2) * _short(model, surface.tenors)
    change = (steps @ at.T).reshape(count, *surface.shape) * scale[:, None]
    return np.asarray(np.clip(surface.vols * np.exp(change), _LEAST_VOL, MAX_VOL))


def _near(model: Moves, at: FloatArray, logs: FloatArray, underlying: str | None) -> FloatArray:
    """[S] weights, of sum 1, of the days; logs: [N] log-vols, NaN where missing."""
    a, seen = model.arrays, np.isfinite(logs)
    basis = at[seen] @ a["basis"] / float(a["noise"])
    residual = (logs[seen] - at[seen] @ a["origin"]) / float(a["noise"])
    place = np.linalg.solve(basis.T @ basis + np.eye(basis.shape[1]), basis.T @ residual)
    width, floor, others = a["kernel"]
    distance = ((a["scores"] - place) ** 2).sum(1)
    weight = a["weight"] * (np.exp(-0.5 * distance / width**2) + floor)
    if underlying in model.underlyings:
        weight = np.where(a["whose"] == model.underlyings.index(underlying), weight, others * weight)
    return np.asarray(weight / weight.sum())


def _between(model: Moves, surface: Surface) -> FloatArray:
    """[N, T * K] weights of the history's T x K nodes in each of the surface's N cells."""
    a = model.arrays
    deltas = _deltas(surface)
    time = _weights(np.log(a["tenors"]), np.log(surface.tenors))
    normals = scipy.special.ndtri(deltas)
    across = _weights(scipy.special.ndtri(a["deltas"]), normals.ravel()).reshape(*surface.shape, -1)
    return np.asarray((time[:, None, :, None] * across[:, :, None, :]).reshape(surface.vols.size, -1))


def _deltas(surface: Surface) -> FloatArray:
    """[T, K] forward call deltas of the cells, a hole's by the median quote's vol."""
    if surface.deltas is not None:
        return np.broadcast_to(surface.deltas, surface.shape)
    m = surface.log_moneyness
    assert m is not None
    usual = float(np.nanmedian(surface.vols))
    vols = np.where(surface.observed, surface.vols, usual)
    return np.clip(call_delta(m, vols * np.sqrt(surface.tenors)[:, None]), 1e-6, 1 - 1e-6)


def _weights(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """[N, nodes] of values at `nodes` in their natural cubic spline at `points`; the last beyond them."""
    from scipy.interpolate import CubicSpline  # not at import, which is to be light

    inside = np.clip(points, nodes[0], nodes[-1])
    if len(nodes) < 2:
        return np.ones((len(points), 1))
    return np.asarray(CubicSpline(nodes, np.eye(len(nodes)), bc_type="natural")(inside))


def _short(model: Moves, tenors: FloatArray) -> FloatArray:
    """[T] factor on changes of tenors below the history's first."""
    first = float(model.arrays["tenors"][0])
    return np.asarray(np.maximum(first / tenors, 1.0) ** float(model.arrays["short"]))


def _repaired(surface: Surface, index: int, count: int) -> FloatArray:
    try:
        return repair(surface).surface.vols
    except InfeasibleError as error:
        raise InfeasibleError(f"scenario {index + 1} of {count}: {error}") from None


def _refuse(surface: Surface, count: int, days: int) -> None:
    if not surface.observed.any():
        raise InputError("no quote at all: expected at least one vol to move")
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"horizon is {days}; expected 1 to {MOST_DAYS} business days")
    if not 1 <= count * surface.vols.size <= MOST_CELLS:
        raise InputError(
            f"n is {count}, of {surface.vols.size} cells each; expected at least 1 scenario, at most "
            f"{MOST_CELLS:,} cells in all"
        )
