"""The plan of a document's edits has the effect of the edits, cell by cell, in fewer steps."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voladdin.hosts.documents.plan import plan, rectangles

Sheet = dict[tuple[str, str, int, int], Any]
_VALUES = {
    "value": st.sampled_from([0.1, 2.0, "10P", "#N/A", "", None]),
    "fill": st.sampled_from([None, 255, 65280]),
    "font": st.sampled_from([None, 255]),
    "format": st.sampled_from(["General", "0.0%"]),
    "note": st.sampled_from([None, "±1 bp"]),
}


@st.composite
def edit(draw: st.DrawFn) -> dict[str, Any]:
    op, sheet = draw(st.sampled_from(list(_VALUES))), draw(st.sampled_from(["one", "two", "new"]))
    top, left = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    height, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rows = [[draw(_VALUES[op]) for _ in range(width)] for _ in range(height)]
    return {"op": op, "sheet": sheet, "area": [top, left, top + height - 1, left + width - 1], "rows": rows}


def made(steps: list[dict[str, Any]]) -> Sheet:
    """What the cells hold after the steps, as `edits.apply` makes them."""
    sheet: Sheet = {}
    for step in steps:
        name = {"blank": "value", "unnote": "note"}.get(step["op"], step["op"])
        areas = step.get("areas") or [step.get("area")]
        for area in areas if areas != [None] else []:
            top, left, bottom, right = area
            for i in range(top, bottom + 1):
                for j in range(left, right + 1):
                    given = step["rows"][i - top][j - left] if "rows" in step else step.get("value")
                    sheet[step["sheet"], name, i, j] = None if given == "" else given
    return sheet


@given(st.lists(edit(), max_size=12))
def test_a_plan_does_what_the_edits_do(edits: list[dict[str, Any]]) -> None:
    every = [{"op": "add", "sheet": "new", "position": 1}, *edits, {"op": "remove", "sheet": "gone"}]
    steps = plan(every)
    assert made(steps) == made(every)
    assert steps[0] == every[0] and steps[-1] == every[-1]
    values = [step for step in steps if step["op"] == "value" and step["sheet"] != "new"]
    assert all(cell not in (None, "") for step in values for row in step["rows"] for cell in row)


@given(st.sets(st.tuples(st.integers(1, 6), st.integers(1, 6))))
def test_rectangles_hold_every_cell_once(places: set[tuple[int, int]]) -> None:
    found = [
        (i, j)
        for top, left, bottom, right in rectangles(list(places))
        for i in range(top, bottom + 1)
        for j in range(left, right + 1)
    ]
    assert sorted(found) == sorted(places)


def test_a_full_block_is_one_rectangle() -> None:
    assert rectangles([(i, j) for i in range(2, 9) for j in range(3, 6)]) == [[2, 3, 8, 5]]
