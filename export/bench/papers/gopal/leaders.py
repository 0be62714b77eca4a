"""Who is first at each rate or tenor of tables 3 to 10, how far voladdin is behind, and why.

Cells: how many errors are of at each place, on all days and on those of the fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from voladdin._typing import BoolArray, FloatArray

from .rivals import FITTED, SAME_DAYS, VOLADDIN
from .vaes import KINDS

_GAUSSIAN = "one Gaussian of all training days, without regimes"
_WHY = {  # another is first
    "Gaussian, scale-augmented": _GAUSSIAN,
    "Gaussian conditional": _GAUSSIAN,
    "PCA": "six components of all training days",
    "PPCA": "one Gaussian of all training days, of six modes and noise",
    **{name: "few cells are shown: what it learned of whole surfaces" for name in KINDS},
}


def leaders(
    errors: Mapping[str, FloatArray], places: Sequence[str], cells: tuple[FloatArray, FloatArray]
) -> str:
    """errors: by method, one a place, NaN where no cell is. The fits are beside voladdin on their days."""
    on_all = [VOLADDIN, *(name for name in errors if name not in (*FITTED, SAME_DAYS, VOLADDIN))]
    table = np.stack([errors[name] for name in on_all])
    told = np.isfinite(table[0])
    first = np.where(told, np.argmin(np.where(np.isfinite(table), table, np.inf), axis=0), -1)
    words = [
        f"{on_all[k]} first at {_listed(places, own)}{_behind(errors, on_all[k], VOLADDIN, own, cells[0])}"
        for k, own in ((k, first == k) for k in dict.fromkeys(first[told].tolist()))
    ]
    for name in (name for name in FITTED if name in errors):
        before = errors[name] < errors[SAME_DAYS]
        if before.any():
            where = f"{_listed(places, before)}{_behind(errors, name, SAME_DAYS, before, cells[1])}"
            words.append(f"{name} before voladdin on its days at {where}")
    return ", ".join(words)


def _behind(
    errors: Mapping[str, FloatArray], name: str, own: str, where: BoolArray, cells: FloatArray
) -> str:
    """By how much voladdin is behind at those places, and why: of a fit, how few cells there are."""
    if name == own:
        return ""
    ratio = float(np.max(errors[own][where] / errors[name][where]))
    return f" (voladdin at most {ratio:.2f} of it; {_WHY.get(name, f'on {_counted(cells[where])}')})"


def _counted(cells: FloatArray) -> str:
    low, high = int(cells.min()), int(cells.max())
    return f"{low} to {high} cells" if low < high else f"{high} cell{'s' * (high > 1)}"


def _listed(places: Sequence[str], where: BoolArray) -> str:
    chosen = [place for place, one in zip(places, where, strict=True) if one]
    return f"all of {places[0]} to {places[-1]}" if len(chosen) == len(places) else ", ".join(chosen)
