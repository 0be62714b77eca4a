"""Workbook files as programs write them, as they break and as an attacker makes them; and what is written."""

from __future__ import annotations

import datetime
import io
import os
import random
import re
import stat
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900
from openpyxl.worksheet.table import Table

from voladdin.cli.program import main
from voladdin.errors import InputError
from voladdin.worksheet import registry
from voladdin.xlsx.book import Book
from voladdin.xlsx.layout import read_layout
from voladdin.xlsx.package import Package
from voladdin.xlsx.runner import Report, run
from voladdin.xlsx.tables import read_cells

QUOTES: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", None, 7.85, 7.6, None, None],
    ["1M", 8.5, 7.9, 7.55, 7.6, None],
    ["1Y", 9.75, None, 7.92, None, 8.42],
]
SHEET, RELS = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"


def workbook(rows: list[list[Any]] = QUOTES, **cells: Any) -> Workbook:
    made = Workbook()
    made.worksheets[0].title = "Desk"
    for row in rows:
        made.worksheets[0].append(row)
    for place, value in cells.items():
        made.worksheets[0][place] = value
    return made


def saved(made: Workbook) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def edited(data: bytes, edits: dict[str, Callable[[bytes], bytes | None]]) -> bytes:
    """The zip with some parts changed, or left out where the edit gives None."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = edits.get(name, lambda content: content)(old.read(name))
            if part is not None:
                new.writestr(name, part)
    return file.getvalue()


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def swap(xml: bytes) -> bytes:
        assert old in xml, xml[:300]
        return xml.replace(old, new, 1)

    return swap


def with_shared_strings(data: bytes) -> bytes:
    """The book with its texts in a part of their own, as most programs write them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pattern = rb't="inlineStr"><is><t>([^<]*)</t></is>'
        texts = list(dict.fromkeys(re.findall(pattern, archive.read(SHEET))))
    relation = (
        b'<Relationship Id="rIdS" Target="sharedStrings.xml" Type="http://schemas.openxmlformats.org/'
        b'officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    items = b"".join(b"<si><r><t>" + t[:1] + b"</t></r><r><t>" + t[1:] + b"</t></r></si>" for t in texts)
    sheet = lambda xml: re.sub(pattern, lambda m: b't="s"><v>%d</v>' % texts.index(m[1]), xml)  # noqa: E731
    kind = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        b'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    links = {RELS: swapped(b"</Relationships>", relation), "[Content_Types].xml": swapped(b"</Types>", kind)}
    shared = edited(data, {SHEET: sheet, **links})
    file = io.BytesIO(shared)
    with zipfile.ZipFile(file, "a") as archive:
        space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        archive.writestr(
            "xl/sharedStrings.xml", b"<?xml version='1.0'?><sst " + space + b">" + items + b"</sst>"
        )
    return file.getvalue()


def ran(data: bytes, folder: Path) -> tuple[Report, Any]:
    (folder / "book.xlsx").write_bytes(data)
    report = run(folder / "book.xlsx", folder / "filled.xlsx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl does not keep all that the runner does
        return report, load_workbook(folder / "filled.xlsx", data_only=True)


def values(sheet: Any, cells: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet[cells]]


def filled() -> list[list[Any]]:
    return registry.evaluate("VOLIMPUTE", [QUOTES])


@pytest.fixture
def same(monkeypatch: pytest.MonkeyPatch) -> None:
    """VOL functions give what they are given; VOLCHECK its size."""

    def evaluate(name: str, arguments: Any, *_: Any) -> list[list[Any]]:
        cells = arguments[0] if isinstance(arguments[0], list) else [[arguments[0]]]
        return [[float(len(cells)), float(len(cells[0]))]] if name == "VOLCHECK" else cells

    monkeypatch.setattr(registry, "evaluate", evaluate)


def strict(data: bytes) -> bytes:
    """The book in the strict format, as far as the runner is concerned."""
    usual, purl = b"http://schemas.openxmlformats.org/", b"http://purl.oclc.org/ooxml/"
    spaces = {
        usual + b"spreadsheetml/2006/main": purl + b"spreadsheetml/main",
        usual + b"officeDocument/2006/relationships": purl + b"officeDocument/relationships",
    }

    def convert(part: bytes) -> bytes:
        for old, new in spaces.items():
            part = part.replace(old, new)
        return part

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return edited(data, dict.fromkeys(archive.namelist(), convert))


def test_a_strict_book_is_read_as_a_transitional_one(tmp_path: Path) -> None:
    made = workbook(H1="=VOLIMPUTE(A1:F4)", A9=datetime.date(2026, 3, 20), P1="=VOLIMPUTE(Tab)", P9="=A9+1")
    made.worksheets[0]["A1"] = "Tenor"
    made.worksheets[0].add_table(Table(displayName="Tab", ref="A1:F4"))
    data = strict(saved(made))
    report, _ = ran(data, tmp_path)
    assert [outcome.status for outcome in report.outcomes] == ["ok", "ok"]
    with zipfile.ZipFile(tmp_path / "filled.xlsx") as archive:
        cells = read_layout(archive.read(SHEET)).cells
    assert float(cells[2, 9].value or "") == filled()[1][1]
    assert float(cells[4, 21].value or "") == 8.42
    assert float(cells[9, 16].value or "") == 46102


def test_dates_in_iso_form_are_dates(same: None, tmp_path: Path) -> None:
    made = workbook([["2026-03-20", "2026-03-20T12:00:00"]], A3="=VOLIMPUTE(A1:B1)")
    as_text, as_date = rb't="inlineStr"><is><t>(2026[^<]*)</t></is>', rb't="d"><v>\1</v>'
    report, book = ran(edited(saved(made), {SHEET: lambda xml: re.sub(as_text, as_date, xml)}), tmp_path)
    assert not report.failed
    assert values(book.worksheets[0], "A3:B3") == [[46101, 46101.5]]


DAYS = [datetime.date(2026, 3, 27), datetime.date(2026, 4, 20), datetime.date(2027, 3, 22)]


@pytest.mark.parametrize("corner", ["date", "text"])
@pytest.mark.parametrize("labels", ["date", "text"])
def test_a_book_that_counts_from_1904_gives_what_it_gives_from_1900(
    corner: str, labels: str, tmp_path: Path
) -> None:
    found = []
    for epoch in (CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904):
        made = workbook([])
        made.epoch = epoch
        valuation = datetime.date(2026, 3, 20)
        shown = valuation if corner == "date" else valuation.isoformat()
        made.worksheets[0].append([shown, *QUOTES[0][1:]])
        for day, row in zip(DAYS, QUOTES[1:], strict=True):
            made.worksheets[0].append([day if labels == "date" else day.isoformat(), *row[1:]])
        sheet = made.worksheets[0]
        sheet["H1"] = "=VOLIMPUTE(A1:F4)"
        sheet["P1"] = '=VOLINTERP(A1:F4,"2026-05-20","25P")'
        sheet["P2"] = '=VOLINTERP(A1:F4,"2M","25P")'
        sheet["P3"] = "=VOLINTERP(A1:F4,A3+30,0.25)" if labels == "date" else "=P1"
        sheet["P4"] = "=MAX(A1:A4)"
        sheet["P4"].number_format = "yyyy-mm-dd"
        for row in range(1, 5):
            sheet.cell(row, 8).number_format = "yyyy-mm-dd"
        report, book = ran(saved(made), tmp_path)
        assert not report.failed, report
        found.append(values(book.worksheets[0], "H1:P4"))
    assert found[0] == found[1]
    if labels == "date":
        assert found[0][3][8] == datetime.datetime(2027, 3, 22)
        assert found[0][1][0] == datetime.datetime(2026, 3, 27)


def test_a_label_written_to_a_cell_without_a_format_counts_as_its_book_does(tmp_path: Path) -> None:
    made = workbook([["2026-03-20", *QUOTES[0][1:]]])
    made.epoch = CALENDAR_MAC_1904
    for day, row in zip(DAYS, QUOTES[1:], strict=True):
        made.worksheets[0].append([day, *row[1:]])
    made.worksheets[0]["H1"] = "=VOLIMPUTE(A1:F4)"
    _, book = ran(saved(made), tmp_path)
    serials = [(day - datetime.date(1904, 1, 1)).days for day in DAYS]
    assert [row[0] for row in values(book.worksheets[0], "H2:H4")] == serials
    cells = read_cells(str(tmp_path / "filled.xlsx"), "A2:A4")
    assert cells == [[float((day - datetime.date(1899, 12, 30)).days)] for day in DAYS]


@pytest.mark.parametrize("formula", ["=VOLIMPUTE(A:F)", "=VOLIMPUTE(A1:F3400)", "=VOLIMPUTE(A1:F1048576)"])
@pytest.mark.parametrize("where", ["borders", "one bold blank", "another column"])
def test_cells_that_only_have_a_format_are_no_cells(formula: str, where: str, tmp_path: Path) -> None:
    from openpyxl.styles import Border, Font, Side

    made = workbook(H1=formula)
    sheet = made.worksheets[0]
    if where == "borders":
        for row in range(5, 400):
            for column in range(1, 7):
                sheet.cell(row, column).border = Border(bottom=Side("thin"))
    elif where == "one bold blank":
        sheet["A4200"].font = Font(bold=True)
    else:
        sheet["Z900"] = 1
    report, book = ran(saved(made), tmp_path)
    assert report.outcomes[0].message == "4 x 6"
    assert values(book.worksheets[0], "I2:M4") == [row[1:] for row in filled()[1:]]


@pytest.mark.parametrize("tag", ['<row r="%d"/>', '<row r="%d" ht="15" customHeight="1" s="0"/>'])
@pytest.mark.parametrize("place", ["H1", "A40000", "B10"])
def test_long_runs_of_empty_rows_cost_nothing_and_are_kept(tag: str, place: str, tmp_path: Path) -> None:
    rows = "".join(tag % row for row in range(6, 60_000)).encode()
    tail = b'<row r="60000"><c r="A60000"><v>1</v></c></row>'
    made = workbook(**({"H1": "=VOLIMPUTE(A1:F4)"} if place == "H1" else {}))
    data = edited(
        saved(made), {SHEET: lambda xml: xml.replace(b"</sheetData>", rows + tail + b"</sheetData>")}
    )
    if place != "H1":
        row = place[1:]
        formula = f'<row r="{row}"><c r="{place}"><f>VOLIMPUTE(A1:F4)</f></c></row>'.encode()
        old = (tag % int(row)).encode()
        data = edited(data, {SHEET: lambda xml: xml.replace(old, formula)})
    layouts = read_layout(zipfile.ZipFile(io.BytesIO(data)).read(SHEET))
    assert len(layouts.rows) < 70
    assert layouts.runs
    report, book = ran(data, tmp_path)
    assert not report.failed
    sheet = book.worksheets[0]
    column, row = (8, 1) if place == "H1" else (" AB".index(place[0]), int(place[1:]))
    assert sheet.cell(row + 3, column + 5).value == 8.42
    assert sheet["A60000"].value == 1
    xml = zipfile.ZipFile(tmp_path / "filled.xlsx").read(SHEET)
    assert len(re.findall(rb"<row ", xml)) == len(
        re.findall(rb"<row ", zipfile.ZipFile(io.BytesIO(data)).read(SHEET))
    )


@pytest.mark.parametrize("dimension", ["junk", "", "A1:XFD1048576", "Z9:A1", "#REF!", None])
def test_a_wrong_dimension_is_no_matter(dimension: str | None, tmp_path: Path) -> None:
    new = f'<dimension ref="{dimension}"/>'.encode() if dimension is not None else b""
    data = saved(workbook(H1="=VOLIMPUTE(A1:F4)"))
    report, book = ran(edited(data, {SHEET: lambda xml: re.sub(rb"<dimension[^>]*>", new, xml)}), tmp_path)
    assert not report.failed
    assert values(book.worksheets[0], "I2:M4") == [row[1:] for row in filled()[1:]]


def test_texts_of_several_runs_in_a_part_of_their_own(tmp_path: Path) -> None:
    report, book = ran(with_shared_strings(saved(workbook(H1="=VOLIMPUTE(A1:F4)"))), tmp_path)
    assert not report.failed
    assert values(book.worksheets[0], "I1:M4") == [row[1:] for row in filled()]


DOCTYPE = (
    b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
)


def after_declaration(xml: bytes) -> bytes:
    at = xml.index(b"?>") + 2 if xml.startswith(b"<?xml") else 0
    return xml[:at] + DOCTYPE + xml[at:]


BROKEN: dict[str, dict[str, Callable[[bytes], bytes | None]]] = {
    "no content types": {"[Content_Types].xml": lambda xml: None},
    "no relationships": {"_rels/.rels": lambda xml: None},
    "no workbook": {"xl/workbook.xml": lambda xml: None},
    "no workbook relationships": {RELS: lambda xml: None},
    "no sheet": {SHEET: lambda xml: None},
    "no strings": {"xl/sharedStrings.xml": lambda xml: None},
    "a sheet out of the package": {RELS: swapped(b"/xl/worksheets/sheet1.xml", b"../../../etc/passwd")},
    "a sheet on the net": {
        RELS: swapped(
            b'Target="/xl/worksheets/sheet1.xml"', b'TargetMode="External" Target="http://127.0.0.1:9/s.xml"'
        )
    },
    "entities in the sheet": {SHEET: after_declaration},
    "entities in the workbook": {"xl/workbook.xml": after_declaration},
    "entities in the strings": {"xl/sharedStrings.xml": after_declaration},
    "entities in the relationships": {"_rels/.rels": after_declaration},
    "a string that is not there": {SHEET: swapped(b't="s"><v>0</v>', b't="s"><v>999</v>')},
    "a string before the first": {SHEET: swapped(b't="s"><v>0</v>', b't="s"><v>-1</v>')},
    "a string without a number": {SHEET: swapped(b't="s"><v>0</v>', b't="s"><v>x</v>')},
    "a number that is none": {SHEET: swapped(b"<v>7.85</v>", b"<v>7,85</v>")},
    "a cell twice": {SHEET: swapped(b'<c r="C2"', b'<c r="D2"')},
    "a cell of another row": {SHEET: swapped(b'<c r="C2"', b'<c r="C3"')},
    "a cell off the sheet": {SHEET: swapped(b'<c r="H1"', b'<c r="ZZZ1"')},
    "a cell without a row": {SHEET: swapped(b'<c r="C2"', b'<c r="C"')},
    "rows out of order": {SHEET: swapped(b'<row r="2"', b'<row r="9"')},
    "a row off the sheet": {SHEET: swapped(b'<row r="4"', b'<row r="1048577"')},
    "a row 0": {SHEET: swapped(b'<row r="1"', b'<row r="0"')},
    "a row x": {SHEET: swapped(b'<row r="2"', b'<row r="x"')},
    "UTF-16": {SHEET: lambda xml: xml.decode().encode("utf-16")},
    "half a sheet": {SHEET: lambda xml: xml[: len(xml) // 2]},
    "an empty sheet": {SHEET: lambda xml: b""},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_book_is_refused_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(edited(with_shared_strings(saved(workbook(H1="=VOLIMPUTE(A1:F4)"))), BROKEN[name]))
    assert main(["run", str(book), "-o", str(tmp_path / "out.xlsx")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("voladdin: book 'book.xlsx' cannot be read as a workbook: ")
    assert len(said.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx"]


def test_damage_anywhere_is_refused_or_does_no_harm(same: None) -> None:
    """Bits flipped in the file, and bytes changed, cut or repeated in its parts."""
    made = workbook(H1="=VOLIMPUTE(A:F)", A8="=SUM(H1:M4)", P1='=IFERROR(VOLIMPUTE(Tab[ATM]),"-")')
    made.worksheets[0]["A1"] = "Tenor"
    made.worksheets[0].add_table(Table(displayName="Tab", ref="A1:F4"))
    data, chance = saved(made), random.Random(7)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    refused = 0
    for _ in range(400):
        if chance.random() < 0.3:
            bad = bytearray(data)
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        else:
            bad = bytearray(edited(data, {chance.choice(names): lambda part: mutated(part, chance)}))
        try:
            book = Book(bytes(bad), "book.xlsx")
            book.run()
            book.bytes()
        except InputError as error:
            assert "book.xlsx" in str(error)
            refused += 1
    assert 40 < refused < 390


def mutated(part: bytes, chance: random.Random) -> bytes:
    at, end = chance.randrange(len(part)), chance.randrange(len(part))
    kind = chance.randrange(4)
    if kind == 0:
        return part[:at] + bytes([chance.choice(b'0123456789ABC<>"=/:!$# -')]) + part[at + 1 :]
    if kind == 1:
        return part[:at] + part[at + chance.randrange(1, 30) :]
    if kind == 2:
        return part[:at] + part[end : end + 60] + part[at:]
    return part[:at] + bytes([part[at] ^ 1 << chance.randrange(8)]) + part[at + 1 :]


@pytest.mark.parametrize(
    "formula",
    [
        "A" * 100_000,
        "VOLIMPUTE" * 20_000 + "(A1)",
        "a." * 50_000,
        "VOLIMPUTE(" * 3000 + "A1" + ")" * 3000,
        "-" * 8000 + "VOLIMPUTE(A1)",
        "VOLIMPUTE(" + "(" * 2000 + "A1" + ")" * 2001,
        'VOLIMPUTE("' + '"" ' * 2000 + '")',
        "VOLIMPUTE(A1:A2:A3:" + ":".join(f"B{n}" for n in range(1, 900)) + ")",
        "VOLIMPUTE(A1",
        "VOLIMPUTE(}",
        "VOLIMPUTE(#REF!)",
        "VOLIMPUTE(Desk!#REF!)",
        "VOLIMPUTE(A0)",
        "VOLIMPUTE(XFE1)",
        "VOLIMPUTE(A1048577)",
        "VOLIMPUTE('[evil.xlsx]Sheet1'!A1:D3)",
        "VOLIMPUTE(\\\\host\\share\\x!A1)",
    ],
    ids=lambda formula: formula[:30],
)
def test_a_hostile_formula_ends_in_a_report(formula: str, same: None, tmp_path: Path) -> None:
    data = edited(
        saved(workbook(H1="=VOLIMPUTE(1)", H9='=VOLIMPUTE("fine")')),
        {SHEET: swapped(b"<f>VOLIMPUTE(1)</f>", b"<f>" + formula.encode() + b"</f>")},
    )
    report, book = ran(data, tmp_path)
    assert book.worksheets[0]["H9"].value == "fine"
    assert len(report.outcomes) in (1, 2)


def test_names_that_define_each_other_are_named(tmp_path: Path) -> None:
    from openpyxl.workbook.defined_name import DefinedName

    made = workbook(H1="=VOLIMPUTE(one)")
    made.defined_names["one"] = DefinedName("one", attr_text="two")
    made.defined_names["two"] = DefinedName("two", attr_text="one")
    report, _ = ran(saved(made), tmp_path)
    assert "refers to itself" in report.outcomes[0].message


def test_an_array_formula_over_the_whole_sheet_is_refused_by_name(same: None, tmp_path: Path) -> None:
    data = edited(
        saved(workbook(A9="=VOLIMPUTE(A1)", A8='=VOLIMPUTE("fine")')),
        {SHEET: swapped(b"<f>VOLIMPUTE(A1)</f>", b'<f t="array" ref="A9:XFD1048576">VOLIMPUTE(A1)</f>')},
    )
    report, _ = ran(data, tmp_path)
    assert [o.status for o in report.outcomes] == ["ok", "skipped"]
    assert "A9:XFD1048576" in report.outcomes[1].message


def test_other_parts_are_copied_as_they_are_compressed(tmp_path: Path) -> None:
    data = saved(workbook(H1="=VOLIMPUTE(A1:F4)"))
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/media/noise.bin", os.urandom(10_000), zipfile.ZIP_STORED)
        archive.writestr("xl/media/zeros.bin", bytes(5_000_000), zipfile.ZIP_DEFLATED, 1)
        with archive.open("xl/media/stream.bin", "w") as stream:
            stream.write(b"x" * 1000)
    ran(file.getvalue(), tmp_path)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "filled.xlsx") as new:
        assert new.testzip() is None
        assert old.namelist() == new.namelist()
        for before, after in zip(old.infolist(), new.infolist(), strict=True):
            if before.filename != SHEET:
                assert (before.CRC, before.compress_size, before.date_time) == (
                    after.CRC,
                    after.compress_size,
                    after.date_time,
                )
                assert old.read(before) == new.read(after)


def unseekable() -> bytes:
    """A zip as a stream writes it: the sizes stand after the data."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    stream = Stream()
    plain = saved(workbook(H1="=VOLIMPUTE(A1:F4)"))
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return bytes(stream.data)


def test_a_book_written_as_a_stream(tmp_path: Path) -> None:
    report, book = ran(unseekable(), tmp_path)
    assert not report.failed
    assert values(book.worksheets[0], "I2:M4") == [row[1:] for row in filled()[1:]]
    assert Package((tmp_path / "filled.xlsx").read_bytes()).read("xl/styles.xml")


# What stored values are relied on.


def stored(data: bytes, values_of: dict[str, str], *, recalculate: bool) -> bytes:
    """The book with stored values of formulas, which asks to be calculated when it is opened, or not."""

    def store(xml: bytes) -> bytes:
        for place, value in values_of.items():
            pattern = rb'(<c r="' + place.encode() + rb'"[^>]*><f>[^<]*</f>)<v ?/?>(?:</v>)?'
            xml, count = re.subn(pattern, rb"\g<1><v>" + value.encode() + b"</v>", xml)
            assert count == 1, xml
        return xml

    def settings(xml: bytes) -> bytes:
        return xml if recalculate else xml.replace(b'fullCalcOnLoad="1"', b"")

    return edited(data, {SHEET: store, "xl/workbook.xml": settings})


@pytest.mark.parametrize("recalculate", [True, False])
def test_stored_values_are_kept_where_the_book_can_be_relied_on(
    recalculate: bool, same: None, tmp_path: Path
) -> None:
    made = workbook(
        [],
        A1=1,
        A2="=A1+1",
        A3="=A2*10",
        A4="=VOLIMPUTE(A3)",
        A5="=A4+1",
        A6="=MYADDIN(1)",
        A7="=VOLIMPUTE(A6)",
    )
    data = stored(saved(made), {"A2": "5", "A3": "70", "A5": "3", "A6": "8"}, recalculate=recalculate)
    report, book = ran(data, tmp_path)
    found = [row[0] for row in values(book.worksheets[0], "A2:A7")]
    statuses = {outcome.cell: outcome.status for outcome in report.outcomes}
    if recalculate:
        assert found == [2, 20, 20, 21, 8, None]
        assert statuses == {"Desk!A4": "ok", "Desk!A6": "skipped", "Desk!A7": "skipped"}
    else:
        assert found == [5, 70, 70, 71, 8, 8]
        assert statuses == {"Desk!A4": "ok", "Desk!A7": "ok"}
        assert (report.recalculated, report.others) == (1, 3)


def test_a_volatile_formula_is_never_stale(same: None, tmp_path: Path) -> None:
    made = workbook([], A1="=TODAY()", A2="=VOLIMPUTE(A1)", A3="=1+1")
    data = stored(saved(made), {"A1": "40000", "A3": "7"}, recalculate=False)
    _, book = ran(data, tmp_path)
    today = (datetime.date.today() - datetime.date(1899, 12, 30)).days
    assert book.worksheets[0]["A1"].value in (today, today - 1)
    assert book.worksheets[0]["A2"].value == book.worksheets[0]["A1"].value
    assert book.worksheets[0]["A3"].value == 7


# The output.


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "book.xlsx"
    path.write_bytes(saved(workbook(H1="=VOLIMPUTE(A1:F4)")))
    yield path
    assert [left.name for left in tmp_path.rglob("*.voladdin")] == []


def test_a_link_is_written_through(source: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "target.xlsx"
    target.write_bytes(b"old")
    target.chmod(0o640)
    for link, to in ((tmp_path / "link.xlsx", target), (tmp_path / "second.xlsx", tmp_path / "link.xlsx")):
        link.symlink_to(to)
    run(source, tmp_path / "second.xlsx")
    assert (tmp_path / "link.xlsx").is_symlink() and (tmp_path / "second.xlsx").is_symlink()
    assert load_workbook(target, data_only=True).worksheets[0]["M4"].value == 8.42
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_link_to_nothing_makes_its_target(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "new.xlsx")
    run(source, tmp_path / "link.xlsx")
    assert (tmp_path / "link.xlsx").is_symlink()
    assert zipfile.is_zipfile(tmp_path / "new.xlsx")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs")
@pytest.mark.parametrize("kind", ["folder", "fifo", "device", "linked device"])
def test_what_is_no_file_is_never_replaced(kind: str, source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.xlsx"
    if kind == "folder":
        output.mkdir()
    elif kind == "fifo":
        os.mkfifo(output)
    elif kind == "device":
        output = Path("/dev/null")
    else:
        output.symlink_to("/dev/null")
    before = output.stat()
    with pytest.raises(InputError, match="no regular file"):
        run(source, output)
    assert output.stat().st_ino == before.st_ino


def test_a_failed_write_keeps_the_old_book(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = source.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left"):
        run(source, source)
    assert source.read_bytes() == before


def test_a_name_taken_by_another_run_is_tried_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, calls = os.replace, []

    def stolen(old: Path, new: Path) -> None:
        calls.append(old)
        if len(calls) == 1:
            old.unlink()
        replace(old, new)

    monkeypatch.setattr(os, "replace", stolen)
    run(source, tmp_path / "out.xlsx")
    assert len(calls) == 2
    assert zipfile.is_zipfile(tmp_path / "out.xlsx")


# The command.


@pytest.mark.parametrize(("formula", "status"), [("=VOLIMPUTE(A1:F4)", 0), ("=VOLIMPUTE(A1:F1)", 1)])
def test_the_exit_status_tells_whether_all_went_well(
    formula: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book.xlsx").write_bytes(saved(workbook(H1=formula)))
    assert main(["run", str(tmp_path / "book.xlsx")]) == status
    assert (tmp_path / "book-filled.xlsx").exists()
    with pytest.raises(SystemExit):
        main(["run", "-h"])
    said = " ".join(capsys.readouterr().out.split())
    assert all(f"{number} where" in said for number in (0, 1, 2))


def test_progress_is_shown_on_a_terminal_only(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", str(source)])
    assert capsys.readouterr().err == ""
    times = iter(range(0, 1000, 2))
    monkeypatch.setattr("voladdin.cli.books.time.monotonic", lambda: float(next(times)))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    source.write_bytes(saved(workbook(**{f"H{5 * n + 1}": "=VOLIMPUTE(A1:F4)" for n in range(3)})))
    main(["run", str(source)])
    said = capsys.readouterr().err
    assert "1 of 3 formulas" in said and "2 of 3 formulas" in said
    assert said.endswith("\r\033[K")


def test_a_grid_of_a_book_without_values_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "book.xlsx").write_bytes(saved(workbook(C3="=1+1")))
    with pytest.raises(InputError, match=r"Desk!C3 is a formula without a stored value"):
        read_cells(str(tmp_path / "book.xlsx"))
    assert read_cells(str(tmp_path / "book.xlsx"), "A1:F2") == QUOTES[:2]
    (tmp_path / "strict.xlsx").write_bytes(strict(saved(workbook())))
    assert read_cells(str(tmp_path / "strict.xlsx")) == QUOTES
    with pytest.raises(InputError, match="at most 1,000,000"):
        read_cells(str(tmp_path / "strict.xlsx"), "B2:XFC1048575")
