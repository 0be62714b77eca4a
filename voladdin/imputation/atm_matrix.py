"""An ATM matrix of swaptions, expiry by swap tenor: the process of a surface on (ln expiry, ln tenor).

There are no strikes, so nothing is said of arbitrage; and since the vols' logarithms are filled, their unit,
normal or lognormal, does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError, LabelError
from ..surface import MAX_CELLS
from .history.posterior import factor_of_band
from .model import UniversalBundle, imputer
from .processes.points import Points
from .suspects import Suspect, any_suspect
from .weighing import UNIVERSAL


@dataclass(frozen=True, eq=False)
class MatrixAnswer:
    """[E, T] each: mean the vol itself where it is quoted; std 0 there; zscore NaN elsewhere."""

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    zscore: FloatArray


def impute_matrix(
    vols: ArrayLike, expiries: ArrayLike, tenors: ArrayLike, *, coverage: float = 0.9
) -> MatrixAnswer:
    """The holes of ATM vols [E, T], above 0, NaN where missing; expiries [E] and tenors [T] in years.

    Raises InputError (shape, no vol, one not above 0) or LabelError (an axis that does not increase).
    """
    grid, rows, columns = (np.asarray(values, dtype=float) for values in (vols, expiries, tenors))
    _check(grid, rows, columns, coverage)
    loaded = imputer(UNIVERSAL)
    assert isinstance(loaded, UniversalBundle)
    stretch = float(loaded.arrays["level_stretch"])
    values = np.log(grid).ravel()
    found = loaded.levels.at(matrix_points(rows, columns), values)
    observed = np.isfinite(grid)
    mean = np.where(observed, grid, np.exp(found.mean).reshape(grid.shape))
    log_std = np.where(observed, 0.0, found.std.reshape(grid.shape) * stretch)
    zscore = np.where(observed, found.zscore.reshape(grid.shape) / stretch, np.nan)
    reach = factor_of_band(log_std, coverage)
    return MatrixAnswer(mean, mean * log_std, mean / reach, mean * reach, zscore)


def improbable(vols: FloatArray, expiries: FloatArray, tenors: FloatArray, most: int) -> list[Suspect]:
    """The quotes whose |z-score| given the others exceeds 3, the farthest first, at most so many.

    Each is left out before the next is looked for; vols, expiries, tenors: as of `impute_matrix`.
    """
    found: list[Suspect] = []
    left = np.array(vols)
    zscore = impute_matrix(left, expiries, tenors).zscore
    while len(found) < most and any_suspect(left, zscore):
        row, column = divmod(int(np.nanargmax(np.abs(zscore))), left.shape[1])
        quote, size = float(left[row, column]), float(zscore[row, column])
        left[row, column] = np.nan
        answer = impute_matrix(left, expiries, tenors)
        implied, std = float(answer.mean[row, column]), float(answer.std[row, column])
        found.append(Suspect(row, column, quote, implied, std, size))
        zscore = answer.zscore
    return found


def matrix_points(expiries: FloatArray, tenors: FloatArray) -> Points:
    """All cells, row by row: ln expiry, and ln tenor about the middle of the usual 1Y to 30Y."""
    u = np.log(tenors) - 0.5 * np.log(30.0)
    rows = np.repeat(np.arange(len(expiries)), len(u))
    return Points(np.log(expiries), rows, np.tile(u, len(expiries)), own=False)


def _check(grid: FloatArray, expiries: FloatArray, tenors: FloatArray, coverage: float) -> None:
    if not 0 < coverage < 1:
        raise InputError(f"coverage is {coverage!r}; expected a probability in (0, 1), such as 0.9")
    if grid.shape != (len(expiries), len(tenors)) or not 0 < grid.size <= MAX_CELLS:
        raise InputError(
            f"vols has shape {grid.shape}; expected {len(expiries)} expiries x {len(tenors)} tenors"
        )
    for name, axis in (("expiries", expiries), ("tenors", tenors)):
        if not (axis > 0).all() or (np.diff(axis) <= 0).any():
            raise LabelError(f"{name} are {axis}; expected years above 0, increasing")
    if not np.isfinite(grid).any():
        raise InputError("no quote at all: expected at least one vol")
    bad = np.argwhere(~np.isnan(grid) & ~((grid > 0) & np.isfinite(grid)))
    if len(bad):
        row, column = bad[0]
        raise InputError(f"vols[{row}, {column}] is {grid[row, column]:g}; expected a vol above 0")
