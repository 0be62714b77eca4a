"""`voladdin bench repair`: planted damage and published surfaces, every repair measured by linear programs.

Needs the market data beside the repository, and for arbitragerepair `make bench-rivals`: an environment of
its own, as it does not run with pandas 3. Without it the rival is left out, and the tables say so.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from voladdin.errors import InputError, UnavailableError
from voladdin.surface import Surface

from ..calc.recalculation import load_average
from ..data import DATA
from ..report import rows_table
from .checks import check_table, verdict_line
from .damage import DamageCase, cases
from .repair_tables import COLUMNS, LEGEND, Results, case_rows, summary
from .repairs import (
    AUTO,
    CLIPPING,
    FEATURES,
    OURS,
    PRICES,
    RIVAL,
    Method,
    clipping,
    measure,
    ours,
    quotes,
    rival,
)
from .rivals import ArbitrageRepair


def methods_for(case: DamageCase, process: ArbitrageRepair | None) -> dict[str, Method]:
    """Methods by name."""
    found = {AUTO: ours(), PRICES: ours(method="prices")}
    if "28 x 28" in case.name:
        found[FEATURES] = ours(keep_features=True)
    if process is not None:
        found[RIVAL] = rival(process)
    return found | {CLIPPING: clipping}


def run_case(case: DamageCase, methods: Mapping[str, Method], say: Callable[[str], None]) -> Results:
    """Every method on every surface of a case; each method runs once before it is timed."""
    given = [quotes(surface) for surface in case.surfaces]
    results: Results = {}
    for name, method in methods.items():
        if given:
            method(given[0])
        results[name] = [measure(quote, method(quote)) for quote in given]
        for number, found in enumerate(results[name]):
            if not found.valid and name in OURS:
                say(f"{case.name}: {name} leaves arbitrage in surface {number}")
    return results


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voladdin bench repair", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--drawn", type=int, default=400, help="clean days to damage (default: 400)")
    parser.add_argument("--keep", type=int, default=25, help="repairs of each planted damage (default: 25)")
    parser.add_argument("--large", type=int, default=4, help="surfaces of each 28 x 28 case (default: 4)")
    parser.add_argument("--grids", type=int, default=2000, help="random grids to check (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage and the random grids")
    parser.add_argument("--output", type=Path, help="write the tables to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error.

    Raises UnavailableError where the market data is absent, InputError for impossible counts.
    """
    options = parser().parse_args(argv)
    if min(options.drawn, options.keep, options.grids) < 1 or options.large < 0:
        raise InputError(
            f"--drawn {options.drawn} --keep {options.keep} --grids {options.grids} --large {options.large}; "
            "expected 1 or more, and of --large 0 or more"
        )
    if not (DATA / "fx_history.csv.gz").is_file():
        raise UnavailableError("the market data is absent; expected shared/data beside the repository")
    with contextlib.ExitStack() as stack:
        text = _tables(options, _rival(stack), lambda line: print(line, file=sys.stderr, flush=True))
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    return 0


def _rival(stack: contextlib.ExitStack) -> ArbitrageRepair | None:
    try:
        return stack.enter_context(ArbitrageRepair())
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return None


def _tables(options: argparse.Namespace, process: ArbitrageRepair | None, say: Callable[[str], None]) -> str:
    before = load_average()
    rows: list[list[str]] = []
    found: dict[str, Results] = {}
    small: list[Surface] = []
    fixed: dict[str, bool] = {}
    for case in cases(options.drawn, options.keep, options.large, options.seed):
        say(case.name)
        found[case.name] = run_case(case, methods_for(case, process), say)
        fixed[case.name] = "deltas" not in case.name
        rows += case_rows(case, found[case.name])
        small += case.surfaces if "8 x 5" in case.name else ()
    say(f"check: {len(small)} timings, {options.grids} verdicts")
    legend = LEGEND.format(
        keep=options.keep, large=options.large, threads=os.environ.get("OMP_NUM_THREADS", "not set")
    )
    absent = "" if process is not None else f"{RIVAL} is not installed here (`make bench-rivals`).\n"
    return "\n".join(
        [
            legend + absent,
            rows_table("Repair", COLUMNS, rows),
            summary(found, fixed),
            check_table(small, process),
            verdict_line(options.grids, options.seed),
            f"Machine: {os.cpu_count()} processors, load {before} before, {load_average()} after.\n",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
