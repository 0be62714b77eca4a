"""`voladdin bench guard`: what the arbitrage guard of `impute` finds and costs.

The test surfaces of `bench impute`, each under a mask drawn in turn from all of its kinds, are filled without
and with the guard by the bundle that was trained on the split's training days; then those of the time split
with damage planted in them. A filled surface adds a violation where it fails `check` without the disputed
quotes (there are none where the quotes alone pass). Only hidden cells are scored. Times
are of the processor, so that what else a machine does changes them little.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import voladdin as va
from voladdin._typing import BoolArray, FloatArray

from ..data import DeltaAxes, Split
from ..masks import all_masks
from ..repair.damage import PLANTED
from .impute import SPLITS, settings, splits
from .product import product_methods

COLUMNS = (
    "source",
    "surfaces",
    "quotes violate",
    "added without",
    "added with",
    "surfaces moved",
    "cells moved",
    "MAE without, bp",
    "MAE with, bp",
    "ratio",
    "CPU ms without",
    "CPU ms with",
)
SINGLES = 200


@dataclass(frozen=True)
class HoleCase:
    """Quotes [N, T, K] with holes of the surfaces `truth`; `hidden` are the cells scored."""

    name: str
    axes: DeltaAxes
    truth: FloatArray
    quotes: FloatArray
    hidden: BoolArray
    prior: FloatArray | None
    model: str

    def fill(self, *, guarded: bool, rows: slice = slice(None)) -> va.Imputation:
        """The product's answer."""
        return va.impute_batch(
            self.quotes[rows],
            self.axes.tenors,
            deltas=self.axes.deltas,
            prior=None if self.prior is None else self.prior[rows],
            model=self.model,
            arbitrage_free=guarded,
        )


@dataclass(frozen=True)
class Count:
    """Sums over surfaces and their hidden `cells`: added, error and seconds without and with the guard.

    moved: surfaces, cells.
    """

    surfaces: int
    violating: int
    cells: int
    added: tuple[int, int]
    moved: tuple[int, int]
    error: tuple[float, float]
    seconds: tuple[float, float]

    @staticmethod
    def total(parts: Sequence[Count]) -> Count:
        """The sum of all."""

        def sums(name: str) -> tuple[Any, Any]:
            return sum(getattr(p, name)[0] for p in parts), sum(getattr(p, name)[1] for p in parts)

        plain = [sum(getattr(part, name) for part in parts) for name in ("surfaces", "violating", "cells")]
        return Count(*plain, *(sums(name) for name in ("added", "moved", "error", "seconds")))

    def row(self, name: str) -> str:
        """A line of the table."""
        mae = [1e4 * error / max(self.cells, 1) for error in self.error]
        ms = [1e3 * seconds / max(self.surfaces, 1) for seconds in self.seconds]
        texts = [name, self.surfaces, self.violating, *self.added, *self.moved]
        texts += [f"{mae[0]:.2f}", f"{mae[1]:.2f}", f"{mae[1] / mae[0]:.4f}", *(f"{m:.2f}" for m in ms)]
        return f"| {' | '.join(map(str, texts))} |"


def _case(
    name: str, split: Split, part: int, count: int, seed: int, model: str, damage: str = ""
) -> HoleCase:
    """`count` surfaces of the split's test set `part`, drawn with their masks."""
    test = split.tests[part]
    rng = np.random.default_rng([seed, count, *name.encode()])
    kinds = np.stack(list(all_masks(len(test), test.axes, seed).values()))
    rows = rng.integers(len(test), size=count)
    hidden = kinds[np.arange(count) % len(kinds), rows]
    truth = test.vols[rows]
    wrong = [PLANTED[damage](vols, test.axes.tenors, rng) for vols in truth] if damage else truth
    prior = None if test.priors is None or not name.endswith("prior") else test.priors[rows]
    return HoleCase(name, test.axes, truth, np.where(hidden, np.nan, wrong), hidden, prior, model)


