"""Chart: native charts of the grid on a sheet of their own, live on its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..imputation.filling import impute
from ..xlsx.chart_sheet import HEIGHT, SHEET, WIDTH, Chart, ChartSheet, chart_sheet, chart_source
from ..xlsx.references import Box
from .filling import still_filled
from .selection import Target, find
from .transaction import Transaction

if TYPE_CHECKING:
    import xlwings as xw

NAME = "chart"
SCALE = ((248, 251, 255), (207, 226, 243), (111, 168, 220))  # pale to deep
_LINES = {
    "dots": (31, 78, 121),
    "line": (197, 90, 17),
    "band": (127, 127, 127),
    "repaired": (84, 130, 53),
}


def chart(book: xw.Book) -> str:
    """Draws each smile and the term structure of the grid at the cursor; what it did, in words.

    They are on a new sheet, beside references to the quotes and VOLIMPUTE's fills and band, the fills
    coloured by their size, and, where the quotes have arbitrage, VOLREPAIR's answer. An earlier sheet of
    charts, where nothing was added to it, makes room.

    Raises VoladdinError, and then the book is as it was.
    """
    with Transaction(book, NAME) as changes:
        target = find(book, still_filled(book, changes.records))
        if target.quotes is not None:
            raise InputError(f"{target.name} is a table of market quotes; expected a grid of vols to chart")
        changes.take_back([r for r in changes.records if r.command == NAME])
        made = chart_sheet(
            target.grid,
            impute(target.grid.surface),
            chart_source(target.sheet, box_of_cells(target)),
            units="percent" if target.grid.percent else "decimal",
        )
        made.name = changes.fresh_sheet(SHEET, _extent(made))
        _write(book.sheets[made.name], made)
        changes.show(made.name)
    return f"{len(made.charts)} charts of {target.name} are on the sheet {made.name}"


def box_of_cells(target: Target) -> Box:
    """The range of a grid."""
    top, left = target.cells.row, target.cells.column
    rows, columns = target.cells.shape
    return Box(left, top, left + columns - 1, top + rows - 1)


def _extent(made: ChartSheet) -> list[int]:
    """Rows and columns that are written."""
    return [max(row for row, _ in made.values), max(column for _, column in made.values)]


def _write(sheet: xw.Sheet, made: ChartSheet) -> None:
    for row, column in made.headings:
        sheet.range((row, column)).value = made.values[row, column]
    for (row, column), text in made.formulas.items():
        sheet.range((row, column)).formula = text
    for box, text in made.arrays.values():
        _cells(sheet, box).formula_array = text
    for box in made.vols:
        _cells(sheet, box).number_format = "0.00" if made.percent else "0.00%"
    if made.heat is not None:
        sheet.impl.heat(_area(made.heat))
    headings = {str(made.values[at]): [*at, *at] for at in made.headings}
    for drawn in made.charts:
        sheet.impl.draw(_as_json(drawn, headings))


def _cells(sheet: xw.Sheet, box: Box) -> xw.Range:
    return sheet.range((box.top, box.left), (box.bottom, box.right))


def _area(box: Box) -> list[int]:
    return [box.top, box.left, box.bottom, box.right]


def _as_json(drawn: Chart, headings: dict[str, list[int]]) -> dict[str, Any]:
    """As `edits.apply` draws it in Calc, and `chart_objects.draw` in Excel."""
    series = [
        {"area": _area(s.cells), "heading": headings[s.title], "look": s.look}
        | {"colour": _number(_LINES[s.look])}
        for s in drawn.series
    ]
    place = [drawn.top, drawn.left, drawn.top + HEIGHT - 2, drawn.left + WIDTH - 2]
    made = {"title": drawn.title, "labels": _area(drawn.labels), "series": series, "area": place}
    return made | ({"axis": list(drawn.axis)} if drawn.axis is not None else {})


def _number(colour: tuple[int, int, int]) -> int:
    red, green, blue = colour
    return red << 16 | green << 8 | blue
