"""`voladdin bench options`: implied vols, forwards by parity, a chain to a delta grid, normal vols."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import QuantLib as ql

from export.simulation.chains import YEARS, Listing, flat_ssvi, listed
from export.simulation.markets import TABLED, draw_truth
from voladdin._typing import FloatArray
from voladdin.black import implied_total_vol, moneyness_from_delta, otm_price, vega
from voladdin.imputation.listed import Listed
from voladdin.labels import parse_tenor
from voladdin.options import Options, implied
from voladdin.worksheet.grid import STANDARD_DELTAS, STANDARD_TENORS

from .data import DATA
from .normal_vols import random_grid, verdicts
from .published_grids import against_delta_grid
from .quotes_of_chains import spx_quotes
from .report import rows_table

_BLOCK = 500_000
_RIVAL = 20_000  # options that QuantLib is asked, one at a time
_TRIES = 1_000
_SMALLEST = 1e-290  # price
_FAMILIES = ("ssvi", "essvi", "events", "sabr", "mixture")
_LISTINGS = {
    "index (0.3 vol points wide at the money)": Listing(outliers=0.05),
    "stock (1 vol point wide)": Listing(spot=120.0, step=2.5, tick=0.01, width=0.005, outliers=0.05),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="voladdin bench options", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="random options (default: a million)")
    parser.add_argument("--chains", type=int, default=100, help="simulated chains of a kind (default: 100)")
    parser.add_argument("--grids", type=int, default=2_000, help="of normal vols (default: 2,000)")
    parser.add_argument("--pool", type=Path, help="folder of the families that are tabulated, for these too")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)
    print(_inversion(rng, options.count))
    print(_forwards(np.random.default_rng(options.seed), options.chains))
    print(_round_trips(rng, max(options.chains // 20, 1), options.pool))
    print(_delta_grid())
    print(_normal(rng, options.grids))
    if (Path(DATA) / "spx_delta_surface.csv").is_file():
        print(against_delta_grid(Path(DATA)))
    return 0


def _draw(rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ln(K/F), total vols from 1e-4 to 10, and prices that are no rounding: within 8 deviations."""
    s = np.exp(rng.uniform(np.log(1e-4), np.log(10.0), count))
    m = rng.uniform(-8.0, 8.0, count) * np.minimum(s, 3.0)
    price = otm_price(m, s)
    kept = (price > _SMALLEST) & (price < np.exp(np.minimum(m, 0.0)) * (1 - 1e-3))
    return m[kept], s[kept], price[kept]


def _error(m: FloatArray, s: FloatArray, price: FloatArray, found: FloatArray) -> FloatArray:
    """Of the vol, in the price that it moves, over the price."""
    return np.abs(found - s) * vega(m, s) / price


def _inversion(rng: np.random.Generator, count: int) -> str:
    worst, seconds, asked = 0.0, 0.0, 0
    while asked < count:
        m, s, price = _draw(rng, min(_BLOCK, count))
        start = time.perf_counter()
        found = implied_total_vol(price, m)
        seconds += time.perf_counter() - start
        asked += len(m)
        worst = max(worst, float(np.nan_to_num(_error(m, s, price, found), nan=np.inf).max()))
    m, s, price = _draw(rng, _RIVAL)
    start = time.perf_counter()
    theirs = np.array([_quantlib(x, p) for x, p in zip(m.tolist(), price.tolist(), strict=True)])
    rival = time.perf_counter() - start
    failed = np.isnan(theirs)
    error = _error(m, s, price, theirs)
    rows = [
        ["voladdin", f"{asked:,}", "0", f"{worst:.1e}", f"{1e6 * seconds / asked:.2f}"],
        [
            "QuantLib, blackFormulaImpliedStdDev",
            f"{len(m):,}",
            f"{failed.sum():,}",
            f"{np.nanmax(error):.1e}",
            f"{1e6 * rival / len(m):.2f}",
        ],
    ]
    head = ["implied vols", "options", "no answer", "largest error, vega-weighted over price", "µs each"]
    return rows_table("Implied vols of random options: total vol 1e-4 to 10, within 8 deviations", head, rows)


def _quantlib(m: float, price: float) -> float:
    kind = ql.Option.Call if m >= 0 else ql.Option.Put
    try:
        return float(
            ql.blackFormulaImpliedStdDev(kind, float(np.exp(m)), 1.0, price, 1.0, 0.0, ql.nullDouble(), 1e-14)
        )
    except RuntimeError:
        return float("nan")


def _forwards(rng: np.random.Generator, chains: int) -> str:
    rows: list[list[str]] = []
    ours: list[FloatArray] = []
    for name, listing in _LISTINGS.items():
        truth = listing.forwards(YEARS)
        lists = [listed(rng, listing) for _ in range(chains)]
        for method, forwards in {
            "voladdin": [implied(options).forwards for options in lists],
            "told discounts and outliers": [_told_forwards(options, listing) for options in lists],
        }.items():
            error = 1e4 * np.abs(np.array(forwards) / truth - 1)
            rows.append(_within(name, method, error))
            ours += [error] if method == "voladdin" else []
    rows.append(_within("both", "voladdin", np.array(ours)))
    head = ["chains with 5% outliers", "method", "expiries", "median", "99%", "largest", "within 1 bp"]
    return rows_table("Forwards by parity: error in bp", head, rows)


