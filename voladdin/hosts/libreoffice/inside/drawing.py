"""Charts, heat maps and formulas in Excel's words, in a document of Calc's.

Runs inside LibreOffice's own Python (standard library and uno); in the .oxt it is `voladdin_drawing.py`.
"""

from __future__ import annotations

from typing import Any

import uno
from com.sun.star.awt import Rectangle, Size
from com.sun.star.beans import PropertyValue
from com.sun.star.chart.ChartLegendPosition import BOTTOM
from com.sun.star.chart.MissingValueTreatment import LEAVE_GAP
from com.sun.star.chart2.SymbolStyle import NONE, STANDARD
from com.sun.star.drawing import LineDash
from com.sun.star.drawing.DashStyle import RECT
from com.sun.star.drawing.FillStyle import NONE as NO_FILL
from com.sun.star.drawing.LineStyle import DASH, SOLID
from com.sun.star.drawing.LineStyle import NONE as NO_LINE
from com.sun.star.sheet.ConditionOperator import FORMULA
from com.sun.star.table import CellAddress
from voladdin_calc import cell_range  # type: ignore[import-not-found]

_OOXML = 3  # com.sun.star.sheet.AddressConvention.XL_OOX: names and references as in an .xlsx
_STEPS = ((0.8, 0x6FA8DC), (0.6, 0x9FC5E8), (0.4, 0xCFE2F3), (0.2, 0xE6F0FA), (0.0, 0xF8FBFF))
_CIRCLE = 8  # of the standard symbols


def parsed(document: Any, place: Any, text: str) -> Any:
    """The tokens of a formula as Excel writes it, at a cell."""
    parser = document.createInstance("com.sun.star.sheet.FormulaParser")
    parser.CompileEnglish, parser.FormulaConvention = True, _OOXML
    return parser.parseFormula(text[1:], place)


def heat(document: Any, edit: dict[str, Any]) -> None:
    """Colours cells by the fifth that they are in from now on, from pale to deep."""
    sheet = document.Sheets.getByName(edit["sheet"])
    cells = cell_range(sheet, edit["area"])
    address, whole = cells.getRangeAddress(), cells.AbsoluteName
    first = CellAddress(address.Sheet, address.StartColumn, address.StartRow)
    one = cells.getCellByPosition(0, 0).AbsoluteName.rpartition(".")[2].replace("$", "")
    entries = cells.ConditionalFormat
    for share, colour in _STEPS:
        given = {
            "Operator": FORMULA,
            "Formula1": f"{one}>=PERCENTILE({whole};{share})",
            "SourcePosition": first,
            "StyleName": _style(document, colour),
        }
        entries.addNew(tuple(_pair(name, value) for name, value in given.items()))
    cells.ConditionalFormat = entries


def _pair(name: str, value: Any) -> Any:
    pair = PropertyValue()
    pair.Name, pair.Value = name, value
    return pair


def _style(document: Any, colour: int) -> str:
    """The name of the cell style of a colour, which is made where it is not there."""
    styles, name = document.StyleFamilies.getByName("CellStyles"), f"voladdin {colour:06x}"
    if not styles.hasByName(name):
        style = document.createInstance("com.sun.star.style.CellStyle")
        styles.insertByName(name, style)
        style.CellBackColor = colour
    return name


def draw_chart(document: Any, edit: dict[str, Any]) -> None:
    """A line chart whose series are cells of the sheet."""
    sheet = document.Sheets.getByName(edit["sheet"])
    box = cell_range(sheet, edit["area"])
    frame = Rectangle()
    frame.X, frame.Y = box.Position.X, box.Position.Y
    frame.Width, frame.Height = box.Size.Width, box.Size.Height
    name = f"{edit['title']} {sheet.Charts.getCount() + 1}"
    first = cell_range(sheet, edit["series"][0]["area"]).getRangeAddress()  # or it had no data provider
    sheet.Charts.addNewByName(name, frame, (first,), False, False)
    chart = sheet.Charts.getByName(name).getEmbeddedObject()
    chart.setDiagram(chart.createInstance("com.sun.star.chart.LineDiagram"))
    chart.HasMainTitle = True
    chart.Title.String = edit["title"]
    _set_series(chart, sheet, edit)
    if "axis" in edit:
        axis = chart.getDiagram().YAxis
        axis.Min, axis.Max, axis.StepMain = edit["axis"]
    chart.HasLegend = True
    chart.Legend.Alignment = BOTTOM
    chart.getDiagram().MissingValueTreatment = LEAVE_GAP
    chart.Legend.FillStyle = chart.getDiagram().Wall.FillStyle = NO_FILL
    chart.Legend.LineStyle = NO_LINE


def _set_series(chart: Any, sheet: Any, edit: dict[str, Any]) -> None:
    """The series of the chart, over the labels."""
    context = uno.getComponentContext()
    provider, system = chart.getDataProvider(), chart.getFirstDiagram().getCoordinateSystems()[0]
    kind = system.getChartTypes()[0]

    def sequence(area: list[int], role: str) -> Any:
        labeled = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.chart2.data.LabeledDataSequence", context
        )
        cells = provider.createDataSequenceByRangeRepresentation(cell_range(sheet, area).AbsoluteName)
        cells.Role = role
        labeled.setValues(cells)
        return labeled

    kind.setDataSeries(())
    for given in edit["series"]:
        series = context.ServiceManager.createInstanceWithContext("com.sun.star.chart2.DataSeries", context)
        values = sequence(given["area"], "values-y")
        values.setLabel(provider.createDataSequenceByRangeRepresentation(_named(sheet, given)))
        series.setData((values,))
        kind.addDataSeries(series)
        _dress(series, given)
    axis = system.getAxisByDimension(0, 0)
    scale = axis.getScaleData()
    scale.Categories = sequence(edit["labels"], "categories")
    axis.setScaleData(scale)


def _named(sheet: Any, given: dict[str, Any]) -> str:
    """The cell that names a series: the heading of its block."""
    return str(cell_range(sheet, given["heading"]).AbsoluteName)


def _dress(series: Any, given: dict[str, Any]) -> None:
    dots = given["look"] == "dots"
    series.Color = given["colour"]
    symbol = series.Symbol
    symbol.Style = STANDARD if dots else NONE
    symbol.StandardSymbol, symbol.FillColor, symbol.BorderColor = _CIRCLE, given["colour"], given["colour"]
    symbol.Size = Size(250, 250)
    series.Symbol = symbol
    series.LineStyle = NO_LINE if dots else DASH if given["look"] == "band" else SOLID
    if given["look"] == "band":
        series.LineDash = LineDash(RECT, 0, 0, 1, 150, 120)
    series.LineWidth = 30 if given["look"] == "band" else 60
