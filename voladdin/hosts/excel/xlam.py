"""voladdin.xlam: an Office Open XML package with one empty sheet, the VBA project and the ribbon.

Entries carry no times, so the same sources give the same file.
"""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from pathlib import Path

from voladdin.errors import InputError

from . import addin, ribbon
from .names import PROJECT
from .vba_project import vba_project

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = {
    "/xl/workbook.xml": "application/vnd.ms-excel.addin.macroEnabled.main+xml",
    "/xl/worksheets/sheet1.xml": f"{_SPREADSHEET}.worksheet+xml",
    "/xl/styles.xml": f"{_SPREADSHEET}.styles+xml",
    "/xl/vbaProject.bin": "application/vnd.ms-office.vbaProject",
}
_ROOT = {
    "xl/workbook.xml": f"{_OFFICE}/officeDocument",
    "customUI/customUI14.xml": "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility",
}
_WORKBOOK = {
    "worksheets/sheet1.xml": f"{_OFFICE}/worksheet",
    "styles.xml": f"{_OFFICE}/styles",
    "vbaProject.bin": "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
}


def build(path: str | os.PathLike[str]) -> Path:
    """Writes the add-in (.xlam), or its VBA module alone for import by hand (.bas); returns the path.

    Raises InputError for another ending or where the file cannot be written, UnavailableError where xlwings
    is not as expected.
    """
    target = Path(path)
    if target.suffix.lower() not in (".xlam", ".bas"):
        raise InputError(f"output is {str(path)!r}; expected a name ending in .xlam or .bas")
    data = xlam() if target.suffix.lower() == ".xlam" else addin.module().data
    try:
        target.write_bytes(data)
    except OSError as error:
        raise InputError(f"output {path} cannot be written: {error.strerror}") from None
    return target


def xlam() -> bytes:
    """The add-in file. Raises UnavailableError where xlwings is not as expected."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in _parts().items():
            entry = zipfile.ZipInfo(name)  # of 1980-01-01
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            package.writestr(entry, data)
    return file.getvalue()


def _parts() -> dict[str, bytes]:
    """Every part by name, the content types first."""
    texts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relationships(_ROOT),
        "xl/workbook.xml": _workbook(),
        "xl/_rels/workbook.xml.rels": _relationships(_WORKBOOK),
        "xl/worksheets/sheet1.xml": _sheet(),
        "xl/styles.xml": _styles(),
        "customUI/customUI14.xml": ribbon.xml(),
    }
    parts = {name: (_HEAD + text).encode() for name, text in texts.items()}
    return {**parts, "xl/vbaProject.bin": vba_project(PROJECT, addin.modules())}


def _content_types() -> str:
    defaults = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
    lines = [f'<Default Extension="{end}" ContentType="{type_}"/>' for end, type_ in defaults.items()]
    lines += [f'<Override PartName="{part}" ContentType="{type_}"/>' for part, type_ in _TYPES.items()]
    return f'<Types xmlns="{_PACKAGE}/content-types">{"".join(lines)}</Types>'


def _relationships(targets: dict[str, str]) -> str:
    lines = [
        f'<Relationship Id="rId{number}" Type="{type_}" Target="{target}"/>'
        for number, (target, type_) in enumerate(targets.items(), start=1)
    ]
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(lines)}</Relationships>'


def _workbook() -> str:
    sheets = '<sheets><sheet name="voladdin" sheetId="1" r:id="rId1"/></sheets>'
    properties = '<workbookPr codeName="ThisWorkbook"/>'
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{properties}{sheets}</workbook>'


def _sheet() -> str:
    return f'<worksheet xmlns="{_MAIN}"><sheetPr codeName="Sheet1"/><sheetData/></worksheet>'


def _styles() -> str:
    """The least that a style sheet has to have."""
    fonts = '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    fills = '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    fills += '<fill><patternFill patternType="gray125"/></fill></fills>'
    borders = '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    xf = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"'
    formats = f'<cellStyleXfs count="1">{xf}/></cellStyleXfs><cellXfs count="1">{xf} xfId="0"/></cellXfs>'
    names = '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    return f'<styleSheet xmlns="{_MAIN}">{fonts}{fills}{borders}{formats}{names}</styleSheet>'
