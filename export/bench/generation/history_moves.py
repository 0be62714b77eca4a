"""`voladdin bench scenarios`: generators on any axes, and scenarios of a year beside what the year did.

From each day of the year, draws of one day ahead, by the moves of the history before that year alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import ks_2samp

from export.imputation.daily_moves import fit_moves
from voladdin._typing import FloatArray
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.moves import Moves
from voladdin.generation.market_words import market_weights
from voladdin.generation.simulating import unrepaired
from voladdin.labels import tenor_label
from voladdin.surface import Surface

from ...history import Days, read_history
from ..data import DATA
from ..report import rows_table
from .given_numbers import table

WORDS = ("ATM", "RR", "BF")
LEVEL = 0.01  # of the tests
_PAIRS_OF_TENORS = (("1M", "3M"), ("1M", "1Y"), ("3M", "1Y"), ("1Y", "5Y"))


@dataclass(frozen=True)
class Year:
    """One underlying's daily changes of WORDS: observed [D, T, 3], the history's; drawn [D n, T, 3].

    free_drawn, free_observed: share of the draws, and of the year's days, without arbitrage.
    """

    name: str
    observed: FloatArray
    drawn: FloatArray
    free_drawn: float
    free_observed: float


def compare(days: Days, year: int, draws: int) -> Iterator[str]:
    """The tables of a year."""
    start, end = (np.datetime64(f"{y}-01-01") for y in (year, year + 1))
    before = days.keep(days.date < start)
    card = {"name": "bench", "training": {"underlyings": np.unique(before.underlying).tolist()}}
    model = Moves(card, "", fit_moves(before), {})
    within = days.keep((days.date >= start) & (days.date < end))
    years = [_year(within, name, model, draws) for name in np.unique(within.underlying).tolist()]
    tenors = [tenor_label(t) for t in days.tenors.tolist()]
    yield _tests(years, tenors, year)
    yield _correlations(years, tenors)
    yield _arbitrage(years)


def _year(days: Days, name: str, model: Moves, draws: int) -> Year:
    mine = days.keep(days.underlying == name)
    vols = mine.vols[np.argsort(mine.date)]
    words = _words(vols, days)
    drawn, free = [], []
    for day in range(len(vols) - 1):
        today = Surface(vols[day], days.tenors, deltas=days.deltas)
        made = unrepaired(today, model, draws, day, 1, name)
        free.append(arbitrage_free(today, made).mean())
        drawn.append(_words(made, days) - words[day])
    own = float(arbitrage_free(today, vols).mean())
    return Year(name, np.diff(words, axis=0), np.concatenate(drawn), float(np.mean(free)), own)


def _words(vols: FloatArray, days: Days) -> FloatArray:
    """[B, T, 3] ATM, risk reversal, butterfly of vols [B, T, K]."""
    rows = market_weights(days.tenors, days.deltas)[:, :3]
    return np.asarray(np.einsum("twij,bij->btw", rows, vols))


def p_values(years: list[Year]) -> FloatArray:
    """[T, years, 3] of Kolmogorov and Smirnov's test of the draws' changes against history's."""
    tenors = years[0].observed.shape[1]
    return np.array(
        [
            [[ks_2samp(y.observed[:, t, w], y.drawn[:, t, w]).pvalue for w in range(3)] for y in years]
            for t in range(tenors)
        ]
    )


def _tests(years: list[Year], tenors: list[str], year: int) -> str:
    header = ["tenor", *(f"{y.name} {word}" for y in years for word in WORDS), "not rejected at 1%"]
    rows = []
    for tenor, values in zip(tenors, p_values(years), strict=True):
        passed = int((values > LEVEL).sum())
        rows.append([tenor, *(f"{p:.3f}" for p in values.ravel()), f"{passed} of {values.size}"])
    return rows_table(
        f"One day ahead, each day of {year}: p of the two-sample Kolmogorov-Smirnov test, scenarios of the "
        "history before against the changes that came",
        header,
        rows,
    )


def _correlations(years: list[Year], tenors: list[str]) -> str:
    rows = []
    for a, b in combinations(tenors, 2):
        if (a, b) in _PAIRS_OF_TENORS:
            at = tenors.index(a), tenors.index(b)
            both = [f"{_rank(part[:, at, 0]):.2f}" for y in years for part in (y.observed, y.drawn)]
            rows.append([f"{a}, {b}", *both])
    header = ["tenors", *(f"{y.name} {what}" for y in years for what in ("history", "scenarios"))]
    return rows_table("Rank correlation of ATM changes between tenors", header, rows)


def _rank(changes: FloatArray) -> float:
    ranks = changes.argsort(0).argsort(0)
    return float(np.atleast_2d(np.corrcoef(ranks.T))[0, 1])


def _arbitrage(years: list[Year]) -> str:
    rows = [[y.name, f"{100 * y.free_drawn:.1f}%", f"{100 * y.free_observed:.1f}%"] for y in years]
    return rows_table(
        "Free of arbitrage as drawn (what is not is repaired), and the year's own surfaces",
        ["", "scenarios", "history"],
        rows,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser("voladdin bench scenarios", description=__doc__)
    parser.add_argument("--history", default=DATA / "fx_history.csv.gz", help="as `voladdin train` takes it")
    parser.add_argument("--year", type=int, default=2018, help="compared; the years before it are drawn from")
    parser.add_argument("--draws", type=int, default=20, help="from each day (default: 20)")
    parser.add_argument("--targets", type=int, default=1000, help="of generators on any axes (default: 1000)")
    options = parser.parse_args(argv)
    if options.targets:
        print(table(options.targets))
    for part in compare(read_history(options.history), options.year, options.draws):
        print(part)
    return 0
