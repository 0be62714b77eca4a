"""The local server's edits of a document of Calc's, made as one step.

Runs inside LibreOffice's own Python (standard library and uno), packed into the .oxt as `voladdin_edits.py`.
"""

from __future__ import annotations

from typing import Any

from com.sun.star.lang import Locale
from com.sun.star.sheet.CellFlags import ANNOTATION, DATETIME, FORMULA, STRING, VALUE
from com.sun.star.table import CellAddress
from voladdin_calc import cell_range  # type: ignore[import-not-found]
from voladdin_drawing import draw_chart, heat, parsed  # type: ignore[import-not-found]
from voladdin_values import ERROR_CODES  # type: ignore[import-not-found]

FEW = 4  # cells that are as well written one by one
_PROPERTIES = {"fill": "CellBackColor", "font": "CharColor"}


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
    return cell_range(document.Sheets.getByName(edit["sheet"]), edit["area"])


def _write_data(document: Any, edit: dict[str, Any]) -> None:
    """All at once; Calc does not undo this, but the whole sheet."""
    rows = tuple(tuple("" if value is None else value for value in row) for row in edit["rows"])
    _at(document, edit).setDataArray(rows)


def _write_values(document: Any, edit: dict[str, Any]) -> None:
    cells = _at(document, edit)
    values = [value for row in edit["rows"] for value in row]
    if len(values) >= FEW and not any(isinstance(v, str) and v in ERROR_CODES for v in values):
        _make_undoable(cells)
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


def _make_undoable(cells: Any) -> None:
    """Calc undoes what is written over an array formula, and that one, but not what is written all at once to
    blank cells."""
    cells.setArrayFormula("=0")


def _blank(document: Any, edit: dict[str, Any]) -> None:
    _ranges(document, edit).clearContents(VALUE | DATETIME | STRING | FORMULA)


def _write_formulas(document: Any, edit: dict[str, Any]) -> None:
    cells = _at(document, edit)
    if all(text.startswith("=ROWS(") for row in edit["rows"] for text in row):
        _make_undoable(cells)
        cells.setFormulaArray(tuple(map(tuple, edit["rows"])))
        return
    for i, row in enumerate(edit["rows"]):
        for j, text in enumerate(row):
            cell = cells.getCellByPosition(j, i)
            cell.setTokens(parsed(document, cell.getCellAddress(), text))


def _write_array(document: Any, edit: dict[str, Any]) -> None:
    cells = _at(document, edit)
    first = cells.getCellByPosition(0, 0).getCellAddress()
    cells.setArrayTokens(parsed(document, first, edit["rows"][0][0]))


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
    ranges.addRangeAddresses(tuple(cell_range(sheet, a).getRangeAddress() for a in edit["areas"]), False)
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
    "array": _write_array,
    "chart": draw_chart,
    "heat": heat,
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
