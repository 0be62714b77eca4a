"""Formulas made ready for the engine, what they read, and the index of what covers what."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

from voladdin.errors import InputError
from voladdin.xlsx.boxes import Boxes
from voladdin.xlsx.formula import Prepared, Spilled, Used, calls, prepare
from voladdin.xlsx.names import BookNames, UnsupportedError
from voladdin.xlsx.package import Package
from voladdin.xlsx.references import Box, SheetRange, area, box_of

OURS = {"VOLIMPUTE": [0, 2], "VOLINFO": []}


@pytest.fixture(scope="module")
def names() -> BookNames:
    made = Workbook()
    made.worksheets[0].title = "It's"
    other = made.create_sheet("Other")
    for row in (["Tenor", "Bid", "As [k]"], ["1M", 1, 2], ["3M", 3, 4], ["sum", 4, 6]):
        other.append(row)
    table = Table(displayName="Quotes", ref="A1:C4", totalsRowCount=1)
    other.add_table(table)
    made.defined_names["Rate"] = DefinedName("Rate", attr_text="0.05")
    made.defined_names["Surf"] = DefinedName("Surf", attr_text="Other!$A$1:$C$3")
    other.defined_names["Loc"] = DefinedName("Loc", attr_text="Other!$B$2")
    file = io.BytesIO()
    made.save(file)
    return BookNames(Package(file.getvalue()))


def prepared(formula: str, names: BookNames, row: int = 2) -> Prepared:
    return prepare(formula, names, OURS, "Other", (row, 7))


def text(found: Prepared) -> str:
    return "".join(p if isinstance(p, str) else f"<{type(p).__name__} {p.place.text}>" for p in found.pieces)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=VOLIMPUTE(A1:C3,,,)", 'VOLIMPUTE(\'Other\'!$A$1:$C$3,"","","")'),
        ("=VOLIMPUTE( )", "VOLIMPUTE()"),
        ("=IF(A1,,2)", "IF('Other'!$A$1,,2)"),
        ("=[1]!volimpute('It''s'!b2)", "VOLIMPUTE('It''s'!$B$2)"),
        ("=_xll.VOLIMPUTE(+A1)", "VOLIMPUTE(+'Other'!$A$1)"),
        ("='C:\\x y\\v.xlam'!VOLIMPUTE(1E-3%)", "VOLIMPUTE(1E-3%)"),
        ('="K="&"a""b"&A1', '"K="&"a""b"&\'Other\'!$A$1'),
        ("=SUM(A1 : B2:D1)", "SUM('Other'!$A$1:$D$2)"),
        ("=A1:INDEX(A:A,3)", "'Other'!$A$1:INDEX('Other'!$A:$A,3)"),
        ("=VOLIMPUTE(A:C,A:C)", "VOLIMPUTE(<Used 'Other'!$A:$C>,<Used 'Other'!$A:$C>)"),
        ("=SUM(1:3,A1:XFC1048575)", "SUM('Other'!$1:$3,'Other'!$A$1:$XFC$1048575)"),
        ("=Rate*2", "(0.05)*2"),
        ("=VOLIMPUTE(surf)", "VOLIMPUTE(('Other'!$A$1:$C$3))"),
        ("=Loc+Surf:E9", "('Other'!$B$2)+('Other'!$A$1:$C$3):'Other'!$E$9"),
        ("=_xlfn.SINGLE(A1:A3)", "@('Other'!$A$1:$A$3)"),
        ("=_xlfn.ANCHORARRAY(D3)+F4#", "<Spilled 'Other'!$D$3>+<Spilled 'Other'!$F$4>"),
        ("=LET(rate,Rate,surf,rate+1,surf*rate)", "LET(rate,(0.05),surf,rate+1,surf*rate)"),
        ("=LAMBDA(a1x,a1x+Rate)(2)", "LAMBDA(a1x,a1x+(0.05))(2)"),
        ("=Nowhere+1", "#NAME?+1"),
        ("=Nosheet!A1", "#REF!"),
        ("=F({1,-2;TRUE,#N/A},A1)", "F({1,-2;TRUE,#N/A},'Other'!$A$1)"),
        # tables
        ("=SUM(Quotes[Bid])", "SUM('Other'!$B$2:$B$3)"),
        ("=SUM(quotes[As '[k']])", "SUM('Other'!$C$2:$C$3)"),
        ("=Quotes[@Bid]", "'Other'!$B$2"),
        ("=Quotes[[#This Row],[Bid]:[As '[k']]]", "'Other'!$B$2:$C$2"),
        ("=Quotes[]", "'Other'!$A$2:$C$3"),
        ("=Quotes[#Totals]", "'Other'!$A$4:$C$4"),
        ("=Quotes[[#Headers],[#Data],[Bid]]", "'Other'!$B$1:$B$3"),
        ("=Quotes[#All]", "'Other'!$A$1:$C$4"),
        ("=SUM(Quotes)", "SUM('Other'!$A$2:$C$3)"),
        (
            "=VOLIMPUTE(Quotes,Quotes,quotes)",
            "VOLIMPUTE('Other'!$A$1:$C$3,'Other'!$A$2:$C$3,'Other'!$A$1:$C$3)",
        ),
    ],
)
def test_a_formula_as_the_engine_takes_it(formula: str, expected: str, names: BookNames) -> None:
    found = prepared(formula, names)
    assert text(found) == expected
    for place in found.places:
        assert place.text in expected or place.box == Box(5, 9, 5, 9) or "D$2" in expected


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("=Quotes[Nowhere]", "no column 'Nowhere'; expected one of Tenor, Bid"),
        ("=Quotes[[Tenor],[As '[k']]]", "neighbouring"),
        ("=Quotes[[#Headers],[#Totals]]", "names no cells"),
        ("=Quotes[#Nothing]", "#nothing"),
        ("=Elsewhere[Bid]", "Elsewhere"),
        ("=Other:It!A1", "'Other:It'"),
        ("=[3]Other!A1", "[3]Other"),
        ("=(A1,B1)", "union"),
        ("=A1:B2 B1", "intersection"),
        ("=A1#:B2#", "supported|one cell"),
        ("=A1:B2#", "one cell"),
        ('="', "cannot be read"),
    ],
)
def test_what_only_a_spreadsheet_program_reads_is_named(formula: str, message: str, names: BookNames) -> None:
    try:
        found = prepared(formula, names)
    except InputError as error:
        said = str(error)
    else:
        said = "; ".join([*found.problems, "supported" if formula == "=A1#:B2#" else ""])
    assert any(part in said for part in message.split("|")), said


def test_a_row_outside_the_table_has_no_this_row(names: BookNames) -> None:
    with pytest.raises(UnsupportedError, match="#this row"):
        prepared("=Quotes[@Bid]", names, row=9)


def test_moving_calls_are_found_from_the_innermost(names: BookNames) -> None:
    found = prepared('=SUM(OFFSET(INDIRECT("A1"),1,1),Rate)', names)
    shown = [text(Prepared(found.pieces[call.start : call.end])) for call in found.moving]
    assert shown == ['INDIRECT("A1")', 'OFFSET(INDIRECT("A1"),1,1)']
    assert found.functions == {"SUM", "OFFSET", "INDIRECT"}


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="VOLIMPUTE(),;{}\"A1:$!%+-*#&@[]. 'Qsurf", max_size=24))
def test_any_text_is_read_or_refused(names: BookNames, formula: str) -> None:
    calls("=" + formula, OURS)
    try:
        found = prepared("=" + formula, names)
    except InputError:
        return
    assert all(isinstance(piece, str | Spilled | Used) for piece in found.pieces)


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("=volimpute (A1)", True),
        ('="VOLIMPUTE(A1)"', False),
        ("=MYVOLIMPUTE(A1)", False),
        ("=x.VOLIMPUTE(A1)", False),
        ("=1+_xlfn._xll.VOLIMPUTE(A1)", True),
        ("=VOLIMPUTE+1", False),
    ],
)
def test_a_call_is_told_from_a_word(formula: str, found: bool) -> None:
    assert calls(formula, OURS) == found


boxes = st.tuples(*[st.integers(1, 12)] * 4).map(
    lambda n: Box(min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
)


@given(st.lists(boxes, max_size=20), st.data())
def test_the_index_finds_what_a_search_of_all_finds(held: list[Box], data: Any) -> None:
    index: Boxes[int] = Boxes()
    for key, box in enumerate(held):
        index.add("S", box, key, key)
    gone = data.draw(st.sets(st.sampled_from(range(len(held))))) if held else set()
    for key in gone:
        index.remove("S", held[key], key)
    asked = data.draw(boxes)
    expected = {key for key, box in enumerate(held) if key not in gone and box.meets(asked)}
    assert set(index.meeting(SheetRange("S", asked))) == expected
    assert (index.first(SheetRange("S", asked)) is None) == (not expected)
    assert set(index.meeting(SheetRange("T", asked))) == set()


@given(boxes)
def test_a_reference_is_read_as_it_is_written(box: Box) -> None:
    assert box_of(area(box)) == box
    assert box_of(SheetRange("S", box).text.split("!")[1]) == box


@pytest.mark.parametrize(
    "text_", ["", "A0", "A1048577", "XFE1", "A", "1", "A1:", "A1:B", "AAAA1", "A1:B2:C3"]
)
def test_what_is_no_reference(text_: str) -> None:
    assert box_of(text_) is None
