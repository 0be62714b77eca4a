"""Whether the vols of a grid are percent points or decimals: one decision for the whole grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ..arbitrage.check import check
from ..conventions.pairs import usual_vols
from ..errors import UnitsError, VoladdinError
from ..surface import Surface
from ._words import VolUnit

Unit = Literal["percent", "decimal"]

SHARE: dict[Unit, float] = {"percent": 0.01, "decimal": 1.0}
_LOWEST_PERCENT = 0.3  # the percent points of pegged pairs; below, no pair but a named one is so quiet
_COMMON_PERCENT = 1.0
_HIGHEST_DECIMAL = 5.0
_MOST_PERCENT, _MOST_BASIS = 400.0, 1e5  # no market's grid is about so many percent points
_LEAST_TOTAL, _MOST_TOTAL = 1e-12, 2.5  # a vol times the root of its tenor
_WIDTHS = (0.1, 10.0)  # |ln(K/F)| in standard deviations, half of the quotes
_LIKE = 10.0


class UnitEvidence(NamedTuple):
    """word: what corner or title say. pair: of the titles. like: a vol, decimal, that others are about."""

    word: VolUnit | None = None
    pair: str | None = None
    like: float | None = None


class Decision(NamedTuple):
    """assumed: a warning, "" where the evidence is plain."""

    percent: bool
    assumed: str = ""


def decide_unit(median: float, evidence: UnitEvidence, surface_at: Callable[[float], Surface]) -> Decision:
    """The unit of numbers with this median. surface_at: the surface whose vols are this share of the numbers.

    In this order: what another grid or cells with % say; the pair's usual vols; what words say; the range of
    any market's vols; how far the strikes lie in standard deviations; which reading is free of arbitrage.

    Raises UnitsError naming both readings where none decides.
    """
    _refuse_basis_points(median, evidence)
    possible = _possible(median, evidence)
    if len(possible) == 1:
        return Decision(possible[0] == "percent")
    surfaces = {unit: _surface(surface_at, SHARE[unit]) for unit in possible}
    within_reach = [unit for unit in possible if _within_reach(surfaces[unit])]
    if len(within_reach) == 1:
        return Decision(
            within_reach[0] == "percent", _assumed(median, within_reach[0], "by its strikes or tenors")
        )
    free = [unit for unit in possible if _is_free(surfaces[unit])]
    quiet = median < _COMMON_PERCENT and evidence.pair is None and evidence.word is None
    if quiet and free != ["percent"]:
        return Decision(
            percent=False, assumed=_assumed(median, "decimal", "percent points need the argument units")
        )
    if len(free) == 1 and not quiet:
        return Decision(free[0] == "percent", _assumed(median, free[0], "otherwise they are arbitrageable"))
    asked = "" if evidence.pair else ", or the currency pair in the corner"
    raise UnitsError(
        f"vols of about {median:g} may be {100 * median:g}% (decimals) or {median:g}% (percent points); "
        f'expected the argument units "decimal" or "percent"{asked}'
    )


def _refuse_basis_points(median: float, evidence: UnitEvidence) -> None:
    if evidence.word == "basis points":
        raise UnitsError(
            "the vols are said to be basis points; expected lognormal vols in percent points or decimals, or "
            'the argument units "percent" or "decimal"'
        )
    if _MOST_PERCENT < median <= _MOST_BASIS and evidence.like is None and evidence.word != "percent":
        raise UnitsError(
            f"vols of about {median:g} may be percent points ({median:g}%) or basis points "
            f'({median / 100:g}%); expected the latter as percent points, or the argument units "percent"'
        )


def _assumed(median: float, unit: Unit, why: str) -> str:
    name = "percent points" if unit == "percent" else "decimals"
    return f"vols of about {median:g} read as {name}, {100 * median * SHARE[unit]:g}% ({why})"


def _possible(median: float, evidence: UnitEvidence) -> Sequence[Unit]:
    units: tuple[Unit, Unit] = ("decimal", "percent")
    if evidence.like is not None:
        near = [unit for unit in units if 1 / _LIKE < median * SHARE[unit] / evidence.like < _LIKE]
        if len(near) == 1:
            return near
    if evidence.pair is not None:
        low, high = usual_vols(evidence.pair)
        usual = [unit for unit in units if low <= median * SHARE[unit] <= high]
        if len(usual) == 1:
            return usual
    if evidence.word is not None and median >= _COMMON_PERCENT:
        return ["percent" if evidence.word == "percent" else "decimal"]
    if median < _LOWEST_PERCENT and evidence.pair is None:
        return ["decimal"]
    return ["percent"] if median > _HIGHEST_DECIMAL else units


def _surface(surface_at: Callable[[float], Surface], share: float) -> Surface | None:
    try:
        return surface_at(share)
    except VoladdinError:
        return None


def _within_reach(surface: Surface | None) -> bool:
    """Whether total vols are no larger, and strikes lie no nearer or further in them, than in any market."""
    if surface is None:
        return False
    quoted = surface.observed
    total = np.maximum(surface.vols * np.sqrt(surface.tenors)[:, None], _LEAST_TOTAL)
    if np.median(total[quoted]) > _MOST_TOTAL / 2 and np.max(total[quoted]) > _MOST_TOTAL:
        return False
    moneyness = surface.log_moneyness
    away = np.zeros(surface.shape) if moneyness is None else np.abs(moneyness)
    widths = (away / total)[quoted & (away > 0)]
    return not len(widths) or bool(_WIDTHS[0] <= np.median(widths) <= _WIDTHS[1])


def _is_free(surface: Surface | None) -> bool:
    """Whether the surface is free of static arbitrage."""
    try:
        return surface is not None and check(surface).ok
    except VoladdinError:
        return False
