"""The units of a list of options: vols in percent points or decimals, prices in one currency, volumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import InputError, UnitsError
from ._option_columns import CURRENCY, OptionColumns
from ._option_headings import PRICES
from ._values import Cell, Cells, Label, read_number

_PERCENT_FROM, _BASIS_FROM = 3.0, 400.0  # a median vol above it is in percent, may be in basis points
_SAID_FROM = 1.0  # decimals above it are named
_MIXED = 10.0
_BUSY = 300.0  # more than the percent points of any vol


def read_option_vols(columns: OptionColumns, headings: Sequence[str], notes: list[str]) -> list[FloatArray]:
    """Decimal vols [n] of each heading, NaN where it has no column: one unit for all plain numbers.

    Raises UnitsError where they mix percent points and decimals, or may be basis points.
    """
    vols = [_numbers(columns, name) for name in headings]
    in_percent = [_in_percent(columns, name) for name in headings]
    known, percent = np.concatenate(vols), np.concatenate(in_percent)
    plain = np.isfinite(known) & ~percent
    if not plain.any():
        return vols
    median = float(np.median(known[plain]))
    in_points = _decide(median, known[percent & np.isfinite(known)])
    shaped = np.where(plain, known, np.nan).reshape(len(vols), -1)
    _refuse_mixed(columns, headings, shaped, in_points=in_points)
    if in_points:
        notes.append("the vols are read as percent")
    elif median > _SAID_FROM:
        notes.append(f"the vols, of about {median:g}, are read as decimals, {100 * median:g}%")
    unit = 100 if in_points else 1
    return [np.where(marked, vol, vol / unit) for vol, marked in zip(vols, in_percent, strict=True)]


def _decide(median: float, explicit: FloatArray) -> bool:
    """Whether plain numbers are percent points: as those that end in %, else by size."""
    if len(explicit):
        usual = float(np.median(explicit))
        return bool(abs(np.log(median / 100 / usual)) < abs(np.log(median / usual)))
    if median > _BASIS_FROM:
        raise UnitsError(
            f"vols of about {median:g} may be percent points ({median:g}%) or basis points "
            f"({median / 100:g}%); expected the latter as percent points"
        )
    return median > _PERCENT_FROM


def _refuse_mixed(
    columns: OptionColumns, headings: Sequence[str], plain: FloatArray, *, in_points: bool
) -> None:
    """plain: [headings, n]. Raises UnitsError naming a decimal and a number of percent points."""
    positive = np.where(plain > 0, plain, np.nan)
    low, high = (divmod(int(find(positive)), plain.shape[1]) for find in (np.nanargmin, np.nanargmax))
    median = np.nanmedian(positive)
    far = positive[low] * _MIXED < median if in_points else positive[high] > _MIXED * median
    if far and positive[low] <= 1.0 < _PERCENT_FROM < positive[high]:
        one, other = (columns.label(i, headings[side]) for side, i in (low, high))
        raise UnitsError(
            f"{one} (a decimal?) and {other} (percent points?) differ in unit; expected one unit"
        )


def _numbers(columns: OptionColumns, heading: str) -> FloatArray:
    if heading not in columns.at:
        return np.full(len(columns.cells), np.nan)
    return columns.numbers(heading, "a number of at least 0")


def _in_percent(columns: OptionColumns, heading: str) -> BoolArray:
    if heading not in columns.at:
        return np.zeros(len(columns.cells), dtype=np.bool_)
    cells = columns.cells_of(heading)
    return np.array([isinstance(cell, str) and cell.rstrip().endswith("%") for cell in cells], dtype=np.bool_)


def refuse_currencies(columns: OptionColumns) -> None:
    """Raises InputError naming two prices of different currencies."""
    first: tuple[str, Label] | None = None
    for heading in [f"{side}{kind}" for side in ("", "c ", "p ") for kind in PRICES]:
        for i, cell in enumerate(columns.cells_of(heading) if heading in columns.at else []):
            found = CURRENCY.search(cell) if isinstance(cell, str) else None
            mark = (found[1] or found[2]) if found else None
            if mark and first is None:
                first = mark, columns.label(i, heading)
            elif mark and first is not None and mark != first[0]:
                raise InputError(
                    f"{first[1]} and {columns.label(i, heading)}: two currencies; expected the options of "
                    "one, so filter the list"
                )


def volumes_headed_vol(cells: Cells, top: int, at: dict[str, int], notes: list[str]) -> dict[str, int]:
    """The columns, where one headed "Vol" beside prices holds whole numbers with zeros or beyond any vol."""
    changed = dict(at)
    for side in ("", "c ", "p "):
        name, column = f"{side}volume", at.get(f"{side}iv")
        priced = any(f"{side}{kind}" in at for kind in PRICES)
        if column is None or not priced or name in at or "vol" not in str(cells[top][column]).lower().split():
            continue
        if _are_volumes([row[column] for row in cells[top + 1 :]]):
            changed[name] = changed.pop(f"{side}iv")
            heading = Label(cells[top][column], top, column, "options")
            notes.append(f"{heading}, of whole numbers: read as the volume")
    return changed


def _are_volumes(column: list[Cell]) -> bool:
    numbers = [number for cell in column if (number := read_number(cell)) is not None]
    values = [number.value for number in numbers if np.isfinite(number.value)]
    if not values or any(number.percent for number in numbers):
        return False
    return all(value == int(value) for value in values) and (min(values) == 0 or max(values) > _BUSY)
