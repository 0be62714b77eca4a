"""Calc's document for the menu's commands: cells as the local server takes them.

Runs inside LibreOffice's own Python (standard library and uno), packed into the .oxt as `voladdin_calc.py`.
Rows and columns count from 1 outside this file, as `document.Document` has them, and from 0 in Calc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voladdin_values import ERROR_CODES  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from typing import TypeAlias

    Area: TypeAlias = list[int]

ROWS, COLUMNS = 1048576, 16384
_ERROR_TEXTS = {code: text for text, code in ERROR_CODES.items()}


def describe(document: Any) -> dict[str, Any]:
    """The book without its cells: sheets, selection, and the region around the cursor."""
    controller = document.getCurrentController()
    active = controller.getActiveSheet()
    selection = _selection(document)
    return {
        "name": document.getTitle(),
        "sheets": [_sheet(document.Sheets.getByIndex(i)) for i in range(document.Sheets.getCount())],
        "active": active.getName(),
        "selection": selection,
        "region": _region(active, selection[0]) if selection else [1, 1, 1, 1],
        "rows": ROWS,
        "columns": COLUMNS,
        "protected": document.isProtected(),
    }


def _sheet(sheet: Any) -> dict[str, Any]:
    cursor = sheet.createCursor()
    cursor.gotoStartOfUsedArea(False)
    cursor.gotoEndOfUsedArea(True)
    return {
        "name": sheet.getName(),
        "visible": sheet.IsVisible,
        "protected": sheet.isProtected(),
        "used": _area(cursor.getRangeAddress()),
    }


def _selection(document: Any) -> list[Area]:
    """Areas of selected cells; none where a shape or a chart is selected."""
    selected = document.getCurrentSelection()
    if hasattr(selected, "getRangeAddress"):
        return [_area(selected.getRangeAddress())]
    if hasattr(selected, "getRangeAddresses"):
        return [_area(address) for address in selected.getRangeAddresses()]
    return []


def _region(sheet: Any, area: Area) -> Area:
    cursor = sheet.createCursorByRange(sheet.getCellByPosition(area[1] - 1, area[0] - 1))
    cursor.collapseToCurrentRegion()
    return _area(cursor.getRangeAddress())


def _area(address: Any) -> Area:
    return [address.StartRow + 1, address.StartColumn + 1, address.EndRow + 1, address.EndColumn + 1]


def cell_range(sheet: Any, area: Area) -> Any:
    top, left, bottom, right = (number - 1 for number in area)
    return sheet.getCellRangeByPosition(left, top, right, bottom)


def read(document: Any, name: str, area: Area) -> dict[str, Any]:
    """The cells of an area: values, formulas, colours, number formats, merged cells and notes."""
    sheet = document.Sheets.getByName(name)
    cells = cell_range(sheet, area)
    formulas = [[_as_excel(text) for text in row] for row in cells.getFormulaArray()]
    formats, merged = _formats(document, sheet, cells)
    return {
        "sheet": name,
        "area": area,
        "values": _values(cells),
        "formulas": formulas,
        "formats": formats,
        "merged": merged,
        "notes": _notes(sheet, area),
    }


def _as_excel(formula: str) -> str:
    """An error value that was typed or loaded is the formula =#N/A here; an array formula has braces."""
    if formula.startswith("{=") and formula.endswith("}"):
        return formula[1:-1]
    return formula[1:] if formula[1:] in ERROR_CODES else formula


def _values(cells: Any) -> list[list[Any]]:
    rows = [list(row) for row in cells.getDataArray()]
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value is None:
                row[j] = _ERROR_TEXTS.get(cells.getCellByPosition(j, i).getError(), "#VALUE!")
            elif value == "":
                row[j] = None
    return rows


def _formats(document: Any, sheet: Any, cells: Any) -> tuple[list[Any], list[Area]]:
    formats, merged = [], []
    unique = cells.getUniqueCellFormatRanges()
    for i in range(unique.getCount()):
        ranges = unique.getByIndex(i)
        areas = [_area(address) for address in ranges.getRangeAddresses()]
        formats.append(
            {
                "areas": areas,
                "fill": _colour(ranges.CellBackColor),
                "font": _colour(ranges.CharColor),
                "format": _format(document, ranges.NumberFormat),
            }
        )
        merged += [area for a in areas for area in _merged(sheet, a)]
    return formats, merged


def _colour(number: int) -> int | None:
    return None if number == -1 else number & 0xFFFFFF


def _format(document: Any, key: int) -> str:
    if key % 10000 == 0:  # "General" in the language of the format
        return "General"
    return str(document.getNumberFormats().getByKey(key).FormatString)


def _merged(sheet: Any, area: Area) -> list[Area]:
    """Merged areas whose first cell is in this one."""
    if not cell_range(sheet, area).getIsMerged():
        return []
    found = []
    for row, column in _places(area):
        cell = sheet.getCellByPosition(column - 1, row - 1)
        if cell.getIsMerged():
            cursor = sheet.createCursorByRange(cell)
            cursor.collapseToMergedArea()
            found.append(_area(cursor.getRangeAddress()))
    return found


def _places(area: Area) -> list[tuple[int, int]]:
    top, left, bottom, right = area
    return [(i, j) for i in range(top, bottom + 1) for j in range(left, right + 1)]


def _notes(sheet: Any, area: Area) -> list[list[Any]]:
    top, left, bottom, right = area
    found = []
    annotations = sheet.getAnnotations()
    for i in range(annotations.getCount()):
        note = annotations.getByIndex(i)
        row, column = note.getPosition().Row + 1, note.getPosition().Column + 1
        if top <= row <= bottom and left <= column <= right:
            text = note.getString() or note.getAnnotationShape().getString()  # only the shape after .xlsx
            found.append([row, column, text])
    return found
