"""The calls that a document's formulas are, by their text."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voladdin.hosts.libreoffice.inside import discovery
from voladdin.hosts.libreoffice.inside.discovery import discovered

A1_F9 = (None, (0, 0, 0, 5, 8))
NAMES = ("Sheet1", "vols.of 'us", "Ü")


class Sheets:
    """Of formulas, one below the other in the first; the others have none."""

    def __init__(self, *formulas: str) -> None:
        self.formulas = formulas

    def getElementNames(self) -> tuple[str, ...]:
        return NAMES

    def getByIndex(self, index: int) -> Any:
        areas = [SimpleNamespace(StartColumn=7, EndColumn=7, StartRow=0, EndRow=len(self.formulas) - 1)]
        found = SimpleNamespace(getRangeAddresses=lambda: areas if index == 0 else [])
        rows = tuple((formula,) for formula in self.formulas)
        cells = SimpleNamespace(getFormulaArray=lambda: rows)
        return SimpleNamespace(
            queryContentCells=lambda flags: found if flags == 16 else None,
            getCellRangeByPosition=lambda *corners: cells,
        )


def call(formula: str, count: int = 4) -> list[Any] | None:
    found = list(discovered(Sheets(formula), "VOLIMPUTE", count))
    return found[0] if found else None


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=VOLIMPUTE(A1:F9)", [A1_F9]),
        ("{=VOLIMPUTE($A$1:F$9)}", [A1_F9]),
        ("{=ORG.VOLADDIN.CALC.FUNCTIONS.VOLIMPUTE(A1:F9)}", [A1_F9]),
        ('=VOLIMPUTE(A1:F9;"std")', [A1_F9, ("std", None)]),
        ('=VOLIMPUTE( A1:F9 ; "a;b(""c" ; -1.5E-3)', [A1_F9, ('a;b("c', None), (-0.0015, None)]),
        ("=VOLIMPUTE(A1:F9;;;0.5)", [A1_F9, (None, None), (None, None), (0.5, None)]),
        ("=VOLIMPUTE($Sheet1.AA10)", [(None, (0, 26, 9, 26, 9))]),
        ("=VOLIMPUTE($'vols.of ''us'.A1:$'vols.of ''us'.F9)", None),
        ("=VOLIMPUTE($'vols.of ''us'.A1:F9)", [(None, (1, 0, 0, 5, 8))]),
        ("=VOLIMPUTE(Ü.XFD1:XFD1048576)", [(None, (2, 16_383, 0, 16_383, 1_048_575))]),
    ],
)
def test_a_formula_that_is_a_call(formula: str, expected: list[Any] | None) -> None:
    padded = None if expected is None else expected + [(None, None)] * (4 - len(expected))
    assert call(formula) == padded


@pytest.mark.parametrize(
    "formula",
    [
        "=VOLIMPUTE(A1:F9)*2",
        "=SUM(VOLIMPUTE(A1:F9))",
        "=VOLIMPUTE(A1:F9)+VOLIMPUTE(A11:F19)",
        "=VOLIMPUTE(OFFSET(A1;0;0;4;6))",
        "=VOLIMPUTE(A1:F9;B1)",
        "=VOLIMPUTE(A1:F9;TRUE())",
        "=VOLIMPUTE(A1:F9;{1;2})",
        "=VOLIMPUTE(quotes)",
        "=VOLIMPUTE($none.A1:F9)",
        "=VOLIMPUTE(#REF!)",
        "=VOLIMPUTE()",
        "=VOLIMPUTE(A1:F9;1;2;3;4)",
        '="=VOLIMPUTE(A1:F9)"',
        "VOLIMPUTE(A1:F9)",
    ],
)
def test_a_formula_that_is_more_or_less_than_a_call(formula: str) -> None:
    assert call(formula) is None


def test_each_call_once_and_not_of_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    sheets = Sheets(*itertools.repeat("{=VOLIMPUTE(A1:F9)}", 9), "=VOLIMPUTE(A1:F8)", "=VOLINTERP(A1:F9)")
    assert len(list(discovered(sheets, "VOLIMPUTE", 4))) == 2
    monkeypatch.setattr(discovery, "MOST_CELLS", 10)
    assert not list(discovered(sheets, "VOLIMPUTE", 4))


@given(st.text(alphabet="=VOLIMPUTE(){}A1:F9;\"'.$ -0", max_size=40))
def test_any_text_is_a_call_or_none(text: str) -> None:
    found = call("=VOLIMPUTE(" + text)
    assert found is None or (len(found) == 4 and found[0][1] is not None)
