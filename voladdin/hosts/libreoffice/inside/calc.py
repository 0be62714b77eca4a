"""Calc's document for the menu's commands: cells as the local server takes them, and its edits made.

Runs inside LibreOffice's own Python (standard library and uno), packed into the .oxt as `voladdin_calc.py`.
Rows and columns count from 1 outside this file, as `document.Document` has them, and from 0 in Calc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from com.sun.star.lang import Locale
from com.sun.star.sheet.CellFlags import ANNOTATION, DATETIME, FORMULA, STRING, VALUE
from com.sun.star.table import CellAddress
from voladdin_values import ERROR_CODES  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from typing import TypeAlias

    Area: TypeAlias = list[int]

ROWS, COLUMNS = 1048576, 16384
FEW = 4  # cells that are as well written one by one
_ERROR_TEXTS = {code: text for text, code in ERROR_CODES.items()}
_PROPERTIES = {"fill": "CellBackColor", "font": "CharColor"}


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


def _cells(sheet: Any, area: Area) -> Any:
    top, left, bottom, right = (number - 1 for number in area)
    return sheet.getCellRangeByPosition(left, top, right, bottom)


def read(document: Any, name: str, area: Area) -> dict[str, Any]:
    """The cells of an area: values, formulas, colours, number formats, merged cells and notes."""
    sheet = document.Sheets.getByName(name)
    cells = _cells(sheet, area)
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
    if not _cells(sheet, area).getIsMerged():
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


def apply(document: Any, edits: list[dict[str, Any]], title: str) -> None:
    """Makes all edits as one step of undo; where one fails, none is left."""
    manager = document.getUndoManager()
    manager.enterUndoContext(title)
    document.lockControllers()
    added = [edit["sheet"] for edit in edits if edit["op"] == "add"]
    try:
        for edit in edits:
            if edit["op"] == "value" and edit["sheet"] in added:
                _write_data(document, edit)
            else:
                _EDITS[edit["op"]](document, edit)
    except BaseException:
        manager.leaveUndoContext()
        manager.undo()
        raise
    else:
        manager.leaveUndoContext()
    finally:
        document.unlockControllers()


def _at(document: Any, edit: dict[str, Any]) -> Any:
    return _cells(document.Sheets.getByName(edit["sheet"]), edit["area"])


def _write_data(document: Any, edit: dict[str, Any]) -> None:
    """All at once; Calc does not undo this, but the whole sheet."""
    rows = tuple(tuple("" if value is None else value for value in row) for row in edit["rows"])
    _at(document, edit).setDataArray(rows)


def _write_values(document: Any, edit: dict[str, Any]) -> None:
    cells = _at(document, edit)
    values = [value for row in edit["rows"] for value in row]
    if len(values) >= FEW and not any(isinstance(v, str) and v in ERROR_CODES for v in values):
        _note_for_undo(cells)
        _write_data(document, edit)
        return
    for i, row in enumerate(edit["rows"]):
        for j, value in enumerate(row):
            _write_value(cells.getCellByPosition(j, i), value)


def _write_value(cell: Any, value: Any) -> None:
    if not isinstance(value, str):
        cell.setValue(value)
    elif value in ERROR_CODES:
        cell.setFormula(f"={value}")
    else:
        cell.setString(value)


def _note_for_undo(cells: Any) -> None:
    """Calc undoes what is written over an array formula, and that one, but not what is written all at once to
    blank cells."""
    cells.setArrayFormula("=0")


def _blank(document: Any, edit: dict[str, Any]) -> None:
    _ranges(document, edit).clearContents(VALUE | DATETIME | STRING | FORMULA)


def _write_formulas(document: Any, edit: dict[str, Any]) -> None:
    cells = _at(document, edit)
    _note_for_undo(cells)
    cells.setFormulaArray(tuple(map(tuple, edit["rows"])))


def _write_colours(document: Any, edit: dict[str, Any]) -> None:
    colour = edit["value"]
    _ranges(document, edit).setPropertyValue(_PROPERTIES[edit["op"]], -1 if colour is None else colour)


def _write_formats(document: Any, edit: dict[str, Any]) -> None:
    formats, locale, text = document.getNumberFormats(), Locale(), edit["value"]
    key = 0 if text == "General" else formats.queryKey(text, locale, False)
    _ranges(document, edit).setPropertyValue(
        "NumberFormat", formats.addNew(text, locale) if key == -1 else key
    )


def _ranges(document: Any, edit: dict[str, Any]) -> Any:
    """Several areas of one sheet as one object."""
    sheet = document.Sheets.getByName(edit["sheet"])
    ranges = document.createInstance("com.sun.star.sheet.SheetCellRanges")
    ranges.addRangeAddresses(tuple(_cells(sheet, a).getRangeAddress() for a in edit["areas"]), False)
    return ranges


def _write_notes(document: Any, edit: dict[str, Any]) -> None:
    sheet, (row, column), text = (
        document.Sheets.getByName(edit["sheet"]),
        edit["area"][:2],
        edit["rows"][0][0],
    )
    place = CellAddress()
    place.Sheet, place.Row, place.Column = sheet.getRangeAddress().Sheet, row - 1, column - 1
    sheet.getAnnotations().insertNew(place, text)


def _remove_notes(document: Any, edit: dict[str, Any]) -> None:
    _ranges(document, edit).clearContents(ANNOTATION)


def _link(document: Any, edit: dict[str, Any]) -> None:
    cell = _at(document, edit).getCellByPosition(0, 0)
    cell.setString("")
    field = document.createInstance("com.sun.star.text.TextField.URL")
    field.Representation = edit["text"]
    field.URL = edit["target"].replace("!", ".")
    cell.insertTextContent(cell.createTextCursor(), field, False)


def _add(document: Any, edit: dict[str, Any]) -> None:
    document.Sheets.insertNewByName(edit["sheet"], edit["position"])


def _remove(document: Any, edit: dict[str, Any]) -> None:
    document.Sheets.removeByName(edit["sheet"])


def _show(document: Any, edit: dict[str, Any]) -> None:
    document.Sheets.getByName(edit["sheet"]).IsVisible = edit["visible"]


def _activate(document: Any, edit: dict[str, Any]) -> None:
    document.getCurrentController().setActiveSheet(document.Sheets.getByName(edit["sheet"]))


def _autofit(document: Any, edit: dict[str, Any]) -> None:
    sheet = document.Sheets.getByName(edit["sheet"])
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(True)
    cursor.getColumns().OptimalWidth = True


_EDITS = {
    "value": _write_values,
    "formula": _write_formulas,
    "fill": _write_colours,
    "font": _write_colours,
    "format": _write_formats,
    "note": _write_notes,
    "blank": _blank,
    "unnote": _remove_notes,
    "link": _link,
    "add": _add,
    "remove": _remove,
    "visible": _show,
    "activate": _activate,
    "autofit": _autofit,
}
