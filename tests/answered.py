"""A property that may be refused is one of what is answered: of its examples at least half have to be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_LEAST = 0.5


class Tally:
    """Examples of a property, and how many of them were refused."""

    def __init__(self) -> None:
        self.asked = self.refused = 0


def mostly_answered(asked: Callable[..., Any], given: Any) -> Callable[..., None]:
    """The property `asked` under hypothesis' `given`; it returns False where an example is refused."""
    tally = Tally()

    @functools.wraps(asked)
    def counted(*arguments: Any, **named: Any) -> None:
        tally.asked += 1
        tally.refused += asked(*arguments, **named) is False

    drawn = given(counted)

    @functools.wraps(drawn)
    def whole(*arguments: Any, **named: Any) -> None:
        tally.asked = tally.refused = 0
        drawn(*arguments, **named)
        share = 1 - tally.refused / max(tally.asked, 1)
        assert share >= _LEAST, (
            f"{tally.refused} of {tally.asked} examples are refused; expected at most half"
        )

    return whole


def answered(*strategies: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """`@answered(strategies..., max_examples=100)` in the place of `@given` and `@settings`."""
    from hypothesis import HealthCheck, given, settings

    slow = [HealthCheck.too_slow]

    def decorate(asked: Callable[..., Any]) -> Callable[..., None]:
        limits = settings(deadline=None, suppress_health_check=slow, **options)
        return mostly_answered(asked, lambda counted: limits(given(*strategies)(counted)))

    return decorate
