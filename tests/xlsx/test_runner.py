"""The workbook runner: real .xlsx files, the worksheet functions replaced by ones that show what they got."""

from __future__ import annotations

import datetime
import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

from voladdin.errors import BundleError, InfeasibleError, InputError
from voladdin.worksheet import registry
from voladdin.xlsx.runner import Report, run
from voladdin.xlsx.sheet import Sheet

GRID: list[list[Any]] = [["", "25P", "ATM"], ["1M", 0.1, None], ["1Y", None, 0.2]]
FILLED = [(None, "25P", "ATM"), ("1M", 0.1, 0.5), ("1Y", 0.5, 0.2)]


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """VOLIMPUTE fills with 0.5; VOLINTERP gives 0.25; VOLINFO what its argument asks for."""
    arguments_seen: list[Any] = []

    def evaluate(name: str, arguments: list[Any], *_: Any) -> Any:
        arguments_seen.append(arguments)
        if name == "VOLINTERP":
            return [[0.25]]
        if name == "VOLINFO":
            return info(arguments[0] if arguments else None)
        surface = arguments[0]
        if not isinstance(surface, list):
            raise InputError(f"surface is {surface!r}; expected a range")
        return [[0.5 if c is None and i and j else (c if c is not None else "") for j, c in enumerate(row)]
                for i, row in enumerate(surface)]  # fmt: skip

    def info(topic: Any) -> Any:
        if topic == "absent":
            raise BundleError("model 'x' is not installed")
        if topic == "unsolvable":
            raise InfeasibleError("no smile")
        return {
            "row": [[1.0, 2.0, 3.0]],
            "column": [[1.0], [2.0]],
            "odd": [["<a&b>", True, float("nan"), None]],
        }.get(topic, [["info"]])

    monkeypatch.setattr(registry, "evaluate", evaluate)
    return arguments_seen


def book(**cells: Any) -> Workbook:
    """One sheet "Desk" with GRID at A1, and what is given."""
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = "Desk"
    for row in GRID:
        sheet.append([cell if cell != "" else None for cell in row])
    for place, value in cells.items():
        sheet[place] = value
    return made


def filled(made: Workbook, folder: Path) -> tuple[Report, Any]:
    """The run's report, and its output's stored values."""
    made.save(folder / "book.xlsx")
    report = run(folder / "book.xlsx", folder / "filled.xlsx")
    return report, load_workbook(folder / "filled.xlsx", data_only=True)


def values(loaded: Any, cells: str, sheet: str = "Desk") -> list[Any]:
    return [tuple(cell.value for cell in row) for row in loaded[sheet][cells]]


def formula_of(folder: Path, place: str, sheet: str = "Desk") -> Any:
    return load_workbook(folder / "filled.xlsx")[sheet][place].value


@pytest.mark.parametrize(
    "formula",
    [
        "=VOLIMPUTE(A1:C3)",
        "=volimpute( $A$1:$C$3 )",
        "=+VOLIMPUTE(A1:C3,,)",
        "=[1]!VOLIMPUTE(A1:C3)",
        "='C:\\add ins\\voladdin.xlam'!VOLIMPUTE(A1:C3)",
        "=voladdin.xlam!VOLIMPUTE(A1:C3)",
        "=_xll.VOLIMPUTE(Desk!A1:C3)",
        "=_xlfn.VOLIMPUTE('Desk'!A1:C3)",
        "=VOLIMPUTE(grid)",
        "=VOLIMPUTE(GRID_TOO)",
        "=VOLIMPUTE(VOLIMPUTE(A1:C3))",
        "=VOLIMPUTE((A1:C3))",
        '=VOLIMPUTE({"","25P","ATM";"1M",0.1,0.5;"1Y",50%,0.2})',
    ],
)
def test_every_way_to_write_the_call(formula: str, tmp_path: Path) -> None:
    made = book(F5=formula)
    made.defined_names["grid"] = DefinedName("grid", attr_text="Desk!$A$1:$C$3")
    made.worksheets[0].defined_names["grid_too"] = DefinedName("grid_too", attr_text="grid")
    report, loaded = filled(made, tmp_path)
    assert [outcome.status for outcome in report.outcomes] == ["ok"], report
    assert not report.failed
    assert values(loaded, "F5:H7") == FILLED
    assert formula_of(tmp_path, "F5").text == formula
    assert formula_of(tmp_path, "F5").ref == "F5:H7"


