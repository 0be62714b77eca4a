"""Charts and colour scales by Excel's own objects: xlwings' charts have one range for all."""

from __future__ import annotations

from typing import Any

from voladdin.commands.charting import SCALE

from .open_book import address

_LINE_MARKERS, _DASH, _CIRCLE, _NONE, _SPAN = 65, 4, 8, -4142, 3
_VALUES = 2  # of the axes


def heat(cells: Any) -> None:
    """Colours cells by their size from now on."""
    scale = cells.FormatConditions.AddColorScale(len(SCALE))
    for number, (red, green, blue) in enumerate(SCALE, 1):
        scale.ColorScaleCriteria(number).FormatColor.Color = red + 256 * green + 65536 * blue


def draw(sheet: Any, drawn: dict[str, Any]) -> None:
    """A chart: {"title", "labels", "area", "series": [{"area", "heading", "look", "colour"}]}.

    "axis": where that of the values begins, where it ends, the distance of its lines.
    """
    area = sheet.Range(address(drawn["area"]))
    made = sheet.Shapes.AddChart2(-1, _LINE_MARKERS, area.Left, area.Top, area.Width, area.Height).Chart
    while made.SeriesCollection().Count:
        made.SeriesCollection(1).Delete()
    made.HasTitle, made.DisplayBlanksAs = True, _SPAN
    made.ChartTitle.Text = drawn["title"]
    labels = sheet.Range(address(drawn["labels"]))
    for series in drawn["series"]:
        line = made.SeriesCollection().NewSeries()
        line.Name = str(sheet.Range(address(series["heading"])).Value)
        line.Values, line.XValues = sheet.Range(address(series["area"])), labels
        _dress(line, series)
    if "axis" in drawn:
        axis = made.Axes(_VALUES)
        axis.MinimumScale, axis.MaximumScale, axis.MajorUnit = drawn["axis"]


def _dress(line: Any, series: dict[str, Any]) -> None:
    number, dots = series["colour"], series["look"] == "dots"
    colour = (number & 255) << 16 | number & 0xFF00 | number >> 16
    line.MarkerStyle = _CIRCLE if dots else _NONE
    line.Format.Line.ForeColor.RGB = colour
    line.Format.Line.Visible = not dots
    if series["look"] == "band":
        line.Format.Line.DashStyle = _DASH
    if dots:
        line.MarkerBackgroundColor = line.MarkerForegroundColor = colour
