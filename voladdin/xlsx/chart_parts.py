"""A chart sheet as the parts of an .xlsx: the worksheet's XML, and the charts by openpyxl."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from openpyxl.chart import LineChart, Reference
from openpyxl.chart import Series as ExcelSeries
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, SpreadsheetDrawing, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, ParagraphProperties
from openpyxl.utils.cell import get_column_letter, quote_sheetname
from openpyxl.xml.functions import tostring

from ..cells import Cell
from .chart_sheet import HEIGHT, WIDTH, Chart, ChartSheet, Position
from .references import Box, area
from .sheet import ERROR_VALUES
from .value_axis import ValueAxis

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_COLOURS = {"dots": "1F4E79", "line": "C55A11", "band": "7F7F7F", "repaired": "548235"}
_CLOSE = 0.0999  # points
_TITLE = 1200  # hundredths of a point
_SCALE = ("F8FBFF", "CFE2F3", "6FA8DC")  # pale to deep


def worksheet_xml(made: ChartSheet, styles: dict[str, int], drawing: str) -> bytes:
    """The sheet's XML. styles: numbers of the cell formats "vol" and "heading"; drawing: its link's id."""
    rows: dict[int, list[str]] = {}
    for position in sorted({*made.values, *made.formulas, *made.arrays}):
        rows.setdefault(position[0], []).append(_cell(made, position, styles))
    data = "".join(f'<row r="{row}">{"".join(cells)}</row>' for row, cells in rows.items())
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>'
        f"<sheetData>{data}</sheetData>{_heat(made)}"
        '<pageSetup orientation="landscape"/>'
        f'<drawing r:id="{drawing}"/></worksheet>'
    ).encode()


def _cell(made: ChartSheet, position: Position, styles: dict[str, int]) -> str:
    row, column = position
    kind = "heading" if position in made.headings else "vol" if _in(made.vols, position) else ""
    style = f' s="{styles[kind]}"' if kind in styles else ""
    formula = ""
    if position in made.arrays:
        box, text = made.arrays[position]
        formula = f'<f t="array" ref="{area(box)}">{escape(text[1:])}</f>'
    elif position in made.formulas:
        formula = f"<f>{escape(made.formulas[position][1:])}</f>"
    type_, stored = _stored(made.values.get(position))
    return f'<c r="{area(Box(column, row, column, row))}"{style}{type_}>{formula}{stored}</c>'


def _stored(value: Cell) -> tuple[str, str]:
    """The type's attribute and the value."""
    if value is None or value == "":
        return ' t="str"', "<v></v>"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        value = str(value)
    if isinstance(value, str):
        return (' t="e"' if value in ERROR_VALUES else ' t="str"'), f"<v>{escape(value)}</v>"
    return "", f"<v>{float(value)!r}</v>"


def _in(boxes: list[Box], position: Position) -> bool:
    return any(box.holds(position) for box in boxes)


def _heat(made: ChartSheet) -> str:
    if made.heat is None:
        return ""
    marks = ('<cfvo type="min"/>', '<cfvo type="percentile" val="50"/>', '<cfvo type="max"/>')
    colours = "".join(f'<color rgb="FF{colour}"/>' for colour in _SCALE)
    scale = f"<colorScale>{''.join(marks)}{colours}</colorScale>"
    rule = f'<cfRule type="colorScale" priority="1">{scale}</cfRule>'
    return f'<conditionalFormatting sqref="{area(made.heat)}">{rule}</conditionalFormatting>'


def drawings(made: ChartSheet, first: int) -> tuple[bytes, bytes, list[bytes]]:
    """The drawing's XML, its relationships', and that of each chart; charts are numbered from `first`."""
    drawing, charts = SpreadsheetDrawing(), []
    for number, chart in enumerate(made.charts, first):
        drawn = _chart(chart, made)
        drawn._id = number
        drawn.anchor = _anchor(chart)
        drawing.charts.append(drawn)
        charts.append(drawn)
    body = tostring(drawing._write())
    return body, tostring(drawing._write_rels()), [tostring(chart._write()) for chart in charts]


def _anchor(chart: Chart) -> Any:
    start = AnchorMarker(col=chart.left - 1, row=chart.top - 1)
    end = AnchorMarker(col=chart.left + WIDTH - 2, row=chart.top + HEIGHT - 2)
    return TwoCellAnchor(_from=start, to=end)


def _chart(chart: Chart, made: ChartSheet) -> Any:
    drawn = blank_chart(chart.title, _format(chart.axis, percent=made.percent))
    if chart.axis is not None:
        drawn.y_axis.scaling.min, drawn.y_axis.scaling.max = chart.axis.low, chart.axis.high
        drawn.y_axis.majorUnit = chart.axis.step
    for series in chart.series:
        cells = _reference(made.name, series.cells)
        drawn.series.append(line_series(series.title, cells, series.look, _COLOURS[series.look]))
    drawn.set_categories(_reference(made.name, chart.labels))
    return drawn


def _format(axis: ValueAxis | None, *, percent: bool) -> str:
    """Of the numbers at the lines: a digit more where these lie closer than 0.1 points."""
    close = axis is not None and axis.step * (1 if percent else 100) < _CLOSE
    return ("0.00" if close else "0.0") + ("" if percent else "%")


def blank_chart(title: str, number_format: str) -> Any:
    """A line chart of openpyxl's without lines yet; `number_format` is of its vertical axis."""
    drawn = LineChart()
    drawn.title = title
    drawn.title.overlay = False
    for paragraph in drawn.title.tx.rich.p:
        paragraph.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=_TITLE, b=True))
    drawn.y_axis.number_format = number_format
    drawn.y_axis.delete = drawn.x_axis.delete = False
    drawn.x_axis.tickLblPos = "low"  # below the lines, where some are negative
    drawn.y_axis.majorGridlines.spPr = GraphicalProperties(ln=_line("E3E7EB", 6350))
    drawn.legend.position = "b"
    drawn.display_blanks = "span"  # Calc takes #N/A for 0 otherwise; quotes have no line
    return drawn


def line_series(title: str, cells: Any, look: str, colour: str) -> Any:
    """A series of openpyxl's over a reference. look: "dots", "band" or another, a line; colour: RRGGBB."""
    series = ExcelSeries(cells, title=title)
    series.smooth = False
    if look == "dots":
        series.graphicalProperties.line.noFill = True
        series.marker.symbol, series.marker.size = "circle", 8
        series.marker.graphicalProperties = GraphicalProperties(solidFill=colour, ln=_line(colour, 6350))
    else:
        series.marker.symbol = "none"
        series.graphicalProperties.line = _line(colour, 12700 if look == "band" else 22225)
        if look == "band":
            series.graphicalProperties.line.dashStyle = "dash"
    return series


def _line(colour: str, width: int) -> Any:
    return LineProperties(solidFill=colour, w=width)


def _reference(sheet: str, box: Box) -> Any:
    ends = [
        f"${get_column_letter(column)}${row}"
        for column, row in ((box.left, box.top), (box.right, box.bottom))
    ]
    return Reference(range_string=f"{quote_sheetname(sheet)}!{':'.join(ends)}")
