"""Native charts of the books, live on their cells: smiles and term structures, dots, lines and bands."""

from __future__ import annotations

from collections.abc import Mapping

from openpyxl.chart import Reference
from openpyxl.chart.legend import LegendEntry
from openpyxl.utils.cell import quote_sheetname
from openpyxl.worksheet.worksheet import Worksheet

from voladdin.xlsx.chart_parts import blank_chart, line_series

LOOKS = {  # by the title of a series; any other is a line in the next of _COLOURS
    "Quotes": ("dots", "1F4E79"),
    "Filled": ("line", "C55A11"),
    "90% band": ("band", "7F7F7F"),
    "": ("band", "7F7F7F"),  # the band's other end, which the legend leaves out
    "Yesterday": ("band", "2E75B6"),
    "Repaired": ("line", "548235"),
}
_COLOURS = ("1F4E79", "C55A11", "548235", "7030A0", "7F7F7F")
_WIDTH, _HEIGHT = 12.4, 7.2  # cm


def draw(
    sheet: Worksheet,
    at: str,
    title: str,
    labels: str,
    series: Mapping[str, str],
    number_format: str = "0.0%",
    width: float = _WIDTH,
    least: float | None = None,
) -> None:
    """A chart with its upper left corner in the cell `at`; series: ranges of the sheet by title.

    least: where the vertical axis begins, unless the host is to choose.
    """
    drawn = blank_chart(title, number_format)
    drawn.width, drawn.height = width, _HEIGHT
    drawn.y_axis.scaling.min = least
    for number, (name, cells) in enumerate(series.items()):
        look, colour = LOOKS.get(name, ("line", _COLOURS[number % len(_COLOURS)]))
        drawn.series.append(line_series(name, _of(sheet, cells), look, colour))
        if not name:
            drawn.legend.legendEntry.append(LegendEntry(number, delete=True))
    drawn.set_categories(_of(sheet, labels))
    sheet.add_chart(drawn, at)


def banded(quotes: str, filled: str, low: str, high: str) -> dict[str, str]:
    """The series of quotes within the band of their fills, the quotes on top."""
    return {"Filled": filled, "90% band": low, "": high, "Quotes": quotes}


def _of(sheet: Worksheet, cells: str) -> Reference:
    return Reference(range_string=f"{quote_sheetname(sheet.title)}!{_fixed(cells)}")


def _fixed(cells: str) -> str:
    """Such as $A$1:$F$1."""
    ends = (end.rstrip("0123456789") for end in cells.split(":"))
    rows = (end.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for end in cells.split(":"))
    return ":".join(f"${column}${row}" for column, row in zip(ends, rows, strict=True))
