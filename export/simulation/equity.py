"""`python -m export.simulation.equity DATA.npz`: equity surfaces of Wang, Liu and Vuik (2025), appendix A.

30,000 Heston and 30,000 SABR surfaces on 28 x 28 points of tenor and log-moneyness, uniform in the parameters
of tables 4 and 5. The paper does not print the range of Heston's v0: [0.1, 0.2] is what its moments of the
level imply. Surfaces with static arbitrage (Hagan's expansion can have it) are counted and left out.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from voladdin._typing import FloatArray
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.feature_map import DEGREE, NAMES, feature_weights

from .smile import model_vols

TENORS = np.linspace(0.1, 0.6, 28)
MONEYNESS = np.linspace(-0.27, 0.27, 28)
RANGES = {
    "heston": {"v0": (0.1, 0.2), "theta": (0.1, 0.3), "kappa": (1, 2), "xi": (0.1, 0.9), "rho": (-0.9, -0.1)},
    "sabr": {"alpha": (0.1, 0.5), "beta": (0.1, 1), "rho": (-0.9, 0.9), "nu": (0.1, 0.9)},
}
COUNT = 30_000  # of each model
_BLOCK = 500
_PAPER = {  # least, largest, mean, standard deviation; the paper omits the skew's
    "level": (0.098, 0.500, 0.343, 0.096),
    "skew": (-0.564, 0.388, -0.110, np.nan),
    "curv": (-0.576, 1.375, 0.185, 0.249),
    "term": (-0.184, 0.250, 0.0069, 0.0483),
}


def simulate_equity(
    count: int = COUNT, *, seed: int = 0, processes: int = 1
) -> tuple[dict[str, FloatArray], dict[str, int]]:
    """Vols [n, 28, 28] of each model, n at most `count`, and how many surfaces were left out for arbitrage.

    The same seed gives the same surfaces, however many processes share the work.
    """
    sizes = [min(_BLOCK, count - start) for start in range(0, count, _BLOCK)]
    blocks = [(model, size) for model in RANGES for size in sizes]
    jobs = [(model, size, (seed, number)) for number, (model, size) in enumerate(blocks)]
    if processes > 1:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            parts = list(pool.map(_block, jobs))
    else:
        parts = [_block(job) for job in jobs]
    vols = {
        model: np.concatenate([part for part, job in zip(parts, jobs, strict=True) if job[0] == model])
        for model in RANGES
    }
    return vols, {model: count - len(vols[model]) for model in RANGES}


def _block(job: tuple[str, int, tuple[int, int]]) -> FloatArray:
    """The surfaces of one block without arbitrage."""
    model, size, seed = job
    rng = np.random.default_rng(seed)
    params = {name: rng.uniform(low, high, size) for name, (low, high) in RANGES[model].items()}
    vols = model_vols(model, params, TENORS, log_moneyness=MONEYNESS)
    return vols[arbitrage_free(Rectangle(TENORS, MONEYNESS), np.nan_to_num(vols))]


def feature_table(vols: FloatArray, degree: int) -> str:
    """Least, largest, mean and deviation of the features, by total degree, beside the paper's."""
    values = vols.reshape(len(vols), -1) @ feature_weights(TENORS[:, None], MONEYNESS, degree).T
    lines = [
        f"{f'degree {degree}':<8}"
        + "".join(f"{name:>9}{'paper':>9}" for name in ("least", "largest", "mean", "std"))
    ]
    for name, column in zip(NAMES, values.T, strict=True):
        ours = (column.min(), column.max(), column.mean(), column.std())
        pairs = "".join(f"{a:>9.4f}{b:>9.4f}" for a, b in zip(ours, _PAPER[name], strict=True))
        lines.append(f"{name:<8}{pairs}")
    return "\n".join(lines).replace("nan", "  -")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.simulation.equity", description=__doc__)
    parser.add_argument("output", type=Path, help="the .npz file to write: vols, tenors, moneyness, model")
    parser.add_argument("--count", type=int, default=COUNT, help=f"of each model (default {COUNT:,})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    vols, lost = simulate_equity(options.count, seed=options.seed, processes=options.processes)
    joint = np.concatenate(list(vols.values()))
    model = np.repeat(list(vols), [len(part) for part in vols.values()])
    np.savez(options.output, vols=joint, tenors=TENORS, moneyness=MONEYNESS, model=model, seed=options.seed)
    for name, count in lost.items():
        print(f"{name}: {options.count:,} surfaces, {count:,} with arbitrage left out")
    for degree in (DEGREE, 2):  # ours, and the one that the paper's moments match
        print("\n" + feature_table(joint, degree))


if __name__ == "__main__":
    main()
