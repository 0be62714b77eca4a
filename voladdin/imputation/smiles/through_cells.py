"""The vol anywhere, through the cells of a filled surface.

The surface is filled, and then extended by the usual deltas that it lacks, or by wings: of few or narrow
strikes the model knows the smile, a spline does not. A `SurfaceFunction` goes through all these nodes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ... import bundles
from ..._typing import FloatArray
from ...black import moneyness_from_delta
from ...errors import InputError
from ...surface import MAX_CELLS, Surface
from .surface_function import SurfaceFunction

MAX_TENOR = 50.0
KINDS = ("delta", "moneyness", "strike")
_DELTAS = np.array([0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05])
_APART = 0.03  # deltas nearer than this to one of the surface's are not asked
_RATIOS = 1e-300, 1e300  # of a strike over a forward, as floats
_WINGS = np.array([0.75, 1.5])  # deviations beyond the outermost strikes
_SAME = 1e-9
_KEPT = 128  # surfaces

Fill = Callable[[Surface, str], FloatArray]  # the filled vols [T, K] of a surface, by a model's name


def vols_at(
    fill: Fill,
    surface: Surface,
    tenors: ArrayLike,
    strikes: ArrayLike,
    *,
    kind: str,
    forwards: ArrayLike | None,
    model: str | Path,
) -> FloatArray:
    """[n] vols at tenors and strikes [n], as `interpolate_many`; kept by `fill` too: a function, not a
    closure.
    """
    years, at = np.asarray(tenors, dtype=float), np.asarray(strikes, dtype=float)
    if years.shape != at.shape:
        years, at = np.broadcast_arrays(years, at)
    bad = years[~((years > 0) & (years <= MAX_TENOR))]
    if len(bad):
        raise InputError(f"tenor is {float(bad[0])!r} years; expected above 0 and at most {MAX_TENOR:g}")
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}; expected 'delta', 'moneyness' or 'strike'")
    if kind == "delta":
        bad = at[~((at > 0) & (at < 1))]
        if len(bad):
            raise InputError(f"strike is {float(bad[0])!r}; expected a forward call delta in (0, 1)")
    else:
        at = _log_moneyness(surface, years, at, forwards) if kind == "strike" else at
        bad = at[~np.isfinite(at)]
        if len(bad):
            raise InputError(f"strike is {float(bad[0])!r}; expected a finite log-moneyness")
    filled, function = _known(fill, surface, model)
    if not len(years):
        return np.zeros(0)
    vols = function.vol_at_delta(years, at) if kind == "delta" else function.vol(years, at)
    return _on_grid(surface, filled, years, at, vols, delta=kind == "delta")


def _on_grid(
    surface: Surface, filled: FloatArray, years: FloatArray, at: FloatArray, vols: FloatArray, *, delta: bool
) -> FloatArray:
    """The very quotes and fills where a point is a cell of the grid."""
    axis = surface.deltas if delta else surface.log_moneyness
    if axis is None:
        return vols
    near = np.abs(surface.tenors - years[:, None])
    point, row = np.nonzero(near < _SAME * years[:, None])
    if not len(point):
        return vols
    cells = np.broadcast_to(axis, surface.shape)
    away = np.abs(cells[row] - at[point, None])
    hit, column = np.nonzero(away < _SAME)
    far = np.argsort(-near[point, row][hit] / years[point][hit] - away[hit, column], kind="stable")
    vols[point[hit][far]] = filled[row[hit], column][far]  # of several cells the nearest, which comes last
    return vols


def _known(fill: Fill, surface: Surface, model: str | Path) -> tuple[FloatArray, SurfaceFunction]:
    """The filled surface [T, K] and its function, kept for the next point."""
    axis = surface.deltas if surface.deltas is not None else surface.log_moneyness
    assert axis is not None
    own = surface.vols if surface.observed.all() else fill(surface, str(model))
    level = None if surface.deltas is not None else float(np.nanmedian(surface.vols))
    key = (own.tobytes(), surface.tenors.tobytes(), axis.tobytes(), axis.shape)
    digests = bundles.load(model).digest, bundles.load("universal").digest
    return own, _kept(fill, key, digests, str(model), level)


@functools.lru_cache(maxsize=_KEPT)
def _kept(
    fill: Fill,
    key: tuple[bytes, bytes, bytes, tuple[int, ...]],
    digests: tuple[str, str],  # noqa: ARG001  part of the cache's key
    model: str,
    level: float | None,
) -> SurfaceFunction:
    """Of the bytes of filled vols, tenors and axis; digests tell bundles that were changed on disk.

    level: the median quote, of strikes; None of deltas.
    """
    tenors, axis = np.frombuffer(key[1]), np.frombuffer(key[2]).reshape(key[3])
    vols = np.frombuffer(key[0]).reshape(len(tenors), -1)
    if level is None:
        return _of_deltas(fill, Surface(vols, tenors, deltas=axis), model)
    return _of_strikes(fill, Surface(vols, tenors, moneyness=axis), model, level)


def _of_deltas(fill: Fill, surface: Surface, model: str) -> SurfaceFunction:
    assert surface.deltas is not None
    lacking = _DELTAS[(np.abs(_DELTAS[:, None] - surface.deltas) > _APART).all(1)]
    if (len(surface.deltas) + len(lacking)) * len(surface.tenors) > MAX_CELLS:
        lacking = lacking[:0]
    deltas = np.concatenate([surface.deltas, lacking])
    order = np.argsort(-deltas)
    wide = np.concatenate([surface.vols, np.full((len(surface.tenors), len(lacking)), np.nan)], axis=1)
    filled = fill(Surface(wide[:, order], surface.tenors, deltas=deltas[order]), model)
    k = moneyness_from_delta(deltas[order], filled * np.sqrt(surface.tenors)[:, None])
    if not (np.diff(k, axis=1) > 0).all():
        own = order < len(surface.deltas)  # without the deltas that it lacked
        k, filled = k[:, own], filled[:, own]
        _require_ascending(k, deltas[order][own], surface.tenors)
    return SurfaceFunction(surface.tenors, k, filled)


def _of_strikes(fill: Fill, surface: Surface, model: str, level: float) -> SurfaceFunction:
    moneyness = surface.log_moneyness
    assert moneyness is not None
    if moneyness[0, 0] > moneyness[0, -1]:
        turned = Surface(surface.vols[:, ::-1], surface.tenors, moneyness=moneyness[:, ::-1])
        return _of_strikes(fill, turned, model, level)
    step = level * np.sqrt(surface.tenors)[:, None] * _WINGS
    wings = (moneyness[:, :1] - step[:, ::-1], moneyness, moneyness[:, -1:] + step)
    if sum(part.size for part in wings) > MAX_CELLS:
        wings = (moneyness[:, :0], moneyness, moneyness[:, :0])
    k = np.concatenate(wings, axis=1)
    wide = np.concatenate(
        [np.full(wing.shape, np.nan) if wing is not moneyness else surface.vols for wing in wings], 1
    )
    filled = fill(Surface(wide, surface.tenors, moneyness=k), model)
    return SurfaceFunction(surface.tenors, k, filled)


def _require_ascending(k: FloatArray, deltas: FloatArray, tenors: FloatArray) -> None:
    """Raises InputError where vols bend a delta axis back: it is then no function of the strike."""
    bent = np.argwhere(np.diff(k, axis=1) <= 0)
    if len(bent):
        row, column = bent[0]
        raise InputError(
            f"at {tenors[row]:.4g} years the vols of call deltas {deltas[column]:g} and "
            f"{deltas[column + 1]:g} put their strikes out of order; expected vols closer to each other"
        )


def _log_moneyness(
    surface: Surface, years: FloatArray, strikes: FloatArray, forwards: ArrayLike | None
) -> FloatArray:
    bad = strikes[~((strikes > 0) & (strikes < np.inf))]
    if len(bad):
        raise InputError(f"strike is {float(bad[0])!r}; expected a positive strike")
    if forwards is None and surface.forwards is not None:
        forwards = np.exp(np.interp(years, surface.tenors, np.log(surface.forwards)))
    given = np.nan if forwards is None else np.asarray(forwards, dtype=float)
    ahead = np.broadcast_to(given, years.shape)
    wrong = ~((ahead > 0) & (ahead < np.inf))
    if wrong.any():
        said = None if forwards is None else float(ahead[wrong][0])
        raise InputError(f"forward is {said!r}; expected the positive forward of the tenor, for a strike")
    with np.errstate(over="ignore"):
        return np.asarray(np.log(np.clip(strikes / ahead, *_RATIOS)))
