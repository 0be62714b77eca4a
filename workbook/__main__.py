"""`make demo`: builds the demo workbook, fills it, prints it before and after, and asks LibreOffice too."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from voladdin import local
from voladdin.cli import format_grid, read_cells
from voladdin.errors import VoladdinError
from voladdin.runner import run

from .build import FILLED, QUOTES, SHEET, STD, build

OUT = Path("out")


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
        _libreoffice(book, report.output)
    else:
        print("LibreOffice is not installed: the same book was not recalculated there.")
    return int(report.failed)


def _libreoffice(book: Path, filled: Path) -> None:
    """Recalculates the book in a LibreOffice profile of its own, and compares."""
    from voladdin.hosts.libreoffice import recalculate

    before = local.running()
    try:
        output = recalculate(book, OUT / "demo-libreoffice.xlsx")
    except VoladdinError as error:
        print(f"LibreOffice did not recalculate the book: {error}")
        return
    finally:
        if before is None and (started := local.running()):
            local.stop(started)
    gap = 0.0
    for cells in (FILLED, STD):
        ours, theirs = (read_cells(str(path), f"{SHEET}!{cells}") for path in (filled, output))
        for mine, its in zip(ours[1:], theirs[1:], strict=True):
            pairs = zip(mine[1:], its[1:], strict=True)
            gap = max([gap, *(_gap(a, b) for a, b in pairs)])
    same = "to the last digits" if gap < 1e-12 else f"within {gap:.1e}"
    print(f"Recalculated in LibreOffice through the extension: {output.resolve()} (the same {same})")


def _gap(mine: object, its: object) -> float:
    both = isinstance(mine, float) and isinstance(its, float)
    return abs(mine - its) if both else float("inf")  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
