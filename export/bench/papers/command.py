"""The command: states its budget, measures what is not yet kept, and writes the document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from export.imputation.training.devices import training_device
from export.imputation.training.slices import Deadline, Paused
from voladdin.errors import InputError

from . import document, results
from .catalogue import ITEMS
from .items import FULL, OWN, QUICK, Bench, Item

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "papers.md"
WHEN_PAUSED = 3  # exit status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "voladdin bench papers",
        description="Every table and figure of the papers, measured again: results are kept item by item, "
        "and a run that was stopped goes on from them.",
    )
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument(
        "--own", action="store_true", help="the papers' own budgets for all: days of one core"
    )
    parser.add_argument("--only", nargs="+", metavar="KEY", help="items, or starts of keys: 002, 002-table")
    parser.add_argument("--list", action="store_true", help="print the items, measure nothing")
    parser.add_argument("-o", "--results", type=Path, help="folder of results and networks")
    parser.add_argument("--minutes", type=float, help="stop after so many; the next run goes on")
    parser.add_argument("--document", type=Path, help="the file to write (default: docs/papers.md)")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measures and writes; the exit status is 3 where the time given was spent before the end."""
    options = parser().parse_args(argv)
    items = chosen(options.only)
    if options.list:
        print("\n".join(f"{item.key:24} {', '.join(item.places)}: {item.what}" for item in items))
        return 0
    budget = QUICK if options.quick else OWN if options.own else FULL
    folder = options.results or Path("runs", {QUICK: "papers-quick", OWN: "papers-own"}.get(budget, "papers"))
    bench = Bench(budget, folder, seed=options.seed)
    _state(bench, items)
    status = _measure(replace(bench, deadline=Deadline.of(options.minutes)), items)
    _write(bench, options, folder)
    return status


def chosen(only: Sequence[str] | None) -> list[Item]:
    """Items by key or its start, in the order given; all for None. Raises InputError for what is none."""
    if only is None:
        return list(ITEMS.values())
    for start in only:
        if not any(key.startswith(start) for key in ITEMS):
            raise InputError(f"--only is {start!r}; expected an item or the start of one: {', '.join(ITEMS)}")
    found = {item.key: item for start in only for item in ITEMS.values() if _meant(item.key, start)}
    return list(found.values())


def _meant(key: str, start: str) -> bool:
    """002-figure-2 is itself, not 002-figure-20 too."""
    return key == start if start in ITEMS else key.startswith(start)


def _state(bench: Bench, items: Sequence[Item]) -> None:
    left = [item for item in items if results.kept(bench, item) is None]
    minutes = sum(item.minutes for item in left)
    time = f"about {minutes:.0f} minutes of one core" if bench.budget == FULL else "a quick run: minutes"
    if bench.budget == OWN:
        time = "the papers' own budgets: days of one core"
    _say(f"{len(left)} of {len(items)} items to measure; {time}, networks included")
    _say(f"budget: {bench.budget}; results in {bench.folder}; networks train on {training_device()}")


def _measure(bench: Bench, items: Sequence[Item]) -> int:
    try:
        for item in items:
            bench.deadline.check()
            found = results.measured(bench, item)
            print(
                f"{item.key}: {', '.join(item.places)}: paper {item.printed}; ours {found['ours']}",
                flush=True,
            )
    except Paused:
        _say("the time given is spent: the same command goes on from here")
        return WHEN_PAUSED
    return 0


def _write(bench: Bench, options: argparse.Namespace, folder: Path) -> None:
    found: dict[str, Any] = {}
    for item in ITEMS.values():
        stored = results.kept(bench, item)
        if stored is not None:
            found[item.key] = stored
    if found:
        file = options.document or (folder / "papers.md" if options.quick else DOCUMENT)
        document.write(found, folder, file)
        _say(f"{len(found)} of {len(ITEMS)} items in {file}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
