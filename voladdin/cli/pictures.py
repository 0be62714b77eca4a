"""`voladdin page` and `chart`: pictures of a surface."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..xlsx.tables import read_cells

if TYPE_CHECKING:
    from ..cells import Cells

_EXAMPLE = (0.2, -0.1, 0.3, 0.02)  # level, skew, curv, term of the page without a book


def add(commands: Any) -> None:
    """The commands, for argparse's `commands`."""
    page = commands.add_parser("page", help="a surface in the browser: 3-D, slices, bands, trades, sliders")
    page.add_argument("book", nargs="?", help="a .csv or .xlsx, or cells of it: book.xlsx!Sheet1!A1:F9")
    page.add_argument("--prior", help="yesterday's grid, written the same way")
    page.add_argument("--units", choices=["percent", "decimal"], help="where the grid cannot tell")
    page.add_argument("--no-browser", action="store_true", help="only print the address, which works once")
    page.set_defaults(command=_page)

    chart = commands.add_parser("chart", help="a copy of an .xlsx with a sheet of charts of a grid")
    chart.add_argument("book", help="the workbook, .xlsx or .xlsm, or cells of it: book.xlsx!Sheet1!A1:F9")
    chart.add_argument("--units", choices=["percent", "decimal"], help="where the grid cannot tell")
    chart.add_argument("-o", "--output", help="the copy (default: BOOK-chart beside it)")
    chart.set_defaults(command=_chart)


def _page(options: argparse.Namespace) -> None:
    from ..service.pages import open_page

    book, place = file_and_range(options.book or "")
    cells = read_cells(book, place) if book else _generated()
    prior = None if options.prior is None else read_cells(*file_and_range(options.prior))
    title = place or (Path(book).stem if book else "A generated surface")
    source = {"book": Path(book).name, "range": place or "", "host": ""}
    address = open_page({"title": title, "source": source, "cells": cells, "prior": prior} | _units(options))
    print(f"{address}\n(works once, within two minutes)")
    if not options.no_browser:
        webbrowser.open(address)


def file_and_range(text: str) -> tuple[str, str | None]:
    """File and range of "book.xlsx!Sheet1!A1:F9"."""
    for suffix in (".xlsx!", ".xlsm!"):
        at = text.lower().find(suffix)
        if at >= 0:
            return text[: at + len(suffix) - 1], text[at + len(suffix) :]
    return text, None


def _units(options: argparse.Namespace) -> dict[str, str]:
    return {} if options.units is None else {"units": options.units}


def _generated() -> Cells:
    from ..worksheet.registry import evaluate

    return evaluate("VOLGENERATE", list(_EXAMPLE))


def _chart(options: argparse.Namespace) -> None:
    from ..xlsx.charting import chart_book

    book, place = file_and_range(options.book)
    path = Path(book)
    output = options.output or path.with_name(f"{path.stem}-chart{path.suffix}")
    made = chart_book(path, Path(output), place, options.units)
    print(f"written: {output}, {len(made.charts)} charts on the sheet {made.name}")
