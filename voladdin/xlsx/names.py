"""What a workbook declares, sheets, names and tables, and what a reference in a formula stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

from ..errors import InputError
from .package import Package, children
from .references import Box, Position, SheetRange, box_of

_SHEET = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)", re.DOTALL)
_STRUCTURED = re.compile(r"([^\[\]]*)\[(.*)\]", re.DOTALL)
_ITEM = re.compile(r"\[((?:'.|[^'\[\]])*)\]")


class UnsupportedError(InputError):
    """A formula, or a part of one, that needs a spreadsheet program."""


@dataclass(frozen=True)
class Definition:
    """What a defined name stands for; its references are seen from `sheet`."""

    text: str
    sheet: str


@dataclass(frozen=True)
class _SheetTable:
    place: SheetRange
    columns: tuple[str, ...]
    headers: int
    totals: int


class BookNames:
    """The sheets (title to part), names and tables of a workbook; and whether it counts dates from 1904.

    recalculates: it asks for every formula to be evaluated when it is opened, so its stored values are not to
    be relied on.
    """

    def __init__(self, package: Package) -> None:
        root = package.xml(package.workbook)
        titles, self.parts = _worksheets(package, root)
        self._sheets = {title.casefold(): title for title in self.parts}
        settings = {
            k: v for name in ("workbookPr", "calcPr") for e in children(root, name) for k, v in e.items()
        }
        self.from_1904 = settings.get("date1904") in ("1", "true")
        self.recalculates = settings.get("fullCalcOnLoad") in ("1", "true")
        self._defined: dict[tuple[str, str], str] = {}
        for defined in children(root, "definedNames", "definedName"):
            local = defined.get("localSheetId")
            scope = titles[int(local)] if local and local.isdigit() and int(local) < len(titles) else ""
            self._defined[scope, defined.get("name", "").casefold()] = defined.text or ""
        self._tables = {
            name: table for title in self.parts for name, table in _tables(package, title, self.parts[title])
        }

    def resolve(self, text: str, sheet: str, position: Position | None = None) -> SheetRange | Definition:
        """What a reference stands for, seen from a cell: a range, or what a defined name is defined as.

        Raises InputError where it is unknown; UnsupportedError where it is in another book or of a kind that
        only a spreadsheet program knows.
        """
        found = _SHEET.fullmatch(text)
        if found:
            sheet, text = self._sheet((found[1] or found[2] or "").replace("''", "'")), found[3]
        if box := box_of(text):
            return SheetRange(sheet, box)
        for scope in (sheet, ""):
            if (scope, text.casefold()) in self._defined:
                return Definition(self._defined[scope, text.casefold()], sheet)
        return self._structured(text, position)

    def table(self, name: str) -> SheetRange | None:
        """A table's headers and data by its bare name; None where there is no such table."""
        table = self._tables.get(name.casefold())
        if table is None:
            return None
        box = table.place.box
        return SheetRange(table.place.sheet, box._replace(bottom=box.bottom - table.totals))

    def _sheet(self, name: str) -> str:
        if "[" in name or (":" in name and name.casefold() not in self._sheets):
            raise UnsupportedError(
                f"sheet {name!r} needs a spreadsheet program; expected one sheet of this book"
            )
        if name.casefold() not in self._sheets:
            known = ", ".join(self._sheets.values())
            raise InputError(f"sheet {name!r} is not in the workbook; expected one of {known}")
        return self._sheets[name.casefold()]

    def _structured(self, text: str, position: Position | None) -> SheetRange:
        """Quotes, Quotes[#All], Quotes[Bid], Quotes[[#Headers],[10P]:[10C]], Quotes[@Bid]."""
        found = _STRUCTURED.fullmatch(text)
        name, inside = (found[1], found[2]) if found else (text, "")
        table = self._tables.get(name.casefold())
        if table is None:
            if "[" in text:
                raise UnsupportedError(
                    f"reference {text!r} needs a spreadsheet program; expected a range or a name"
                )
            raise InputError(
                f"name {text!r} is not in the workbook; expected a range such as A1:F9 or a defined name"
            )
        several = inside.lstrip("@ ").startswith("[")
        items = [re.sub(r"'(.)", r"\1", item) for item in (_ITEM.findall(inside) if several else [inside])]
        if inside.startswith("@"):
            items = ["#This Row", *(item.lstrip("@") for item in items)]
        wanted = [item for item in items if item.startswith("#")]
        columns = [item for item in items if item and not item.startswith("#")]
        rows = _table_rows(text, table, [item.lower() for item in wanted], position)
        left, right = _table_columns(text, table, columns, whole="]:[" in inside.replace(" ", ""))
        return SheetRange(table.place.sheet, Box(left, rows[0], right, rows[1]))


