"""A list of options in cells, one a row (or call and put on one row), to `voladdin.options.Options`.

Columns are found by their headings, in any order and in the usual words; what else is there is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np

from .._typing import FloatArray
from ..errors import InputError, LabelError
from ..labels import parse_tenor
from ..labels.dates import years_between
from ..options import Options
from ._values import Cell, Cells, Label, is_missing, labels_of, read_date, read_number, shown

HEADINGS = {
    "expiry": ("expiry", "expiration", "exp", "maturity", "expirydate", "expirationdate", "expdate", "tenor"),
    "days": ("days", "dte", "daystoexpiry", "daystoexpiration", "daystomaturity", "dtm"),
    "strike": ("strike", "k", "strikeprice", "exerciseprice", "strk"),
    "side": ("type", "callput", "cp", "putcall", "pc", "right", "optiontype", "side", "callorput"),
    "bid": ("bid", "bidprice", "b"),
    "ask": ("ask", "askprice", "offer", "a"),
    "mid": ("mid", "mark", "midprice", "price", "premium", "settle", "settlement"),
    "last": ("last", "lastprice", "lasttrade", "close"),
}
_KINDS = {name: kind for kind, names in HEADINGS.items() for name in names}
_SIDES = ("call", "put", "c", "p")
_CALLS, _PUTS = {"c", "call", "calls"}, {"p", "put", "puts"}
_LOOKED_AT = 20  # rows among which the headings are


@dataclass(frozen=True)
class OptionRows:
    """The options, and where each stands: its row of the range, zero-based, and a name for messages."""

    options: Options
    rows: tuple[int, ...]
    names: tuple[str, ...]


def parse_options(cells: Cells, valuation: date | None = None, name: str = "options") -> OptionRows:
    """The options of a range. Raises InputError naming missing columns, or a cell that cannot be read."""
    labels = labels_of(cells, name)
    top, columns = _headings(labels, name)
    found: list[tuple[float, float, bool, tuple[float, float, float]]] = []
    rows: list[int] = []
    names: list[str] = []
    for i, row in enumerate(labels[top + 1 :], start=top + 1):
        if is_missing(row[columns["strike"]].cell):
            continue
        years, strike = _years(row, columns, valuation), _positive(row[columns["strike"]])
        for call in _calls(row, columns):
            prices = _prices(row, columns, call)
            found.append((years, strike, call, prices))
            rows.append(i)
            names.append(f"{'call' if call else 'put'} {strike:g} of {shown(_expiry(row, columns).cell)}")
    if not found:
        raise InputError(f"the {name} have headings and no option below; expected one option a row")
    years_, strikes, calls, prices_ = zip(*found, strict=True)
    bid, ask, mid = np.array(prices_).T
    options = Options(np.array(years_), np.array(strikes), np.array(calls, dtype=np.bool_), bid, ask, mid)
    return OptionRows(options, tuple(rows), tuple(names))


def _headings(labels: list[list[Label]], name: str) -> tuple[int, dict[str, int]]:
    """The row of the headings, and the column of each; "call bid" is a column of its own."""
    best: tuple[int, dict[str, int]] = (0, {})
    for i, row in enumerate(labels[:_LOOKED_AT]):
        columns: dict[str, int] = {}
        for j, label in enumerate(row):
            heading = _heading(label.cell)
            if heading is not None:
                columns.setdefault(heading, j)
        if len(columns) > len(best[1]):
            best = (i, columns)
    top, columns = best
    lacking = [need for need, there in _needs(columns).items() if not there]
    if lacking:
        row = labels[top] if columns else labels[0]
        given = ", ".join(shown(label.cell) for label in row if not is_missing(label.cell)) or "none"
        raise InputError(
            f"the {name} have no column for {', '.join(lacking)}; the headings found are {given}"
        )
    return top, columns


def _heading(cell: Cell) -> str | None:
    if not isinstance(cell, str):
        return None
    words = re.sub(r"[^a-z]", " ", cell.lower()).split()
    if (kind := _KINDS.get("".join(words))) is not None or len(words) < 2 or words[0] not in _SIDES:
        return kind
    kind = _KINDS.get("".join(words[1:]))
    return None if kind is None else f"{words[0][0]} {kind}"


def _needs(columns: dict[str, int]) -> dict[str, bool]:
    sided = any(key.startswith(("c ", "p ")) for key in columns)
    priced = any(key.split()[-1] in ("bid", "ask", "mid", "last") for key in columns)
    return {
        "expiry or days": "expiry" in columns or "days" in columns,
        "strike": "strike" in columns,
        "call or put": "side" in columns or sided,
        "bid and ask, or mid": priced,
    }


def _expiry(row: list[Label], columns: dict[str, int]) -> Label:
    return row[columns["expiry"] if "expiry" in columns else columns["days"]]


def _years(row: list[Label], columns: dict[str, int], valuation: date | None) -> float:
    """Years to expiry, ACT/365; 0 and below is expired."""
    if "days" in columns and not is_missing(row[columns["days"]].cell):
        label = row[columns["days"]]
        number = read_number(label.cell)
        if number is None or number.percent:
            raise LabelError(f"{label}; expected days to expiry")
        return number.value / 365.0
    label = _expiry(row, columns)
    day = read_date(label.cell)
    if day is None:
        return parse_tenor(label.cell if isinstance(label.cell, str | float | int) else str(label.cell))
    if valuation is None:
        raise InputError(f"{label}, a date; expected a valuation date too, or days to expiry")
    return years_between(valuation, day)


def _positive(label: Label) -> float:
    number = read_number(label.cell)
    if number is None or number.percent or not 0 < number.value < np.inf:
        raise InputError(f"{label}; expected a strike above 0")
    return number.value


def _calls(row: list[Label], columns: dict[str, int]) -> list[bool]:
    """Which options the row holds: one by its side, or both where prices have a side of their own."""
    if "side" not in columns:
        return [side == "c" for side in ("c", "p") if any(key.startswith(f"{side} ") for key in columns)]
    label = row[columns["side"]]
    word = label.cell.strip().lower() if isinstance(label.cell, str) else ""
    if word not in _CALLS | _PUTS:
        raise InputError(f"{label}; expected C, P, call or put")
    return [word in _CALLS]


def _prices(row: list[Label], columns: dict[str, int], call: bool) -> tuple[float, float, float]:
    """Bid, ask and mid; a last price stands for a mid that is not there."""

    def price(kind: str) -> float:
        at = columns.get(kind, columns.get(f"{'c' if call else 'p'} {kind}"))
        if at is None or is_missing(row[at].cell):
            return float("nan")
        number = read_number(row[at].cell)
        if number is None or number.percent or number.value < 0:
            raise InputError(f"{row[at]}; expected a price of at least 0")
        return number.value

    mid = price("mid")
    return price("bid"), price("ask"), price("last") if np.isnan(mid) else mid


def option_strikes(strikes: FloatArray) -> list[str]:
    """Headers such as K=1.085, which are read back as these very numbers."""
    return [f"K={np.format_float_positional(strike, trim='-')}" for strike in strikes]
