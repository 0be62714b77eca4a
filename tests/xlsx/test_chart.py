"""`voladdin chart`: a sheet of charts in a copy of a book, whose own parts stay as they were."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.protection import WorkbookProtection

from tests.commands.sheets import BROKEN
from voladdin.arbitrage.check import check
from voladdin.cells import parse
from voladdin.cli import main
from voladdin.errors import InputError
from voladdin.imputation.filling import impute
from voladdin.xlsx.chart_sheet import SHEET
from voladdin.xlsx.charting import chart_book
from voladdin.xlsx.runner import run

LISTS = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
RANGE = "'EUR ''desk'''!B3:G6"
GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 0.089, None, 0.081, None, None],
    ["1M", 0.093, 0.086, 0.082, 0.083, None],
    ["1Y", None, None, 0.089, None, 0.098],
]


def _book(path: Path, rows: list[list[Any]] = GRID, sheet: str = "EUR 'desk'", **options: Any) -> Path:
    book = Workbook()
    book.active.title = sheet
    for i, row in enumerate(rows, 3):
        for j, cell in enumerate(row, 2):
            book.active.cell(i, j, cell)
    for name, value in options.items():
        setattr(book, name, value)
    book.save(path)
    return path


def test_every_part_but_the_lists_stays(tmp_path: Path) -> None:
    book, output = _book(tmp_path / "a.xlsx"), tmp_path / "b.xlsx"
    chart_book(book, output, RANGE)
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(output) as new:
        assert {name for name in old.namelist() if old.read(name) != new.read(name)} == LISTS
        assert {name.split("/")[1] for name in set(new.namelist()) - set(old.namelist())} == {
            "charts",
            "drawings",
            "worksheets",
        }
        assert new.testzip() is None


def test_quotes_are_references_and_fills_are_formulas_with_their_values(tmp_path: Path) -> None:
    output = tmp_path / "b.xlsx"
    chart_book(_book(tmp_path / "a.xlsx"), output, RANGE)
    formulas, values = load_workbook(output)[SHEET], load_workbook(output, data_only=True)[SHEET]
    answer = impute(parse(GRID).surface)
    assert formulas["B3"].value == "=IF(ISNUMBER('EUR ''desk'''!C4),'EUR ''desk'''!C4,NA())"
    assert values["B3"].value == 0.089 and values["C3"].value == "#N/A"
    assert formulas["A8"].value.text == "=VOLIMPUTE('EUR ''desk'''!B3:G6)"
    assert values["C9"].value == answer.filled[0, 1]
    assert formulas["A14"].value.text == "=VOLIMPUTE('EUR ''desk'''!B3:G6,\"low\")"
    assert values["C15"].value == answer.low[0, 1] and values["C21"].value == answer.high[0, 1]
    assert values["C9"].number_format == "0.00%"


def test_a_smile_a_tenor_and_the_term_structure(tmp_path: Path) -> None:
    output = tmp_path / "b.xlsx"
    chart_book(_book(tmp_path / "a.xlsx"), output, RANGE)
    charts = load_workbook(output)[SHEET]._charts
    titles = ["".join(r.t for p in c.title.tx.rich.p for r in p.r) for c in charts]
    assert titles == ["At the money", "1W", "1M", "1Y"]
    smile = charts[1].series
    assert [series.tx.v for series in smile] == ["Filled", "90% band, low", "90% band, high", "Quotes"]
    assert [s.val.numRef.f for s in smile][::3] == [f"'{SHEET}'!$B$9:$F$9", f"'{SHEET}'!$B$3:$F$3"]
    assert charts[0].series[0].val.numRef.f == f"'{SHEET}'!$D$9:$D$11"


def test_tenors_across_and_percent_points(tmp_path: Path) -> None:
    across = [list(column) for column in zip(*GRID, strict=True)]
    across = [[100 * c if isinstance(c, float) else c for c in row] for row in across]
    output = tmp_path / "b.xlsx"
    chart_book(_book(tmp_path / "a.xlsx", across, "Across"), output, "Across!B3:E8")
    sheet = load_workbook(output)[SHEET]
    assert sheet._charts[1].series[3].val.numRef.f == f"'{SHEET}'!$B$3:$B$7"
    assert sheet["B3"].number_format == "0.00"


def test_charts_again_and_charts_that_were_there(tmp_path: Path) -> None:
    first, second = tmp_path / "b.xlsx", tmp_path / "c.xlsx"
    chart_book(_book(tmp_path / "a.xlsx"), first)
    made = chart_book(first, second, RANGE)
    assert made.name == f"{SHEET} 2"
    book = load_workbook(second)
    assert [len(book[name]._charts) for name in (SHEET, f"{SHEET} 2")] == [4, 4]


def test_run_fills_the_charts_anew(tmp_path: Path) -> None:
    output = tmp_path / "b.xlsx"
    chart_book(_book(tmp_path / "a.xlsx"), output, RANGE)
    report = run(output, tmp_path / "c.xlsx")
    assert [outcome.status for outcome in report.outcomes] == ["ok"] * 3
    assert load_workbook(tmp_path / "c.xlsx", data_only=True)[SHEET]["C9"].value == pytest.approx(
        impute(parse(GRID).surface).filled[0, 1]
    )


def test_what_may_not_have_another_sheet_is_refused(tmp_path: Path) -> None:
    book = _book(tmp_path / "a.xlsx", security=WorkbookProtection(lockStructure=True))
    with pytest.raises(InputError, match="structure is protected"):
        chart_book(book, tmp_path / "b.xlsx")
    signed = _book(tmp_path / "s.xlsx")
    with zipfile.ZipFile(signed, "a") as archive:
        archive.writestr("_xmlsignatures/origin.sigs", b"")
    with pytest.raises(InputError, match="signed"):
        chart_book(signed, tmp_path / "b.xlsx")
    assert not (tmp_path / "b.xlsx").exists()


@pytest.mark.parametrize(("name", "data"), [("a.xls", b""), ("a.xlsx", b"\xd0\xcf\x11\xe0"), ("a.ods", b"")])
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=f"'{name}'"):
        chart_book(tmp_path / name, tmp_path / "b.xlsx")


def test_prefixed_lists_get_prefixed_entries(tmp_path: Path) -> None:
    book = _book(tmp_path / "a.xlsx")
    buffer = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/workbook.xml":
                plain = text.replace(b"</", b"<\x00").replace(b"<", b"<x:").replace(b"<x:\x00", b"</x:")
                text = plain.replace(b"<x:?xml", b"<?xml").replace(b"xmlns=", b"xmlns:x=")
            new.writestr(name, text)
    book.write_bytes(buffer.getvalue())
    chart_book(book, tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx") as new:
        assert b'<x:sheet name="voladdin chart"' in new.read("xl/workbook.xml")
    assert SHEET in load_workbook(tmp_path / "b.xlsx").sheetnames


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = _book(tmp_path / "a.xlsx", sheet="EURUSD")
    assert main(["chart", f"{book}!EURUSD!B3:G6"]) == 0
    assert "a-chart.xlsx, 4 charts" in capsys.readouterr().out
    assert main(["chart", f"{book}!Nowhere!B3:G6"]) == 2


def test_quotes_with_arbitrage_are_drawn_before_and_after_the_repair(tmp_path: Path) -> None:
    """Live: the runner finds the same values for the block, which nothing can be gained from."""
    output, again = tmp_path / "b.xlsx", tmp_path / "c.xlsx"
    chart_book(_book(tmp_path / "a.xlsx", BROKEN), output, RANGE.replace("G6", "E6"))
    run(output, again)
    sheet, recalculated = (load_workbook(path, data_only=True)[SHEET] for path in (output, again))
    top = next(row for row in range(1, 60) if sheet.cell(row, 1).value == "Repaired") + 1
    vols = [[sheet.cell(top + i, 2 + j).value for j in range(3)] for i in range(1, 4)]
    assert vols == [[recalculated.cell(top + i, 2 + j).value for j in range(3)] for i in range(1, 4)]
    after = parse([BROKEN[0], *([row[0], *line] for row, line in zip(BROKEN[1:], vols, strict=True))]).surface
    assert not check(parse(BROKEN).surface).ok and check(after).ok
    assert load_workbook(output)[SHEET].cell(top, 1).value.text == "=VOLREPAIR(A8:D11)"
    for chart in load_workbook(output)[SHEET]._charts:
        titles = [series.tx.v for series in chart.series]
        assert titles == ["Filled", "90% band, low", "90% band, high", "Repaired", "Quotes"]


def test_quotes_without_arbitrage_have_no_repair(tmp_path: Path) -> None:
    made = chart_book(_book(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", RANGE)
    assert "Repaired" not in made.values.values()
