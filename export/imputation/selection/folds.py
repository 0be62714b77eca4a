"""Cross-validation of a network of the literature by blocks of time: `voladdin train folds HISTORY`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voladdin.errors import InputError

from ...history import read_history
from ..imputers import Refit
from ..networks import NETWORKS
from ..training.fit import Options
from ..training.slices import Deadline, Paused
from .judging import HIDDEN_SHARE, Budget, Judged, judged
from .splits import Split, blocks

PLAIN = [name for name in NETWORKS if name != "autoencoder" and not name.startswith(("VQ", "conditional"))]
WHEN_PAUSED = 3  # exit status


def cross_validated(
    name: str,
    splits: Sequence[Split],
    budget: Budget,
    folder: Path | None = None,
    deadline: Deadline | None = None,
) -> list[Judged]:
    """Each split's verdict on `NETWORKS[name]`, trained from scratch on it; checkpoints in `folder`.

    Raises InputError for a network that has no bound of its codes or asks for more than vols, Paused once the
    deadline has passed: the same call goes on.
    """
    if name not in PLAIN:
        raise InputError(f"network is {name!r}; expected one of {', '.join(PLAIN)}")
    files = [None if folder is None else folder / f"{name}-{k}.pt" for k in range(len(splits))]
    pairs = zip(splits, files, strict=True)
    return [judged(NETWORKS[name], split, budget, file, deadline or Deadline()) for split, file in pairs]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a row a fold and their mean; the exit status is 3 where the time given was spent."""
    options = _parser().parse_args(argv)
    splits = blocks(read_history(options.history), options.folds, options.purge)
    training = Options(steps=options.steps, rate=options.learning_rate, seed=options.seed)
    budget = Budget(training, Refit(options.refit_steps, options.refit_draws), options.hidden)
    try:
        found = cross_validated(options.network, splits, budget, options.output, Deadline.of(options.minutes))
    except Paused:
        print("the time given is spent: the same command goes on from here")
        return WHEN_PAUSED
    print(table(splits, found))
    return 0


def table(splits: Sequence[Split], found: Sequence[Judged]) -> str:
    """Markdown: fold, days, negative bound (nats a surface), error of hidden cells (bp)."""
    lines = ["| held out | trained on | days | negative ELBO | hidden cells, bp |", "|---|---|---|---|---|"]
    for split, one in zip(splits, found, strict=True):
        days = f"{len(split.train):,} | {len(split.validation):,}"
        lines.append(f"| {split.name} | {days} | {one.bound:.2f} | {one.validation:.2f} |")
    values = np.array([[one.bound, one.validation] for one in found])
    spread = values.std(0, ddof=1) / np.sqrt(len(values))
    cells = " | ".join(
        f"{mean:.2f} ± {error:.2f}" for mean, error in zip(values.mean(0), spread, strict=True)
    )
    return "\n".join([*lines, f"| mean ± standard error | | | {cells} |"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "voladdin train folds", description="Cross-validate a network of the literature by blocks of time."
    )
    parser.add_argument("history", help=".csv, .csv.gz, .parquet or .xlsx, as for voladdin train")
    parser.add_argument("--network", default="residual Sigma-VAE", help=f"one of: {', '.join(PLAIN)}")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--purge", type=int, default=20, help="dates left out on either side of a fold")
    parser.add_argument("--output", "-o", type=Path, help="folder of checkpoints: a run put down goes on")
    add_budget(parser, steps=Options.steps)
    return parser


def add_budget(parser: argparse.ArgumentParser, steps: int) -> None:
    """Arguments of how much is trained and refitted."""
    parser.add_argument("--steps", type=int, default=steps, help=f"of Adam, a network (default {steps:,})")
    parser.add_argument("--learning-rate", type=float, default=Options.rate)
    parser.add_argument("--refit-steps", type=int, default=500, help="of the encoder, on what is judged")
    parser.add_argument("--refit-draws", type=int, default=10)
    parser.add_argument(
        "--hidden", type=float, default=HIDDEN_SHARE, help="share of the cells that is hidden"
    )
    parser.add_argument("--minutes", type=float, help="stop after so many; the next run goes on")
    parser.add_argument("--seed", type=int, default=0)
