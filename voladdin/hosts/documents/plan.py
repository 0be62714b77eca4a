"""A document's edits in as few steps as can be: Calc takes minutes to undo thousands of single cells.

The last write to a cell counts. Colours, formats, blanks and removed notes go by value over many areas,
values by rectangle. What is written to a sheet that the same command adds goes as it came, and is undone with
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

Edit: TypeAlias = dict[str, Any]
Cells: TypeAlias = dict[tuple[int, int], Any]

CELLS = ("value", "fill", "font", "format", "note")  # edits of one attribute, cell by cell
LAST = ("remove", "activate")


def plan(edits: list[Edit]) -> list[Edit]:
    """What `edits.apply` makes of a document's `edits`.

    {"op": "fill", "font" or "format", "sheet", "areas", "value"}, {"op": "blank" or "unnote", "sheet",
    "areas"}, {"op": "value" or "note", "sheet", "area", "rows"}; the others as they were made, removals last.
    """
    added = {edit["sheet"] for edit in edits if edit["op"] == "add"}
    found: dict[tuple[str, str], Cells] = {}
    kept: list[Edit] = []
    for edit in edits:
        key = edit["op"], edit["sheet"]
        if edit["op"] in CELLS and not (edit["op"] == "value" and edit["sheet"] in added):
            found.setdefault(key, {}).update(_each(edit))
            continue
        if edit["op"] in ("link", "formula", "array"):
            for place, _ in _each({"rows": [[edit.get("text")]]} | edit):
                found.get(("value", edit["sheet"]), {}).pop(place, None)
        kept.append(edit)
    made = [step for (op, sheet), cells in found.items() for step in _steps(op, sheet, cells)]
    first = [edit for edit in kept if edit["op"] not in LAST]
    return first + made + [edit for edit in kept if edit["op"] in LAST]


def _each(edit: Edit) -> Iterator[tuple[tuple[int, int], Any]]:
    top, left = edit["area"][:2]
    for i, row in enumerate(edit["rows"], top):
        for j, value in enumerate(row, left):
            yield (i, j), value


def _steps(op: str, sheet: str, cells: Cells) -> Iterator[Edit]:
    """The edits of one attribute on one sheet."""
    if op == "value":
        yield from _contents(sheet, cells)
    elif op == "note":
        gone = [place for place, text in cells.items() if not text]
        if gone:
            yield {"op": "unnote", "sheet": sheet, "areas": rectangles(gone)}
        for place, text in cells.items():
            if text:
                yield {"op": "note", "sheet": sheet, "area": [*place, *place], "rows": [[text]]}
    else:
        for value in dict.fromkeys(cells.values()):
            areas = rectangles([place for place, other in cells.items() if other == value])
            yield {"op": op, "sheet": sheet, "areas": areas, "value": value}


def _contents(sheet: str, cells: Cells) -> Iterator[Edit]:
    blank = [place for place, value in cells.items() if value is None or value == ""]
    if blank:
        yield {"op": "blank", "sheet": sheet, "areas": rectangles(blank)}
    full = list(cells.keys() - set(blank))
    for area in rectangles(full):
        top, left, bottom, right = area
        rows = [[cells[i, j] for j in range(left, right + 1)] for i in range(top, bottom + 1)]
        yield {"op": "value", "sheet": sheet, "area": area, "rows": rows}


def rectangles(places: list[tuple[int, int]]) -> list[list[int]]:
    """Disjoint areas [top, left, bottom, right]: runs in rows, equal ones below each other joined."""
    runs: list[list[int]] = []
    for row, column in sorted(places):
        if runs and runs[-1][2:] == [row, column - 1]:
            runs[-1][3] = column
        else:
            runs.append([row, column, row, column])
    found: list[list[int]] = []
    open_: dict[tuple[int, int], list[int]] = {}
    for run in runs:
        above = open_.get((run[1], run[3]))
        if above is not None and above[2] == run[0] - 1:
            above[2] = run[0]
        else:
            found.append(run)
            open_[run[1], run[3]] = run
    return found
