"""Excel's charts and colour scales as its object model has them: what it has not, or of another type, raises.

What was made stands in the document's `edits`: "drawn" a chart, "scaled" the colours of a range.
"""

from __future__ import annotations

from typing import Any

MEMBERS: dict[str, dict[str, Any]] = {  # what may be set, and to what type; of Excel's object model
    "Chart": {"HasTitle": bool, "DisplayBlanksAs": int, "HasLegend": bool},
    "ChartTitle": {"Text": str},
    "Axis": {"MinimumScale": float, "MaximumScale": float, "MajorUnit": float},
    "Series": {
        "Name": str,
        "Values": object,
        "XValues": object,
        "MarkerStyle": int,
        "MarkerBackgroundColor": int,
        "MarkerForegroundColor": int,
    },
    "LineFormat": {"Visible": bool, "DashStyle": int},
    "ColorFormat": {"RGB": int},
    "FormatColor": {"Color": int},
}
MARKERS = {-4105, -4142, 1, 2, 3, -4168, 5, 8, 9, -4118, -4115}  # XlMarkerStyle
DASHES = {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12}  # MsoLineDashStyle
BLANKS = {1, 2, 3}  # XlDisplayBlanksAs: not plotted, as zero, interpolated
_ALLOWED = {"MarkerStyle": MARKERS, "DashStyle": DASHES, "DisplayBlanksAs": BLANKS}


class Strict:
    """An object with the members of its class in Excel, and no others."""

    kind = ""
    given: dict[str, Any]

    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)
        vars(self)["given"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        type_: Any = MEMBERS[self.kind].get(name)
        if type_ is None:
            raise AttributeError(f"Excel's {self.kind} has no {name} that can be set")
        if not isinstance(value, type_) or (type_ is int and isinstance(value, bool)):
            raise TypeError(f"{self.kind}.{name} is {value!r}; expected {type_.__name__}")
        if value not in _ALLOWED.get(name, (value,)):
            raise ValueError(f"{self.kind}.{name} is {value!r}, none of its constants")
        self.given[name] = value


def strict(kind: str, **parts: Any) -> Strict:
    """An object of a class of `MEMBERS`."""
    return type(kind, (Strict,), {"kind": kind})(**parts)


class Shapes:
    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    def AddChart2(self, style: int, kind: int, left: float, top: float, width: float, height: float) -> Any:
        assert style == -1 or 1 <= style <= 500
        assert kind in (4, 65, -4169) and min(width, height) > 0 <= min(left, top)
        chart = Chart(self._sheet, kind, (left, top, width, height))
        return strict("Shape", Chart=chart)


class Chart(Strict):
    """One that begins with a series of what was selected, as Excel's do."""

    kind = "Chart"
    box: tuple[float, ...]
    series: list[Series]
    title: Strict
    axis: Strict

    def __init__(self, sheet: Any, type_: int, box: tuple[float, ...]) -> None:
        title = strict("ChartTitle")
        super().__init__(type_=type_, box=box, series=[], title=title, axis=strict("Axis"))
        self.series.append(Series(self))
        sheet.Parent.document.edits.append({"op": "drawn", "sheet": sheet.Name, "chart": self})

    @property
    def ChartTitle(self) -> Strict:
        assert self.given.get("HasTitle"), "a chart has a title object once it has a title"
        return self.title

    def Axes(self, type_: int) -> Strict:
        assert type_ == 2 and self.series, "1 categories, 2 values, of a chart that has series"
        return self.axis

    def SeriesCollection(self, number: int | None = None) -> Any:
        return self.series[number - 1] if number is not None else SeriesCollection(self)


class SeriesCollection:
    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    @property
    def Count(self) -> int:
        return len(self._chart.series)

    def NewSeries(self) -> Series:
        self._chart.series.append(Series(self._chart))
        return self._chart.series[-1]


class Series(Strict):
    kind = "Series"
    chart: Chart
    Format: Any

    def __init__(self, chart: Chart) -> None:
        line = strict("LineFormat", ForeColor=strict("ColorFormat"))
        super().__init__(chart=chart, Format=strict("ChartFormat", Line=line))

    def Delete(self) -> None:
        self.chart.series.remove(self)


class FormatConditions:
    def __init__(self, cells: Any) -> None:
        self._cells = cells

    def AddColorScale(self, count: int) -> Any:
        assert count in (2, 3)
        criteria = [strict("ColorScaleCriterion", FormatColor=strict("FormatColor")) for _ in range(count)]
        sheet = self._cells.Worksheet
        edit = {"op": "scaled", "sheet": sheet.Name, "area": self._cells.area, "criteria": criteria}
        sheet.Parent.document.edits.append(edit)
        return strict("ColorScale", ColorScaleCriteria=lambda number: criteria[number - 1])
