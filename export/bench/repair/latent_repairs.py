"""`python -m export.bench.repair.latent_repairs [COUNT]`: latent repair against the features-kept one.

The paper's setting (Wang, Liu and Vuik 2025, section 5.3): features uniform in a hyper-rectangle of the
training data's, z normal or from its tails; 45.5% of the surfaces with arbitrage were repaired there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from voladdin._typing import FloatArray
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.repair.keep_features import keep
from voladdin.arbitrage.repair.latent_repair import repaired
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.generator import Generator, load
from voladdin.errors import InfeasibleError

SETTINGS = {  # margin beyond each end of the trained ranges, in their widths; deviation of z
    "rectangle, z normal": (0.0, 1.0),
    "rectangle, z tails": (0.0, 3.0),
    "margin of 10%, z normal": (0.1, 1.0),
}
LEAST_VOL = 1e-3


def extreme(generator: Generator, margin: float, spread: float, count: int) -> tuple[FloatArray, ...]:
    """Features [n, F], latents [n, E] and vols [n, T, K] of the draws with arbitrage, and their share."""
    rng = np.random.default_rng(0)
    low, high = generator.ranges
    width = high - low
    y = rng.uniform(low - margin * width, high + margin * width, (count, len(low)))
    z = spread * rng.standard_normal((count, generator.latent_size))
    vols = generator.vols(y, z)
    bad = ~arbitrage_free(Rectangle(generator.tenors, generator.moneyness), vols)
    return y[bad], z[bad], np.maximum(vols[bad], LEAST_VOL), bad.mean()


def by_features(generator: Generator, y: FloatArray, vols: FloatArray) -> FloatArray | None:
    """The features-kept repair, or None where these features are beyond reach."""
    try:
        return keep(Rectangle(generator.tenors, generator.moneyness), vols, y)
    except InfeasibleError:
        return None


def line(name: str, vols: FloatArray, results: list[FloatArray | None], seconds: list[float]) -> str:
    """Share repaired; medians of their mean and of their largest change, bp; median ms of all."""
    moves = [1e4 * np.abs(new - old) for new, old in zip(results, vols, strict=True) if new is not None]
    mean = np.median([move.mean() for move in moves]) if moves else np.nan
    largest = np.median([move.max() for move in moves]) if moves else np.nan
    share = 100 * len(moves) / max(len(vols), 1)
    return f"  {name:<14}{share:>8.1f}%{mean:>10.1f}{largest:>12.0f}{1e3 * np.median(seconds):>8.0f}"


def main(count: int) -> None:
    """Prints the table for `count` draws of each setting."""
    generator = load()
    for setting, (margin, spread) in SETTINGS.items():
        y, z, vols, share = extreme(generator, margin, spread, count)
        print(f"{setting}: {100 * share:.1f}% of {count:,} have arbitrage")
        print(f"  {'repair':<14}{'repaired':>9}{'mean bp':>10}{'largest bp':>12}{'ms':>8}")
        ways: dict[str, Callable[[int], FloatArray | None]] = {
            "latent": lambda i: repaired(generator, y[i], vols[i], z[i]),  # noqa: B023 - called in this turn
            "features kept": lambda i: by_features(generator, y[i], vols[i]),  # noqa: B023
        }
        for name, way in ways.items():
            results: list[Any] = []
            seconds: list[float] = []
            for i in range(len(vols)):
                started = time.perf_counter()
                results.append(way(i))
                seconds.append(time.perf_counter() - started)
            print(line(name, vols, results, seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
