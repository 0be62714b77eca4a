"""Builds and fills the desks' books: `python -m workbook.books OUT`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from voladdin.xlsx.runner import Report, run

from . import clinic, fx, hundred, ladder, listed, rates
from .style import one_page_wide, reproducible

BOOKS = {
    "fx-surface": fx.build,
    "arbitrage-clinic": clinic.build,
    "listed-chain": listed.build,
    "scenario-desk": ladder.build,
    "rates-commodities": rates.build,
    "hundred-surfaces": hundred.build,
}


def write(name: str, folder: Path) -> Report:
    """Builds one of BOOKS and writes it, with its values, as `folder`/NAME.xlsx."""
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch) / f"{name}.xlsx"
        book = BOOKS[name]()
        for sheet in book:
            one_page_wide(sheet)
        empty.write_bytes(reproducible(book))
        return run(empty, folder / empty.name)


def main(arguments: list[str]) -> int:
    """Writes every book into the folder named; 1 where a formula got no value."""
    folder = Path(arguments[0]) if arguments else Path("out")
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in BOOKS:
        report = write(name, folder)
        failed |= report.failed
        print(report.output)
        for outcome in report.outcomes:
            if outcome.status != "ok":
                print(f"  {outcome.cell}: {outcome.status}: {outcome.message}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
