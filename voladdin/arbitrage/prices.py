"""The quotes of a surface as forward-normalised call prices, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray
from ..black import implied_total_vol, otm_price, vega
from ..surface import MAX_VOL, Surface
from .check import MAX_LOG_STRIKE

LEAST_TIME_VALUE = 1e-13  # of a price that moved: a Surface has no vol of 0
_FLAT = 1e-6  # vega below which 1 bp of vol moves the price by less than check's tolerance
_STEP = 1e-4  # price move over which such a quote's vol is measured


@dataclass(frozen=True)
class Quotes:
    """N quotes at strikes that stay. cells: [N, 2] (row, column); all others are [N].

    rows: tenor ranks. m: ln(K/F). strikes: K/F. root: sqrt(tau). vols as given. calls, intrinsic, most: the
    call's price, its least, and that of the largest vol. unit: price move for one unit of vol, see `_unit`.
    """

    cells: NDArray[np.intp]
    rows: list[int]
    m: FloatArray
    strikes: FloatArray
    root: FloatArray
    vols: FloatArray
    calls: FloatArray
    intrinsic: FloatArray
    most: FloatArray
    unit: FloatArray

    def vols_at(self, calls: FloatArray) -> FloatArray:
        """[N] vols of other call prices; where a price is that given, its vol to the last bit."""
        moved = calls != self.calls
        m, root = self.m[moved], self.root[moved]
        value = otm_price(m, self.vols[moved] * root) + (calls - self.calls)[moved]
        total = implied_total_vol(np.maximum(value, LEAST_TIME_VALUE), m)
        vols = self.vols.copy()
        vols[moved] = np.fmin(total / root, MAX_VOL)
        return vols


def quotes(surface: Surface) -> Quotes:
    """Every quote that `check` looks at: strikes beyond exp(700) forwards are left out."""
    moneyness = surface.quoted_moneyness()
    with np.errstate(invalid="ignore"):
        kept = surface.observed & (np.abs(moneyness) <= MAX_LOG_STRIKE)
    cells = np.argwhere(kept)
    m, vols = moneyness[kept], surface.vols[kept]
    root = np.sqrt(surface.tenors)[cells[:, 0]]
    intrinsic = -np.expm1(np.minimum(m, 0))
    value = otm_price(m, vols * root)
    most = intrinsic + otm_price(m, MAX_VOL * root)
    unit = _unit(m, vols, root, value)
    calls = intrinsic + value
    return Quotes(cells, cells[:, 0].tolist(), m, np.exp(m), root, vols, calls, intrinsic, most, unit)


def with_vegas_of(quotes: Quotes, vols: FloatArray) -> Quotes:
    """The same with the vegas of other vols [N]: a fat finger's own is not what moving it costs."""
    value = otm_price(quotes.m, vols * quotes.root)
    return replace(quotes, unit=_unit(quotes.m, vols, quotes.root, value))


def vols_around(vols: FloatArray) -> FloatArray:
    """[T, K] median of the up to eight vols around each; its own where there is none."""
    rows, columns = vols.shape
    wide = np.pad(vols, 1, constant_values=np.nan)
    near = [wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    near.append(np.where(np.isnan(near).all(axis=0), np.where(np.isnan(vols), 1.0, vols), np.nan))
    return np.asarray(np.nanmedian(near, axis=0))


def _unit(m: FloatArray, vols: FloatArray, root: FloatArray, value: FloatArray) -> FloatArray:
    """[N] vega; where it vanishes (vol too low, or so high that the price saturates) the slope of the chord.

    Such a price can move in one direction only, and the vol it takes for the first 1e-4 is finite.
    """
    unit = np.asarray(vega(m, vols * root) * root)
    flat = unit < _FLAT
    if flat.any():
        m, vols, root, value = m[flat], vols[flat], root[flat], value[flat]
        top = np.exp(np.minimum(m, 0))
        moved = np.where(value < 0.5 * top, value + _STEP * top, value - _STEP * top)
        distance = np.abs(implied_total_vol(moved, m) / root - vols)
        unit[flat] = np.maximum(_STEP * top / distance, unit[flat])
    return unit
