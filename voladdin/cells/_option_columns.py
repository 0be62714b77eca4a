"""One column of a list of options at a time: numbers, years, sides, or the one value that all rows share.

What cannot be read is not guessed: its row is left out with a message that names the cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import InputError, LabelError
from ..labels import parse_tenor
from ..labels.dates import common_order, date_of_text, day_orders, refuse_ambiguous
from ._expiry_clocks import ExpiryClock
from ._option_symbols import SYMBOL_HEADINGS
from ._values import Cell, Cells, Label, is_missing, is_thousands, read_date, read_number

CURRENCY = re.compile(r"^\s*([$€£¥]|[A-Z]{3}(?=\s))|([$€£¥]|(?<=\s)[A-Z]{3})\s*$")  # "$1.25", "1.25 EUR"
_CALLS = {"c", "call", "calls", "calloption", "europeancall", "americancall", "ce", "1", "+1"}
_PUTS = {"p", "put", "puts", "putoption", "europeanput", "americanput", "pe", "-1"}


@dataclass
class OptionColumns:
    """The rows below the headings, each with its row of the range; bad: what is wrong there, by that row.

    symbols: where the symbols stand whose parts are the last columns.
    """

    cells: Cells
    rows: list[int]
    at: dict[str, int]
    name: str
    symbols: int | None = None
    bad: dict[int, str] = field(default_factory=dict)

    def cells_of(self, heading: str) -> list[Cell]:
        """The column of a heading."""
        j = self.at[heading]
        return [row[j] for row in self.cells]

    def label(self, i: int, heading: str) -> Label:
        """The cell of row i, with its place."""
        j = self.at[heading]
        of_symbol = self.symbols is not None and j >= len(self.cells[i]) - len(SYMBOL_HEADINGS)
        place = self.symbols if of_symbol and self.symbols is not None else j
        return Label(self.cells[i][j], self.rows[i], place, self.name)

    def spoil(self, i: int, message: str) -> None:
        """Leaves row i out."""
        self.bad.setdefault(self.rows[i], message)

    def numbers(self, heading: str, expected: str, *, positive: bool = False) -> FloatArray:
        """[n] numbers, NaN where missing or bad; text ending in % counts as its fraction."""
        values = np.full(len(self.cells), np.nan)
        for i, cell in enumerate(self.cells_of(heading)):
            if is_missing(cell):
                continue
            number = read_number(CURRENCY.sub("", cell) if isinstance(cell, str) else cell)
            if number is None or math.isinf(number.value) or not _allowed(number.value, positive=positive):
                self.spoil(i, f"{self.label(i, heading)}; expected {expected}")
            else:
                values[i] = number.fraction
        return values

    def strikes(self) -> FloatArray:
        """[n] strikes; "1,200" beside 950 or 1250 is twelve hundred."""
        values = self.numbers("strike", "a strike above 0", positive=True)
        thousands = np.array([is_thousands(cell) for cell in self.cells_of("strike")], dtype=np.bool_)
        if thousands.any() and (~thousands & np.isfinite(values)).any():
            usual = math.log(float(np.nanmedian(values[~thousands])))
            small = math.log(float(np.nanmedian(values[thousands])))
            if abs(small + math.log(1000) - usual) < abs(small - usual):
                plain = [str(self.cells[i][self.at["strike"]]) for i in np.flatnonzero(thousands)]
                values[thousands] = [float(text.replace(",", "")) for text in plain]
        return values

    def calls(self) -> BoolArray:
        """[n] whether each row is a call."""
        read: dict[str, bool | None] = {}
        found = np.zeros(len(self.cells), dtype=np.bool_)
        for i, cell in enumerate(self.cells_of("side")):
            text = cell if isinstance(cell, str) else f"{cell:g}" if isinstance(cell, float | int) else ""
            if text not in read:
                read[text] = _side(text)
            side = read[text]
            if side is None:
                self.spoil(i, f"{self.label(i, 'side')}; expected C, P, call or put")
            found[i] = bool(side)
        return found

    def one(self, heading: str, what: str) -> Cell:
        """The one value of a column, None where it has none. Raises InputError naming two that differ."""
        if heading not in self.at:
            return None
        first: int | None = None
        for i, cell in enumerate(self.cells_of(heading)):
            if is_missing(cell):
                continue
            if first is None:
                first = i
            elif _plain(cell) != _plain(self.label(first, heading).cell):
                raise InputError(
                    f"{self.label(first, heading)} and {self.label(i, heading)}: {what}; expected the "
                    "options of one, so filter the list"
                )
        return None if first is None else self.label(first, heading).cell

    def years(self, valuation: date | None, clock: ExpiryClock) -> FloatArray:
        """[n] years to expiry; 0 and below is expired. Raises InputError for a business clock of days."""
        heading = next(name for name in ("days", "years", "expiry") if name in self.at)
        if heading != "expiry":
            values = self.numbers(heading, f"{heading} to expiry")
            values = values / 365.0 if heading == "days" else values
            if "expiry" not in self.at or np.isfinite(values).any():
                if clock.clock != "calendar":
                    raise InputError(f"clock is {clock.clock!r}, and the list has {heading}; expected dates")
                values = values - [clock.short(am=am) for am in self._am(clock)]
                return self._complete(values, heading)
        return self._complete(self._expiries(valuation, clock), "expiry")

    def _am(self, clock: ExpiryClock) -> list[bool]:
        """[n] whether each expires at the open. Raises InputError for a word that is neither AM nor PM."""
        if "ampm" not in self.at:
            return [clock.am] * len(self.cells)
        words = [str(cell or "").strip().lower() for cell in self.cells_of("ampm")]
        for i, word in enumerate(words):
            if word not in ("am", "pm", ""):
                raise InputError(f"{self.label(i, 'ampm')}; expected AM or PM")
        return [word == "am" if word else clock.am for word in words]

    def _complete(self, values: FloatArray, heading: str) -> FloatArray:
        for i in np.flatnonzero(np.isnan(values)).tolist():
            self.spoil(i, f"{self.label(i, heading)}; expected an expiry")
        return values

    def _expiries(self, valuation: date | None, clock: ExpiryClock) -> FloatArray:
        column = self.cells_of("expiry")
        order = common_order(sorted({cell for cell in column if isinstance(cell, str)}))
        self._refuse_plain(column)
        read: dict[tuple[Cell, bool], float | str] = {}
        found = np.full(len(column), np.nan)
        for i, (cell, am) in enumerate(zip(column, self._am(clock), strict=True)):
            if (cell, am) not in read:
                read[cell, am] = self._expiry(i, valuation, order, clock, am=am)
            value = read[cell, am]
            if isinstance(value, str):
                self.spoil(i, f"{self.label(i, 'expiry')}{value}")
            else:
                found[i] = value
        return found

    def _expiry(
        self, i: int, valuation: date | None, order: Any, clock: ExpiryClock, *, am: bool
    ) -> float | str:
        """Years, or what is wrong with the cell."""
        cell = self.label(i, "expiry").cell
        if is_missing(cell) or isinstance(cell, bool):
            return "; expected an expiry"
        day = read_date(cell)
        if day is None and isinstance(cell, str) and day_orders(cell):
            day = date_of_text(cell, order)
            if day is None:
                refuse_ambiguous(cell)
        if day is None:
            try:
                return parse_tenor(cell, valuation)  # type: ignore[arg-type]
            except LabelError as error:
                return f": {error}"
        if valuation is None:
            raise InputError(
                f"{self.label(i, 'expiry')}, a date; expected a valuation date too, or days to expiry"
            )
        return clock.years(valuation, day, am=am)

    def _refuse_plain(self, column: Sequence[Cell]) -> None:
        """Raises InputError where plain numbers may be days as well as years."""
        for i, cell in enumerate(column):
            number = None if isinstance(cell, date | bool) or is_missing(cell) else read_number(cell)
            plain = number is not None and read_date(cell) is None
            if number is not None and plain and number.value >= 2 and number.value == int(number.value):
                raise InputError(
                    f"{self.label(i, 'expiry')}, days or years; expected the heading days or years, "
                    "dates, or labels such as 30D"
                )


def _allowed(value: float, *, positive: bool) -> bool:
    return value > 0 if positive else value >= 0


def _side(text: str) -> bool | None:
    word = "".join(text.lower().split())
    return True if word in _CALLS else False if word in _PUTS else None


def _plain(cell: Cell) -> Cell:
    return cell.strip().upper() if isinstance(cell, str) else cell
