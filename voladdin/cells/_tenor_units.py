"""Plain numbers in a line of tenors: years, months, weeks or days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..errors import LabelError
from ..labels.tenors import MAX_YEARS, YEARS_IN_A
from ._words import TenorUnit

_USUAL: dict[TenorUnit, frozenset[float]] = {
    "years": frozenset([*range(1, 11), 12, 15, 20, 25, 30, 40, 50]),
    "months": frozenset([*range(1, 13), 15, 18, 21, *range(24, 121, 12), 180, 240, 300, 360]),
    "weeks": frozenset([*range(1, 14), 16, 20, 26, 39, 52, 78, 104]),
}
_CLOCK_TIMES_ABOVE = 5.0  # 0.5 1.5 6.5 may be days from now to an hour of the day
_LONGEST_IN_YEARS = 30.0  # with a fraction


def read_unit(
    numbers: Mapping[int, float], labelled: Mapping[int, float], given: TenorUnit | None
) -> TenorUnit:
    """The unit of a line's plain numbers. labelled: years of the line's labels; both by their place.

    Raises LabelError naming the readings that remain.
    """
    possible = [given] if given else possible_units(list(numbers.values()))
    possible = [unit for unit in possible if _increase(numbers, labelled, unit)] or possible
    if len(possible) == 1:
        return possible[0]
    shown = ", ".join(f"{number:g}" for number in list(numbers.values())[:8])
    words = " or ".join(f'"{unit}"' for unit in possible)
    examples = " or ".join(_example(numbers, unit) for unit in possible)
    raise LabelError(
        f"tenors {shown} may be {' or '.join(possible)}; expected labels such as {examples}, {words} in the "
        f"corner, or the argument tenors {words}"
    )


def possible_units(numbers: Sequence[float]) -> list[TenorUnit]:
    """The units in which a desk writes such numbers: 7 14 30 are days, 0.25 0.5 1 years, 1 2 3 anything."""
    if any(number != int(number) for number in numbers):
        clock_times = max(numbers) > _CLOCK_TIMES_ABOVE and len({round(n % 1, 3) for n in numbers}) == 1
        if max(numbers) <= _LONGEST_IN_YEARS and not clock_times:
            return ["years"]
        return ["years", "days"] if max(numbers) <= MAX_YEARS else ["days"]
    if 0 in numbers:
        return ["days"]
    usual = [unit for unit, known in _USUAL.items() if known.issuperset(numbers)]
    return [*usual, "days"] if _may_be_days(numbers) or not usual else usual


def _may_be_days(numbers: Sequence[float]) -> bool:
    """Not 6 12 24 36: days begin in the first week, or have a multiple of 7 or 30 among them."""
    return len(numbers) == 1 or min(numbers) < 6 or any(n % 7 == 0 or n % 30 == 0 for n in numbers)


def _increase(numbers: Mapping[int, float], labelled: Mapping[int, float], unit: TenorUnit) -> bool:
    years = {**labelled, **{place: number * YEARS_IN_A[unit] for place, number in numbers.items()}}
    return all(years[one] < years[other] for one, other in pairwise(sorted(years)))


def _example(numbers: Mapping[int, float], unit: TenorUnit) -> str:
    return f"{next(iter(numbers.values())):g}{unit[0].upper()}"