def test_arguments_arrive_as_cells(seen: list[Any], tmp_path: Path) -> None:
    made = book(
        A9=datetime.date(2026, 3, 20),
        B9=7,
        C9=True,
        D9="#N/A",
        F5='=VOLIMPUTE(A9:D9,"a""b",,-25%,TRUE,#N/A,1E-3)',
    )
    filled(made, tmp_path)
    assert seen == [[[[46101.0, 7.0, True, "#N/A"]], 'a"b', None, -0.25, True, "#N/A", 0.001]]


def test_other_sheets_tables_and_whole_columns(seen: list[Any], tmp_path: Path) -> None:
    made = book(F5="=VOLINTERP('It''s, other'!A1:B2,Quotes,Quotes[#All],'It''s, other'!A:B)")
    other = made.create_sheet("It's, other")
    for row in (["h1", "h2"], [1, 2]):
        other.append(row)
    other.add_table(Table(displayName="Quotes", ref="A1:B2"))
    filled(made, tmp_path)
    whole = [["h1", "h2"], [1.0, 2.0]]
    assert seen == [[whole, [[1.0, 2.0]], whole, whole]]


def test_an_array_formula_fills_its_range(tmp_path: Path) -> None:
    made = book(
        F1=ArrayFormula("F1:I4", "=VOLIMPUTE(A1:C3)"),
        F6=ArrayFormula("F6:G6", "=VOLIMPUTE(A1:C3)"),
        K1=ArrayFormula("K1:M2", '=VOLINFO("row")'),
        K4=ArrayFormula("K4:L6", '=VOLINFO("column")'),
        K8=ArrayFormula("K8:L9", "=VOLINTERP(A1:C3,1,2)"),
    )
    report, loaded = filled(made, tmp_path)
    assert not report.failed
    assert values(loaded, "F1:I4") == [(*row, "#N/A") for row in FILLED] + [("#N/A",) * 4]
    assert values(loaded, "F6:G6") == [(None, "25P")]
    assert values(loaded, "K1:M2") == [(1, 2, 3), (1, 2, 3)]
    assert values(loaded, "K4:L6") == [(1, 1), (2, 2), ("#N/A", "#N/A")]
    assert values(loaded, "K8:L9") == [(0.25, 0.25)] * 2
    assert formula_of(tmp_path, "F1").ref == "F1:I4"


def test_formulas_are_evaluated_in_the_order_they_need(tmp_path: Path) -> None:
    made = book(
        F1="=VOLIMPUTE(F11:H13)",  # needs the one below, which needs the one on the other sheet
        F11="=VOLIMPUTE(Other!B2:D4)",
    )
    made.create_sheet("Other")["B2"] = "=VOLIMPUTE(Desk!A1:C3)"
    report, loaded = filled(made, tmp_path)
    assert not report.failed
    assert values(loaded, "F1:H3") == values(loaded, "F11:H13") == values(loaded, "B2:D4", "Other") == FILLED


def test_stacked_blocks_are_no_circle(tmp_path: Path) -> None:
    made = book(A10="=VOLIMPUTE(H1:J3)", H1="=VOLIMPUTE(A20:C22)")
    for row, line in enumerate(GRID, start=20):
        for column, value in enumerate(line, start=1):
            made.worksheets[0].cell(row, column, value or None)
    report, loaded = filled(made, tmp_path)
    assert not report.failed, report
    assert values(loaded, "A10:C12") == values(loaded, "H1:J3") == FILLED


@pytest.mark.parametrize(
    "cells",
    [{"F1": "=VOLIMPUTE(F1:H3)"}, {"F1": "=VOLIMPUTE(J1:L3)", "J1": "=VOLIMPUTE(F1:H3)"}],
)
def test_circles_end_in_an_error(cells: dict[str, Any], tmp_path: Path) -> None:
    report, loaded = filled(book(**cells), tmp_path)
    assert report.failed
    assert any("needs its own result" in outcome.message for outcome in report.outcomes)
    assert "#VALUE!" in {loaded["Desk"][place].value for place in cells}


@pytest.mark.parametrize(
    ("place", "blocker"), [("G6", "text"), ("H7", 0), ("F7", "=1+1"), ("G5", '=VOLINFO("row")')]
)
def test_a_spill_never_overwrites(place: str, blocker: Any, tmp_path: Path) -> None:
    report, loaded = filled(book(F5="=VOLIMPUTE(A1:C3)", **{place: blocker}), tmp_path)
    assert loaded["Desk"]["F5"].value == "#VALUE!"
    [blocked] = [outcome for outcome in report.outcomes if outcome.cell == "Desk!F5"]
    assert blocked.status == "#VALUE!"
    assert f"Desk!{place}" in blocked.message
    assert formula_of(tmp_path, place) == blocker or formula_of(tmp_path, place).text == blocker
    assert formula_of(tmp_path, "F5") == "=VOLIMPUTE(A1:C3)"


