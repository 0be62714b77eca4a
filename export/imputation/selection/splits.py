"""Days to train on and days to judge by: the last ones, or each block of time in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voladdin.errors import InputError

from ...history import Days

LEAST = 10  # days on either side of a split
SHARES = (0.7, 0.1)  # of the dates: to train and to validate on


@dataclass(frozen=True, eq=False)
class Split:
    """train: what is learnt; validation: what is chosen by; test: what is only reported, None for none."""

    name: str
    train: Days
    validation: Days
    test: Days | None = None


def by_time(days: Days) -> Split:
    """The first dates to train on, then those to validate on, the rest to test on.

    Raises InputError where one of the three has fewer than ten days.
    """
    dates = np.unique(days.date)
    ends = [dates[min(round(float(share) * len(dates)), len(dates) - 1)] for share in np.cumsum(SHARES)]
    train, later = days.keep(days.date < ends[0]), days.keep(days.date >= ends[0])
    validation, test = later.keep(later.date < ends[1]), later.keep(later.date >= ends[1])
    for name, part in (("train", train), ("validate", validation), ("test", test)):
        _enough(part, f"to {name} on")
    return Split("by time", train, validation, test)


def blocks(days: Days, count: int = 5, purge: int = 20) -> list[Split]:
    """`count` splits: each block of dates is held out once, with `purge` dates on either side left out.

    Neighbouring surfaces are nearly the same, so that a day beside a held-out one would tell it (purged
    k-fold cross-validation, Lopez de Prado 2018, chapter 7). All underlyings of a date go together.
    Raises InputError where a block, or what is left to train on, has fewer than ten days.
    """
    dates = np.unique(days.date)
    if not 2 <= count <= len(dates) or purge < 0:
        raise InputError(f"{count} folds purged by {purge}: expected 2 to {len(dates)} folds, 0 or more")
    edges = np.round(np.linspace(0, len(dates), count + 1)).astype(int)
    return [_held_out(days, dates, edges[k], edges[k + 1], purge, k) for k in range(count)]


def _held_out(
    days: Days, dates: NDArray[np.datetime64], start: int, stop: int, purge: int, number: int
) -> Split:
    held = np.isin(days.date, dates[start:stop])
    near = np.isin(days.date, dates[max(start - purge, 0) : stop + purge])
    train, validation = days.keep(~near), days.keep(held)
    first, last = (f"{date:%Y-%m-%d}" for date in dates[[start, stop - 1]].astype(object))
    _enough(train, f"to train on beside fold {number + 1}")
    _enough(validation, f"in fold {number + 1}")
    return Split(f"{first} to {last}", train, validation)


def _enough(days: Days, where: str) -> None:
    if len(days) < LEAST:
        raise InputError(f"{len(days)} days {where}; expected {LEAST} at least")