def cases(count: int, arguments: argparse.Namespace) -> Iterator[HoleCase]:
    """`count` surfaces in about equal shares: every split, the time split with a prior, and each damage."""
    options = settings(arguments)
    ends = np.linspace(0, count, 9 + len(PLANTED)).astype(int)
    shares = iter(np.diff(ends).tolist())
    for split in splits(SPLITS, options):
        model = str(product_methods(options.bundles, split, options.bundle_steps)[0].bundle)
        size = next(shares)
        parts = len(split.tests)
        for part in range(parts):
            label = f", {split.tests[part].pair[0]}" if parts > 1 else ""
            number = size * (part + 1) // parts - size * part // parts
            yield _case(split.name + label, split, part, number, arguments.seed, model)
        if split.name == "time":
            yield _case("time, prior", split, 0, next(shares), arguments.seed, model)
            for damage in PLANTED:
                yield _case(f"time, {damage}", split, 0, next(shares), arguments.seed, model, damage)


def measure(case: HoleCase) -> Count:
    """Both answers, and what `check` says of them."""
    case.fill(guarded=True, rows=slice(2))  # loads the graphs
    answers, seconds = [], []
    for guarded in (False, True):
        start = time.process_time()
        answers.append(case.fill(guarded=guarded))
        seconds.append(time.process_time() - start)
    disputed = answers[1].disputed
    surface = va.Surface(case.quotes[0], case.axes.tenors, deltas=case.axes.deltas)

    def bad(vols: FloatArray) -> int:
        return sum(np.isfinite(one).any() and not va.check(surface.replace(one)).ok for one in vols)

    added = [bad(np.where(disputed, np.nan, answer.filled)) for answer in answers]
    errors = [float(np.abs(answer.filled - case.truth)[case.hidden].sum()) for answer in answers]
    moved = answers[1].moved
    return Count(
        len(case.truth),
        bad(case.quotes),
        int(case.hidden.sum()),
        (added[0], added[1]),
        (int(moved.any((1, 2)).sum()), int(moved.sum())),
        (errors[0], errors[1]),
        (seconds[0], seconds[1]),
    )


def one_at_a_time(case: HoleCase) -> tuple[float, float]:
    """Median CPU ms of one surface, without and with the guard."""
    found = []
    for guarded in (False, True):
        times = []
        for row in range(min(SINGLES, len(case.truth))):
            start = time.process_time()
            case.fill(guarded=guarded, rows=slice(row, row + 1))
            times.append(time.process_time() - start)
        found.append(1e3 * float(np.median(times)))
    return found[0], found[1]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voladdin bench guard", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="surfaces in all")
    parser.add_argument("--quick", action="store_true", help="small bundles, trained at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundles", type=Path, help="folder of bundles, one a split, trained where absent")
    parser.add_argument("--output", type=Path, help="write the table to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table as markdown."""
    arguments = parser().parse_args(argv)
    arguments.full, arguments.no_fits = False, True
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    say(f"| {' | '.join(COLUMNS)} |")
    say("|---" + "|---:" * (len(COLUMNS) - 1) + "|")
    market: list[Count] = []
    damaged: list[Count] = []
    single = np.nan, np.nan
    for case in cases(arguments.count, arguments):
        found = measure(case)
        say(found.row(case.name))
        (damaged if case.name.removeprefix("time, ") in PLANTED else market).append(found)
        if case.name == "time":
            single = one_at_a_time(case)
    for name, parts in (("market", market), ("damaged", damaged), ("all", [*market, *damaged])):
        say(Count.total(parts).row(f"**{name}**"))
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    say(
        f"\nOne surface of the time split at a time, p50: {single[0]:.2f} CPU ms without the guard, "
        f"{single[1]:.2f} ms with it (OMP_NUM_THREADS {threads})."
    )
    if arguments.output is not None:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
