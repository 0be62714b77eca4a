"""Years to an expiry: calendar or business days, expiring at the open (AM) or at the close (PM).

A valuation without a time of day is at the close. The calendar clock is ACT/365 to the moment; the business
clock counts weekdays over 252, holidays not, and an AM expiry misses its last session.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from ..labels.dates import day_of, years_between

CLOCKS = ("calendar", "business")
SETTLEMENTS = ("pm", "am")
OPEN, CLOSE = time(9, 30), time(16)
_SESSION = (datetime.combine(date.min, CLOSE) - datetime.combine(date.min, OPEN)) / timedelta(days=365)
BUSINESS_YEAR = 252.0


class ExpiryClock(NamedTuple):
    """clock: of CLOCKS; am: whether options without a word of their own expire at the open."""

    clock: str = "calendar"
    am: bool = False

    def years(self, valuation: date, expiry: date, *, am: bool) -> float:
        """From the valuation to the expiry; an expiry with a time of day ends then."""
        if self.clock == "business":
            sessions = float(np.busday_count(day_of(valuation), day_of(expiry)))
            return (sessions - am) / BUSINESS_YEAR
        if isinstance(valuation, datetime) and not isinstance(expiry, datetime):
            return years_between(valuation, datetime.combine(expiry, OPEN if am else CLOSE))
        return years_between(valuation, expiry) - self.short(am=am and not isinstance(expiry, datetime))

    def short(self, *, am: bool) -> float:
        """Years by which an AM expiry is nearer than a PM one."""
        return _SESSION if am else 0.0
