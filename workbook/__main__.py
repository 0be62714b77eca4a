"""`make demo`: builds the demo workbook, fills it, prints it before and after, and asks LibreOffice too."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from voladdin import local
from voladdin.errors import VoladdinError
from voladdin.files import format_grid, read_cells
from voladdin.runner import run

from .build import FILLED, QUOTES, SHEET, STD, build

OUT = Path("out")
TOLERANCE = 1e-12  # LibreOffice saves 15 digits


def main() -> int:
    """Writes out/demo-filled.xlsx (and out/demo-libreoffice.xlsx where LibreOffice is installed)."""
    OUT.mkdir(exist_ok=True)
    book = build()
    report = run(book, OUT / "demo-filled.xlsx")
    for title, path, cells in (
        ("Quotes, in percent", book, QUOTES),
        ("Filled by VOLIMPUTE", report.output, FILLED),
        ("Uncertainty of each cell, one standard deviation", report.output, STD),
    ):
        print(f"\n{title} ({SHEET}!{cells})\n")
        print(format_grid(read_cells(str(path), f"{SHEET}!{cells}"), percent=True))
    for outcome in report.outcomes:
        if outcome.status != "ok":
            print(f"\n{outcome.cell}: {outcome.status}: {outcome.message} ({outcome.reference})")
    print(f"\nThe filled workbook: {report.output.resolve()}")
    if shutil.which("soffice"):
        return int(report.failed or not _libreoffice(book, report.output))
    print("LibreOffice is not installed: the same book was not recalculated there.")
    return int(report.failed)


def _libreoffice(book: Path, filled: Path) -> bool:
    """Recalculates the book in LibreOffice; whether its cells are the runner's.

    The LibreOffice profile and the server's home are of this demo only; the user's own stay as they are.
    """
    from voladdin.hosts.libreoffice import recalculate

    os.environ["VOLADDIN_HOME"] = str((OUT / "home").resolve())
    try:
        output = recalculate(book, OUT / "demo-libreoffice.xlsx")
    except VoladdinError as error:
        print(f"LibreOffice did not recalculate the book: {error}")
        return False
    finally:
        if started := local.running():
            local.stop(started)
    gap = max(_gap(filled, output, cells) for cells in (FILLED, STD))
    same = gap < TOLERANCE
    verdict = "the same vols" if same else f"NOT the same vols: they differ by {gap:g}"
    print(f"Recalculated in LibreOffice through the extension: {output.resolve()} ({verdict})")
    return same


def _gap(mine: Path, its: Path, cells: str) -> float:
    """The largest difference between the numbers of two books, infinite where one is no number."""
    ours, theirs = (read_cells(str(path), f"{SHEET}!{cells}") for path in (mine, its))
    pairs = [(a, b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    numbers = [(a, b) for a, b in pairs if isinstance(a, float) and isinstance(b, float)]
    headers = [(a, b) for a, b in pairs if (a, b) not in numbers]
    return (
        max(abs(a - b) for a, b in numbers) if all(a == b for a, b in headers) and numbers else float("inf")
    )


if __name__ == "__main__":
    sys.exit(main())
