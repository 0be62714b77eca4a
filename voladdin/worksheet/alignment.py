"""A prior, bids or asks: another range's vols on the surface's axes, by their labels."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray
from ..cells import Grid
from ..errors import InputError, UnitsError
from ..labels import tenor_label
from ..surface import Surface

_KINDS = ("deltas", "moneyness", "strikes")


def on_axes_of(grid: Grid, prior: Grid, name: str = "prior") -> Surface:
    """The prior's vols at the surface's tenors and strikes; its order and further labels do not matter.

    name: of the argument that `prior` is, for messages. Tenors are the same where their years are, or where
    both are the same expiry date.

    Raises InputError where it has no vol, or lacks a tenor or strike of the surface; UnitsError where one of
    them is in normal vols.
    """
    if not prior.surface.observed.any():
        expected = "an earlier surface" if name == "prior" else "vols"
        raise InputError(f"{name}: {prior.body} hold no vol; expected {expected}, or no {name}")
    ours_are, theirs_are = grid.surface.vol_type, prior.surface.vol_type
    if ours_are != theirs_are:
        raise UnitsError(
            f"{name}: its vols are {theirs_are}, and the surface's {ours_are}; expected one kind"
        )
    rows = _places(f"{name}: its tenors", _same_tenors(grid, prior), _tenors(grid), _tenors(prior))
    kind, ours = _strikes(grid.surface)
    theirs_kind, theirs = _strikes(prior.surface)
    if kind != theirs_kind:
        raise InputError(f"{name}: it has {theirs_kind}, and the surface {kind}; expected the same labels")
    if ours.ndim == 2 or theirs.ndim == 2:
        own = _with_own_strikes(f"{name}: its {kind}", grid.surface, prior.surface, rows)
        return grid.surface.replace(own)
    columns = _places(f"{name}: its {kind}", _close(ours, theirs), _shown(ours), _shown(theirs))
    return grid.surface.replace(prior.surface.vols[np.ix_(rows, columns)])


def _with_own_strikes(name: str, surface: Surface, prior: Surface, rows: list[int]) -> FloatArray:
    (_, ours), (_, theirs) = _strikes(surface), _strikes(prior)
    ours = np.broadcast_to(ours, surface.shape)
    theirs = np.broadcast_to(theirs, prior.shape)[rows]
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-9, atol=1e-12):
        raise InputError(f"{name} differ from the surface's; expected the same at each tenor")
    return np.asarray(prior.vols[rows])


def _strikes(surface: Surface) -> tuple[str, FloatArray]:
    kind = next(name for name in _KINDS if getattr(surface, name) is not None)
    return kind, getattr(surface, kind)


def _close(ours: FloatArray, theirs: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.isclose(ours[:, None], theirs, rtol=1e-9, atol=1e-12))


def _same_tenors(grid: Grid, prior: Grid) -> NDArray[np.bool_]:
    same = _close(grid.surface.tenors, prior.surface.tenors)
    if grid.valuation is None or prior.valuation is None or grid.valuation == prior.valuation:
        return same
    ours = _expiries(grid.surface.tenors, grid.valuation)
    theirs = _expiries(prior.surface.tenors, prior.valuation)
    return np.array([[one == other for other in theirs] for one in ours])


def _expiries(tenors: FloatArray, valuation: date) -> list[date]:
    return [valuation + timedelta(days=round(365 * years)) for years in tenors.tolist()]


def _tenors(grid: Grid) -> list[str]:
    if grid.valuation is not None:
        return [str(day) for day in _expiries(grid.surface.tenors, grid.valuation)]
    return [tenor_label(years) for years in grid.surface.tenors.tolist()]


def _shown(axis: FloatArray) -> list[str]:
    return [f"{value:.6g}" for value in axis.tolist()]


def _places(name: str, same: NDArray[np.bool_], ours: list[str], theirs: list[str]) -> list[int]:
    """Where each of our labels is among theirs. Raises InputError naming those that are not."""
    lacking = [label for label, found in zip(ours, same, strict=True) if not found.any()]
    if lacking:
        raise InputError(
            f"{name} {', '.join(theirs)} lack the surface's {', '.join(lacking)}; expected all of "
            "them, in any order"
        )
    return [int(i) for i in same.argmax(1)]