def test_a_spill_stops_at_merged_cells_and_the_edge(tmp_path: Path) -> None:
    made = book(F5="=VOLIMPUTE(A1:C3)", XFC20="=VOLIMPUTE(A1:C3)")
    made.worksheets[0].merge_cells("H7:J7")
    report, _ = filled(made, tmp_path)
    assert [
        "merged cells H7:J7" in report.outcomes[0].message,
        "fit on the sheet" in report.outcomes[1].message,
    ] == [
        True,
        True,
    ]


@pytest.mark.parametrize(("topic", "value"), [("absent", "#N/A"), ("unsolvable", "#NUM!")])
def test_errors_are_true_error_cells(topic: str, value: str, tmp_path: Path) -> None:
    report, loaded = filled(book(F5=f'=VOLINFO("{topic}")'), tmp_path)
    assert (loaded["Desk"]["F5"].data_type, loaded["Desk"]["F5"].value) == ("e", value)
    assert (report.outcomes[0].status, report.outcomes[0].reference[:3]) == (value, "VA-")


def test_odd_values_are_stored_as_excel_would(tmp_path: Path) -> None:
    _, loaded = filled(book(F5='=VOLINFO("odd")'), tmp_path)
    assert values(loaded, "F5:I5") == [("<a&b>", True, "#NUM!", None)]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("=VOLIMPUTE(WEBSERVICE(A2))", "function WEBSERVICE"),
        ('=IFERROR(VOLIMPUTE(MYADDIN(A1:C3)),"")', "function MYADDIN"),  # or the - would hide it
        ("=VOLIMPUTE(A1:C3 B1:D3)", "intersection"),
        ("=VOLIMPUTE((A1:B3,C1:C3))", "union"),
        ("=VOLIMPUTE([2]Other!A1:C3)", "[2]Other"),
        ("=VOLIMPUTE(Desk:Desk!A1:C3)", "'Desk:Desk'"),
        ("=VOLIMPUTE(Quotes[@Bid])", "Quotes[@Bid]"),
        ("=VOLIMPUTE(" + "(" * 300 + "A1:C3" + ")" * 301, "cannot be evaluated"),
        (f'=VOLIMPUTE(A1:C3,"{"x" * 9000}")', "characters; spreadsheet programs allow 8192"),
        ("=VOLIMPUTE(D1:D3)", "needs Desk!D2"),
    ],
)
def test_what_needs_a_spreadsheet_program_stays_as_it_was(formula: str, message: str, tmp_path: Path) -> None:
    cells = {"F5": formula} | ({"D2": "=MYADDIN(1)"} if "D1" in formula else {})
    report, _ = filled(book(**cells), tmp_path)
    outcome = next(outcome for outcome in report.outcomes if outcome.cell == "Desk!F5")
    assert report.failed
    assert outcome.status == "skipped"
    assert message in outcome.message
    with zipfile.ZipFile(tmp_path / "book.xlsx") as old, zipfile.ZipFile(tmp_path / "filled.xlsx") as new:
        assert all(old.read(name) == new.read(name) for name in old.namelist())


@pytest.mark.parametrize("formula", ["=VOLIMPUTE(nowhere)", "=VOLIMPUTE(Nowhere!A1:C3)", '=VOLIMPUTE("A1")'])
def test_a_wrong_argument_is_a_value_error(formula: str, tmp_path: Path) -> None:
    report, loaded = filled(book(F5=formula), tmp_path)
    assert report.outcomes[0].status == loaded["Desk"]["F5"].value == "#VALUE!"


def test_text_that_mentions_a_function_is_no_formula_of_ours(tmp_path: Path) -> None:
    report, _ = filled(book(F5='="see VOLIMPUTE(A1)"', F6="VOLIMPUTE(A1)"), tmp_path)
    assert (report.outcomes, report.others) == ((), 1)


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    made = book(F5="=VOLIMPUTE(A1:C3)", K1=ArrayFormula("K1:M3", "=VOLIMPUTE(A1:C3)"))
    filled(made, tmp_path)
    run(tmp_path / "filled.xlsx", tmp_path / "again.xlsx")
    with zipfile.ZipFile(tmp_path / "filled.xlsx") as old, zipfile.ZipFile(tmp_path / "again.xlsx") as new:
        assert [old.read(name) for name in old.namelist()] == [new.read(name) for name in new.namelist()]


