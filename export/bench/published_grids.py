"""The SPX chain of one day read off at the points of another provider's delta grid of the same day."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from voladdin.imputation.interpolation import interpolate_many
from voladdin.imputation.listed import Listed
from voladdin.options import implied

from .quotes_of_chains import spx_quotes
from .report import rows_table

_NAMES = ("tenor_years", "call_delta", "log_moneyness", "vol")


def against_delta_grid(folder: Path) -> str:
    """A row a tenor: our vols less theirs, in vol points, at equal delta and at equal ln(K/F)."""
    with (folder / "spx_delta_surface.csv").open() as file:
        table = [(row["tenor"], *(float(row[name]) for name in _NAMES)) for row in csv.DictReader(file)]
    chain = implied(spx_quotes(folder / "equity_chains.csv"))
    nodes = Listed(chain).nodes
    tenors = list(dict.fromkeys(row[0] for row in table))
    rows: list[list[str]] = []
    for tenor in tenors:
        years, deltas, k, vols = np.array([row[1:] for row in table if row[0] == tenor]).T
        by_delta = 100 * (interpolate_many(nodes, years, deltas) - vols)
        by_strike = 100 * (interpolate_many(nodes, years, k, kind="moneyness") - vols)
        middle = int(np.argmin(np.abs(deltas - 0.5)))
        ends = [by_delta[np.argmax(deltas)], by_delta[middle], by_delta[np.argmin(deltas)]]
        worst = [float(np.median(np.abs(off))) for off in (by_delta, by_strike)]
        rows.append([str(tenor), *(f"{value:+.2f}" for value in ends), *(f"{value:.2f}" for value in worst)])
    head = ["tenor", "10P", "ATM", "10C", "median size at equal delta", "median size at equal ln(K/F)"]
    days, ahead = 365 * chain.tenors, chain.forwards
    title = (
        "SPX 2019-12-30: the chain's surface less another provider's delta grid, vol points. The chain's "
        f"expiries are {days[0]:.0f} to {days[-1]:.0f} days off, its forwards {ahead.min():.1f} to "
        f"{ahead.max():.1f}"
    )
    return rows_table(title, head, rows)
