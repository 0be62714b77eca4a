"""Many calls at once: the results of `evaluate`, which then knows them, and nothing recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voladdin import journal
from voladdin.cells import Cells
from voladdin.errors import VoladdinError
from voladdin.worksheet import impute, registry, together
from voladdin.worksheet.registry import evaluate

HEAD = ["", "25P", "ATM", "25C"]


def grid(level: float, shift: float = 0.0) -> Cells:
    return [
        list(HEAD),
        ["1M", level + 0.004, level + shift, None],
        ["3M", None, level + 0.002, level + 0.005],
        ["1Y", level + 0.006, None, level + 0.007],
    ]


CALLS: list[tuple[str, list[Any]]] = [
    *(("VOLIMPUTE", [grid(0.08 + 0.001 * n)]) for n in range(6)),
    ("volimpute", [grid(0.08), "std"]),
    ("VOLIMPUTE", [grid(0.081), "suspects"]),
    ("VOLIMPUTE", [grid(0.09), None, grid(0.085)]),
    ("VOLIMPUTE", [grid(0.1, 0.3)]),  # its ATM is improbable
    ("VOLIMPUTE", [[row[1:] for row in grid(0.1)], None, None, [["1W"], ["1M"], ["1Y"], ["2Y"]]]),
    ("VOLIMPUTE", [grid(0.08), "sdt"]),
    ("VOLIMPUTE", [[["x"]]]),
    ("VOLCHECK", [grid(0.08)]),
    ("VOLNONE", [grid(0.08)]),
    ("VOLIMPUTE", []),
]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    registry.clear_cache()
    journal.forget()


def close(found: Cells, expected: Cells) -> bool:
    return [
        [cell if not isinstance(cell, float) else pytest.approx(cell, rel=0, abs=1e-9) for cell in row]
        for row in expected
    ] == found


def outcome(name: str, arguments: list[Any]) -> Cells | None:
    try:
        return evaluate(name, arguments)
    except VoladdinError:
        return None


def test_calls_give_what_evaluate_gives() -> None:
    found = together.evaluate_together(CALLS)
    registry.clear_cache()
    for call, one in zip(CALLS, found, strict=True):
        journal.forget()
        expected = outcome(*call)
        if one is None:
            assert expected is None or call[0] == "VOLCHECK", call
        else:
            assert expected is not None and close(one.cells, expected), call
            assert one.noted == bool(journal.entries("")), call
    assert [one is None for one in found] == [False] * 10 + [True] * 6
    assert {one.noted for one in found if one} == {True, False}


def test_evaluate_then_knows_the_results_and_alone_records_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = together.evaluate_together(CALLS)
    assert not journal.entries("")
    monkeypatch.setattr(impute, "answer", None)
    for call, one in zip(CALLS, found, strict=True):
        if one is not None:
            journal.forget()
            assert evaluate(*call) == one.cells
            assert one.noted == bool(journal.entries(""))


def test_what_is_known_is_not_imputed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [evaluate(*call) for call in CALLS[:6]]
    asked: list[int] = []
    monkeypatch.setattr(together, "imputed_together", lambda questions: asked.append(len(questions)) or [])
    assert [one.cells for one in together.evaluate_together(CALLS[:6]) if one] == known
    assert asked == [0]


def test_nobody_can_change_what_is_kept() -> None:
    [one] = together.evaluate_together(CALLS[:1])
    assert one is not None
    one.cells[0][0] = "changed"
    assert evaluate(*CALLS[0])[0][0] == ""


def test_a_defect_is_left_to_evaluate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impute, "_values", lambda *_: np.zeros(0)[1])
    assert together.evaluate_together(CALLS[:2]) == [None, None]
    with pytest.raises(VoladdinError, match="this is a defect"):
        evaluate(*CALLS[0])
