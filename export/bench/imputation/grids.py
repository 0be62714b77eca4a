"""Splits beyond the history's own grid: simulated markets, other axes, and raw quotes."""

from __future__ import annotations

import csv
from collections import defaultdict
from contextlib import suppress

import numpy as np

from export.simulation import simulate_market
from voladdin._typing import FloatArray
from voladdin.conventions import STANDARD_DELTAS, surface_from_quotes
from voladdin.errors import InfeasibleError
from voladdin.labels import parse_tenor

from ..data import DATA, TRAIN_END, VALIDATION_END, DeltaAxes, History, Split, TestSet, test_set

FX = DeltaAxes(
    np.array([parse_tenor(t) for t in ("1M", "2M", "3M", "6M", "9M", "1Y", "3Y", "5Y")]),
    np.array([0.1, 0.25, 0.5, 0.75, 0.9]),
)
OTHER = DeltaAxes(
    np.array([parse_tenor(t) for t in ("1W", "6W", "4M", "8M", "18M", "2Y", "4Y", "7Y")]),
    np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95]),
)
SIMULATED_DAYS = 1300
MASKS_A_SURFACE = 40  # copies of each raw surface, each under its own masks


def _at(axes: DeltaAxes, vols: FloatArray, chosen: DeltaAxes) -> FloatArray:
    rows = [int(np.abs(axes.tenors - t).argmin()) for t in chosen.tenors]
    columns = [int(np.abs(axes.deltas - d).argmin()) for d in chosen.deltas]
    return vols[..., rows, :][..., columns]


def simulated_history(days: int = SIMULATED_DAYS, seed: int = 0) -> tuple[History, History]:
    """One simulated market on the history's 8 x 5 grid and on `OTHER`; days are consecutive dates."""
    union = DeltaAxes(
        np.union1d(FX.tenors, OTHER.tenors),
        np.union1d(FX.deltas, OTHER.deltas),
    )
    market = simulate_market(days, seed=seed, tenors=union.tenors, deltas=union.deltas)
    dates = np.datetime64("2000-01-01") + np.arange(days)
    first, second = (
        History(tuple(market.pairs), dates, axes, _at(union, market.vols, axes)) for axes in (FX, OTHER)
    )
    return first, second


def simulated_splits(days: int = SIMULATED_DAYS, every: int = 5, seed: int = 0) -> tuple[Split, Split]:
    """Train on the first 70% of a simulated market's days (8 x 5), validate on 10%, test on the last 20%.

    The first split tests on the 8 x 5, the second on `OTHER`; both have the same training days.
    """
    history, other = simulated_history(days, seed)
    ends = [history.dates[int(days * share)] for share in (0.7, 0.8)]
    train, validation = history.between(None, ends[0]), history.between(ends[0], ends[1])
    tests = [test_set(h, ends[1], every) for h in (history, other)]
    return (
        Split("simulated", train, validation, tests[0], bundle="simulated"),
        Split("grid", train, validation, tests[1], bundle="simulated"),
    )


def raw_surfaces() -> list[tuple[str, DeltaAxes, FloatArray]]:
    """(pair and date, axes, vols [T, K]) of each day of raw quotes.

    Only the tenors that are quoted in full and whose quotes any smile can have: a few short USDJPY ones of
    the file cannot (their 25-delta risk reversal is twice the 10-delta one).
    """
    quotes: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    with open(DATA / "fx_quotes_atm_rr_bf.csv", newline="") as file:
        for row in csv.DictReader(file):
            name = f"{row['underlying']} {row['date']}"
            quotes[name][row["tenor"]][row["quote"]] = float(row["value"])
    return [(name, *_full_surface(name[:6], by_tenor)) for name, by_tenor in sorted(quotes.items())]


def _full_surface(pair: str, by_tenor: dict[str, dict[str, float]]) -> tuple[DeltaAxes, FloatArray]:
    """The full grid at five deltas where any 10-delta is quoted, else at three."""
    wings = ("25", "10") if any("10RR" in quotes for quotes in by_tenor.values()) else ("25",)
    names = ["ATM", *(f"{wing}{kind}" for wing in wings for kind in ("RR", "BF"))]
    rows: dict[float, FloatArray] = {}
    for tenor in sorted((t for t, quotes in by_tenor.items() if set(names) <= set(quotes)), key=parse_tenor):
        with suppress(InfeasibleError):
            surface = surface_from_quotes([tenor], *([by_tenor[tenor][n]] for n in names), pair=pair)
            rows[float(surface.tenors[0])] = surface.vols[0]
    deltas = np.array(STANDARD_DELTAS)
    vols = np.stack(list(rows.values()))
    order = np.argsort(deltas)
    order = order[np.isfinite(vols[:, order]).all(axis=0)]
    return DeltaAxes(np.array(list(rows)), deltas[order]), vols[:, order]


def quotes_split(history: History, copies: int = MASKS_A_SURFACE) -> Split:
    """Train on the history to 2016, test on each raw surface under `copies` draws of every mask.

    Intervals there speak of the masks only: three surfaces are too few to resample.
    """
    tests = [
        TestSet(axes, np.repeat(vols[None], copies, axis=0), None, np.arange(copies), np.repeat(name, copies))
        for name, axes, vols in raw_surfaces()
    ]
    train, validation = history.between(None, TRAIN_END), history.between(TRAIN_END, VALIDATION_END)
    return Split("quotes", train, validation, tests[0], tuple(tests[1:]), bundle="time")
