"""The vol anywhere: what the quotes say of one more cell, without calendar arbitrage between tenors.

In strike the answer is the imputation posterior itself, asked at the wanted delta. In time it is linear in
total variance at fixed delta between the neighbouring tenors of the grid (Mama 2025, section 4.1); beyond the
first and last tenor the posterior is asked at the tenor itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import bundles
from .._typing import FloatArray
from ..errors import InputError
from ..imputation.model import Bundle
from ..surface import Surface
from .answers import deltas_of
from .filling import impute
from .posterior import from_quotes

_FIXED_POINT = 50
_ON_GRID = 1e-9


def interpolate(
    surface: Surface,
    tenor: float,
    strike: float,
    *,
    kind: str = "delta",
    forward: float | None = None,
    model: str | Path = "fx",
) -> float:
    """Vol (decimal) at `tenor` years and `strike`, a forward call delta, log-moneyness or strike by `kind`.

    forward: of that tenor, for kind "strike"; the surface's own, interpolated in ln F, where it has one.
    A point on the grid gives the quote, or the filled cell.

    Raises InputError (tenor or strike out of range, unknown kind, no forward) or BundleError.
    """
    if not 0 < tenor <= 50:
        raise InputError(f"tenor is {tenor!r} years; expected above 0 and at most 50")
    if kind == "delta":
        if not 0 < strike < 1:
            raise InputError(f"strike is {strike!r}; expected a forward call delta in (0, 1)")
        return _at_delta(_known(surface, model), tenor, strike)
    if kind == "strike":
        strike = _log_moneyness(surface, tenor, strike, forward)
    elif kind != "moneyness":
        raise InputError(f"kind is {kind!r}; expected 'delta', 'moneyness' or 'strike'")
    if not np.isfinite(strike):
        raise InputError(f"strike is {strike!r}; expected a finite log-moneyness")
    return _at_moneyness(_known(surface, model), tenor, strike)


@dataclass(frozen=True)
class _Known:
    """The surface, filled [T, K] and with the deltas of its cells [T, K], which depend on the vols."""

    loaded: Bundle
    surface: Surface
    filled: FloatArray
    deltas: FloatArray


def _known(surface: Surface, model: str | Path) -> _Known:
    filled = impute(surface, model=model).filled
    return _Known(bundles.load(model, Bundle), surface, filled, _deltas(surface, filled))


def _at_moneyness(known: _Known, tenor: float, moneyness: float) -> float:
    """Fixed point of delta = N(d1(vol(delta))), by secants, damped where they lead away."""
    grid = known.surface.log_moneyness
    if grid is not None:
        hit = _same(known.surface.tenors, tenor)[:, None] & (np.abs(grid - moneyness) < _ON_GRID)
        if hit.any():
            return float(known.filled[hit][0])
    vol = before = _at_delta(known, tenor, 0.5)
    step = 0.0
    for _ in range(_FIXED_POINT):
        delta = float(deltas_of(np.array(moneyness), np.array(vol), tenor))
        last, step = step, _at_delta(known, tenor, delta) - vol
        if abs(step) < 1e-12:
            break
        slope = (step - last) / (vol - before) if vol != before else -1.0
        change = -step / slope if slope < -0.5 else 0.7 * step
        before, vol = vol, vol + change
    return vol


def _at_delta(known: _Known, tenor: float, delta: float) -> float:
    years = known.surface.tenors
    exact = np.flatnonzero(_same(years, tenor))
    if len(exact):
        return float(_smile(known, years[exact], delta)[0])
    if tenor < years[0] or tenor > years[-1]:
        return float(_smile(known, np.array([tenor]), delta)[0])
    right = int(np.searchsorted(years, tenor))
    ends = years[right - 1 : right + 1]
    variance = _smile(known, ends, delta) ** 2 * ends
    share = (tenor - ends[0]) / (ends[1] - ends[0])
    return float(np.sqrt((variance[0] + share * (variance[1] - variance[0])) / tenor))


def _same(years: FloatArray, tenor: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(years - tenor) < _ON_GRID * tenor)


def _smile(known: _Known, tenors: FloatArray, delta: float) -> FloatArray:
    """Vols at one delta and several tenors, given every quote of the surface."""
    surface, deltas = known.surface, known.deltas.ravel()
    years = np.repeat(surface.tenors, surface.shape[1])
    quoted = surface.observed.ravel()
    hit = np.array([_same(years, tenor) for tenor in tenors]) & (np.abs(deltas - delta) < _ON_GRID)
    on_grid = hit.any(1)
    vols: FloatArray = known.filled.ravel()[hit.argmax(1)]
    if not on_grid.all():
        asked = _ask(known.loaded, years[quoted], deltas[quoted], surface.vols.ravel()[quoted], tenors, delta)
        vols = np.where(on_grid, vols, asked)
    return vols


def _deltas(surface: Surface, vols: FloatArray) -> FloatArray:
    if surface.deltas is not None:
        return np.broadcast_to(surface.deltas, surface.shape)
    moneyness = surface.log_moneyness
    assert moneyness is not None
    return deltas_of(moneyness, vols, surface.tenors[:, None])


def _ask(
    loaded: Bundle, years: FloatArray, deltas: FloatArray, vols: FloatArray, tenors: FloatArray, delta: float
) -> FloatArray:
    where = loaded.observation(
        (*years.tolist(), *tenors.tolist()), (*deltas.tolist(), *([delta] * len(tenors)))
    )
    observed = np.arange(len(years) + len(tenors)) < len(years)
    cells = np.concatenate([np.log(vols), np.zeros(len(tenors))])
    answer = from_quotes(loaded, where, cells[None], observed[None])
    return np.asarray(np.exp(answer.mean[0, len(years) :]))


def _log_moneyness(surface: Surface, tenor: float, strike: float, forward: float | None) -> float:
    if not strike > 0:
        raise InputError(f"strike is {strike!r}; expected a positive strike")
    if forward is None and surface.forwards is not None:
        forward = float(np.exp(np.interp(tenor, surface.tenors, np.log(surface.forwards))))
    if forward is None or not forward > 0:
        raise InputError(f"forward is {forward!r}; expected the positive forward of the tenor, for a strike")
    return float(np.log(strike / forward))
