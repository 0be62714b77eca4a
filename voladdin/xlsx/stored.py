"""What the cells of a workbook hold: numbers, texts, dates as serial numbers, errors."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import from_ISO8601, to_excel

from ..cells import Cell
from ..errors import InputError
from .layout import CellElement
from .package import Package, children, local_name

SHIFT_1904 = 1462  # days from 1899-12-30 to 1904-01-01


class StoredValues:
    """Reads cells as a workbook stores them.

    Dates are serial numbers of the 1900 date system also where the workbook counts from 1904, so that they
    agree with dates given as text; `counted` turns them back.
    """

    def __init__(self, package: Package, *, from_1904: bool) -> None:
        kinds = {kind: part for kind, part in package.targets(package.workbook).values()}
        self._strings = _shared_strings(package, kinds["sharedStrings"]) if "sharedStrings" in kinds else []
        self._from_1904 = from_1904
        self._date_styles = (
            _date_styles(package, kinds["styles"]) if from_1904 and "styles" in kinds else set()
        )
        self._dates: set[float] = set()

    def value(self, cell: CellElement) -> Cell:
        """The stored value of a cell, None where it has none. Raises InputError where it cannot be read."""
        kind, text = cell.attributes.get("t", "n"), cell.value
        if kind == "inlineStr":
            return cell.inline
        if kind == "str":
            return None if text is None and cell.formula is None else text or ""
        if text is None or (kind == "n" and not text.strip()):
            return None
        if kind == "s":
            return self._string(text)
        if kind == "b":
            return text.strip() in ("1", "true")
        if kind == "e":
            return text
        return self._date(text) if kind == "d" else self._number(text, cell)

    def counted(self, value: Cell, cell: CellElement | None, *, ours: bool) -> Cell:
        """A value as the workbook stores it; ours: made by a VOL function, its dates as it was given them."""
        if isinstance(value, date):
            value = float(to_excel(value))
        if not self._from_1904 or isinstance(value, bool) or not isinstance(value, float) or value < 1:
            return value
        is_date = cell is not None and cell.attributes.get("s", "0") in self._date_styles
        return value - SHIFT_1904 if is_date or (ours and value in self._dates) else value

    def _string(self, text: str) -> str:
        if not text.strip().isdigit() or int(text) >= len(self._strings):
            raise InputError(f"its shared string {text!r} is not one of {len(self._strings)}")
        return self._strings[int(text)]

    def _number(self, text: str, cell: CellElement) -> float | str:
        try:
            number = float(text)
        except ValueError:
            raise InputError(
                f"its cell {cell.attributes.get('r', '')} holds {text!r}; expected a number"
            ) from None
        if not math.isfinite(number):
            return "#NUM!"
        if self._from_1904 and number >= 1 and cell.attributes.get("s", "0") in self._date_styles:
            number += SHIFT_1904
            self._dates.add(number)
        return number

    def _date(self, text: str) -> float:
        try:
            moment = from_ISO8601(text)
        except ValueError:
            raise InputError(f"its date {text!r} cannot be read") from None
        serial = float(to_excel(moment)) if isinstance(moment, date | datetime | time) else float("nan")
        self._dates.add(serial)
        return serial


def _shared_strings(package: Package, part: str) -> list[str]:
    return ["".join(_texts(item)) for item in children(package.xml(part), "si")]


def _texts(item: Element) -> list[str]:
    """A string's runs, without the phonetic ones."""
    texts = []
    for child in item:
        if local_name(child) == "t":
            texts.append(child.text or "")
        elif local_name(child) == "r":
            texts += [text.text or "" for text in children(child, "t")]
    return texts


def _date_styles(package: Package, part: str) -> set[str]:
    """The style numbers whose format shows a date."""
    root = package.xml(part)
    formats = {e.get("numFmtId", ""): e.get("formatCode", "") for e in children(root, "numFmts", "numFmt")}
    builtin = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    styles = enumerate(children(root, "cellXfs", "xf"))
    codes = {str(n): (builtin | formats).get(xf.get("numFmtId", "0"), "General") for n, xf in styles}
    return {number for number, code in codes.items() if is_date_format(code)}
