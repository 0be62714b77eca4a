"""`python -m export.simulation`: surfaces per second of one core, largest price difference from QuantLib."""

from __future__ import annotations

import argparse
import time

import numpy as np

from .quantlib import price_differences
from .surfaces import simulate_surfaces

_TENORS = (1 / 12, 2 / 12, 0.25, 0.5, 0.75, 1.0, 3.0, 5.0)
_DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)
_MODELS = ("heston", "bates", "heston++", "bates++", "sabr")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.simulation", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="surfaces for each model (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("surfaces per CPU second            8 x 5    14 x 11 (master grid)")
    for model in _MODELS:
        small = _speed(options.count, options.seed, model, tenors=_TENORS, deltas=_DELTAS)
        print(f"{model:<30}{small:>9,.0f}{_speed(options.count, options.seed, model):>11,.0f}")
    print("\nlargest difference of forward-normalised prices from QuantLib")
    for model, differences in price_differences(options.seed).items():
        print(f"{model:<30}{np.max(np.abs(differences)):>12.1e}   ({differences.size} options)")


def _speed(count: int, seed: int, model: str, **axes: tuple[float, ...]) -> float:
    started = time.process_time()
    simulate_surfaces(count, seed=seed, models=(model,), **axes)
    return count / (time.process_time() - started)


if __name__ == "__main__":
    main()
