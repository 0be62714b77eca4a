"""Normal vols: the universal priors on their logarithms, over K - F in deviations of the tenor's own vol.

No history of normal vols is shipped, so the universal model answers alone. Filled cells are then the nearest
to its answer that add no static arbitrage: the linear program of the repair, with the quotes held.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.check import check
from ..arbitrage.repair import repair
from ..errors import InfeasibleError
from ..surface import Surface
from .answers import by_universal, levels_alone
from .history.posterior import Posterior, band
from .model import UniversalBundle
from .spreads import stretch_of

_SHARES = (0.5, 0.75, 0.9, 1.0)  # of the way from a draw to the fill


class NormalAnswer(NamedTuple):
    """[T, K] each, as of `Imputation`. notes: what the guard did."""

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    filled: FloatArray
    zscore: FloatArray
    disputed: BoolArray
    history: FloatArray
    notes: str


def impute_normal(
    surface: Surface,
    loaded: UniversalBundle,
    prior: FloatArray | None,
    age: float,
    coverage: float,
    *,
    arbitrage_free: bool,
) -> NormalAnswer:
    """The holes of a surface of normal vols; prior: [T, K] full earlier vols, `age` days old."""
    found, shape, observed = _posterior(surface, loaded, prior, age), surface.shape, surface.observed
    mean = np.where(observed, surface.vols, np.exp(found.mean).reshape(shape))
    log_std = found.std.reshape(shape)
    std = np.where(observed, 0.0, mean * log_std)
    zscore = np.where(observed, found.zscore.reshape(shape), np.nan)
    filled, disputed, notes = mean, np.zeros(shape, dtype=np.bool_), ""
    if arbitrage_free:
        filled, disputed, notes = guard_normal(surface, mean)
    low, high = band(mean, log_std, observed, filled, coverage)
    return NormalAnswer(mean, std, low, high, filled, zscore, disputed, np.zeros(shape), notes)


def fill_normal_holes(prior: Surface, loaded: UniversalBundle) -> FloatArray:
    """[T, K] an earlier surface's vols, its holes filled."""
    found = _posterior(prior, loaded, None, 1.0)
    return np.where(prior.observed, prior.vols, np.exp(found.mean).reshape(prior.shape))


def _posterior(surface: Surface, loaded: UniversalBundle, prior: FloatArray | None, age: float) -> Posterior:
    cells = np.log(surface.vols)[None]
    earlier = None if prior is None else prior[None]
    alone = levels_alone(loaded, surface, cells)
    found, _ = by_universal(loaded, surface, cells, earlier, age, alone)
    if prior is not None:
        return found
    return replace(found, std=found.std * stretch_of(loaded, surface, cells, alone))


def guard_normal(surface: Surface, mean: FloatArray) -> tuple[FloatArray, BoolArray, str]:
    """Vols [T, K] with the quotes as given, the quotes [T, K] that have arbitrage, and words."""
    disputed = _disputed(surface)
    try:
        filled = _freed(surface, mean, disputed)
    except InfeasibleError as error:
        return mean, disputed, f"filled cells may have arbitrage: {error}"
    moved = int((filled != mean).sum())
    note = f"{moved} filled cell{'s'[: moved - 1]} moved for no arbitrage" if moved else ""
    return filled, disputed, note


def guard_normal_draws(surface: Surface, drawn: FloatArray, filled: FloatArray) -> FloatArray:
    """Draws [n, T, K] with the quotes as given. One that no program frees of arbitrage goes towards `filled`
    [T, K] as far as that takes, or stays as it is where that has arbitrage too.
    """
    disputed, found = _disputed(surface), drawn.copy()
    for free, one in zip(found, drawn, strict=True):
        try:
            free[:] = _freed(surface, one, disputed)
        except InfeasibleError:
            free[:] = _towards(surface, one, filled)
    return found


def _towards(surface: Surface, drawn: FloatArray, filled: FloatArray) -> FloatArray:
    ends = np.log(np.where(surface.observed, 1.0, drawn)), np.log(np.where(surface.observed, 1.0, filled))
    moved = (np.exp(ends[0] + share * (ends[1] - ends[0])) for share in _SHARES)
    between = (np.where(surface.observed, surface.vols, vols) for vols in moved)
    return next((vols for vols in between if check(surface.replace(vols)).ok), drawn)


def _disputed(surface: Surface) -> BoolArray:
    """[T, K] the quotes that a repair moves, or where there is none all that are in a trade."""
    disputed = np.zeros(surface.shape, dtype=np.bool_)
    found = check(surface).violations if surface.observed.any() else ()
    if not found:
        return disputed
    try:
        return np.abs(np.nan_to_num(repair(surface).change)) > 0
    except InfeasibleError:
        for cell in (cell for violation in found for cell in violation.cells):
            disputed[cell] = True
        return disputed


def _freed(surface: Surface, mean: FloatArray, disputed: BoolArray) -> FloatArray:
    """[T, K], the filled cells of `mean` moved; raises InfeasibleError."""
    sound = surface.replace(np.where(disputed, np.nan, mean))
    mended = repair(sound, fixed=surface.observed & ~disputed).surface.vols
    return np.where(surface.observed, surface.vols, mended)
