"""Books in memory, as Calc would send them, and what they hold after a command."""

from __future__ import annotations

import json
from typing import Any

from voladdin.home import VERSION
from voladdin.hosts.documents.document import DEFAULTS, Area, Document
from voladdin.hosts.documents.notation import calc_formula, corners, excel_formula

ROWS, COLUMNS = 1_048_576, 16_384
Cells = dict[str, list[list[Any]]]


def area(place: str) -> Area:
    """Of an address such as B2:F9."""
    return corners(place)


def sent(
    sheets: dict[str, Cells],
    select: str = "A1",
    *,
    looks: dict[str, dict[str, Any]] | None = None,
    protected: bool = False,
    structure: bool = False,
    areas: list[str] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The book and the blocks of all its cells: rows of cells by corner and sheet, the first one active.

    A text with = is a formula, whose value is unknown. looks: attributes by address on the first sheet, such
    as {"B2": {"fill": 255}}. areas: several selected areas in place of `select`.
    """
    cells = {name: _cells(placed) for name, placed in sheets.items()}
    first = next(iter(sheets))
    for place, attributes in (looks or {}).items():
        top, left, bottom, right = area(place)
        for i in range(top, bottom + 1):
            for j in range(left, right + 1):
                cells[first].setdefault((i, j), {}).update(attributes)
    chosen = [area(place) for place in ([select] if areas is None else areas)]
    book = {
        "name": "book.ods",
        "sheets": [
            {"name": name, "visible": True, "protected": protected, "used": _used(found)}
            for name, found in cells.items()
        ],
        "active": first,
        "selection": chosen,
        "region": region(cells[first], chosen[0]) if chosen else [1, 1, 1, 1],
        "rows": ROWS,
        "columns": COLUMNS,
        "protected": structure,
        "extension": VERSION,
    }
    return json.loads(json.dumps([book, [_block(name, found) for name, found in cells.items()]]))


def opened(sheets: dict[str, Cells], select: str = "A1", **options: Any) -> Document:
    """`sent`, as a document that holds every cell."""
    document = Document(*sent(sheets, select, **options))
    for sheet in document.sheets:
        sheet.known.append((1, 1, ROWS, COLUMNS))
    return document


def reopened(document: Document, select: str) -> Document:
    """After saving as .xlsx, with its 15 digits, and opening again; the first sheet is active."""
    again = opened({sheet.name: {} for sheet in document.sheets}, select)
    for old, new in zip(document.sheets, again.sheets, strict=True):
        new.visible, new.used = old.visible, old.used
        new.cells = {place: {k: _saved(v) for k, v in cell.items()} for place, cell in old.cells.items()}
    again.region = tuple(region(again.sheets[0].cells, again.selection[0]))  # type: ignore[assignment]
    return again


def state(document: Document) -> dict[str, dict[tuple[int, int], dict[str, Any]]]:
    """All that differs from a blank cell, by sheet."""
    found = {}
    for sheet in document.sheets:
        cells = {
            place: {name: value for name, value in cell.items() if value != DEFAULTS[name]}
            for place, cell in sheet.cells.items()
        }
        found[sheet.name] = {place: cell for place, cell in cells.items() if cell}
    return found


def values(document: Document, place: str, sheet: str | None = None) -> list[list[Any]]:
    """Of the cells at an address, on the first sheet unless told."""
    return attribute(document, place, "value", sheet)


def attribute(document: Document, place: str, name: str, sheet: str | None = None) -> list[list[Any]]:
    return document.get(sheet or document.sheets[0].name, area(place), name)


def region(cells: dict[tuple[int, int], dict[str, Any]], selected: Area) -> list[int]:
    """Excel's current region of the first cell: grown while a neighbour, diagonals too, is not blank."""
    top, left, bottom, right = selected[0], selected[1], selected[0], selected[1]
    full = [place for place, cell in cells.items() if cell.get("formula") not in (None, "")]
    while True:
        near = [p for p in full if top - 1 <= p[0] <= bottom + 1 and left - 1 <= p[1] <= right + 1]
        rows, columns = [p[0] for p in near] + [top, bottom], [p[1] for p in near] + [left, right]
        grown = min(rows), min(columns), max(rows), max(columns)
        if grown == (top, left, bottom, right):
            return list(grown)
        top, left, bottom, right = grown


def _cells(placed: Cells) -> dict[tuple[int, int], dict[str, Any]]:
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for corner, rows in placed.items():
        top, left, _, _ = area(corner)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if value is None:
                    continue
                formula = isinstance(value, str) and value.startswith("=")
                found[top + i, left + j] = {
                    "value": "#N/A" if value == "=NA()" else 0.1 if formula else value,
                    "formula": calc_formula(str(value)),
                }
    return found


def _used(cells: dict[tuple[int, int], Any]) -> list[int]:
    rows, columns = [i for i, _ in cells] or [1], [j for _, j in cells] or [1]
    return [min(rows), min(columns), max(rows), max(columns)]


def _block(name: str, cells: dict[tuple[int, int], dict[str, Any]]) -> dict[str, Any]:
    top, left, bottom, right = _used(cells)
    places = [[(i, j) for j in range(left, right + 1)] for i in range(top, bottom + 1)]

    def rows(attribute: str) -> list[list[Any]]:
        return [[cells.get(p, {}).get(attribute, DEFAULTS[attribute]) for p in row] for row in places]

    formats = [
        {"areas": [[*p, *p]], **{k: cell.get(k, DEFAULTS[k]) for k in ("fill", "font", "format")}}
        for p, cell in cells.items()
    ]
    return {
        "sheet": name,
        "area": [top, left, bottom, right],
        "values": rows("value"),
        "formulas": rows("formula"),
        "formats": formats,
        "merged": [[*p, *p] for p, cell in cells.items() if cell.get("merged")],
        "notes": [[*p, cell["note"]] for p, cell in cells.items() if cell.get("note")],
    }


def _saved(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.15g}")
    return calc_formula(excel_formula(value)) if isinstance(value, str) else value
