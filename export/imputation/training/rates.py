"""When a learning rate is divided: losses that no longer fall."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence


def stalls(losses: Sequence[float]) -> Iterator[int]:
    """For each loss, how many there have been since the lowest so far; 0 where it is the lowest."""
    best, since = math.inf, 0
    for loss in losses:
        best, since = (loss, 0) if loss < best else (best, since + 1)
        yield since


def divisions(losses: Sequence[float], patience: int) -> int:
    """How often there have been `patience` losses in a row without a lower one: once for each stall."""
    return sum(since == patience for since in stalls(losses))