def test_everything_else_is_kept_byte_for_byte(tmp_path: Path) -> None:
    made = book(F5="=VOLIMPUTE(A1:C3)")
    made.worksheets[0]["G6"].font = Font(bold=True)
    made.create_sheet("Empty")
    made.save(tmp_path / "plain.xlsx")
    extra = {
        "xl/vbaProject.bin": b"\0\1macro",
        "xl/charts/chart1.xml": b"<chart/>",
        "customUI/ui.xml": b"<ui/>",
    }
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "book.xlsm", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, data in extra.items():
            new.writestr(name, data)
    run(tmp_path / "book.xlsm", tmp_path / "book.xlsm")  # in place
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "book.xlsm") as new:
        assert new.namelist() == [*old.namelist(), *extra]
        changed = [name for name in old.namelist() if old.read(name) != new.read(name)]
        assert all(new.read(name) == data for name, data in extra.items())
    assert changed == ["xl/worksheets/sheet1.xml"]
    assert load_workbook(tmp_path / "book.xlsm")["Desk"]["G6"].font.bold


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"\xd0\xcf\x11\xe0 an old .xls"])
def test_a_file_that_is_no_workbook(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "book.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=r"book\.xlsx"):
        run(tmp_path / "book.xlsx", tmp_path / "filled.xlsx")
    assert not (tmp_path / "filled.xlsx").exists()


def test_other_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'quotes\.csv'; expected one of \.xlsx"):
        run(tmp_path / "quotes.csv", tmp_path / "filled.xlsx")
    book().save(tmp_path / "book.xlsx")
    with pytest.raises(InputError, match="cannot be written"):
        run(tmp_path / "book.xlsx", tmp_path / "nowhere" / "filled.xlsx")


# The sheet's XML as Excel and others write it.

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def with_sheet(folder: Path, sheet_xml: str) -> tuple[Report, Any, str]:
    """A workbook whose sheet is `sheet_xml`: the report, the values and the sheet's XML after the run."""
    book().save(folder / "plain.xlsx")
    with zipfile.ZipFile(folder / "plain.xlsx") as old, zipfile.ZipFile(folder / "book.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, sheet_xml if name == "xl/worksheets/sheet1.xml" else old.read(name))
    report = run(folder / "book.xlsx", folder / "filled.xlsx")
    with zipfile.ZipFile(folder / "filled.xlsx") as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl does not keep extensions; the runner does
        return report, load_workbook(folder / "filled.xlsx", data_only=True), xml


EXCEL_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    f'<worksheet xmlns="{NAMESPACE}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'mc:Ignorable="x14ac" xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac">'
    '<dimension ref="A1:B2"/><cols><col min="6" max="7" width="9" style="0"/></cols><sheetData>'
    '<row r="1" spans="1:2" x14ac:dyDescent="0.25"><c r="A1" t="str"><v>x</v></c>'
    '<c r="B1"><v>0.1</v></c></row>'
)
EXCEL_TAIL = '</sheetData><extLst><ext uri="{78C0D931-6437-407D-A8EE-F0AAD7539E65}"/></extLst></worksheet>'


def test_a_dynamic_array_follows_its_result(tmp_path: Path) -> None:
    row = (
        '<row r="3"><c r="D3" s="0" cm="1"><f t="array" ref="D3:E5">_xlfn.SINGLE(1)</f><v>1</v></c>'
        '<c r="E3"><v>2</v></c></row><row r="4"><c r="D4"><v>3</v></c><c r="E4"><v>4</v></c></row>'
        '<row r="5"><c r="D5"><v>5</v></c><c r="E5"><v>6</v></c></row>'
    ).replace("_xlfn.SINGLE(1)", 'VOLINFO("row")')
    spilled = '<row r="8"><c r="D8"><f>VOLIMPUTE(_xlfn.ANCHORARRAY(D3))</f></c></row>'
    report, loaded, xml = with_sheet(tmp_path, EXCEL_HEAD + row + spilled + EXCEL_TAIL)
    assert not report.failed, report
    assert values(loaded, "D3:F5") == [(1, 2, 3), (None,) * 3, (None,) * 3]
    assert values(loaded, "D8:F8") == [(1, 2, 3)]
    assert '<c r="D3" s="0" cm="1"><f t="array" ref="D3:F3">VOLINFO("row")</f><v>1.0</v></c>' in xml
    assert '<c r="E4"/>' in xml
    assert xml.startswith(EXCEL_HEAD.replace("A1:B2", "A1:F8"))
    assert xml.endswith(EXCEL_TAIL)


def test_a_dynamic_array_that_fails_gives_its_cells_back(tmp_path: Path) -> None:
    row = (
        '<row r="3"><c r="D3" cm="1"><f t="array" ref="D3:E3">VOLINFO("absent")</f><v>1</v></c>'
        '<c r="E3"><v>2</v></c></row>'
    )
    _, loaded, xml = with_sheet(tmp_path, EXCEL_HEAD + row + EXCEL_TAIL)
    assert values(loaded, "D3:E3") == [("#N/A", None)]
    assert 'ref="D3"' in xml


def test_filled_down_formulas_keep_one_cell_each(tmp_path: Path) -> None:
    rows = (
        '<row r="3"><c r="D3"><f t="shared" ref="D3:D4" si="0">VOLIMPUTE(A1:B1)</f><v>1</v></c></row>'
        '<row r="4"><c r="D4"><f t="shared" si="0"/><v>1</v></c></row>'
    )
    report, loaded, xml = with_sheet(tmp_path, EXCEL_HEAD + rows + EXCEL_TAIL)
    assert len(report.outcomes) == 2
    assert values(loaded, "D3:E4") == [("x", None), (None, None)]
    assert '<f t="shared" si="0"/>' in xml


ONE_ROW = '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1"><f>VOLINFO("column")</f></c></row>'


@pytest.mark.parametrize(
    "data",
    [
        '<sheetData><row><c t="str"><v>a</v></c><c><f>VOLINFO("column")</f></c></row></sheetData>',
        '<sheetData>\n <row r="1" ><c r="A1" t="str"><v>a</v></c>\n<c r="B1"><f>VOLINFO("column")</f></c>\n'
        "</row >\n</sheetData >",
        f'<sheetData>{ONE_ROW}<row r="2"/></sheetData>',
        f'<sheetData>{ONE_ROW}<row r="9"><c r="A9"><v>1</v></c></row></sheetData>',
        f'<sheetData>{ONE_ROW}<row r="2"><c r="A2"/><c r="C2"><v>1</v></c></row></sheetData>'.replace(
            "<f>", "<f  ca='1' >"
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_rows_and_cells_as_other_programs_write_them(data: str, prefix: str, tmp_path: Path) -> None:
    xmlns = f'xmlns:x="{NAMESPACE}"' if prefix else f'xmlns="{NAMESPACE}"'
    prefixed = re.sub(r"<(/?)(\w)", rf"<\1{prefix}\2", f"<worksheet>{data}</worksheet>")
    sheet_xml = prefixed.replace(f"<{prefix}worksheet>", f"<{prefix}worksheet {xmlns}>")
    report, loaded, _ = with_sheet(tmp_path, sheet_xml)
    assert not report.failed, report
    assert values(loaded, "A1:B2") == [("a", 1), (None, 2)]


@pytest.mark.parametrize(
    "xml",
    [
        b"<worksheet>",
        b"<worksheet/>",
        b'<!DOCTYPE worksheet [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><worksheet><sheetData/></worksheet>',
        '<?xml version="1.0" encoding="UTF-16"?><worksheet><sheetData/></worksheet>'.encode("utf-16"),
    ],
)
def test_sheet_xml_that_is_refused(xml: bytes) -> None:
    with pytest.raises(InputError, match="worksheet XML"):
        Sheet(xml)


places = st.tuples(st.integers(1, 6), st.integers(1, 30))
stored = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False, width=32), st.text(max_size=5)
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(places, stored), st.dictionaries(places, stored))
def test_any_edit_of_any_sheet_reads_back(before: Any, edits: Any) -> None:
    made = Workbook()
    for (row, column), value in before.items():
        if not isinstance(value, str):
            made.worksheets[0].cell(row, column, value)
    saved, edited = io.BytesIO(), io.BytesIO()
    made.save(saved)
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(edited, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                sheet = Sheet(data)
                for place, value in edits.items():
                    sheet.set_value(place, value)
                data = sheet.to_bytes()
                Sheet(data)
            new.writestr(name, data)
    loaded = load_workbook(edited, data_only=True).worksheets[0]
    for place, value in (before | edits).items():
        if isinstance(value, str):
            continue  # XML cannot hold every text; that it stays readable is what matters
        found = loaded.cell(*place).value
        # openpyxl itself writes 15 digits
        assert found == (value if place in edits or value is None else pytest.approx(value, rel=1e-14))
