"""A command's edits made in Excel, in few calls; where Excel refuses one, those before it are taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeAlias

from voladdin.cells import is_missing
from voladdin.errors import InputError
from voladdin.hosts.documents.document import Area, holds, places
from voladdin.hosts.documents.notation import excel_formula
from voladdin.hosts.documents.plan import rectangles
from voladdin.worksheet.wire import escaped

from .chart_objects import draw, heat
from .looks import paint
from .names import ADDIN, NOTES
from .open_book import ERRORS, OpenDocument, OpenSheet, address

Edit: TypeAlias = dict[str, Any]
LONGEST = 250  # characters of an address of several areas
_TOGETHER = ("value", "formula", "note")


def apply(document: OpenDocument) -> None:
    """Makes the document's edits in its workbook. Raises InputError, and then the workbook is as it was."""
    writer = _Writer(document)
    done: list[Edit] = []
    try:
        for edit in _joined(document):
            done.append(edit)
            _EDITS[edit["op"]](writer, edit)
    except Exception as error:
        for edit in reversed(done):
            with suppress(Exception):
                writer.take_back(edit)
        raise InputError(
            f"{document.name} cannot be changed: {_why(document, error)}; expected cells that are neither "
            "protected nor merged"
        ) from error


def _why(document: OpenDocument, error: Exception) -> str:
    """What keeps Excel from a change, asked of it afterwards."""
    if document.com.MultiUserEditing:
        return f"the workbook is shared, which Excel changes in part only ({error})"
    return "the workbook's structure is protected" if document.com.ProtectStructure else str(error)


def _joined(document: OpenDocument) -> Iterator[Edit]:
    """The edits, those of neighbours on one sheet as one edit of "cells"."""
    own = {sheet.name for sheet in document.opened}
    for (op, sheet), same in groupby(document.plan(), lambda edit: (_kind(edit, own), edit["sheet"])):
        if op not in _TOGETHER:
            yield from same
            continue
        cells: dict[tuple[int, int], Any] = {}
        for edit in same:
            change: Callable[[Any], Any] = _ENTERED[edit["op"]]
            top, left = edit["area"][:2]
            for i, row in enumerate(edit["rows"], top):
                cells |= {(i, j): change(value) for j, value in enumerate(row, left)}
        yield {"op": op, "sheet": sheet, "cells": cells}


def _kind(edit: Edit, own: set[str]) -> str:
    """Of an edit: values and formulas of a sheet that is added are entered alike."""
    fresh = edit["op"] == "value" and edit["sheet"] not in own
    return "formula" if fresh else str(edit["op"])


class _Writer:
    """The sheets of a workbook, those that are added included."""

    def __init__(self, document: OpenDocument) -> None:
        self.document = document
        self.opened = {sheet.name: sheet for sheet in document.opened}
        self.sheets = {name: sheet.com for name, sheet in self.opened.items()}
        self._ranges: dict[tuple[str, str], Any] = {}

    def range(self, sheet: str, where: str) -> Any:
        """Excel's range at an address."""
        if (sheet, where) not in self._ranges:
            self._ranges[sheet, where] = self.sheets[sheet].Range(where)
        return self._ranges[sheet, where]

    def ranges(self, edit: Edit) -> Iterator[Any]:
        """The edit's areas in as few ranges as addresses allow."""
        text = ""
        for part in map(address, edit["areas"]):
            if text and len(text) + len(part) >= LONGEST:
                yield self.range(edit["sheet"], text)
                text = ""
            text += f",{part}" if text else part
        yield self.range(edit["sheet"], text)

    def add(self, edit: Edit) -> None:
        """A sheet; none where Excel refuses its name."""
        there, last = list(self.sheets.values()), edit["position"] >= len(self.sheets)
        neighbour = there[-1] if last else there[edit["position"]]
        made = self.document.worksheets.Add(Before=neighbour)
        try:
            made.Name = edit["sheet"]
        except Exception:
            self._delete(made)
            raise
        self.sheets[edit["sheet"]] = made
        if last:
            neighbour.Move(Before=made)

    def remove(self, edit: Edit) -> None:
        """One that Excel keeps is blank."""
        sheet = self.sheets.pop(edit["sheet"])
        try:
            self._delete(sheet)
        except Exception:
            sheet.UsedRange.ClearContents()

    def _delete(self, sheet: Any) -> None:
        application = self.document.application
        alerts, application.DisplayAlerts = application.DisplayAlerts, False
        try:
            sheet.Delete()
        finally:
            application.DisplayAlerts = alerts

    def take_back(self, edit: Edit) -> None:
        """What an edit may have done, by what was read before."""
        name, sheet = edit["sheet"], self.opened.get(edit["sheet"])
        if edit["op"] == "add":
            self._delete(self.sheets.pop(name))
        elif sheet is not None:
            found = edit.get("cells") or [p for a in edit.get("areas", [edit.get("area")]) for p in places(a)]
            for place in found:
                _restore(sheet, self.range(name, address((*place, *place))), place, edit["op"])


def _restore(sheet: OpenSheet, cell: Any, place: tuple[int, int], op: str) -> None:
    before = sheet.before.get(place, {})
    if op in ("fill", "font"):
        paint(cell, op, before.get(op))
    elif op == "format":
        cell.NumberFormat = before.get(op, "General")
    elif op in ("note", "unnote"):
        cell.ClearComments()
        if "note" in before:
            cell.AddComment(before["note"])
    elif _is_formula(before):
        _enter(cell, excel_formula(before["formula"]))
    else:
        cell.Value = _with_text_mark(before.get("value"))