def _table_rows(
    text: str, table: _SheetTable, wanted: list[str], position: Position | None
) -> tuple[int, int]:
    box = table.place.box
    first, last = box.top + table.headers, box.bottom - table.totals
    parts = {
        "#all": (box.top, box.bottom),
        "#data": (first, last),
        "#headers": (box.top, first - 1),
        "#totals": (last + 1, box.bottom),
    }
    if position is not None and first <= position[0] <= last:
        parts["#this row"] = (position[0], position[0])
    if unknown := [item for item in wanted if item not in parts]:
        raise UnsupportedError(
            f"reference {text!r} has no {unknown[0]} here; expected one of {', '.join(parts)}"
        )
    chosen = sorted(parts[item] for item in wanted) or [(first, last)]
    if any(after[0] > before[1] + 1 for before, after in pairwise(chosen)) or chosen[-1][1] < chosen[0][0]:
        raise InputError(f"reference {text!r} names no cells")
    return chosen[0][0], max(end for _, end in chosen)


def _table_columns(text: str, table: _SheetTable, columns: list[str], *, whole: bool) -> tuple[int, int]:
    box = table.place.box
    known = {name.casefold(): box.left + offset for offset, name in enumerate(table.columns)}
    if unknown := [name for name in columns if name.casefold() not in known]:
        raise InputError(
            f"reference {text!r} has no column {unknown[0]!r}; expected one of {', '.join(table.columns)}"
        )
    if not columns:
        return box.left, box.right
    at = [known[name.casefold()] for name in columns]
    if len(at) > 1 and not whole:
        raise UnsupportedError(
            f"reference {text!r} needs a spreadsheet program; expected neighbouring columns"
        )
    return min(at), max(at)


def _tables(package: Package, sheet: str, part: str) -> list[tuple[str, _SheetTable]]:
    found = []
    for kind, target in package.targets(part).values():
        if kind != "table":
            continue
        root = package.xml(target)
        box = box_of(root.get("ref", ""))
        if box is None:
            raise InputError(
                f"its table {root.get('displayName')!r} covers {root.get('ref')!r}; expected a range"
            )
        columns = tuple(column.get("name", "") for column in children(root, "tableColumns", "tableColumn"))
        headers, totals = root.get("headerRowCount", "1") != "0", root.get("totalsRowCount", "0") != "0"
        table = _SheetTable(SheetRange(sheet, box), columns, int(headers), int(totals))
        found.append((root.get("displayName", "").casefold(), table))
    return found


def _worksheets(package: Package, root: Element) -> tuple[list[str], dict[str, str]]:
    """The titles of all sheets, and the part of each worksheet. Raises InputError where there is none."""
    targets, titles, parts = package.targets(package.workbook), list[str](), dict[str, str]()
    for sheet in children(root, "sheets", "sheet"):
        identity = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
        kind, part = targets.get(identity, ("", ""))
        titles.append(sheet.get("name", ""))
        if kind == "worksheet":
            parts[titles[-1]] = part
        elif kind not in ("chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet"):
            raise InputError(f"its sheet {titles[-1]!r} has no part")
    if not parts:
        raise InputError("it has no worksheet")
    return titles, parts
