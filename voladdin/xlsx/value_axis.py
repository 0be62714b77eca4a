"""Where the value axis of a chart of vols begins and ends: about what is drawn, in round numbers.

A host that chooses may begin at 0, where a smile is flat. The axis stays as the cells change, so that a move
is seen as one; it has room for some.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

_ROOM, _LEAST_ROOM = 0.15, 0.02  # of what is drawn, of its level: on either side
_INTERVALS = 6  # about so many


class ValueAxis(NamedTuple):
    """Its ends and the distance of its lines, in the cells' unit; both ends are multiples of it."""

    low: float
    high: float
    step: float


def value_axis(values: Iterable[object]) -> ValueAxis | None:
    """The axis for vols among the values; None where there is none."""
    known = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    if not known:
        return None
    least, most = min(known), max(known)
    room = max(_ROOM * (most - least), _LEAST_ROOM * abs(most), 1e-6)
    step = _round((most - least + 2 * room) / _INTERVALS)
    low = max(math.floor((least - room) / step), 0 if least >= 0 else -math.inf)
    high = math.ceil((most + room) / step)
    return ValueAxis(*(float(f"{count * step:.10g}") for count in (low, high, 1)))


def _round(distance: float) -> float:
    """1, 2 or 5 times a power of 10, the next that is not below."""
    power = 10.0 ** math.floor(math.log10(distance))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= distance * (1 - 1e-9))