def _within(name: str, method: str, error: FloatArray) -> list[str]:
    return [name, method, f"{error.size}", *_quantiles(error), f"{(error <= 1).mean():.1%}"]


def _told_forwards(options: Options, listing: Listing) -> FloatArray:
    """[T] by least squares that is told the discount factors, and which pairs cannot be right."""
    found = []
    for years, forward in zip(YEARS.tolist(), listing.forwards(YEARS).tolist(), strict=True):
        call, put = (
            np.flatnonzero((options.years == years) & (options.calls == side)) for side in (True, False)
        )
        mid, half = (options.ask + options.bid) / 2, (options.ask - options.bid) / 2
        gap = (mid[call] - mid[put]) * np.exp(listing.rate * years)
        right = np.abs(gap - forward + options.strikes[call]) <= half[call] + half[put]
        weights = 1.0 / (half[call] ** 2 + half[put] ** 2)[right]
        found.append(np.average((options.strikes[call] + gap)[right], weights=weights))
    return np.array(found)


def _quantiles(error: FloatArray) -> list[str]:
    return [f"{np.median(error):.2f}", f"{np.quantile(error, 0.99):.2f}", f"{error.max():.2f}"]


def _round_trips(rng: np.random.Generator, chains: int, pool: Path | None) -> str:
    """Delta nodes of chains of each family against the truth."""
    rows = []
    deltas = np.array([0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1])
    for family in (*_FAMILIES, *(TABLED if pool else ())):
        off, inside = [], []
        for _ in range(chains):
            smile = _smile(rng, family, pool)
            chain = implied(listed(rng, Listing(), smile))
            surface = Listed(chain)
            vols = surface.vols(chain.tenors, deltas)
            k = moneyness_from_delta(deltas, vols * np.sqrt(chain.tenors)[:, None])
            for row, years in enumerate(chain.tenors.tolist()):
                half = 0.5 * (chain.ask - chain.bid)[row]
                there = np.isfinite(half)
                strikes = surface.moneyness[row][there]
                listed_at = k[row][(k[row] >= strikes[0]) & (k[row] <= strikes[-1])]
                at = np.isin(k[row], listed_at)
                error = np.abs(vols[row] - smile(k[row], years))[at]
                off.append(error)
                inside.append(error <= np.interp(listed_at, strikes, half[there]))
        error = 1e4 * np.concatenate(off)
        rows.append([family, f"{error.size}", *_quantiles(error), f"{np.concatenate(inside).mean():.1%}"])
    head = ["family", "nodes", "median", "99%", "largest", "within half the bid-ask"]
    return rows_table(
        "Delta nodes between listed strikes of simulated chains: error in bp of vol", head, rows
    )


def _smile(
    rng: np.random.Generator, family: str, pool: Path | None
) -> Callable[[FloatArray, float], FloatArray]:
    """One surface of a family, of a usual level."""
    draws = (draw_truth(rng, family, 1, pool) for _ in range(_TRIES))
    truth = next(drawn for drawn in draws if 0.08 < drawn.level[0] < 0.6)
    return lambda m, years: truth.vols(np.array([[years]]), m[None, None])[0, 0]


def _delta_grid() -> str:
    path = Path(DATA) / "equity_chains.csv"
    name, options = ("SPX 2019-12-30", spx_quotes(path)) if path.is_file() else ("simulated", _simulated())
    tenors = np.array([parse_tenor(tenor) for tenor in STANDARD_TENORS])
    deltas = np.linspace(0.9, 0.1, len(STANDARD_DELTAS))
    seconds = []
    for shift in range(4):  # of the strikes' unit: no answer is kept; the first loads the model
        moved = options.in_units(1.0 + 1e-6 * shift)
        start = time.perf_counter()
        surface = Listed(implied(moved))
        implied_seconds = time.perf_counter() - start
        surface.vols(tenors, deltas)
        middle = time.perf_counter() - start
        surface.std(tenors, deltas)
        seconds.append([implied_seconds, middle, time.perf_counter() - start])
    best = np.min(seconds[1:], axis=0)
    rows = [[name, f"{len(options.years):,}", *(f"{value:.2f}" for value in best)]]
    head = ["chain", "options", "implied vols", "and the 13 x 17 grid", "and its uncertainty"]
    return rows_table("A chain to a delta grid: seconds, the best of three", head, rows)


def _normal(rng: np.random.Generator, count: int) -> str:
    start = time.perf_counter()
    found = [verdicts(random_grid(rng)) for _ in range(count)]
    both = sum(v.same and v.gain > 0 for v in found)
    rows = [
        [
            f"{count:,}",
            f"{both:,}",
            f"{sum(v.same for v in found) - both:,}",
            f"{sum(not v.same and not v.close for v in found):,}",
            f"{sum(not v.same and v.close for v in found):,}",
            f"{time.perf_counter() - start:.0f}",
        ]
    ]
    head = ["grids", "arbitrage to both", "none to both", "differ", "differ within the program's tolerance"]
    return rows_table(
        "Normal vols: the check, and a linear program for a martingale through the prices",
        [*head, "seconds"],
        rows,
    )


def _simulated() -> Options:
    return listed(np.random.default_rng(0), Listing(), flat_ssvi)
