"""`voladdin bench fuzz`: random and hostile input to each function, against what it promises.

A case is drawn from its seed alone, so that `--target impute --seed 17 --cases 1` repeats it. A failure is an
exception that is not one of voladdin's, a warning, an answer that breaks a promise of the function's
docstring or differs from a linear program's or another formula's, or one that is not the same when repeated.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from ..report import rows_table
from . import features_and_smiles, lone_sides, on_surfaces, sheets
from .trial import Trial

TARGETS: dict[str, Callable[[np.random.Generator, Trial], None]] = {
    "impute": on_surfaces.impute,
    "market": lone_sides.market,
    "check": on_surfaces.check,
    "repair": on_surfaces.repair,
    "generate": features_and_smiles.generate,
    "shift": features_and_smiles.shift,
    "smile": features_and_smiles.smile,
    "evaluate": sheets.evaluate,
}
_COLUMNS = ("target", "cases", "answered", "refused", "programs", "failures", "slowest CPU s")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table and every kind of failure with its seeds; the exit status is 1 where there is one."""
    options = _parser().parse_args(argv)
    targets = options.target or list(TARGETS)
    found = {name: fuzz(name, options.seed, options.seconds, options.cases) for name in targets}
    print(rows_table(f"Fuzz from seed {options.seed}", _COLUMNS, [_row(*one) for one in found.items()]))
    for name, trial in found.items():
        for what, seen in trial.failures.items():
            print(f"\n{name}: {what}", *seen, sep="\n  ")
    return int(any(trial.failures for trial in found.values()))


def fuzz(target: str, seed: int, seconds: float = np.inf, cases: int | None = None) -> Trial:
    """Cases of consecutive seeds until so many seconds of the processor, or cases, are spent."""
    trial, end = Trial(), time.process_time() + seconds
    while time.process_time() < end and (cases is None or trial.cases < cases):
        trial.run(TARGETS[target], seed + trial.cases)
    return trial


def _row(name: str, trial: Trial) -> list[str]:
    counts = trial.counts
    refused = sum(count for what, count in counts.items() if what.startswith("refused"))
    numbers = [trial.cases, counts["answered"], refused, counts["programs"], counts["failures"]]
    return [name, *map(str, numbers), f"{trial.slowest:.1f}"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voladdin bench fuzz", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of the processor, a target (default: 60)"
    )
    parser.add_argument("--cases", type=int, help="at most so many cases a target")
    parser.add_argument("--seed", type=int, default=1, help="of the first case (default: 1)")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only these (default: all)")
    return parser
