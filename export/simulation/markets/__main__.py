"""`python -m export.simulation.markets`: what the families look like; `… pool FOLDER` makes the slow ones."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from voladdin._typing import FloatArray
from voladdin.arbitrage.verdicts import largest_gain
from voladdin.surface import MAX_VOL

from .grids import GRIDS, Truth, draw_years, moneyness_at_deltas
from .pool import COUNT, TABLED, build_pool
from .streaming import FAMILIES, draw_batch, draw_truth

_DELTAS = np.array([0.75, 0.5, 0.25])
_FEATURE_YEARS = np.array([1 / 12, 0.25, 2.0])
_TOLERANCES = (1e-10, 1e-5)  # of the deviation: rounding, and a tenth of a basis point of a vol of 100%
_STRIKES = np.linspace(-2.5, 2.5, 21)


def features(truth: Truth) -> dict[str, FloatArray]:
    """[n] each: ATM vol, 25-delta risk reversal (call - put), butterfly of 3M; log of ATM 2Y over 1M."""
    years = np.broadcast_to(_FEATURE_YEARS, (len(truth.level), 3))
    vols = truth.vols(years, moneyness_at_deltas(truth, years, _DELTAS))
    put, atm, call = np.moveaxis(vols, 2, 0)
    return {
        "ATM": atm[:, 1],
        "RR/ATM": (call - put)[:, 1] / atm[:, 1],
        "BF/ATM": (0.5 * (call + put) - atm)[:, 1] / atm[:, 1],
        "ln 2Y/1M": np.log(atm[:, 2] / atm[:, 0]),
    }


def largest_trades(rng: np.random.Generator, truth: Truth) -> FloatArray:
    """[n] the best trade between neighbours on 10 x 21 nodes, over the deviation of the median expiry.

    The strikes are 2.5 deviations of that expiry wide on each side.
    """
    years = draw_years(rng, truth, 10, listed=False)
    width = truth.level * np.sqrt(np.median(years, axis=1))
    moneyness = np.broadcast_to((width[:, None] * _STRIKES)[:, None], (*years.shape, len(_STRIKES)))
    vols = np.minimum(truth.vols(years, moneyness), MAX_VOL)
    gains = [largest_gain(v[None], y, m[0])[0] for v, y, m in zip(vols, years, moneyness, strict=True)]
    return np.array(gains) / width


def speed(rng: np.random.Generator, family: str, pool: Path | None) -> float:
    """Surfaces a CPU second, drawn, quoted and holed, over the three kinds of grid."""
    started = time.process_time()
    for grid in GRIDS:
        draw_batch(rng, family, grid, 64, pool=pool)
    return 64 * len(GRIDS) / (time.process_time() - started)


def table(count: int, seed: int, pool: Path | None) -> str:
    """Quantiles 5, 50, 95% of the features of each family, its share free of arbitrage, and speed.

    Arbitrage is counted twice: any, and trades that gain more than 1e-5 of the deviation.
    """
    names = FAMILIES if pool is not None else [name for name in FAMILIES if name not in TABLED]
    lines: list[str] = []
    for name in names:
        rng = np.random.default_rng(seed)
        truth = draw_truth(rng, name, count, pool)
        found = features(truth)
        if not lines:
            heads = "".join(f"{feature:>23}" for feature in found)
            lines.append(f"{'':<10}{heads}  free, %  <1e-5   per s")
        quantiles = (np.quantile(v, [0.05, 0.5, 0.95]) for v in found.values())
        spread = "".join(f"{a:>9.3f}{b:>7.3f}{c:>7.3f}" for a, b, c in quantiles)
        gains = largest_trades(rng, truth)
        free = "".join(f"{100 * (gains <= most).mean():>8.1f}" for most in _TOLERANCES)
        lines.append(f"{name:<10}{spread}{free}{speed(rng, name, pool):>8,.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.simulation.markets", description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="surfaces of each family (default 400)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pool", type=Path, help="folder of the slow families (default: without them)")
    commands = parser.add_subparsers(dest="command")
    making = commands.add_parser("pool", help="make the tables of the slow families, what is there stays")
    making.add_argument("folder", type=Path)
    making.add_argument("--count", type=int, default=COUNT, dest="rows", help=f"of each (default {COUNT:,})")
    options = parser.parse_args()
    if options.command == "pool":
        build_pool(options.folder, options.rows, say=lambda line: print(line, file=sys.stderr, flush=True))
    else:
        print(table(options.count, options.seed, options.pool))


if __name__ == "__main__":
    main()
