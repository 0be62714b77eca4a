"""`voladdin run`: a workbook without a spreadsheet program."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..xlsx.tables import format_table

if TYPE_CHECKING:
    from ..cells import Cells


def add(commands: Any) -> None:
    """The command, for argparse's `commands`."""
    run = commands.add_parser(
        "run",
        help="evaluate the VOL… formulas of an .xlsx without a spreadsheet program",
        epilog=(
            "The exit status is 0 where every formula got its value; 1 where some did not (the book is "
            "written, the table says which and why); 2 where nothing is written (the reason is on stderr)."
        ),
    )
    run.add_argument("book", help="the workbook, .xlsx or .xlsm")
    run.add_argument("-o", "--output", help="the filled workbook (default: BOOK-filled beside it)")
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    from ..threads import one_thread
    from ..xlsx.runner import run

    book = Path(options.book)
    output = options.output or book.with_name(f"{book.stem}-filled{book.suffix}")
    with one_thread():
        report = run(book, output, _shown_progress() if sys.stderr.isatty() else None)
    if not report.outcomes:
        print("no VOL… formula found")
    rows: Cells = [[o.cell, o.status, o.message, o.reference] for o in report.outcomes]
    if rows:
        print(format_table([["cell", "status", "result", "reference"], *rows]))
    if report.recalculated:
        print(f"{report.recalculated} other formulas evaluated")
    if report.others:
        print(f"{report.others} other formulas keep the values that were stored with them")
    print(f"written: {report.output}")
    return int(report.failed)


def _shown_progress() -> Callable[[int, int], None]:
    """A line on the terminal that counts formulas, from a second on; it wipes itself."""
    began = shown = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if done == total and shown > began:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        elif done < total and now - shown > 1:
            shown = now
            print(f"\r{done} of {total} formulas", end="", file=sys.stderr, flush=True)

    return progress
