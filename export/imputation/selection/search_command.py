"""`voladdin train search HISTORY -o FOLDER`: sizes of the Sigma-VAE, tried and ranked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ...history import read_history
from ..imputers import Refit
from ..training.fit import Options
from ..training.slices import Deadline, Paused
from .folds import WHEN_PAUSED, add_budget
from .judging import Budget
from .search import SAMPLERS, SIZES, Tried, correlations, search
from .splits import blocks, by_time

STEPS = 100_000  # appendix B.5


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the sizes, the best first, and figure 19's correlations; 3 where the time given was spent."""
    options = _parser().parse_args(argv)
    days = read_history(options.history)
    splits = blocks(days, options.folds, options.purge) if options.folds else [by_time(days)]
    training = Options(steps=options.steps, rate=options.learning_rate, seed=options.seed)
    budget = Budget(training, Refit(options.refit_steps, options.refit_draws), options.hidden)
    deadline = Deadline.of(options.minutes)
    try:
        tried = search(splits, budget, options.output, options.trials, options.sampler, deadline)
    except Paused:
        print("the time given is spent: the same command goes on from here")
        return WHEN_PAUSED
    print(table(tried))
    return 0


def table(tried: Sequence[Tried]) -> str:
    """Markdown: a row a size, the best bound first, then what was chosen and how good a guide that is."""
    lines = [
        "| hidden | layers | dropout | embedding | negative ELBO | validation, bp | test, bp |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in tried:
        size, found = one.size, one.judged
        scores = f"{found.bound:.2f} | {found.validation:.2f} | {found.test:.2f}"
        lines.append(f"| {size.width} | {size.depth} | {size.dropout} | {size.latent} | {scores} |")
    with_test, with_bound = correlations(tried)
    chosen, best = tried[0].judged.validation, min(one.judged.validation for one in tried)
    return "\n".join(
        [
            *(*lines, ""),
            f"The validation error at the least bound is {chosen:.2f} bp; the least is {best:.2f}.",
            f"Correlation of the validation error with the test error {with_test:.2f}, with the bound "
            f"{with_bound:.2f} ({len(tried)} of {SIZES} sizes; Gopal 2024, figure 19: 0.77 and 0.77).",
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "voladdin train search",
        description="Search the sizes of the Sigma-VAE: hidden, layers, dropout, embedding. A search that "
        "was stopped goes on from its folder.",
    )
    parser.add_argument("history", help=".csv, .csv.gz, .parquet or .xlsx, as for voladdin train")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder of the search")
    parser.add_argument("--trials", type=int, default=SIZES, help="sizes in all, earlier runs' included")
    parser.add_argument("--sampler", choices=SAMPLERS, default="grid")
    parser.add_argument(
        "--folds", type=int, default=0, help="judge by so many blocks of time (default: the last dates)"
    )
    parser.add_argument("--purge", type=int, default=20, help="dates left out on either side of a block")
    add_budget(parser, STEPS)
    return parser
