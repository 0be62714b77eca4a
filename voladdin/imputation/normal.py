"""Normal vols: the universal priors on their logarithms, over K - F in deviations of the tenor's own vol.

No history of normal vols is shipped, so the universal model answers alone. Filled cells are then the nearest
to its answer that add no static arbitrage: the linear program of the repair, with the quotes held.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.check import check
from ..arbitrage.repair import repair
from ..errors import InfeasibleError
from ..surface import Surface
from .coordinates import LEAST, atm_term, compressed
from .model import UniversalBundle
from .posterior import band
from .process import Points


class NormalAnswer(NamedTuple):
    """[T, K] each, as of `Imputation`. notes: what the guard did."""

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    filled: FloatArray
    zscore: FloatArray
    disputed: BoolArray
    notes: str


def impute_normal(
    surface: Surface, loaded: UniversalBundle, coverage: float, *, arbitrage_free: bool
) -> NormalAnswer:
    """The holes of a surface of normal vols, with the uncertainty of each cell."""
    values = np.log(surface.vols).ravel()
    stretch = float(loaded.arrays["level_stretch"])
    found = loaded.levels.at(normal_points(surface, values), values)
    shape, observed = surface.shape, surface.observed
    mean = np.where(observed, surface.vols, np.exp(found.mean).reshape(shape))
    log_std = found.std.reshape(shape) * stretch
    std = np.where(observed, 0.0, mean * log_std)
    zscore = np.where(observed, found.zscore.reshape(shape) / stretch, np.nan)
    filled, disputed, notes = mean, np.zeros(shape, dtype=np.bool_), ""
    if arbitrage_free:
        filled, disputed, notes = _guarded(surface, mean)
    low, high = band(mean, log_std, observed, filled, coverage)
    return NormalAnswer(mean, std, low, high, filled, zscore, disputed, notes)


def normal_points(surface: Surface, values: FloatArray) -> Points:
    """Where the cells lie: ln T, and K - F in standard deviations, compressed; values: [T * K] log-vols."""
    t, distance, quoted = np.log(surface.tenors), surface.distances.ravel(), np.isfinite(values)
    rows = np.repeat(np.arange(len(t)), surface.shape[1])
    atm = atm_term(t[rows[quoted]], distance[quoted], values[quoted], t)
    return Points(t, rows, compressed(distance * np.exp(-np.maximum(atm + 0.5 * t, LEAST))[rows]), own=False)


def _guarded(surface: Surface, mean: FloatArray) -> tuple[FloatArray, BoolArray, str]:
    """Vols [T, K] with the quotes as given, the quotes [T, K] that have arbitrage, and words."""
    observed, disputed = surface.observed, np.zeros(surface.shape, dtype=np.bool_)
    if not check(surface).ok:
        disputed = np.abs(np.nan_to_num(repair(surface).change)) > 0
    sound = np.where(disputed, np.nan, mean)
    try:
        mended = repair(surface.replace(sound), fixed=observed & ~disputed).surface.vols
    except InfeasibleError as error:
        return mean, disputed, f"filled cells may have arbitrage: {error}"
    filled = np.where(observed, surface.vols, mended)
    moved = int((filled != mean).sum())
    return filled, disputed, f"{moved} filled cells moved for no arbitrage" if moved else ""
