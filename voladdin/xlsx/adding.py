"""A sheet of charts added to a workbook file: every part that was there stays, but for the lists of parts."""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from ..errors import InputError
from .chart_parts import drawings, worksheet_xml
from .chart_sheet import SHEET, ChartSheet
from .package import Package

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument."
_KINDS = {
    "worksheet": f"{_TYPES}spreadsheetml.worksheet+xml",
    "drawing": f"{_TYPES}drawing+xml",
    "chart": f"{_TYPES}drawingml.chart+xml",
}
_FORMATS = {True: 2, False: 10}  # built in: 0.00, 0.00%


def free_name(taken: list[str]) -> str:
    """A name for the sheet that the book does not have."""
    lower = {name.lower() for name in taken}
    names = (SHEET, *(f"{SHEET} {number}" for number in range(2, 1000)))
    return next(name for name in names if name.lower() not in lower)


def with_sheet(data: bytes, made: ChartSheet) -> bytes:
    """The workbook with the sheet of charts as its last.

    Raises InputError where the book's structure is protected, it is signed, or it is in the strict format.
    """
    package = Package(data)
    _check(package)
    number = {kind: _free(package, pattern) for kind, pattern in _NUMBERED.items()}
    sheet, drawing = (
        f"xl/worksheets/sheet{number['sheet']}.xml",
        f"xl/drawings/drawing{number['drawing']}.xml",
    )
    changed, styles = _styles(package, percent=made.percent)
    drawn, links, charts = drawings(made, number["chart"])
    parts = {f"xl/charts/chart{number['chart'] + i}.xml": chart for i, chart in enumerate(charts)}
    kinds = dict.fromkeys(parts, "chart") | {sheet: "worksheet", drawing: "drawing"}
    changed |= _listed(package, made.name, sheet, kinds)
    parts |= {
        sheet: worksheet_xml(made, styles, "rId1"),
        _links_of(sheet): _relationships(drawing),
        drawing: drawn,
        _links_of(drawing): links,
    }
    return package.replaced(changed, parts)


_NUMBERED = {
    "sheet": r"xl/worksheets/sheet(\d+)\.xml",
    "drawing": r"xl/drawings/drawing(\d+)\.xml",
    "chart": r"xl/charts/chart(\d+)\.xml",
}


def _free(package: Package, pattern: str) -> int:
    """A number above those of all parts of one kind, in any case."""
    found = [re.fullmatch(pattern, part, re.IGNORECASE) for part in package.parts]
    return 1 + max((int(match[1]) for match in found if match), default=0)


def _check(package: Package) -> None:
    book = package.read(package.workbook)
    if re.search(rb"<(?:\w+:)?workbookProtection\b[^>]*\blockStructure=\"(?:1|true)\"", book):
        raise InputError("the book's structure is protected; expected one that a sheet may be added to")
    if any(part.startswith("_xmlsignatures/") for part in package.parts):
        raise InputError("the book is signed, and a new sheet would break that; expected an unsigned copy")
    if b"http://purl.oclc.org/ooxml/" in book:
        raise InputError("the book is in the Strict format; expected it saved as an Excel workbook (.xlsx)")


def _listed(package: Package, name: str, sheet: str, kinds: dict[str, str]) -> dict[str, bytes]:
    """The lists of sheets, links and types with the new ones."""
    book = package.read(package.workbook)
    folder, _, file = package.workbook.rpartition("/")
    links = f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"
    ids = [int(number) for number in re.findall(rb"\bsheetId=\"(\d+)\"", book)]
    link = "rIdVoladdin"
    while link in package.targets(package.workbook):
        link += "1"
    prefix = _prefix(book, b"sheets")
    office = re.search(rb"xmlns:(\w+)=\"" + _OFFICE.encode() + rb"\"", book)
    bound = office[1].decode() if office else "voladdin"
    declared = "" if office else f' xmlns:{bound}="{_OFFICE}"'
    entry = f'<{prefix}sheet name={quoteattr(name)} sheetId="{max(ids) + 1}"{declared} {bound}:id="{link}"/>'
    target = f'<Relationship Id="{link}" Type="{_OFFICE}/worksheet" Target="/{sheet}"/>'
    types = "".join(f'<Override PartName="/{p}" ContentType="{_KINDS[kind]}"/>' for p, kind in kinds.items())
    return {
        package.workbook: _appended(book, b"sheets", entry),
        links: _appended(package.read(links), b"Relationships", target),
        "[Content_Types].xml": _appended(package.read("[Content_Types].xml"), b"Types", types),
    }


def _prefix(xml: bytes, name: bytes) -> str:
    found = re.search(rb"</(\w+:)?" + name + rb"\s*>", xml)
    if found is None:
        raise InputError(f"its list {name.decode()} has no end; expected a workbook that Excel can read")
    return (found[1] or b"").decode()


def _appended(xml: bytes, name: bytes, new: str) -> bytes:
    """`new`, written without a prefix or with the list's own, as the last of a list."""
    prefix = _prefix(xml, name)
    if prefix and not new.startswith(f"<{prefix}"):
        new = re.sub(r"<(?=\w)", f"<{prefix}", new)
    at = xml.rindex(b"</" + prefix.encode() + name)
    return xml[:at] + new.encode() + xml[at:]


def _styles(package: Package, *, percent: bool) -> tuple[dict[str, bytes], dict[str, int]]:
    """The styles with a format for vols, and its number; nothing where the book has no styles."""
    part = next((p for kind, p in package.targets(package.workbook).values() if kind == "styles"), None)
    xml = b"" if part is None else package.read(part)
    found = re.search(rb"<((?:\w+:)?)cellXfs\b[^>]*\bcount=\"(\d+)\"", xml)
    if part is None or found is None:
        return {}, {}
    prefix, count = found[1].decode(), int(found[2])
    look = 'fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"'
    form = f'<{prefix}xf numFmtId="{_FORMATS[percent]}" {look}/>'
    counted = xml[: found.start(2)] + str(count + 1).encode() + xml[found.end(2) :]
    return {part: _appended(counted, b"cellXfs", form)}, {"vol": count}


def _links_of(part: str) -> str:
    folder, _, file = part.rpartition("/")
    return f"{folder}/_rels/{file}.rels"


def _relationships(drawing: str) -> bytes:
    link = f'<Relationship Id="rId1" Type="{_OFFICE}/drawing" Target="/{drawing}"/>'
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<Relationships xmlns="{_PACKAGE}">{link}</Relationships>'.encode()
