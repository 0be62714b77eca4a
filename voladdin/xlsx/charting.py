"""`voladdin chart`: a copy of a workbook with a sheet of charts of one of its grids."""

from __future__ import annotations

from pathlib import Path

from ..cells import parse
from ..imputation.filling import impute
from .adding import free_name, with_sheet
from .chart_sheet import ChartSheet, chart_sheet, chart_source
from .contents import Contents
from .package import readable
from .runner import bytes_of, check_target, write
from .tables import cells_of


def chart_book(book: Path, output: Path, range_: str | None = None, units: str | None = None) -> ChartSheet:
    """Writes a copy of a workbook with charts of a grid; every part that was there stays as it was.

    range_: of the grid, such as Sheet1!A1:F9; what is used of the first sheet unless told.

    Raises InputError where the file is no such workbook, may not have another sheet, or has no grid there.
    """
    data = bytes_of(book)
    check_target(output)
    with readable(book.name):
        contents = Contents(data)
    place, cells = cells_of(contents, range_)
    grid = parse(cells, units=units)
    made = chart_sheet(
        grid,
        impute(grid.surface),
        chart_source(place.sheet, place.box),
        name=free_name(list(contents.sheets)),
        units=units,
    )
    with readable(book.name):
        charted = with_sheet(data, made)
    write(output, charted)
    return made