def _write_values(writer: _Writer, edit: Edit) -> None:
    """In one block where what lies between are numbers, else a run at a time."""
    parts = _areas(edit)
    if len(parts) == 1 or not _write_block(writer, edit, parts):
        for part in parts:
            writer.range(edit["sheet"], address(part)).Value = _block(edit["cells"], part)


def _write_block(writer: _Writer, edit: Edit, parts: list[Area]) -> bool:
    tops, lefts, bottoms, rights = zip(*parts, strict=True)
    area = min(tops), min(lefts), max(bottoms), max(rights)
    sheet, cells = writer.opened[edit["sheet"]], edit["cells"]
    if not any(holds(known, area) for known in sheet.blocks):
        return False
    rows = [list(row) for row in sheet.range(area).Value2]  # in which no number is rounded
    for i, j in places(area):
        before, now = sheet.before.get((i, j), {}), rows[i - area[0]][j - area[1]]
        if (i, j) in cells:
            rows[i - area[0]][j - area[1]] = cells[i, j]
        elif now != before.get("value") or not isinstance(now, (float, type(None))) or _is_formula(before):
            return False
    sheet.range(area).Value2 = rows
    return True


def _areas(edit: Edit) -> list[Area]:
    return [(top, left, bottom, right) for top, left, bottom, right in rectangles(list(edit["cells"]))]


def _is_formula(before: dict[str, Any]) -> bool:
    return str(before.get("formula", "")).startswith("=")


def _block(cells: dict[tuple[int, int], Any], area: Area) -> list[list[Any]]:
    return [[cells.get((i, j)) for j in range(area[1], area[3] + 1)] for i in range(area[0], area[2] + 1)]


def _write_formulas(writer: _Writer, edit: Edit) -> None:
    """A sheet that is added is blank, so what lies between may be written as well."""
    parts = _areas(edit)
    if edit["sheet"] not in writer.opened:
        tops, lefts, bottoms, rights = zip(*parts, strict=True)
        parts = [(min(tops), min(lefts), max(bottoms), max(rights))]
    for part in parts:
        _enter(writer.range(edit["sheet"], address(part)), _block(edit["cells"], part))


def _enter(cells: Any, formula: Any) -> None:
    """As it spills, where Excel's formulas do."""
    try:
        cells.Formula2 = formula
    except AttributeError:  # before Excel 2021
        cells.Formula = formula


def _with_text_mark(value: Any) -> Any:
    """A value as Excel is given it: without the mark 1/4 would be a date, a text with = a formula."""
    if not isinstance(value, str) or value in ERRORS.values() or is_missing(value):
        return value
    return f"'{value}"


def _colours(writer: _Writer, edit: Edit) -> None:
    for cells in writer.ranges(edit):
        paint(cells, edit["op"], edit["value"])


def _formats(writer: _Writer, edit: Edit) -> None:
    for cells in writer.ranges(edit):
        cells.NumberFormat = edit["value"]


def _notes(writer: _Writer, edit: Edit) -> None:
    """All by the add-in's VBA, where that is open; else each from here."""
    notes = {address((*place, *place)): text for place, text in edit["cells"].items()}
    sheet = writer.sheets[edit["sheet"]]
    try:
        said = "\n".join(map(escaped, notes.values()))
        writer.document.application.Run(f"'{ADDIN}'!{NOTES}", sheet, "\n".join(notes), said)
    except Exception:
        for where, text in notes.items():
            cell = writer.range(edit["sheet"], where)
            cell.ClearComments()
            cell.AddComment(text)


def _blank(writer: _Writer, edit: Edit) -> None:
    for cells in writer.ranges(edit):
        cells.ClearContents()


def _unnote(writer: _Writer, edit: Edit) -> None:
    for cells in writer.ranges(edit):
        cells.ClearComments()


def _array(writer: _Writer, edit: Edit) -> None:
    writer.range(edit["sheet"], address(edit["area"])).FormulaArray = edit["rows"][0][0]


def _link(writer: _Writer, edit: Edit) -> None:
    cell = writer.range(edit["sheet"], address(edit["area"]))
    cell.Hyperlinks.Add(Anchor=cell, Address=edit["target"]).TextToDisplay = edit["text"]


def _show(writer: _Writer, edit: Edit) -> None:
    writer.sheets[edit["sheet"]].Visible = edit["visible"]


def _activate(writer: _Writer, edit: Edit) -> None:
    writer.sheets[edit["sheet"]].Activate()


def _autofit(writer: _Writer, edit: Edit) -> None:
    writer.sheets[edit["sheet"]].UsedRange.Columns.AutoFit()


_ENTERED: dict[str, Callable[[Any], Any]] = {"value": _with_text_mark, "formula": excel_formula, "note": str}
_EDITS: dict[str, Callable[[_Writer, Edit], None]] = {
    "value": _write_values,
    "formula": _write_formulas,
    "array": _array,
    "chart": lambda writer, edit: draw(writer.sheets[edit["sheet"]], edit),
    "heat": lambda writer, edit: heat(writer.range(edit["sheet"], address(edit["area"]))),
    "fill": _colours,
    "font": _colours,
    "format": _formats,
    "note": _notes,
    "blank": _blank,
    "unnote": _unnote,
    "link": _link,
    "add": _Writer.add,
    "remove": _Writer.remove,
    "visible": _show,
    "activate": _activate,
    "autofit": _autofit,
}
