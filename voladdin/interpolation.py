"""The vol anywhere: what the quotes say of one more cell, without calendar arbitrage between tenors.

In strike the answer is the imputation posterior itself, asked at the wanted delta. In time it is linear in
total variance at fixed delta between the neighbouring tenors of the grid (Mama 2025, section 4.1); beyond the
first and last tenor the posterior is asked at the tenor itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import ndtr

from . import bundle as bundles
from .bundle import Bundle
from .errors import InputError
from .imputation import impute
from .posterior import from_quotes
from .surface import FloatArray, Surface

_FIXED_POINT = 50


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
        return _at_delta(surface, tenor, strike, model)
    if kind == "strike":
        strike = _log_moneyness(surface, tenor, strike, forward)
    elif kind != "moneyness":
        raise InputError(f"kind is {kind!r}; expected 'delta', 'moneyness' or 'strike'")
    if not np.isfinite(strike):
        raise InputError(f"strike is {strike!r}; expected a finite log-moneyness")
    return _at_moneyness(surface, tenor, strike, model)


def _at_moneyness(surface: Surface, tenor: float, moneyness: float, model: str | Path) -> float:
    """Fixed point of delta = N(d1(vol(delta))), by damped iteration."""
    vol = _at_delta(surface, tenor, 0.5, model)
    for _ in range(_FIXED_POINT):
        total = vol * np.sqrt(tenor)
        delta = float(np.clip(ndtr(-moneyness / total + 0.5 * total), 1e-3, 1 - 1e-3))
        step = _at_delta(surface, tenor, delta, model) - vol
        vol += 0.7 * step
        if abs(step) < 1e-10:
            break
    return vol


def _at_delta(surface: Surface, tenor: float, delta: float, model: str | Path) -> float:
    years = surface.tenors
    exact = np.flatnonzero(np.abs(years / tenor - 1.0) < 1e-9)
    if len(exact):
        return float(_smile(surface, years[exact], delta, model)[0])
    if tenor < years[0] or tenor > years[-1]:
        return float(_smile(surface, np.array([tenor]), delta, model)[0])
    right = int(np.searchsorted(years, tenor))
    ends = years[right - 1 : right + 1]
    variance = _smile(surface, ends, delta, model) ** 2 * ends
    share = (tenor - ends[0]) / (ends[1] - ends[0])
    return float(np.sqrt((variance[0] + share * (variance[1] - variance[0])) / tenor))


def _smile(surface: Surface, tenors: FloatArray, delta: float, model: str | Path) -> FloatArray:
    """Vols at one delta and several tenors, given every quote of the surface."""
    loaded = bundles.load(model)
    filled = impute(surface, model=model)
    deltas = _deltas(surface, filled.filled)
    years = np.repeat(surface.tenors, deltas.shape[1])
    quoted = surface.observed.ravel()
    hit = (np.abs(years / tenors[:, None] - 1.0) < 1e-9) & (np.abs(deltas.ravel() - delta) < 1e-9)
    asked = _ask(loaded, years[quoted], deltas.ravel()[quoted], surface.vols.ravel()[quoted], tenors, delta)
    on_grid = hit.any(1)
    asked[on_grid] = filled.filled.ravel()[hit.argmax(1)[on_grid]]
    return asked


def _deltas(surface: Surface, vols: FloatArray) -> FloatArray:
    if surface.deltas is not None:
        return np.broadcast_to(surface.deltas, surface.shape)
    moneyness = surface.log_moneyness
    assert moneyness is not None
    total = vols * np.sqrt(surface.tenors)[:, None]
    return np.asarray(np.clip(ndtr(-moneyness / total + 0.5 * total), 1e-3, 1 - 1e-3))


def _ask(
    loaded: Bundle, years: FloatArray, deltas: FloatArray, vols: FloatArray, tenors: FloatArray, delta: float
) -> FloatArray:
    where = loaded.emission((*years.tolist(), *tenors.tolist()), (*deltas.tolist(), *([delta] * len(tenors))))
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
        raise InputError(f"forward is {forward!r}; a strike needs the positive forward of its tenor")
    return float(np.log(strike / forward))
