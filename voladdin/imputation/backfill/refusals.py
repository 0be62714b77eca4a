"""Surfaces of a history that stay as they are, and why."""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...surface import MAX_VOL, Surface

NO_QUOTE = "no quote"
_FAR = 8.0  # standard deviations from a forward to its nearest strike
_LOW, _HIGH = 0.003, 5.0  # median vols of a surface that may be in another unit than the history


def refusals(vols: FloatArray, unit: float, *, told: bool) -> list[str]:
    """[N] why each surface cannot be filled by itself, "" where it can; told: whether the unit was."""
    sizes = np.sort(vols.reshape(len(vols), -1), axis=1)
    middle = np.maximum(np.isfinite(sizes).sum(1) - 1, 0) // 2
    about = sizes[np.arange(len(vols)), middle].tolist()
    return [
        _refusal(one) or ("" if told else _unit_hint(m, unit)) for one, m in zip(vols, about, strict=True)
    ]


def _unit_hint(about: float, unit: float) -> str:
    """As `other_unit`, with the option that tells which it is."""
    words = other_unit(about, percent=unit != 1.0)
    return words and f"{words}, or --units {'decimal' if unit == 1.0 else 'percent'}"


def other_unit(about: float, *, percent: bool) -> str:
    """Where vols, decimals, may be percent points in a history of decimals, or the other way; "" else."""
    if not (about < _LOW if percent else about > _HIGH):
        return ""
    reading = f"{100 * about:g} may be decimals" if percent else f"{about:g} may be percent points"
    return f"vols of about {reading}; expected one unit"


def _refusal(vols: FloatArray) -> str:
    """Why a surface cannot be filled by itself; "" where it can."""
    bad = ~np.isnan(vols) & ~((vols > 0) & (vols <= MAX_VOL))
    if bad.any():
        return f"vol {vols[bad][0]:g} is not above 0 and at most {MAX_VOL:g}"
    return "" if np.isfinite(vols).any() else NO_QUOTE


def name_far_forwards(axes: Surface, forwards: FloatArray | None, vols: FloatArray, flags: list[str]) -> None:
    """Flags of surfaces all of whose strikes are far from their forwards, as if these were another's."""
    if forwards is None:
        return
    moneyness = axes.log_moneyness
    assert moneyness is not None
    total = np.where(vols > 0, vols, np.nan) * np.sqrt(axes.tenors)[:, None]
    with np.errstate(over="ignore"):
        away = np.abs(moneyness) / total
    nearest = np.where(np.isnan(away), np.inf, away).reshape(len(vols), -1).min(1)
    for one in np.flatnonzero((nearest > _FAR) & np.isfinite(nearest)).tolist():
        flags[one] = flags[one] or (
            f"forward {forwards[0]:g} is {nearest[one]:.2g} standard deviations from the nearest strike"
        )
